"""The forms of suspend periods: a rule as people write it, and the short one for now."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.components.models import SuspendPeriod
from apps.core.recurrence import Repeat
from apps.core.rule_forms import RuleForm, WallTimeField, offered_rule, shown_rule
from apps.groups.forms import GroupChoice

OPEN, UNTIL = "open", "until"
FOR_MINUTES = (30, 60, 120, 240, 480, 1440)


class PeriodForm(RuleForm):
    """A suspend period: the first occurrence, and how it repeats."""

    name = forms.CharField(label=gettext_lazy("Reason"), max_length=200)
    group = GroupChoice(label=gettext_lazy("Group"), help_text=gettext_lazy("Also everything below it."))
    ends_at = WallTimeField(
        label=pgettext_lazy("time", "Until"),
        required=False,
        help_text=gettext_lazy("Empty: until somebody ends it. What repeats needs an end."),
    )
    enabled = forms.BooleanField(label=gettext_lazy("Enabled"), required=False, initial=True)

    def __init__(self, *args: Any, user: Any, with_group: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if with_group:
            GroupChoice.of(self, "group").offer(user, "suspend")
        else:
            del self.fields["group"]

    def clean(self) -> dict[str, Any]:
        """Check what only the whole tells."""
        given = super().clean() or self.cleaned_data
        if given.get("repeat") not in (None, Repeat.ONCE) and not given.get("ends_at") and "ends_at" not in self.errors:
            self.add_error("ends_at", _("What repeats needs an end."))
        return given

    @property
    def length(self) -> timedelta | None:
        """Give how long it lasts; None of what somebody ends."""
        given = self.cleaned_data
        return given["ends_at"] - given["starts_at"] if given["ends_at"] is not None else None


def shown(period: SuspendPeriod) -> dict[str, Any]:
    """Give what the form shows of a period."""
    rule = period.rule
    return {
        **shown_rule(rule),
        "name": period.name,
        "group": period.group_id,
        "ends_at": rule.first + rule.length if rule.length is not None else None,
        "enabled": period.enabled,
    }


def offered() -> dict[str, Any]:
    """Give what a new form begins with: two hours from the coming one on."""
    found = offered_rule()
    return {**found, "ends_at": found["starts_at"] + timedelta(hours=2)}


class SuspendForm(forms.Form):
    """Suspend from now on: why, and for how long."""

    name = forms.CharField(label=gettext_lazy("Reason"), max_length=200)
    how_long = forms.ChoiceField(label=gettext_lazy("How long"), initial="120")
    until = WallTimeField(label=pgettext_lazy("time", "Until"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = cast(forms.ChoiceField, self.fields["how_long"])
        field.choices = [
            *((str(minutes), _in_words(minutes)) for minutes in FOR_MINUTES),
            (UNTIL, _("Until a time")),
            (OPEN, _("Until somebody resumes it")),
        ]

    def clean(self) -> dict[str, Any]:
        """Work out the end."""
        given = super().clean() or self.cleaned_data
        now, chosen = timezone.now(), given.get("how_long", "")
        given["ends_at"] = now + timedelta(minutes=int(chosen)) if chosen.isdigit() else None
        if chosen == UNTIL and "until" not in self.errors:
            until = given.get("until")
            given["ends_at"] = timezone.make_aware(until) if until is not None else None
            if until is None or given["ends_at"] <= now:
                self.add_error("until", _("Enter a time in the future."))
        return given


def _in_words(minutes: int) -> str:
    if minutes < 60:
        return _("%(n)s minutes") % {"n": minutes}
    return _("1 hour") if minutes == 60 else _("%(n)s hours") % {"n": minutes // 60}
