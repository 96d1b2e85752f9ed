"""Rows that happen by a rule: its columns, the check of what somebody entered, and the rule in words."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.core.recurrence import LAST, Repeat, Rule, zone_named

FIRST_YEAR, LAST_YEAR = 2000, 2100
LONGEST = {True: timedelta(days=31), False: timedelta(days=3660)}  # one of a series, a single one
MOST_EVERY = 99
MOST_EXCEPTIONS = 1000
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NTH: Final[Mapping[int, Promise | str]] = {
    1: pgettext_lazy("weekday of a month", "first"),
    2: pgettext_lazy("weekday of a month", "second"),
    3: pgettext_lazy("weekday of a month", "third"),
    4: pgettext_lazy("weekday of a month", "fourth"),
    5: pgettext_lazy("weekday of a month", "fifth"),
    LAST: pgettext_lazy("weekday of a month", "last"),
}
REPEATS: Final[Mapping[Repeat, Promise | str]] = {
    Repeat.ONCE: pgettext_lazy("repeat", "Once"),
    Repeat.DAILY: gettext_lazy("Daily"),
    Repeat.WEEKLY: gettext_lazy("Weekly"),
    Repeat.MONTHLY: gettext_lazy("Monthly"),
}


class Recurring(models.Model):
    """A row with a rule; only services set it, and they check it first."""

    time_zone = models.CharField(gettext_lazy("time zone"), max_length=60)
    first_day = models.DateField(gettext_lazy("first day"))
    begins = models.TimeField(gettext_lazy("begins"))
    length = models.DurationField(gettext_lazy("length"), null=True, blank=True)  # None: open-ended
    repeat = models.CharField(
        gettext_lazy("repeats"), max_length=8, choices=[(word.value, REPEATS[word]) for word in Repeat]
    )
    every = models.PositiveSmallIntegerField(gettext_lazy("every"), default=1)
    weekdays = models.JSONField(gettext_lazy("weekdays"), default=list, blank=True)
    month_day = models.SmallIntegerField(gettext_lazy("day of the month"), null=True, blank=True)
    nth = models.SmallIntegerField(gettext_lazy("week of the month"), null=True, blank=True)
    last_day = models.DateField(gettext_lazy("last day"), null=True, blank=True)
    exceptions = models.JSONField(gettext_lazy("left out"), default=list, blank=True)
    cut = models.JSONField(gettext_lazy("ended early"), default=dict, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(repeat__in=[word.value for word in Repeat]), name="%(app_label)s_%(class)s_known_repeat"
            ),
            models.CheckConstraint(condition=Q(every__gte=1), name="%(app_label)s_%(class)s_every"),
            models.CheckConstraint(
                condition=Q(length__isnull=False) | Q(repeat=Repeat.ONCE.value),
                name="%(app_label)s_%(class)s_open_once",
            ),
            models.CheckConstraint(
                condition=Q(last_day=None) | Q(last_day__gte=F("first_day")), name="%(app_label)s_%(class)s_days"
            ),
        ]

    @property
    def rule(self) -> Rule:
        """Give when it happens."""
        return Rule(
            zone=self.time_zone,
            first=datetime.combine(self.first_day, self.begins),
            length=self.length,
            repeat=Repeat(self.repeat),
            every=self.every,
            weekdays=frozenset(self.weekdays),
            month_day=self.month_day,
            nth=self.nth,
            last_day=self.last_day,
            exceptions=frozenset(date.fromisoformat(day) for day in self.exceptions),
            cut={date.fromisoformat(day): datetime.fromisoformat(at) for day, at in self.cut.items()},
        )

    @rule.setter
    def rule(self, rule: Rule) -> None:
        self.time_zone = rule.zone
        self.first_day, self.begins = rule.first.date(), rule.first.time()
        self.length = rule.length
        self.repeat = rule.repeat.value
        self.every = rule.every
        self.weekdays = sorted(rule.weekdays)
        self.month_day, self.nth = rule.month_day, rule.nth
        self.last_day = rule.last_day
        self.exceptions = sorted(day.isoformat() for day in rule.exceptions)
        self.cut = {day.isoformat(): at.isoformat() for day, at in sorted(rule.cut.items())}

    @property
    def told_rule(self) -> dict[str, Any]:
        """Give the rule as the audit keeps it."""
        return {
            "time_zone": self.time_zone,
            "first_day": self.first_day.isoformat(),
            "begins": self.begins.isoformat(),
            "minutes": self.length.total_seconds() / 60 if self.length is not None else None,
            "repeat": self.repeat,
            "every": self.every,
            "weekdays": list(self.weekdays),
            "month_day": self.month_day,
            "nth": self.nth,
            "last_day": self.last_day.isoformat() if self.last_day else None,
            "exceptions": list(self.exceptions),
            "ended_early": dict(self.cut),
        }

    @property
    def in_words(self) -> str:
        """Give the rule in the reader's language."""
        return in_words(self.rule)


def check_rule(rule: Rule, *, lasts: bool = True) -> None:
    """Refuse a rule that means nothing, or nothing good; raises ValidationError by field, all faults at once.

    What does not last has no length: it is only said when it begins.
    """
    faults = {name: text for name, text in _faults(rule, lasts).items() if text}
    if faults:
        raise ValidationError(faults)
    if rule.repeat is not Repeat.ONCE and next(rule.following(_before(rule)), None) is None:
        raise ValidationError({"repeat": _("With these days it never happens.")})


