"""When something happens, once or again and again, by the clock on the wall of a named time zone: pure, no database.

A rule says when the first occurrence begins, how long one lasts and how it repeats. Both ends of an occurrence are
read from the wall clock: 22:00 to 06:00 ends at six also in the night in which the clocks change. A time that the
clocks skip is the moment at which they jump, a time that they show twice is the first of the two; so a later time on
the wall is never an earlier moment. What lies wholly in skipped time does not happen; what has no length happens at
the jump.
"""

import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

DAY = timedelta(days=1)
LAST = -1  # day of a month, or week of a month: the last one
LOOK_AHEAD = timedelta(days=366 * 100)  # a rule that has nothing for so long has nothing at all
LATEST = date(9000, 1, 1)
LONGEST_SPAN = 366  # days that one word may name


class Repeat(StrEnum):
    """How a rule goes on after its first occurrence."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


def zone_named(name: str) -> ZoneInfo:
    """Give a time zone; raises ValueError when there is none of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error


def zone_names() -> list[str]:
    """Give the names of time zones that have a place in them."""
    return sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))


def days_named(text: str) -> list[date]:
    """Give the day that a text names, or all days of a span: ``2026-12-29..2027-01-03``; raises ValueError."""
    first, apart, last = text.replace("/", "..").partition("..")
    low = date.fromisoformat(first.strip())
    high = date.fromisoformat(last.strip()) if apart else low
    if not 0 <= (high - low).days < LONGEST_SPAN:
        raise ValueError(f"{text!r} is no span of days")
    return [low + number * DAY for number in range((high - low).days + 1)]


def wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """Give what the clock on the wall shows at a moment."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def instant(shown: datetime, zone: ZoneInfo) -> datetime:
    """Give the moment at which the clock on the wall shows a time: the first one, or the jump that skips it."""
    moment = shown.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if wall(moment, zone) == shown:
        return moment
    before = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)  # read by the time after the jump: lies before it
    seconds = range(int((moment - before).total_seconds()) + 1)
    offset = before.astimezone(zone).utcoffset()
    jump = bisect.bisect_left(
        seconds, True, key=lambda second: (before + timedelta(seconds=second)).astimezone(zone).utcoffset() != offset
    )
    return before + timedelta(seconds=jump)


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """One time that a rule gives. Its day, in the rule's zone, is its name within the series."""

    start: datetime
    end: datetime | None  # None: until somebody ends it
    day: date = field(compare=False)

    def covers(self, moment: datetime) -> bool:
        """Say whether a moment lies in it; its end does not."""
        return self.start <= moment and not self.is_over(moment)

    def is_over(self, moment: datetime) -> bool:
        """Say whether it has ended; what has no length is over once it has begun."""
        return self.end is not None and self.end <= moment


