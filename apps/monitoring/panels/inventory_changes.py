"""What pages show of inventory changes: of one component or of all, and as events in a component's line of time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.components.extensions import Event, EventSource
from apps.components.pages.look import Look
from apps.components.panels import KINDS, Detail, detail_of
from apps.core.phrases import called
from apps.drivers.contract import Capability
from apps.monitoring.models import Change, InventoryChange
from apps.monitoring.services import inventory_history
from apps.monitoring.services.inventory_history import Wanted

KIND = "inventory-changes"
PER_PAGE, NEWEST = 50, 8
STATES = {Change.GONE: "warning"}  # the state that a change looks like; all others are information


@dataclass(frozen=True, slots=True)
class Fact:
    """One detail that differs; None is "not told"."""

    label: str
    before: Detail | None
    after: Detail | None

    @property
    def texts(self) -> tuple[str, str] | None:
        """Give both as texts; None where one is a quantity, which is written as the page writes it."""
        pair = self.before, self.after
        if any(one is not None and one.is_number for one in pair):
            return None
        return ("–" if self.before is None else self.before.value, "–" if self.after is None else self.after.value)


@dataclass(frozen=True, slots=True)
class Line:
    """One change as it is shown."""

    row: InventoryChange
    state: str
    word: str
    label: str
    kind: Promise | str
    icon: str
    facts: Sequence[Fact]

    @property
    def differences(self) -> Sequence[Fact]:
        """Give what differs in a part that is still there."""
        return self.facts if self.row.change in (Change.REPLACED, Change.CHANGED) else ()

    @property
    def details(self) -> list[Detail]:
        """Give what is known of a part that came or went."""
        return [] if self.differences else [one for fact in self.facts if (one := fact.after or fact.before)]


@dataclass(frozen=True, slots=True)
class Changes:
    """Some changes, with the filters that are in force."""

    lines: Sequence[Line]
    wanted: Wanted
    since: str
    changes: Sequence[tuple[str, Promise | str, bool]]
    kinds: Sequence[tuple[str, Promise | str, bool]]
    older: int | None
    newest: bool

    @property
    def narrowed(self) -> bool:
        """Say whether filters are in force."""
        return self.wanted != Wanted()


def visible(look: Look) -> "QuerySet[InventoryChange]":
    """Give the changes of a component."""
    return InventoryChange.objects.visible_to(look.request.user).filter(interface__component=look.component)


def wanted_of(query: Any) -> Wanted:
    """Read the filters of an address; what is nonsense is left out."""
    return Wanted(
        changes=tuple(one for one in dict.fromkeys(query.getlist("change")) if one in Change.values),
        kinds=tuple(one for one in dict.fromkeys(query.getlist("kind")) if one in KINDS),
        words=query.get("q", "").replace("\x00", "").strip()[:200],
        start=_day(query.get("since", "")),
    )


def _day(raw: str) -> datetime | None:
    try:
        day = parse_date(raw[:10])
    except ValueError:
        return None
    if day is None or not 2000 <= day.year < 2200:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone()).astimezone(UTC)


def _before(raw: str) -> int | None:
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 19 else None


def page_of(found: "QuerySet[InventoryChange]", query: Any) -> Changes:
    """Give those of some changes that an address names."""
    wanted, before = wanted_of(query), _before(query.get("before", ""))
    stretch = inventory_history.newest(wanted.within(found), before, PER_PAGE)
    return Changes(
        lines=lines_of(stretch.rows),
        wanted=wanted,
        since="" if wanted.start is None else f"{timezone.localtime(wanted.start):%Y-%m-%d}",
        changes=[(one.value, one.label, one.value in wanted.changes) for one in Change],
        kinds=[(kind.value, label, kind.value in wanted.kinds) for kind, (label, _icon) in KINDS.items()],
        older=stretch.older,
        newest=before is None,
    )


def all_changes(look: Look) -> Changes:
    """Give the changes of a component that the address names."""
    return page_of(visible(look), look.request.GET)


def newest_changes(look: Look) -> list[Line] | str:
    """Give the newest changes of a component."""
    return lines_of(inventory_history.newest(visible(look), None, NEWEST).rows) or "empty"


def lines_of(rows: Iterable[InventoryChange]) -> list[Line]:
    """Give changes as they are shown."""
    return [line_of(row) for row in rows]


def line_of(row: InventoryChange) -> Line:
    """Give one change as it is shown."""
    kind, icon = next(((label, icon) for one, (label, icon) in KINDS.items() if one == row.kind), (row.kind, "box"))
    facts = [_fact(label, before, after) for label, before, after in row.facts]
    state = STATES.get(Change(row.change), "information")
    return Line(row, state, row.get_change_display(), called(row.name), kind, icon, facts)


def _fact(label: str, before: Any, after: Any) -> Fact:
    was, now = (None if value in (None, "") else detail_of(label, value) for value in (before, after))
    return Fact(detail_of(label, "").label, was, now)


# --- the timeline --------------------------------------------------------------------------------------------------


def _events(look: Look) -> "QuerySet[InventoryChange] | None":
    return visible(look).defer("words") if Capability.INVENTORY in look.capabilities else None


def _event(look: Look, row: InventoryChange) -> Event:
    line = line_of(row)
    return Event(
        row.at,
        f"{line.label}: {line.word}",
        line.state,
        str(line.kind),
        f"{look.component.get_absolute_url()}?tab={KIND}",
        changes=[(fact.label, *fact.texts) for fact in line.differences if fact.texts],
    )


SOURCE = EventSource(KIND, _("Inventory changes"), "box", "at", _events, _event)