def check_year(shown: datetime) -> None:
    """Refuse a time so far away that nobody can mean it; raises ValidationError."""
    if not FIRST_YEAR <= shown.year <= LAST_YEAR:
        raise ValidationError(
            _("Enter a year from %(first)s to %(last)s.") % {"first": FIRST_YEAR, "last": LAST_YEAR}, code="invalid"
        )


def _before(rule: Rule) -> datetime:
    return rule.first.replace(tzinfo=zone_named(rule.zone)) - timedelta(days=2)


def _faults(rule: Rule, lasts: bool) -> dict[str, str]:
    series = rule.repeat is not Repeat.ONCE
    monthly, weekly = rule.repeat is Repeat.MONTHLY, rule.repeat is Repeat.WEEKLY
    faults = dict.fromkeys(
        ("time_zone", "starts_at", "ends_at", "every", "weekdays", "month_day", "nth", "last_day", "exceptions"), ""
    )
    try:
        zone_named(rule.zone)
    except ValueError:
        faults["time_zone"] = _("There is no such time zone.")
    try:
        check_year(rule.first)
    except ValidationError as error:
        faults["starts_at"] = str(error.messages[0])
    if lasts:
        faults["ends_at"] = _fault_of_length(rule.length, series)
    if not 1 <= rule.every <= MOST_EVERY:
        faults["every"] = _("Enter a number from %(low)s to %(high)s.") % {"low": 1, "high": MOST_EVERY}
    if not rule.weekdays <= set(range(7)):
        faults["weekdays"] = _("Enter days of the week.")
    elif monthly and rule.nth is not None and len(rule.weekdays) != 1:
        faults["weekdays"] = _("Choose one day of the week.")
    elif rule.weekdays and not weekly and not (monthly and rule.nth is not None):
        faults["weekdays"] = _("Days of the week belong to what repeats weekly, or on a weekday of the month.")
    if rule.month_day is not None and (not monthly or rule.month_day not in {LAST, *range(1, 32)}):
        faults["month_day"] = _("Enter a day from 1 to 31, or -1 for the last; only of what repeats monthly.")
    if rule.nth is not None and (not monthly or rule.nth not in NTH):
        faults["nth"] = _("Enter a week from 1 to 5, or -1 for the last; only of what repeats monthly.")
    elif rule.nth is not None and rule.month_day is not None:
        faults["nth"] = _("Choose a day of the month or a weekday of it, not both.")
    if rule.last_day is not None and not series:
        faults["last_day"] = _("What happens once has no last day.")
    elif rule.last_day is not None and not rule.first.date() <= rule.last_day <= date(LAST_YEAR, 12, 31):
        faults["last_day"] = _("The last day must not be before the first.")
    if len(rule.exceptions) > MOST_EXCEPTIONS:
        faults["exceptions"] = _("Enter at most %(count)s.") % {"count": MOST_EXCEPTIONS}
    return faults


def _fault_of_length(length: timedelta | None, series: bool) -> str:
    if length is None:
        return _("Only what happens once may be without an end.") if series else ""
    if length <= timedelta(0):
        return _("It must end after it begins.")
    if length > LONGEST[series]:
        return _("It may last %(days)s days at most.") % {"days": LONGEST[series].days}
    return ""


def in_words(rule: Rule) -> str:
    """Say when a rule happens, its days and its times of day; the zone stands beside it."""
    days = rule.weekdays or frozenset({rule.first.weekday()})
    places = {
        "every": rule.every,
        "span": span_in_words(rule),
        "days": _(", ").join(str(WEEKDAYS_ABBR[day]) for day in sorted(days)),
        "day": rule.month_day or rule.first.day,
        "nth": str(NTH.get(rule.nth or 0, "")),
        "weekday": str(WEEKDAYS_ABBR[min(days)]),
    }
    match rule.repeat:
        case Repeat.ONCE:
            return str(REPEATS[Repeat.ONCE])
        case Repeat.DAILY:
            each, some = _("Every day %(span)s"), _("Every %(every)s days %(span)s")
        case Repeat.WEEKLY:
            each, some = _("Every week on %(days)s %(span)s"), _("Every %(every)s weeks on %(days)s %(span)s")
        case Repeat.MONTHLY if rule.nth is not None:
            each = _("Every month on the %(nth)s %(weekday)s %(span)s")
            some = _("Every %(every)s months on the %(nth)s %(weekday)s %(span)s")
        case _ if rule.month_day == LAST:
            each = _("Every month on the last day %(span)s")
            some = _("Every %(every)s months on the last day %(span)s")
        case _:
            each, some = _("Every month on day %(day)s %(span)s"), _("Every %(every)s months on day %(day)s %(span)s")
    return (each if rule.every == 1 else some) % places


def span_in_words(rule: Rule) -> str:
    """Give the times of day: ``22:00–06:00``, or ``20:00–05:00 (+3 d)`` where more than the next night lies between."""
    if not rule.length:
        return f"{rule.first:%H:%M}"
    end = rule.first + rule.length
    later = (end.date() - rule.first.date()).days
    more = " " + _("(+%(days)s d)") % {"days": later} if rule.length >= timedelta(days=1) else ""
    return f"{rule.first:%H:%M}–{end:%H:%M}{more}"
