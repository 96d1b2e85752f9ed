"""Folds alerts into the problems they belong to: opens incidents, counts repetitions, ends them, and keeps the status.

A batch of alerts is walked through in its order over a picture of the open incidents that it concerns, read once and
locked; what became of them is written by a few statements at the end.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Protocol

from django.db import connection

from apps.alerts.models import OPEN_INCIDENTS, AlertDefinition, Incident, IncidentState, Severity
from apps.alerts.services.arrivals import Arrival
from apps.alerts.services.catalogue import Catalogue
from apps.alerts.services.naming import Part, exempt_objects, exempt_of
from apps.components.models import StatusCause
from apps.components.services import causes
from apps.components.services.causes import Cause, Place
from apps.core import rows
from apps.core.phrases import Phrase

SOURCE = "alert"  # of the causes

Key = tuple[str, int, str]
"""What there is one open incident for: place, definition and object."""

_NEW = ("component_id", "component_name", "address", "place", "definition_id", "object", "severity", "title")
_NEW += ("state", "count", "first_at", "last_at", "acknowledged_by_name", "note")
_NEW += ("closed_at", "closed_by_name", "closed_why")
_COUNTED = ("count", "first_at", "last_at")
_CHANGED = ("state", "count", "first_at", "last_at", "severity", "title", "closed_at", "closed_by_name", "closed_why")


class Standing(Protocol):
    """What the status needs to know of an incident."""

    pk: Any
    component_id: Any
    definition: Any
    object: Any
    severity: Any
    title: Any

    @property
    def is_open(self) -> bool: ...


@dataclass(slots=True, eq=False)
class Problem:
    """An incident while a batch is walked through; its title as the database keeps it."""

    pk: int | None  # None until it is stored
    place: str
    definition: AlertDefinition
    object: str
    component_id: int | None
    component_name: str
    address: str | None
    state: str
    count: int
    severity: str
    written_title: str
    first_at: datetime
    last_at: datetime
    closed_at: datetime | None = None
    closed_why: str = ""
    was_open: bool = False  # before this batch
    changed: bool = False  # more than a repetition happened

    @property
    def is_open(self) -> bool:
        """Say whether it has not ended."""
        return self.state in OPEN_INCIDENTS

    @property
    def title(self) -> Phrase:
        """Give the sentence."""
        return Phrase.loads(self.written_title)


class Folding:
    """The incidents that a batch of alerts touches; made and used inside one write turn."""

    def __init__(self, arrivals: Sequence[Arrival], known: Catalogue) -> None:
        self._catalogue = known
        self._definitions: dict[int, AlertDefinition] = {}
        self._keys = {id(arrival): self._keys_of(arrival) for arrival in arrivals}
        self._open = self._read(set(chain.from_iterable(self._keys.values())))
        self._new: list[Problem] = []
        self._touched: dict[int, Problem] = {}  # by identity: a new one has no key yet

    def take(self, arrival: Arrival, *, late: bool = False) -> Problem | None:
        """Let an alert open, repeat or end a problem; gives the one that it belongs to.

        One that is understood ``late`` ends only what was not repeated after it.
        """
        if not arrival.matched:
            return None
        return self._fold(arrival) if arrival.is_problem else self._end(arrival, late=late)

    def leave(self, pk: int | None) -> bool:
        """Take an alert out of an open problem, which ends when nothing is left in it; False when it is not here."""
        key = next((key for key, problem in self._open.items() if problem.pk == pk), None)
        if key is None or pk is None:
            return False
        problem = self._open[key]
        problem.count = max(problem.count - 1, 0)
        if problem.count == 0:
            problem.state, problem.closed_at = IncidentState.CLOSED.value, problem.last_at
            del self._open[key]
        self._touch(problem)
        return True

    def say_anew(self, arrival: Arrival) -> None:
        """Let the open problem of an alert say what the alert says, when that is its latest."""
        for key in self._keys[id(arrival)]:
            problem = self._open.get(key)
            if problem is not None and problem.last_at <= arrival.received_at and arrival.definition is not None:
                (problem.written_title,) = arrival.written([arrival.definition.title])
                problem.severity = arrival.severity
                self._touch(problem)

    def _touch(self, problem: Problem) -> None:
        problem.changed = True
        self._touched[id(problem)] = problem

    def store(self) -> None:
        """Write what was opened, repeated and ended, and let the status follow."""
        touched = self._touched.values()
        present = [problem for problem in touched if problem.pk is not None]
        # What ended goes first: there is one open incident of a kind.
        rows.update(Incident, _CHANGED, [_changed_row(problem) for problem in present if problem.changed])
        counted = [problem for problem in present if not problem.changed]
        rows.update(Incident, _COUNTED, [_counted_row(row) for row in counted])
        for problem, pk in zip(self._new, rows.add(Incident, _NEW, [_new_row(row) for row in self._new]), strict=True):
            problem.pk = pk
        settle_causes(problem for problem in touched if problem.changed and (problem.was_open or problem.is_open))

    def _keys_of(self, arrival: Arrival) -> list[Key]:
        """Give the keys of the incidents that an arrival opens or ends."""
        definition = arrival.definition
        if definition is None:
            return []
        concerned: Iterable[AlertDefinition] = ()
        if arrival.is_problem:
            concerned = (definition,)
        elif arrival.severity == Severity.NORMAL:
            concerned = self._catalogue.ended_by(definition)
        component_id = arrival.component.pk if arrival.component is not None else None
        place, thing = Incident.place_of(component_id, arrival.address), arrival.object[:200]
        self._definitions.update((entry.pk, entry) for entry in concerned)
        return [(place, entry.pk, thing) for entry in concerned]

    def _read(self, keys: set[Key]) -> dict[Key, Problem]:
        if not keys:
            return {}
        wanted, parameters = rows.table("wanted", {"place": "text", "definition": "bigint", "object": "text"}, keys)
        states = ", ".join(f"'{state}'" for state in OPEN_INCIDENTS)  # as the index of the open ones has them
        lock = "FOR UPDATE OF i" if connection.features.has_select_for_update_of else ""
        statement = (
            "SELECT i.id, i.place, i.definition_id, i.object, i.component_id, i.component_name, i.address, i.state,"  # noqa: S608
            f" i.count, i.severity, i.title, i.first_at, i.last_at FROM {wanted} CROSS JOIN"
            f" {Incident._meta.db_table} i WHERE i.place = wanted.place AND i.definition_id = wanted.definition"
            f" AND i.object = wanted.object AND i.state IN ({states}) ORDER BY i.id {lock}"  # all lock in this order
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            found = cursor.fetchall()
        return {
            (place, definition, thing): Problem(
                *(pk, place, self._definitions[definition], thing, *rest, rows.when(first_at), rows.when(last_at)),
                was_open=True,
            )
            for pk, place, definition, thing, *rest, first_at, last_at in found
        }

    def _fold(self, arrival: Arrival) -> Problem:
        (key,) = self._keys[id(arrival)]
        definition = arrival.definition
        assert definition is not None
        moment = arrival.received_at
        (title,) = arrival.written([definition.title])
        problem = self._open.get(key)
        if problem is None:
            component = arrival.component
            problem = Problem(
                pk=None,
                place=key[0],
                definition=definition,
                object=key[2],
                component_id=component.pk if component is not None else None,
                component_name=component.name if component is not None else "",
                address=arrival.address,
                state=IncidentState.OPEN.value,
                count=0,
                severity=arrival.severity,
                written_title=title,
                first_at=moment,
                last_at=moment,
                changed=True,
            )
            self._open[key] = problem
            self._new.append(problem)
        problem.count += 1
        problem.first_at = min(problem.first_at, moment)
        problem.last_at = max(problem.last_at, moment)
        if (problem.severity, problem.written_title) != (arrival.severity, title):
            problem.severity, problem.written_title, problem.changed = arrival.severity, title, True
        self._touched[id(problem)] = problem
        return problem

    def _end(self, arrival: Arrival, *, late: bool = False) -> Problem | None:
        ended = None
        for key in self._keys[id(arrival)]:
            problem = self._open.get(key)
            if problem is None or (late and problem.last_at > arrival.received_at):
                continue
            del self._open[key]
            assert arrival.definition is not None
            problem.state = IncidentState.CLOSED.value
            problem.last_at = problem.closed_at = arrival.received_at
            (problem.closed_why,) = arrival.written([arrival.definition.title])
            problem.changed = True
            self._touched[id(problem)] = problem
            ended = problem
        return ended


def _counted_row(row: Problem) -> rows.Row:
    return row.count, rows.moment(row.first_at), rows.moment(row.last_at), row.pk


def _changed_row(row: Problem) -> rows.Row:
    return (
        *(row.state, row.count, rows.moment(row.first_at), rows.moment(row.last_at), row.severity, row.written_title),
        *(rows.moment(row.closed_at), "", row.closed_why, row.pk),
    )


def _new_row(row: Problem) -> rows.Row:
    return (
        *(row.component_id, row.component_name, row.address, row.place, row.definition.pk, row.object),
        *(row.severity, row.written_title, row.state, row.count),
        *(rows.moment(row.first_at), rows.moment(row.last_at), "", "", rows.moment(row.closed_at), "", row.closed_why),
    )


def cause_key(incident: Standing) -> str:
    """Give the key under which an incident's cause stands in the status."""
    return f"incident {incident.pk}"


