"""What people fill in about alerts."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.alerts.listing.narrowing import PERIODS, STATES
from apps.alerts.models import IncidentState, Severity
from apps.alerts.models.alert import Quiet
from apps.core.forms import LARGEST_ID, Chosen, Moment, Words


class ListForm(forms.Form):
    """What a list of alerts shows; what is not valid is left out, because it stands in the address."""

    tabs: tuple[str, ...] = ("open", "acknowledged", "all", "unmatched")
    severity = Chosen(choices=Severity.choices)
    alert_type = Words(60)
    source = Words(20)
    state = Chosen(choices=list(STATES.items()))
    quiet = Chosen(choices=Quiet.choices)
    group = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    component = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    incident = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    address = forms.GenericIPAddressField(required=False, unpack_ipv4=True)
    period = forms.ChoiceField(required=False, choices=[(word, word) for word in PERIODS])
    q = forms.CharField(required=False, max_length=200)
    before = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    since = Moment(required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["from"], self.fields["to"] = Moment(required=False), Moment(required=False)
        self.fields["show"] = forms.ChoiceField(required=False, choices=[(word, word) for word in self.tabs])

    @property
    def wanted(self) -> dict[str, Any]:
        """Give what is valid."""
        self.is_valid()
        valid = {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [])}
        if valid.get("show", self.tabs[0]) in IncidentState.values:
            valid.pop("state", None)  # the tab says it
        return valid


class IncidentListForm(ListForm):
    """What a list of incidents shows; ``at`` and ``before`` together name a place in it."""

    tabs = ("open", "acknowledged", "closed")
    at = Moment(required=False)


class AcknowledgeForm(forms.Form):
    """Why nobody needs to be told of a problem any more, and until when."""

    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What is being done about it, for the others."),
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Until"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("After this time an open problem asks for attention again. Empty: until it ends."),
    )

    def clean_until(self) -> Any:
        """Refuse a time that has passed."""
        until = self.cleaned_data["until"]
        if until is not None and until <= timezone.now():
            raise forms.ValidationError(_("Enter a time in the future."))
        return until
