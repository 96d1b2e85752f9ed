"""The form of a sensor's own limits."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.drivers.contract import Limits
from apps.monitoring.services.limits import FIELDS


class LimitsForm(forms.Form):
    """Four thresholds in the sensor's unit; an empty one is no limit."""

    upper_critical = forms.FloatField(label=_("Critical from"), required=False)
    upper_warning = forms.FloatField(label=_("Warning from"), required=False)
    lower_warning = forms.FloatField(label=_("Warning down from"), required=False)
    lower_critical = forms.FloatField(label=_("Critical down from"), required=False)

    def __init__(self, *args: Any, limits: Limits, **options: Any) -> None:
        options["initial"] = {name: getattr(limits, name) for name in FIELDS}
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.widget.attrs["step"] = "any"