def settle_causes(incidents: Iterable[Standing]) -> None:
    """Make the status of the components agree with these incidents: open ones count, ended and exempt ones do not."""
    wanted: list[Cause] = []
    ended: list[Place] = []
    unsure: list[Place] = []  # those whose definition or object does not count, or no longer
    told = list(incidents)
    exempt = _exempt(told)
    for incident in told:
        component_id, key = incident.component_id, cause_key(incident)
        if component_id is None:
            continue
        place: Place = (component_id, None, SOURCE, key)
        if incident.pk in exempt:
            unsure.append(place)
        elif not incident.is_open:
            (ended if incident.definition.counts else unsure).append(place)
        elif incident.definition.counts:
            wanted.append(Cause(component_id, SOURCE, key, incident.severity, incident.title))
    if unsure:  # components are not locked for nothing
        found = StatusCause.objects.filter(
            component__in={place[0] for place in unsure}, source=SOURCE, key__in={place[3] for place in unsure}
        )
        standing = set(found.order_by().values_list("key", flat=True))
        ended += [place for place in unsure if place[3] in standing]
    if wanted or ended:
        causes.change(wanted, ended)


def _exempt(incidents: Iterable[Standing]) -> set[Any]:
    """Give the numbers of the open incidents of objects that do not count: excluded network ports."""
    by_kind: dict[str, dict[Part, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for incident in incidents:
        kind = incident.definition.object_kind
        if kind in exempt_objects and incident.component_id is not None and incident.is_open:
            by_kind[kind][incident.component_id, incident.object].append(incident.pk)
    return {pk for kind, parts in by_kind.items() for part in exempt_of(kind, parts) for pk in parts[part]}
