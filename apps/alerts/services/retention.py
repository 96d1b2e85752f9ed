"""Forgets alerts that are too old or too many, in slices that hold nobody up; never one of a problem that goes on.

Incidents that ended go when they are too old themselves and none of their alerts is left.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from apps.alerts.models import Alert, Incident, IncidentState
from apps.core import audit, events, options
from apps.core.actors import SCHEDULE
from apps.core.writes import turn

log = logging.getLogger(__name__)

LARGEST_SLICE, FIRST_SLICE, SMALLEST_SLICE = 500, 200, 20
LONGEST_TURN = 0.05  # seconds: others wait for the database meanwhile
RUNS_FOR = 200.0  # seconds; the next run goes on


@dataclass(frozen=True, slots=True)
class Removed:
    """What a run removed."""

    alerts: int = 0
    incidents: int = 0
    received_before: datetime | None = None  # none older is left but those of problems that go on

    def __bool__(self) -> bool:
        return bool(self.alerts or self.incidents)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an alert stands in the order of time."""

    at: datetime
    pk: int


class Slice:
    """How many rows go in one turn: fewer after one that took long, more after a quick one."""

    def __init__(self) -> None:
        self.size = FIRST_SLICE

    def remove(self, model: type[Alert] | type[Incident], ids: Sequence[int]) -> None:
        """Remove rows in turns."""
        rest = list(ids)
        while rest:
            part, rest = rest[: self.size], rest[self.size :]
            with turn():
                started = time.monotonic()
                model.objects.filter(pk__in=part).delete()
                took = time.monotonic() - started
            if took > LONGEST_TURN:
                self.size = max(SMALLEST_SLICE, self.size // 2)
            elif took < LONGEST_TURN / 2 and len(part) == self.size:
                self.size = min(LARGEST_SLICE, self.size * 2)


def remove_old(now: datetime | None = None) -> Removed:
    """Remove what the options ``alert_retention`` and ``alert_limit`` leave no room for; gives what went."""
    moment = now or timezone.now()
    days, limit = options.get("alert_retention"), options.get("alert_limit")
    too_old = moment - timedelta(days=days) if days else None
    too_many = max(0, Alert.objects.count() - limit) if limit else 0
    deadline = time.monotonic() + RUNS_FOR
    size = Slice()
    alerts, reached = _remove_alerts(too_old, too_many, size, deadline)
    horizon = max((at for at in (too_old, reached) if at is not None), default=None)
    incidents = _remove_incidents(horizon, size, deadline) if horizon is not None else 0
    removed = Removed(alerts, incidents, horizon)
    if removed:
        _report(removed, days, limit)
    return removed


def _remove_alerts(
    too_old: datetime | None, too_many: int, size: Slice, deadline: float
) -> tuple[int, datetime | None]:
    """Walk from the oldest on; gives how many went, and when the last of them had come."""
    removed, reached = 0, None

    def is_old(place: Place) -> bool:
        return too_old is not None and place.at < too_old

    for places in _oldest_first():
        if (removed >= too_many and not is_old(places[0])) or time.monotonic() > deadline:
            break
        may_go = _without_open([place.pk for place in places])
        going: list[Place] = []
        for place in places:
            if place.pk in may_go and (is_old(place) or removed + len(going) < too_many):
                going.append(place)
        size.remove(Alert, [place.pk for place in going])
        removed += len(going)
        reached = going[-1].at if going else reached
    return removed, reached


def _oldest_first() -> Iterator[list[Place]]:
    """Give the places of all alerts, the oldest first, some at a time; those that stay are not looked at again."""
    last: Place | None = None
    while True:
        rows = Alert.objects.order_by("received_at", "pk").values_list("received_at", "pk")
        if last is not None:
            later = Q(received_at__gt=last.at) | Q(received_at=last.at, pk__gt=last.pk)
            rows = rows.filter(later, received_at__gte=last.at)
        places = [Place(at, pk) for at, pk in rows[:LARGEST_SLICE]]
        if not places:
            return
        yield places
        last = places[-1]


def _without_open(ids: Sequence[int]) -> set[int]:
    """Leave out the alerts of problems that go on."""
    goes_on = Exists(Incident.objects.open().filter(pk=OuterRef("incident")))
    return set(Alert.objects.filter(~goes_on, pk__in=ids).values_list("pk", flat=True))


def _remove_incidents(before: datetime, size: Slice, deadline: float) -> int:
    removed, last = 0, None
    while time.monotonic() <= deadline:
        ended = Incident.objects.filter(state=IncidentState.CLOSED, last_at__lt=before).order_by("last_at", "pk")
        if last is not None:
            ended = ended.filter(Q(last_at__gt=last.at) | Q(last_at=last.at, pk__gt=last.pk), last_at__gte=last.at)
        rows = list(ended.values_list("last_at", "pk")[:LARGEST_SLICE])
        if not rows:
            break
        last = Place(*rows[-1])
        gone = Incident.objects.filter(pk__in=[pk for _at, pk in rows], closed_at__lt=before)
        ids = list(gone.filter(~Exists(Alert.objects.filter(incident=OuterRef("pk")))).values_list("pk", flat=True))
        size.remove(Incident, ids)
        removed += len(ids)
    return removed


def _report(removed: Removed, days: int, limit: int) -> None:
    before = removed.received_before.isoformat() if removed.received_before is not None else None
    with turn():
        audit.record(
            SCHEDULE,
            "alert.forget",
            after={
                "alerts": removed.alerts,
                "incidents": removed.incidents,
                "before": before,
                "alert_retention": days,
                "alert_limit": limit,
            },
        )
        events.publish("alert")
    log.info("forgot %s alerts and %s incidents from before %s", removed.alerts, removed.incidents, before)
