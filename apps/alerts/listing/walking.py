"""Walks alerts and incidents piece by piece, newest first, by the place of the last one and never by offset."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from apps.alerts.listing import words
from apps.alerts.models import Alert, AlertQuerySet, Incident, IncidentQuerySet

COUNTED = 10_000  # where counting stops
UNSEEN = ("bindings", "datagram", "candidates", "detail", "remedy")  # what a row of a page leaves out


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some alerts, newest first, and where the older ones begin.

    Where a search stopped before it had filled the piece and before the end, ``searched_to`` says how far it came.
    """

    alerts: list[Alert] = field(default_factory=list)
    older: int | None = None
    searched_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an incident stands in the order of the list."""

    at: datetime
    pk: int


@dataclass(frozen=True, slots=True)
class IncidentStretch:
    """Some incidents, newest first, and where the older ones begin; as ``Stretch``."""

    incidents: list[Incident] = field(default_factory=list)
    older: Place | None = None
    searched_to: datetime | None = None


Step = Callable[[int | None, int], Stretch]
"""Gives the piece of so many alerts before an alert, or from the newest on."""


def alerts_of(found: AlertQuerySet, sought: str, before: int | None, size: int, *, whole: bool = False) -> Stretch:
    """Give a piece of the alerts that match and hold the sought words; ``whole`` with what rows leave out."""
    if before is not None:
        found = found.before(before)
    found, edge = _with_words(found, sought) if sought else (found, None)
    # Ids first: an index alone finds them, and only the rows of this piece are read.
    ids = list(found.newest_first().values_list("pk", flat=True)[: size + 1])
    alerts = in_order(ids[:size], whole)
    if len(ids) > size:
        return Stretch(alerts, ids[size - 1])
    if edge is not None:
        return Stretch(alerts, edge.pk, edge.at)
    return Stretch(alerts)


def count_found(found: AlertQuerySet, sought: str, before: int | None) -> int:
    """Count what a search finds among the alerts that one piece looks at."""
    looked_at, _edge = _with_words(found if before is None else found.before(before), sought)
    return count(looked_at)


def latest_of(
    incidents: IncidentQuerySet, sought: str, before: int | None, size: int, *, whole: bool = False
) -> Stretch:
    """Give the latest alert of each incident that matches; a piece begins behind the incident of an alert."""
    place = Alert.objects.filter(pk=before).values_list("received_at", "incident").first() if before else None
    if before is not None and (place is None or place[1] is None):
        return Stretch()
    stretch = incidents_of(incidents, sought, Place(*place) if place else None, size)
    wanted = [incident.pk for incident in stretch.incidents]
    last = stretch.older.pk if stretch.older is not None else None
    latest = _latest(OuterRef("pk")).values("pk")[:1]
    chosen = Incident.objects.filter(pk__in=[*wanted, last] if last is not None else wanted)
    ids = dict(chosen.order_by().values_list("pk", Subquery(latest)))
    alerts = in_order([ids[pk] for pk in wanted if ids.get(pk) is not None], whole)
    return Stretch(alerts, ids.get(last) if last is not None else None, stretch.searched_to)


def incidents_of(found: IncidentQuerySet, sought: str, before: Place | None, size: int) -> IncidentStretch:
    """Give a piece of the incidents that match, of those that hold the sought words."""
    if before is not None:
        found = found.filter(Q(last_at__lt=before.at) | Q(last_at=before.at, pk__lt=before.pk), last_at__lte=before.at)
    edge = None
    if sought:
        edge = _edge(found.newest_first(), "last_at")
        if edge is not None:
            found = found.filter(~Q(last_at=edge.at, pk__lt=edge.pk), last_at__gte=edge.at)
        for word in words.split(sought):
            found = found.filter(words.in_incident(word))
    rows = list(found.newest_first().select_related("component")[: size + 1])
    if len(rows) > size:
        last = rows[size - 1]
        return IncidentStretch(rows[:size], Place(last.last_at, last.pk))
    if edge is not None:
        return IncidentStretch(rows, edge, edge.at)
    return IncidentStretch(rows)


def incidents_by_id(
    found: IncidentQuerySet, sought: str, before: int | None, size: int
) -> tuple[list[int], int | None]:
    """Give the ids of a piece of the incidents in the order in which they were opened, and where it goes on."""
    looked_at, edge = looked_at_by_id(found, sought, before)
    ids = list(looked_at.order_by("-pk").values_list("pk", flat=True)[: size + 1])
    return ids[:size], ids[size - 1] if len(ids) > size else edge


def looked_at_by_id(found: IncidentQuerySet, sought: str, before: int | None) -> tuple[IncidentQuerySet, int | None]:
    """Keep what holds the words among so many of the last opened; gives the last of these where there are more."""
    if before is not None:
        found = found.filter(pk__lt=before)
    if not sought:
        return found, None
    edges = list(found.order_by("-pk").values_list("pk", flat=True)[words.SEARCHED - 1 : words.SEARCHED + 1])
    if len(edges) > 1:
        found = found.filter(pk__gte=edges[0])
    for word in words.split(sought):
        found = found.filter(words.in_incident(word))
    return found, edges[0] if len(edges) > 1 else None


def with_latest(incidents: IncidentQuerySet, **wanted: Any) -> IncidentQuerySet:
    """Keep the incidents whose latest alert is so."""
    latest = _latest(OuterRef(OuterRef("pk"))).values("pk")[:1]
    return incidents.filter(Exists(Alert.objects.filter(pk=Subquery(latest), **wanted)))


def all_of(step: Step, size: int) -> Iterator[list[Alert]]:
    """Walk through all pieces, each of so many alerts at most."""
    before: int | None = None
    while True:
        stretch = step(before, size)
        if stretch.alerts:
            yield stretch.alerts
        if stretch.older is None:
            return
        before = stretch.older


def in_order(ids: list[int], whole: bool) -> list[Alert]:
    """Read alerts by their ids, in this order; ``whole`` with what rows of a page leave out."""
    rows = Alert.objects.select_related("component", "incident")
    found = (rows.select_related("definition") if whole else rows.defer(*UNSEEN)).in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def count(found: "QuerySet[Any]", most: int = COUNTED) -> int:
    """Count what matches, up to a number: counting a million takes longer than anybody waits."""
    return found.order_by()[:most].count()


def _with_words(found: AlertQuerySet, sought: str) -> tuple[AlertQuerySet, Place | None]:
    """Keep what holds the words among so many of the newest; gives the last of these where there are more."""
    edge = _edge(found.newest_first(), "received_at")
    if edge is not None:
        found = found.filter(~Q(received_at=edge.at, pk__lt=edge.pk), received_at__gte=edge.at)
    for word in words.split(sought):
        found = found.filter(words.in_alert(word))
    return found, edge


def _latest(incident: Any) -> AlertQuerySet:
    return Alert.objects.filter(incident=incident).newest_first()


def _edge(found: "QuerySet[Any]", time: str) -> Place | None:
    """Give the last row that a search looks at; None when it comes to the end."""
    rows = found.values_list(time, "pk")[words.SEARCHED - 1 : words.SEARCHED + 1]
    places = [Place(at, pk) for at, pk in rows]
    return places[0] if len(places) > 1 else None