@dataclass(frozen=True, slots=True)
class Rule:
    """When something happens. Weekdays are 0 for Monday to 6; without any, the first occurrence's day says which.

    Weeks begin on Monday. A month without the day that ``month_day`` or ``nth`` asks for is left out.
    """

    zone: str
    first: datetime  # on the wall, without a zone; a later day may be the first that fits the rest
    length: timedelta | None = timedelta(0)  # on the wall; None, of a single one, is open-ended
    repeat: Repeat = Repeat.ONCE
    every: int = 1  # so many days, weeks or months
    weekdays: frozenset[int] = frozenset()
    month_day: int | None = None  # 1 to 31, or LAST
    nth: int | None = None  # with one weekday: its first to fifth, or LAST, of the month
    last_day: date | None = None  # on which an occurrence may begin
    exceptions: frozenset[date] = frozenset()  # days whose occurrence is left out
    cut: Mapping[date, datetime] = field(default_factory=dict, hash=False)  # those that were ended early, and when

    def following(self, moment: datetime) -> Iterator[Occurrence]:
        """Give the occurrences that are not over at a moment, as long as somebody takes them."""
        low = self._day_before(moment)
        for found in self._of_days(low, min(LATEST, max(low, self.first.date()) + LOOK_AHEAD)):
            if not found.is_over(moment):
                yield found

    def current_or_next(self, moment: datetime) -> Occurrence | None:
        """Give the first occurrence that is not over at a moment; None when nothing comes any more."""
        return next(self.following(moment), None)

    def at(self, moment: datetime) -> Occurrence | None:
        """Give the occurrence that a moment lies in; of several the one that ends last."""
        near = self._of_days(self._day_before(moment), self._day_of(moment) + DAY)
        found = [one for one in near if one.covers(moment)]
        return max(found, key=lambda one: one.end or datetime.max.replace(tzinfo=UTC), default=None)

    def between(self, start: datetime, end: datetime) -> Iterator[Occurrence]:
        """Give the occurrences of which any part lies from a moment up to another one."""
        for found in self._of_days(self._day_before(start), self._day_of(end) + DAY):
            if found.start < end and (not found.is_over(start) or found.start == start):
                yield found

    def occurrence(self, day: date) -> Occurrence | None:
        """Give the occurrence that begins on a day; None where the rule has none or it is left out."""
        return next(self._of_days(day, day), None)

    def essence(self, moment: datetime) -> tuple[object, ...]:
        """Give what decides everything from a moment on: two rules with the same one mean the same times."""
        today = self._day_of(moment)
        start = max(self.first.date(), today) if self.repeat is not Repeat.ONCE else self.first.date()
        ahead = self._day_before(moment)
        return (
            self.zone,
            start,
            self.first.time(),
            self.length,
            self.repeat,
            self._phase,
            self._pattern,
            self.last_day,
            frozenset(day for day in self.exceptions if day >= ahead),
            frozenset((day, at) for day, at in self.cut.items() if day >= ahead),
        )

    # --- days -----------------------------------------------------------------------------------------------------

    def _day_of(self, moment: datetime) -> date:
        return wall(moment, zone_named(self.zone)).date()

    def _day_before(self, moment: datetime) -> date:
        """Give a day before which nothing begins that is still of interest at a moment."""
        if self.length is None:
            return self.first.date()
        return self._day_of(moment) - timedelta(days=self.length.days + 1)

    def _of_days(self, low: date, high: date) -> Iterator[Occurrence]:
        zone, at = zone_named(self.zone), self.first.time()
        for day in self._days(max(low, self.first.date()), min(high, self.last_day or high)):
            if day not in self.exceptions:
                found = self._placed(day, at, zone)
                if found is not None:
                    yield found

    def _placed(self, day: date, at: time, zone: ZoneInfo) -> Occurrence | None:
        shown = datetime.combine(day, at)
        start = instant(shown, zone)
        ends = [] if self.length is None else [instant(shown + self.length, zone)]
        if day in self.cut:
            ends.append(self.cut[day])
        end = min(ends, default=None)
        happens = end is None or end > start or self.length == timedelta(0)
        return Occurrence(start, end, day) if happens else None

    @property
    def _days_of_week(self) -> frozenset[int]:
        return self.weekdays or frozenset({self.first.weekday()})

    @property
    def _phase(self) -> int:
        """Give which of every so many days, weeks or months it is."""
        number = {
            Repeat.ONCE: 0,
            Repeat.DAILY: self.first.toordinal(),
            Repeat.WEEKLY: _week(self.first.date()),
            Repeat.MONTHLY: _month(self.first.date()),
        }[self.repeat]
        return number % self.every

    @property
    def _pattern(self) -> tuple[object, ...]:
        if self.repeat is Repeat.WEEKLY:
            return (self.every, self._days_of_week)
        if self.repeat is not Repeat.MONTHLY:
            return (self.every,)
        if self.nth is not None:
            return (self.every, self.nth, self._days_of_week)
        return (self.every, self.month_day or self.first.day)

    def _days(self, low: date, high: date) -> Iterator[date]:
        """Give the days from one to another on which the rule has an occurrence; ``low`` is not before the first."""
        if self.repeat is Repeat.ONCE:
            found: Iterator[date] = iter((self.first.date(),))
        elif self.repeat is Repeat.DAILY:
            found = self._daily(low, high)
        elif self.repeat is Repeat.WEEKLY:
            found = self._weekly(low, high)
        else:
            found = self._monthly(low, high)
        return (day for day in found if low <= day <= high)

    def _daily(self, low: date, high: date) -> Iterator[date]:
        for number in range(_in_step(low.toordinal(), self._phase, self.every), high.toordinal() + 1, self.every):
            yield date.fromordinal(number)

    def _weekly(self, low: date, high: date) -> Iterator[date]:
        days = sorted(self._days_of_week)
        for week in range(_in_step(_week(low), self._phase, self.every), _week(high) + 1, self.every):
            for weekday in days:
                yield date.fromordinal(week * 7 + 1 + weekday)

    def _monthly(self, low: date, high: date) -> Iterator[date]:
        for month in range(_in_step(_month(low), self._phase, self.every), _month(high) + 1, self.every):
            day = self._day_in(month)
            if day is not None:
                yield day

    def _day_in(self, month: int) -> date | None:
        first, last = _first_of(month), _first_of(month + 1) - DAY
        if self.nth is None:
            number = self.month_day or self.first.day
            return last if number == LAST else first.replace(day=number) if number <= last.day else None
        (weekday,) = self._days_of_week
        if self.nth == LAST:
            return last - timedelta(days=(last.weekday() - weekday) % 7)
        found = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (self.nth - 1))
        return found if found <= last else None


def _in_step(number: int, phase: int, every: int) -> int:
    """Give the first number from this one on that leaves a remainder."""
    return number + (phase - number) % every


def _week(day: date) -> int:
    """Number the weeks, which begin on Monday."""
    return (day.toordinal() - 1) // 7


def _month(day: date) -> int:
    """Number the months."""
    return day.year * 12 + day.month - 1


def _first_of(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)
