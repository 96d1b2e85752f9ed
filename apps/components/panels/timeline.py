"""What happened to a component, from all sources in one line of time, newest first; walked by keyset."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from operator import attrgetter
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from apps.components import extensions
from apps.components.extensions import Event, EventSource
from apps.components.models import Component, Status, StatusChange
from apps.components.pages.look import Look
from apps.core import audit_words, scoping
from apps.core.models import AuditEntry, JobStep

PER_PAGE = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST, LATEST = date(2000, 1, 1), date(2200, 1, 1)


@dataclass(frozen=True, slots=True)
class Placed:
    """An event at its place in the line: when, of which source, which row."""

    event: Event
    source: EventSource
    name: str
    pk: int

    @property
    def key(self) -> str:
        """Give the place as an address has it; older events begin behind it."""
        return f"{(self.event.at - EPOCH) // timedelta(microseconds=1)}.{self.name}.{self.pk}"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of events to choose."""

    value: str
    label: Promise | str
    icon: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """Some events, newest first; ``older`` is where the next page begins, None where there is none."""

    rows: Sequence[Placed]
    kinds: Sequence[Kind]
    older: str | None
    newest: bool
    until: str  # the day that somebody went to
    audit_url: str  # all that was done to it, for whoever may read that


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Behind this place the page begins."""

    at: datetime
    name: str
    pk: int

    @classmethod
    def of(cls, raw: str) -> "_Cursor | None":
        """Read it from an address; nonsense is the beginning."""
        at, _dot, rest = raw.partition(".")
        name, _dot, pk = rest.partition(".")
        if not (at.isascii() and at.isdigit() and len(at) <= 17 and pk.isascii() and pk.isdigit() and len(pk) <= 18):
            return None
        return cls(EPOCH + timedelta(microseconds=int(at)), name, int(pk))

    def behind(self, source: EventSource, name: str) -> Q:
        """Keep the rows of a source that come after this place: equal moments go by source, then by number."""
        earlier = Q(**{f"{source.at}__lt": self.at})
        if name < self.name:
            return earlier
        same = Q(**{source.at: self.at})
        return earlier | (same & Q(pk__lt=self.pk) if name == self.name else same)


def events_of(look: Look) -> Timeline:
    """Give the page of the line that the address names."""
    query = look.request.GET
    sources = [(name, source, source.rows(look)) for name, source in sorted(extensions.event_sources.items())]
    visible = [(name, source, rows) for name, source, rows in sources if rows is not None]
    chosen = set(query.getlist("kind"))
    kinds = {source.kind: source for _name, source, _rows in visible}
    chosen &= kinds.keys()
    day = _day(query.get("until", ""))
    cursor = _Cursor.of(query.get("before", ""))
    if cursor is None and day is not None:
        midnight = datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone()) + timedelta(days=1)
        cursor = _Cursor(midnight.astimezone(UTC), "", 0)
    found: list[Placed] = []
    for name, source, rows in visible:
        if not chosen or source.kind in chosen:
            found += _some(look, name, source, rows, cursor)
    # By moment, then by source and number as the cursor goes.
    found.sort(key=attrgetter("pk"), reverse=True)
    found.sort(key=attrgetter("name"))
    found.sort(key=attrgetter("event.at"), reverse=True)
    page = list(islice(found, PER_PAGE))
    return Timeline(
        rows=page,
        kinds=[Kind(kind, source.label, source.icon, kind in chosen) for kind, source in kinds.items()],
        older=page[-1].key if len(found) > PER_PAGE else None,
        newest=cursor is None,
        until=day.isoformat() if day else "",
        audit_url=_audit_url(look),
    )


def _day(raw: str) -> date | None:
    """Read a day; nonsense, and one that no calendar of ours reaches, is none."""
    try:
        day = parse_date(raw[:10])
    except ValueError:
        return None
    return day if day is not None and EARLIEST <= day <= LATEST else None


def _some(
    look: Look, name: str, source: EventSource, rows: "QuerySet[Any]", cursor: _Cursor | None
) -> Iterable[Placed]:
    if cursor is not None:
        rows = rows.filter(cursor.behind(source, name))
    for row in rows.order_by(f"-{source.at}", "-pk")[: PER_PAGE + 1]:
        yield Placed(source.event(look, row), source, name, row.pk)


# --- the sources that need nothing but components -------------------------------------------------------------------


def _status_event(_look: Look, row: StatusChange) -> Event:
    return Event(row.at, Status(row.new).label, row.new, str(row.text))


def _steps(look: Look) -> "QuerySet[JobStep]":
    return JobStep.objects.visible_to(look.request.user).filter(component=look.component.pk).select_related("job")


def _step_event(_look: Look, row: JobStep) -> Event:
    return Event(
        row.job.created_at,
        str(row.job.title),
        row.state,
        str(row.message),
        row.job.get_absolute_url(),
        row.job.created_by_name,
    )


def _audited(look: Look) -> "QuerySet[AuditEntry] | None":
    if not scoping.may_somewhere(look.request.user, "audit"):
        return None
    about = AuditEntry.objects.filter(object_type="components.component", object_id=str(look.component.pk))
    return about.visible_to(look.request.user)


def _audit_url(look: Look) -> str:
    if not scoping.may_somewhere(look.request.user, "audit"):
        return ""
    about = {"object_type": Component._meta.label_lower, "object_id": str(look.component.pk)}
    return f"{reverse('audit:list')}?{urlencode(about)}"


def _audit_event(look: Look, row: AuditEntry) -> Event:
    about = row.object_name if row.object_name != look.component.name else ""
    changed = list(audit_words.changes(row.before, row.after)) if row.action != "component.register" else []
    return Event(row.at, audit_words.act(row.action), "", about, "", row.actor_name, changed)


for _name, _source in {
    "status": EventSource(
        "status", _("Status"), "activity", "at", lambda look: look.component.status_changes.all(), _status_event
    ),
    "job": EventSource("job", _("Jobs"), "progress", "job__created_at", _steps, _step_event),
    "audit": EventSource("audit", _("Changes by people"), "edit", "at", _audited, _audit_event),
}.items():
    extensions.event_sources.add(_name, _source)
