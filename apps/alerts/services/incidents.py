"""What people and the clock do with incidents: acknowledge, close, open again, let age, list what needs attention."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.alerts.models import Incident, IncidentState
from apps.alerts.services import catalogue
from apps.alerts.services.folding import settle_causes
from apps.core import audit, events
from apps.core.actors import SCHEDULE, Actor
from apps.core.phrases import Phrase
from apps.core.writes import turn

AT_ONCE = 500
IN_A_TURN = 50  # incidents that are written with an entry in the audit each
AGED = gettext_noop("Nothing more was heard of it for %(hours)s hours.")
REMOVED = gettext_noop("The component was removed.")
JOINED = gettext_noop("The component was joined with another that has the same problem.")


def acknowledge(
    incidents: Iterable[Incident], actor: Actor, note: str = "", until: datetime | None = None
) -> list[Incident]:
    """Take note of problems: nobody is told of their further alerts until they end, or until a moment.

    The problem keeps its place in the component's status: the device is no better for being known. Closed incidents are
    left as they are. Gives the incidents that are acknowledged now.
    """
    return [one for part in _parts(incidents) for one in _acknowledge(part, actor, note, until)]


def _acknowledge(incidents: Sequence[Incident], actor: Actor, note: str, until: datetime | None) -> list[Incident]:
    with turn():
        chosen = _locked(incidents)
        now = timezone.now()
        for incident in chosen:
            before = {"state": incident.state, "note": incident.note, "until": _text(incident.acknowledged_until)}
            incident.state = IncidentState.ACKNOWLEDGED.value
            incident.acknowledged_by = actor.user
            incident.acknowledged_by_name = actor.short_name[:300]
            incident.acknowledged_at = now
            incident.acknowledged_until = until
            incident.note = note
            after = {"state": incident.state, "note": note, "until": _text(until)}
            audit.record(actor, "incident.acknowledge", incident, before=before, after=after)
        Incident.objects.bulk_update(
            chosen,
            ["state", "acknowledged_by", "acknowledged_by_name", "acknowledged_at", "acknowledged_until", "note"],
            batch_size=100,
        )
        events.publish("alert")
    return chosen


def close(incidents: Iterable[Incident], actor: Actor, why: Phrase | None = None) -> list[Incident]:
    """End problems by hand; the next alert of the kind opens a new incident. Gives the incidents that were open."""
    return [one for part in _parts(incidents) for one in _close(part, actor, why)]


def _close(incidents: Sequence[Incident], actor: Actor, why: Phrase | None) -> list[Incident]:
    with turn():
        chosen = _locked(incidents)
        for incident in chosen:
            audit.record(
                actor,
                "incident.close",
                incident,
                before={"state": incident.state},
                after={"state": IncidentState.CLOSED.value},
            )
        _end(chosen, why or Phrase(), actor)
    return chosen


def reopen_overdue(now: datetime | None = None) -> int:
    """Open acknowledged incidents whose time is up, so many at once; gives how many."""
    with turn():
        overdue = Incident.objects.overdue(now or timezone.now()).select_related("component")
        chosen = list(overdue.select_for_update(of=("self",)).order_by("pk")[:IN_A_TURN])
        for incident in chosen:
            audit.record(
                SCHEDULE,
                "incident.reopen",
                incident,
                before={"state": incident.state, "until": _text(incident.acknowledged_until)},
                after={"state": IncidentState.OPEN.value, "until": None},
            )
            incident.state = IncidentState.OPEN.value
            incident.acknowledged_until = None
        Incident.objects.bulk_update(chosen, ["state", "acknowledged_until"], batch_size=100)
        if chosen:
            events.publish("alert")
    return len(chosen)


def age(after: timedelta, now: datetime | None = None) -> int:
    """Close incidents that no other alert can end once nothing was heard of them for a while; gives how many."""
    ended = catalogue.current().cleared_by_partner
    endless = [entry.pk for entry in catalogue.current().definitions if entry.key not in ended]
    with turn():
        quiet_since = (now or timezone.now()) - after
        chosen = list(
            Incident.objects.open()
            .filter(definition__in=endless, last_at__lt=quiet_since)
            .select_related("definition")
            .select_for_update(of=("self",))
            .order_by("pk")[:AT_ONCE]
        )
        _end(chosen, Phrase(AGED, {"hours": f"{after / timedelta(hours=1):g}"}), None)
    return len(chosen)


def close_of_components(component_ids: Iterable[int]) -> None:
    """Close what is open on components that are about to be removed."""
    with turn():
        chosen = list(
            Incident.objects.open()
            .filter(component__in=list(component_ids))
            .select_related("definition")
            .select_for_update(of=("self",))
            .order_by("pk")
        )
        _end(chosen, Phrase(REMOVED), None)


def end_joined(incidents: list[Incident]) -> None:
    """End the problems of a component that is joined with another which has them, too."""
    _end(incidents, Phrase(JOINED), None)


def attention(user: Any, limit: int = 10, groups: Iterable[int] | None = None) -> list[Incident]:
    """Give the worst open incidents that a user may see and nobody has taken note of, of all or of some groups."""
    seen = Incident.objects.visible_to(user).unacknowledged()
    if groups is not None:
        seen = seen.of_groups(groups)
    return list(seen.select_related("component", "definition").worst_first()[:limit])


def open_counts(user: Any) -> dict[str, int]:
    """Give how many unacknowledged incidents a user may see, by severity."""
    seen = Incident.objects.unacknowledged().few_visible_to(user).order_by()
    return dict(seen.values_list("severity").annotate(models.Count("pk")))


def _parts(incidents: Iterable[Incident]) -> Iterator[Sequence[Incident]]:
    """Cut what is done at once into turns that hold nobody up."""
    chosen = list(incidents)
    for start in range(0, len(chosen), IN_A_TURN):
        yield chosen[start : start + IN_A_TURN]


def _locked(incidents: Iterable[Incident]) -> list[Incident]:
    """Read the incidents that have not ended again as they are now, held until the end of the transaction."""
    return list(
        Incident.objects.open()
        .filter(pk__in=[incident.pk for incident in incidents])
        .select_related("definition", "component")
        .select_for_update(of=("self",))
        .order_by("pk")
    )


def _end(incidents: list[Incident], why: Phrase, actor: Actor | None) -> None:
    now = timezone.now()
    for incident in incidents:
        incident.state = IncidentState.CLOSED.value
        incident.closed_at = now
        incident.closed_by = actor.user if actor else None
        incident.closed_by_name = actor.short_name[:300] if actor else ""
        incident.closed_why = why
    Incident.objects.bulk_update(
        incidents, ["state", "closed_at", "closed_by", "closed_by_name", "closed_why"], batch_size=100
    )
    settle_causes(incidents)
    if incidents:
        events.publish("alert")


def _text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
