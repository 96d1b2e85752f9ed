"""The form of what happens by a rule: its first time, and how it repeats, as people write it."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.core.recurrence import LAST, Repeat, Rule, days_named, zone_names
from apps.core.recurring import MOST_EVERY, NTH, REPEATS, check_year

ON_DAY, ON_LAST, ON_WEEKDAY = "day", "last", "weekday"
LOCAL_TIME = "%Y-%m-%dT%H:%M"


class WallTimeField(forms.CharField):
    """A date and a time as the clock on the wall shows them, in whatever zone the rest of the form says."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL_TIME)

    def clean(self, value: Any) -> datetime | None:
        """Read it; a zone in it would contradict the form."""
        text = super().clean(value.strftime(LOCAL_TIME) if isinstance(value, datetime) else value)
        if not text:
            return None
        try:
            found = parse_datetime(text)
        except ValueError:
            found = None
        if found is None or found.tzinfo is not None:
            raise ValidationError(_("Enter a date and a time."), code="invalid")
        check_year(found)
        return found


class DaysField(forms.CharField):
    """Days and spans of days, separated by whatever people separate them by."""

    widget = forms.Textarea(attrs={"rows": 2})

    def clean(self, value: Any) -> frozenset[date]:
        """Read them."""
        found = set()
        for word in re.split(r"[\s,;]+", re.sub(r"\s*\.\.\s*", "..", super().clean(value).strip())):
            if word:
                found.update(_days(word))
        return frozenset(found)


def _days(word: str) -> list[date]:
    try:
        return days_named(word)
    except ValueError as error:
        sentence = _("%(word)s is not a day: write 2026-12-24, or 2026-12-29..2027-01-03 for several.")
        raise ValidationError(sentence % {"word": word[:40]}) from error


def named_zones() -> list[tuple[str, str]]:
    """Give the time zones that can be chosen."""
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in zone_names())]


class RuleForm(forms.Form):
    """When something happens; a form that knows how long it lasts says so in ``length``."""

    starts_at = WallTimeField(label=pgettext_lazy("time", "From"))
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=named_zones)
    repeat = forms.ChoiceField(
        label=gettext_lazy("Repeats"), choices=[(word.value, label) for word, label in REPEATS.items()]
    )
    every = forms.IntegerField(
        label=gettext_lazy("Every"), min_value=1, max_value=MOST_EVERY, initial=1, required=False
    )
    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("On these days"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(str(day), WEEKDAYS_ABBR[day]) for day in (6, 0, 1, 2, 3, 4, 5)],
        help_text=gettext_lazy("None: on the weekday of the first one."),
    )
    monthly = forms.ChoiceField(
        label=gettext_lazy("In the month"),
        required=False,
        widget=forms.RadioSelect,
        initial=ON_DAY,
        choices=[
            (ON_DAY, gettext_lazy("On a day")),
            (ON_LAST, gettext_lazy("On the last day")),
            (ON_WEEKDAY, gettext_lazy("On a weekday")),
        ],
    )
    month_day = forms.IntegerField(
        label=gettext_lazy("Day"),
        min_value=1,
        max_value=31,
        required=False,
        help_text=gettext_lazy("Empty: the day of the first one. Months without this day are left out."),
    )
    nth = forms.TypedChoiceField(label=gettext_lazy("Which"), coerce=int, required=False, choices=list(NTH.items()))
    weekday = forms.TypedChoiceField(
        label=gettext_lazy("Weekday"), coerce=int, required=False, choices=list(WEEKDAYS.items())
    )
    last_day = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Empty: for ever."),
    )
    exceptions = DaysField(
        label=gettext_lazy("Left out"),
        required=False,
        help_text=gettext_lazy("Days on which it does not begin: 2026-12-24, or 2026-12-29..2027-01-03."),
    )

    @property
    def length(self) -> timedelta | None:
        """Give how long a valid form says that it lasts."""
        return timedelta(0)

    @property
    def rule(self) -> Rule:
        """Give what was entered in a valid form; what belongs to another way of repeating is not looked at."""
        given = self.cleaned_data
        first, repeat = given["starts_at"], Repeat(given["repeat"])
        series = repeat is not Repeat.ONCE
        weekdays: frozenset[int] = frozenset()
        month_day: int | None = None
        nth: int | None = None
        if repeat is Repeat.WEEKLY:
            weekdays = frozenset(int(day) for day in given["weekdays"])
        elif repeat is Repeat.MONTHLY and given["monthly"] == ON_WEEKDAY:
            nth, weekdays = given["nth"] or 1, frozenset({int(given["weekday"] or 0)})
        elif repeat is Repeat.MONTHLY:
            month_day = LAST if given["monthly"] == ON_LAST else given["month_day"]
        return Rule(
            zone=given["time_zone"],
            first=first,
            length=self.length,
            repeat=repeat,
            every=(given["every"] or 1) if series else 1,
            weekdays=weekdays,
            month_day=month_day,
            nth=nth,
            last_day=given["last_day"] if series else None,
            exceptions=given["exceptions"],
        )

    def attempt(self, act: Callable[[], Any]) -> bool:
        """Call a service; what it refuses stands at its field."""
        try:
            act()
        except ValidationError as error:
            for name, sentences in error.message_dict.items():
                place = {"nth": "monthly"}.get(name, name)
                for sentence in sentences:
                    self.add_error(place if place in self.fields else None, sentence)
            return False
        return True


def shown_rule(rule: Rule) -> dict[str, Any]:
    """Give what the form shows of a rule."""
    monthly = ON_WEEKDAY if rule.nth is not None else ON_LAST if rule.month_day == LAST else ON_DAY
    return {
        "starts_at": rule.first,
        "time_zone": rule.zone,
        "repeat": rule.repeat.value,
        "every": rule.every,
        "weekdays": [str(day) for day in sorted(rule.weekdays)],
        "monthly": monthly,
        "month_day": rule.month_day if monthly == ON_DAY else None,
        "nth": rule.nth,
        "weekday": min(rule.weekdays, default=None),
        "last_day": rule.last_day,
        "exceptions": "\n".join(sorted(day.isoformat() for day in rule.exceptions)),
    }


def offered_rule() -> dict[str, Any]:
    """Give what a new form begins with: the coming hour, in the reader's zone."""
    first = (timezone.localtime() + timedelta(hours=1)).replace(minute=0, tzinfo=None)
    return {"starts_at": first, "time_zone": str(timezone.get_current_timezone()), "weekday": first.weekday()}
