"""The forms of limits: of one sensor, of several at once."""

from typing import Any, cast

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


class ManyLimitsForm(LimitsForm):
    """The same four thresholds for several sensors of a component, or also for those like them in its group."""

    HERE, GROUP = "here", "group"

    sensors = forms.TypedMultipleChoiceField(label=_("Sensors"), coerce=int, widget=forms.CheckboxSelectMultiple)
    where = forms.ChoiceField(label=_("Where"), widget=forms.RadioSelect)

    field_order = ("sensors", "where")

    def __init__(self, *args: Any, sensors: list[tuple[int, str]], others: str, **options: Any) -> None:
        super().__init__(*args, **options)
        chosen = cast(forms.TypedMultipleChoiceField, self.fields["sensors"])
        where = cast(forms.ChoiceField, self.fields["where"])
        chosen.choices = sensors
        chosen.initial = [pk for pk, _label in sensors]
        where.choices = [(self.HERE, _("this component")), *([(self.GROUP, others)] if others else [])]
        where.initial = self.HERE
