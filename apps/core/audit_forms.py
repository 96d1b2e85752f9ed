"""What the address of the audit's list may ask for."""

from typing import Any

from django import forms

from apps.core.actors import ActorKind
from apps.core.audit.listing import PERIODS
from apps.core.forms import LARGEST_ID, Chosen, Moment
from apps.core.models import Outcome


class AuditListForm(forms.Form):
    """What the list of the audit shows; what is not valid is left out, because it stands in the address."""

    q = forms.CharField(required=False, max_length=200)
    who = forms.CharField(required=False, max_length=300)
    kind = Chosen(required=False, choices=ActorKind.choices)
    family = forms.CharField(required=False, max_length=60)
    action = forms.CharField(required=False, max_length=60)
    object_type = forms.CharField(required=False, max_length=60)
    object_id = forms.CharField(required=False, max_length=60)
    outcome = Chosen(required=False, choices=Outcome.choices)
    address = forms.GenericIPAddressField(required=False, unpack_ipv4=True)
    period = forms.ChoiceField(required=False, choices=[(word, word) for word in PERIODS])
    before = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["from"], self.fields["to"] = Moment(required=False), Moment(required=False)

    @property
    def wanted(self) -> dict[str, Any]:
        """Give what is valid."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [])}
