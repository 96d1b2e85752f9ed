"""What people fill in about alerts."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.alerts.models import Severity

SHOWN = ("open", "acknowledged", "all", "unmatched")


class ListForm(forms.Form):
    """What a list of alerts shows; what is not valid is left out, because it stands in the address."""

    show = forms.ChoiceField(choices=[(word, word) for word in SHOWN], required=False)
    severity = forms.MultipleChoiceField(choices=Severity.choices, required=False)
    alert_type = forms.CharField(required=False, max_length=60)
    q = forms.CharField(required=False, max_length=200)
    component = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    incident = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)

    @property
    def wanted(self) -> dict[str, Any]:
        """Give what is valid."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [])}


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
