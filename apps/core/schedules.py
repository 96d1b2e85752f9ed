"""What stands on the calendar: sources that other apps register, and how their entries are laid out by days.

Days are those of the reader's zone. All of this is pure; a page asks the sources and draws what comes out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.functional import Promise

from apps.core.recurrence import DAY, instant, wall
from apps.core.registries import Registry

SLOT = 30  # minutes of one row of a week
SLOTS = 24 * 60 // SLOT
LEAST = 2  # rows: less has no room for a name
MOST_LANES = 4  # beside each other; a column holds no more that can be read
SHOWN_A_DAY = 4  # in a month


@dataclass(frozen=True, slots=True)
class Entry:
    """One time at which something happens; without an end it goes on, with one at its start it takes no time."""

    start: datetime
    end: datetime | None
    title: str
    url: str
    state: str  # a state word, which gives it its colours
    note: str = ""  # what it concerns

    def touches(self, start: datetime, end: datetime) -> bool:
        """Say whether any part of it lies from a moment up to another one."""
        return self.start < end and (self.end is None or self.end > start or self.start >= start)


Reader = Callable[[Any, datetime, datetime], Iterable[Entry]]
"""Gives what a user may see from a moment up to another one."""


@dataclass(frozen=True, slots=True)
class Source:
    """What puts entries on the calendar, and how it is planned."""

    label: Promise | str
    state: str
    read: Reader
    list_url: str  # the name of the page that lists all that is planned
    template: str  # of a card with what comes soonest, which finds it as ``soonest``
    soonest: Callable[[Any], Any]  # asked with the user
    add_url: str = ""  # and of the one that plans another
    add_label: Promise | str = ""
    add_icon: str = "plus"
    add_permission: str = ""


sources: Registry[Source] = Registry("source of the calendar")


@dataclass(frozen=True, slots=True)
class Item:
    """An entry on one day, with the times of day at which it begins and ends there; "" is on another day."""

    entry: Entry
    begins: str
    ends: str

    @property
    def all_day(self) -> bool:
        """Say whether it fills the day."""
        return self.begins in {"", "00:00"} and self.ends in {"", "24:00"}


@dataclass(frozen=True, slots=True)
class Block:
    """An entry on one day of a week: rows of half hours, and its place among those beside it."""

    item: Item
    row: int
    length: int
    lane: int
    lanes: int


@dataclass(slots=True)
class Column:
    """One day: what happens on it, in the order of its beginning."""

    day: date
    items: list[Item] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    hidden: int = 0  # that have no block, or are not shown


def week_of(day: date, first_weekday: int) -> list[date]:
    """Give the seven days of a week; it begins on Sunday (0) or Monday (1), as the reader's language has it."""
    begins = day - timedelta(days=(day.isoweekday() - first_weekday) % 7)
    return [begins + number * DAY for number in range(7)]


def month_of(day: date, first_weekday: int) -> list[date]:
    """Give the days of whole weeks that a month touches."""
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - DAY
    low, high = week_of(first, first_weekday)[0], week_of(last, first_weekday)[-1]
    return [low + number * DAY for number in range((high - low).days + 1)]


def bounds(days: Sequence[date], zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Give the moments at which the first day begins and the last one ends."""
    return _midnight(days[0], zone), _midnight(days[-1] + DAY, zone)


def by_days(entries: Iterable[Entry], days: Sequence[date], zone: ZoneInfo) -> list[Column]:
    """Give each day with what happens on it."""
    ordered = sorted(entries, key=lambda entry: (entry.start, entry.title))
    columns = []
    for day in days:
        start, end = bounds([day], zone)
        items = [_item(entry, start, end, zone) for entry in ordered if entry.touches(start, end)]
        columns.append(Column(day, items))
    return columns


def _item(entry: Entry, start: datetime, end: datetime, zone: ZoneInfo) -> Item:
    begins = f"{wall(entry.start, zone):%H:%M}" if entry.start >= start else ""
    ends = ""
    if entry.end is not None and entry.end <= end:
        ends = "24:00" if entry.end == end else f"{wall(entry.end, zone):%H:%M}"
    return Item(entry, begins, ends)


def month(entries: Iterable[Entry], days: Sequence[date], zone: ZoneInfo) -> list[list[Column]]:
    """Give the weeks of a month; each day with a few entries, and how many more there are."""
    columns = by_days(entries, days, zone)
    for column in columns:
        if len(column.items) > SHOWN_A_DAY:
            column.hidden = len(column.items) - SHOWN_A_DAY + 1
            column.items = column.items[: SHOWN_A_DAY - 1]
    return [columns[start : start + 7] for start in range(0, len(columns), 7)]


def week(entries: Iterable[Entry], days: Sequence[date], zone: ZoneInfo) -> list[Column]:
    """Give the days of a week with their entries as blocks; what happens at the same time stands side by side."""
    columns = by_days(entries, days, zone)
    for column in columns:
        placed = [(item, *_rows(item.entry, column.day, zone)) for item in column.items]
        for cluster in _clusters(placed):
            shown, hidden = _in_lanes(cluster)
            column.blocks += shown
            column.hidden += hidden
    return columns


def row_of(moment: datetime, zone: ZoneInfo) -> int:
    """Give the row in which a moment lies on its day."""
    shown = wall(moment, zone)
    return (shown.hour * 60 + shown.minute) // SLOT


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return instant(datetime.combine(day, time()), zone)


def _rows(entry: Entry, day: date, zone: ZoneInfo) -> tuple[int, int]:
    """Give the first row of an entry on a day and the row behind its last."""
    start, end = bounds([day], zone)
    low = 0 if entry.start <= start else min(row_of(entry.start, zone), SLOTS - LEAST)
    if entry.end is None or entry.end >= end:
        return low, SLOTS
    shown = wall(entry.end, zone)
    high = -(-(shown.hour * 60 + shown.minute) // SLOT)
    return low, max(low + LEAST, high)


Placed = tuple[Item, int, int]


def _clusters(placed: Sequence[Placed]) -> Iterator[list[Placed]]:
    """Give the groups of entries that touch each other."""
    cluster: list[Placed] = []
    until = 0
    for one in sorted(placed, key=lambda one: (one[1], -one[2])):
        if cluster and one[1] >= until:
            yield cluster
            cluster, until = [], 0
        cluster.append(one)
        until = max(until, one[2])
    if cluster:
        yield cluster


def _in_lanes(cluster: Sequence[Placed]) -> tuple[list[Block], int]:
    """Put entries side by side, each in the first lane that is free; gives the blocks and how many found no lane."""
    free: list[int] = []  # by lane: the row from which it is
    chosen: list[tuple[Item, int, int, int]] = []
    for item, low, high in cluster:
        lane = next((number for number, row in enumerate(free) if row <= low), len(free))
        if lane == MOST_LANES:
            continue
        free[lane : lane + 1] = [high]
        chosen.append((item, low, high, lane))
    lanes = len(free)
    blocks = [Block(item, low, high - low, lane, lanes) for item, low, high, lane in chosen]
    return blocks, len(cluster) - len(chosen)
