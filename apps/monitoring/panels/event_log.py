"""What a component's page shows of event logs: how full they are, what stands in them, and when they were read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.alerts.models import Severity
from apps.components.extensions import Event, EventSource
from apps.components.models import ManagementInterface, Status
from apps.components.pages.look import Look, common_origin
from apps.core import options
from apps.core.phrases import Phrase
from apps.drivers import registry
from apps.drivers.contract import Capability
from apps.monitoring.models import LoggedEntry, LogPlace
from apps.monitoring.services import log_entries
from apps.monitoring.services.event_logs import NEARLY_FULL
from apps.monitoring.services.log_entries import Place, Wanted
from apps.monitoring.services.periods import Periods

PER_PAGE = 50
STALE_AFTER = 3  # of the longer of the two periods
KIND = "event-log"
NAMES: dict[str, Promise | str] = {  # as the page calls severities: what an entry of a log ends may be anything
    **{one.value: one.label for one in Severity},
    Severity.NORMAL.value: pgettext_lazy("event", "Ended"),
}


@dataclass(frozen=True, slots=True)
class LogView:
    """The log of one interface's device."""

    interface: ManagementInterface
    label: str
    number: int  # of entries that it still holds, as far as we read
    place: LogPlace | None
    stale: bool

    @property
    def error(self) -> Phrase | None:
        """Give why it could not be read last; None where it could."""
        return self.place.error if self.place is not None and self.place.error else None

    @property
    def share(self) -> int | None:
        """Give how full it is, in whole %; None where the device does not tell."""
        filled = self.place.filled if self.place is not None else None
        return None if filled is None else int(filled)

    @property
    def warns_at(self) -> float | None:
        """Give from which share on it is nearly full; None where the oldest entries make room."""
        return None if self.place is not None and self.place.wraps else NEARLY_FULL


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it is shown."""

    row: LoggedEntry
    severity: str
    word: Promise | str
    source: str


@dataclass(frozen=True, slots=True)
class EventLogs:
    """The logs of a component, and some entries of them."""

    logs: Sequence[LogView]
    lines: Sequence[Line]
    severities: Sequence[tuple[str, Promise | str, bool]]
    interfaces: Sequence[tuple[int, str, bool]]
    wanted: Wanted
    until: str
    older: Place | None
    newest: bool
    searched_to: datetime | None

    @property
    def narrowed(self) -> bool:
        """Say whether filters are in force."""
        return self.wanted != Wanted()

    @property
    def told_by(self) -> int | None:
        """Give the interface by which all of these logs came; None where there are several."""
        return common_origin(log.interface.pk for log in self.logs)

    @property
    def several(self) -> bool:
        """Say whether entries may come from more than one log."""
        return len(self.logs) > 1


def visible(look: Look) -> "QuerySet[LoggedEntry]":
    """Give the entries of the component."""
    return LoggedEntry.objects.visible_to(look.request.user).filter(interface__component=look.component)


def count_entries(look: Look) -> int | None:
    """Give how many entries the logs hold, for the tab."""
    return sum(_numbers(look).values()) or None


def _numbers(look: Look) -> dict[int, int]:
    rows = LoggedEntry.objects.filter(interface__component=look.component, cleared_at=None).order_by()
    return look.once("event log", lambda: dict(rows.values_list("interface").annotate(Count("pk"))))


def wanted_of(query: Any) -> Wanted:
    """Read the filters of an address; what is nonsense is left out."""
    interface = query.get("interface", "")
    chosen = tuple(one for one in dict.fromkeys(query.getlist("severity")) if one in Severity.values)
    day = _day(query.get("until", ""))
    return Wanted(
        severities=chosen,
        interface_id=int(interface) if interface.isascii() and interface.isdigit() and len(interface) < 19 else None,
        words=query.get("q", "").replace("\x00", "").strip()[:200],
        end=None if day is None else day + timedelta(days=1),
        present=True if query.get("cleared") == "no" else None,
    )


def _day(raw: str) -> datetime | None:
    try:
        day = parse_date(raw[:10])
    except ValueError:
        return None
    if day is None or not 2000 <= day.year < 2200:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone()).astimezone(UTC)


def event_logs(look: Look) -> EventLogs:
    """Give the logs, and the entries that the address names."""
    query = look.request.GET
    wanted, before = wanted_of(query), Place.of(query.get("before", ""))
    logs = logs_of(look)
    names = {log.interface.pk: log.label for log in logs}
    stretch = log_entries.newest(visible(look), wanted, before, PER_PAGE)
    return EventLogs(
        logs=logs,
        lines=lines_of(stretch.rows),
        severities=[(one, word, one in wanted.severities) for one, word in NAMES.items()],
        interfaces=[(pk, name, pk == wanted.interface_id) for pk, name in names.items()],
        wanted=wanted,
        until="" if wanted.end is None else f"{timezone.localtime(wanted.end - timedelta(days=1)):%Y-%m-%d}",
        older=stretch.older,
        newest=before is None,
        searched_to=stretch.searched_to,
    )


def lines_of(rows: Iterable[LoggedEntry]) -> list[Line]:
    """Give entries as they are shown."""
    return [Line(row, row.severity, NAMES[row.severity], log_entries.source_of(row)) for row in rows]


def logs_of(look: Look) -> list[LogView]:
    """Give the logs of a component, in the order of its interfaces."""
    specs, numbers = registry.specs(), _numbers(look)
    places = LogPlace.objects.filter(interface__component=look.component).in_bulk()
    periods, now = Periods.now(), timezone.now()
    found = []
    for row in look.interfaces:
        spec = specs.get(row.driver)
        if (spec is None or Capability.EVENT_LOG not in spec.capabilities) and row.pk not in places:
            continue
        place = places.get(row.pk)
        label = f"{_(spec.label) if spec is not None else row.driver} {row.address}"
        row.component = look.component
        stale = place is not None and place.read_at is not None and now - place.read_at > _longest(periods, row)
        found.append(LogView(row, label, numbers.get(row.pk, 0), place, stale))
    return found


def _longest(periods: Periods, interface: ManagementInterface) -> timedelta:
    """Give after what time the log should have been read once more; without a period of its own it is never old."""
    own = options.get("event_log_interval")
    return timedelta(seconds=STALE_AFTER * max(own, periods.longest(interface))) if own else timedelta.max


# --- the timeline --------------------------------------------------------------------------------------------------


def _told(look: Look) -> "QuerySet[LoggedEntry] | None":
    if Capability.EVENT_LOG not in look.capabilities:
        return None
    return visible(look).filter(Q(status=Status.CRITICAL) | Q(status=Status.WARNING)).defer("raw")


def _event(look: Look, row: LoggedEntry) -> Event:
    url = f"{look.component.get_absolute_url()}?tab={KIND}&interface={row.interface_id}"
    return Event(row.placed_at, str(row.text), row.severity, log_entries.source_of(row), url)


SOURCE = EventSource(KIND, gettext_lazy("Event logs of devices"), "list", "placed_at", _told, _event)
