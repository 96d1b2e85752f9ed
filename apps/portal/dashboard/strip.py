"""The status strip: how many components are in each state, and what of it is new."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.core.cache import cache
from django.db.models import BooleanField, Case, Count, OuterRef, Q, QuerySet, Subquery, Value, When
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.components.models import Component, Status, StatusChange
from apps.monitoring.windows import RANGES, Window
from apps.portal import phrasing

SUSPENDED = "suspended"
FRESH_FOR = timedelta(days=1)
REMEMBERED_FOR = 60  # seconds
LIVE = Q(suspended=False, unmanaged=False)
ORDER = (Status.CRITICAL.value, Status.WARNING.value, Status.UNKNOWN.value, SUSPENDED, Status.NORMAL.value)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the strip, which is a link to the list that explains it."""

    state: str
    number: int
    url: str
    note: str


@dataclass(frozen=True, slots=True)
class Moved:
    """How many came into a state within a range of time, and how many left it."""

    new: int
    gone: int


class Share(NamedTuple):
    """How many components of a group are in one state, and whether they are among those not managed."""

    group: int
    state: str
    unmanaged: bool
    number: int


def shares_of(components: "QuerySet[Component]") -> list[Share]:
    """Count components by group and state, in one look at all of them; suspended is a state of its own."""
    columns = ("group", "status", "suspended", "unmanaged")
    found = components.order_by().values_list(*columns).annotate(number=Count("pk"))
    return [
        Share(group, state_of(status, suspended, unmanaged), unmanaged, number)
        for group, status, suspended, unmanaged, number in found
    ]


def state_of(status: str, suspended: bool, unmanaged: bool) -> str:
    """Give the state that a component is shown in; those not managed are among the suspended ones."""
    return SUSPENDED if suspended or unmanaged else status


def counts_of(shares: Iterable[Share]) -> dict[str, int]:
    """Add up by state, and those not managed once more."""
    counts = dict.fromkeys((*ORDER, "unmanaged"), 0)
    for share in shares:
        counts[share.state] += share.number
        counts["unmanaged"] += share.number if share.unmanaged else 0
    return counts


def moved(components: "QuerySet[Component]", since: datetime) -> tuple[dict[str, Moved], int]:
    """Compare with the beginning of a range, by the history of status; gives also how many were registered in it.

    What a component was then is what the first of its changes since then began with: one look for each that changed.
    """
    first = StatusChange.objects.filter(component=OuterRef("pk"), at__gte=since).order_by("at", "pk")
    rows = (
        components.filter(LIVE, status_since__gte=since)
        .order_by()
        .annotate(
            then=Subquery(first.values("old")[:1]),
            registered=Case(
                When(created_at__gte=since, then=Value(True)), default=Value(False), output_field=BooleanField()
            ),
        )
        .values_list("status", "then", "registered")
        .annotate(number=Count("pk"))
    )
    new, gone = dict.fromkeys(Status.values, 0), dict.fromkeys(Status.values, 0)
    for status, then, registered, number in rows:
        if registered or then is None:
            new[status] += number
        elif status != then:
            new[status] += number
            gone[then] += number
    added = components.filter(created_at__gte=since).count()
    return {status: Moved(new[status], gone[status]) for status in Status.values}, added


def _remembered_moves(components: "QuerySet[Component]", window: Window) -> tuple[dict[str, Moved], int]:
    """Compare; over long ranges a minute makes no difference, and nearly every component has changed."""
    if window.length <= FRESH_FOR:
        return moved(components, window.start)
    asked = hashlib.sha256(f"{components.order_by().values('pk').query} {window.word}".encode()).hexdigest()
    key = f"dashboard:moved:{asked}"
    found: tuple[dict[str, Moved], int] | None = cache.get(key)
    if found is None:
        found = moved(components, window.start)
        cache.set(key, found, REMEMBERED_FOR)
    return found


def figures(components: "QuerySet[Component]", counts: dict[str, int], group: int | None, window: Window) -> "Strip":
    """Give the strip of a fleet, or of a group of it."""
    base = reverse("components:list")
    scope = f"&group={group}" if group else ""
    changes, added = _remembered_moves(components, window)
    total = sum(counts[state] for state in ORDER)
    span = str(RANGES[window.word][0])
    notes = {
        SUSPENDED: _("%(n)s not managed") % {"n": phrasing.quantity(counts["unmanaged"])},
        Status.NORMAL.value: _("%(share)s %% of all") % {"share": phrasing.quantity(_share(counts["normal"], total))},
    }
    for state in (Status.CRITICAL.value, Status.WARNING.value, Status.UNKNOWN.value):
        notes[state] = _note(changes[state], span)
    shown = [Figure(state, counts[state], f"{base}?status={state}{scope}", notes[state]) for state in ORDER]
    new = ngettext("%(n)s new in %(span)s", "%(n)s new in %(span)s", added) % {"n": added, "span": span}
    return Strip(total, new if added else _("in this view"), shown, [(s, counts[s]) for s in ORDER if counts[s]])


@dataclass(frozen=True, slots=True)
class Strip:
    """All of it: the total with what was registered, each state, and their shares for the bar."""

    total: int
    note: str
    figures: list[Figure]
    bar: list[tuple[str, int]]


def _share(part: int, whole: int) -> float:
    """Give a percentage with one digit after the point, cut off so that 100 means all."""
    return int(part * 1000 / whole) / 10 if whole else 0.0


def _note(change: Moved, span: str) -> str:
    words = {"n": phrasing.quantity(change.new), "gone": phrasing.quantity(change.gone), "span": span}
    if change.new and change.gone:
        return _("%(n)s new, %(gone)s ended in %(span)s") % words
    if change.new:
        return ngettext("%(n)s new in %(span)s", "%(n)s new in %(span)s", change.new) % words
    if change.gone:
        return _("%(gone)s ended in %(span)s") % words
    return _("no change in %(span)s") % words
