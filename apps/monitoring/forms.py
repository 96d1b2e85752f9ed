"""The forms of monitoring: limits of one sensor or of several, and the file of excluded network boards."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.drivers.contract import Limits
from apps.monitoring.services import nic_file
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


class NicFileForm(forms.Form):
    """The guide's file, chosen or pasted."""

    file = forms.FileField(
        label=_("File"),
        required=False,
        allow_empty_file=True,
        help_text=_("NICStatusNotShow.txt of ESMPRO/ServerManager, or a text file written like it."),
    )
    text = forms.CharField(
        label=_("Or its lines"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "placeholder": "ServerA=11:22:33:44:55:66"}),
    )

    def clean(self) -> dict[str, Any]:
        """Read the file; one of both is needed."""
        sent = super().clean() or {}
        file = sent.get("file")
        if file is not None:
            sent["lines"] = nic_file.decode(file.read(nic_file.LARGEST + 1))
        elif sent.get("text", "").strip():
            sent["lines"] = sent["text"]
        elif not self.errors:
            raise forms.ValidationError(_("Choose a file, or enter its lines."))
        return sent


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
