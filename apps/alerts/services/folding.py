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

from apps.alerts.models import OPEN_INCIDENTS, AlertDefinition, Incident, IncidentState, Quiet, Severity
from apps.alerts.services.arrivals import Arrival
from apps.alerts.services.catalogue import Catalogue
from apps.alerts.services.naming import Part, exempt_objects, exempt_of
from apps.alerts.services.quiet import quiet_reason
from apps.components.models import StatusCause
from apps.components.services import causes
from apps.components.services.causes import Cause, Place
from apps.core import rows
from apps.core.phrases import Phrase

SOURCE = "alert"  # of the causes

Key = tuple[str, int, str]
"""What there is one open incident for: place, definition and object."""

_NEW = (
    *("component_id", "component_name", "address", "place", "definition_id", "object", "severity", "title"),
    *("state", "count", "first_at", "last_at", "acknowledged_by_name", "note"),
    *("closed_at", "closed_by_name", "closed_why", "held"),
)
_COUNTED = ("count", "first_at", "last_at")
_CHANGED = (
    *("state", "count", "first_at", "last_at", "severity", "title", "closed_at", "closed_by_name", "closed_why"),
    "held",
)


class Standing(Protocol):
    """What the status needs to know of an incident."""

    pk: Any
    component_id: Any
    definition: Any
    object: Any
    severity: Any

    @property
    def title(self) -> Phrase: ...

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
    held: bool  # nobody was told of it so far
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

    def take(self, arrival: Arrival) -> Problem | None:
        """Let an alert open, repeat or end a problem; gives the one that it belongs to."""
        if not arrival.matched:
            return None
        return self._fold(arrival) if arrival.is_problem else self._end(arrival)

    def take_late(self, arrival: Arrival) -> Problem | None:
        """Do the same for an alert that is understood late: a recovery ends no problem that was repeated after it."""
        if not arrival.matched:
            return None
        return self._fold(arrival) if arrival.is_problem else self._end(arrival, unless_after=arrival.received_at)

    def problem_of(self, pk: int | None) -> Problem | None:
        """Give the open incident of that number, where the batch is concerned with it."""
        return next((problem for problem in self._open.values() if problem.pk == pk), None) if pk else None

    def leave(self, problem: Problem) -> None:
        """Take an alert out of a problem, which ends when nothing is left in it."""
        problem.count = max(problem.count - 1, 0)
        problem.changed = True
        self._touched[id(problem)] = problem
        if problem.count == 0:
            problem.state, problem.closed_at = IncidentState.CLOSED.value, problem.last_at
            self._open = {key: one for key, one in self._open.items() if one is not problem}

    def say_anew(self, problem: Problem, arrival: Arrival) -> None:
        """Let a problem say what its latest alert says."""
        if arrival.definition is not None and problem.last_at <= arrival.received_at:
            problem.severity = arrival.grade
            problem.written_title = arrival.written_title
            problem.changed = True
            self._touched[id(problem)] = problem

    def store(self) -> None:
        """Write what was opened, repeated and ended, and let the status follow."""
        touched, moment = self._touched.values(), rows.moment_writer()
        present = [problem for problem in touched if problem.pk is not None]
        # What ended goes first: there is one open incident of a kind.
        rows.update(Incident, _CHANGED, [_changed_row(row, moment) for row in present if row.changed])
        rows.update(Incident, _COUNTED, [_counted_row(row, moment) for row in present if not row.changed])
        new = rows.add(Incident, _NEW, [_new_row(row, moment) for row in self._new])
        for problem, pk in zip(self._new, new, strict=True):
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
        elif arrival.grade == Severity.NORMAL:
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
            f" i.count, i.severity, i.title, i.held, i.first_at, i.last_at FROM {wanted} CROSS JOIN"
            f" {Incident._meta.db_table} i WHERE i.place = wanted.place AND i.definition_id = wanted.definition"
            f" AND i.object = wanted.object AND i.state IN ({states}) ORDER BY i.id {lock}"  # all lock in this order
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            found = cursor.fetchall()
        problems = [self._as_read(*row) for row in found]
        return {(one.place, one.definition.pk, one.object): one for one in problems}

    def _as_read(self, pk: int, place: str, definition: int, thing: str, *rest: Any) -> Problem:
        component_id, component_name, address, state, count, severity, title, held, first_at, last_at = rest
        return Problem(
            pk=pk,
            place=place,
            definition=self._definitions[definition],
            object=thing,
            component_id=component_id,
            component_name=component_name,
            address=address,
            state=state,
            count=count,
            severity=severity,
            written_title=title,
            held=bool(held),
            first_at=rows.when(first_at),
            last_at=rows.when(last_at),
            was_open=True,
        )

    def _fold(self, arrival: Arrival) -> Problem:
        (key,) = self._keys[id(arrival)]
        moment, title = arrival.received_at, arrival.written_title
        problem = self._open.get(key)
        if problem is None:
            component = arrival.component
            problem = Problem(
                pk=None,
                place=key[0],
                definition=self._definitions[key[1]],
                object=key[2],
                component_id=component.pk if component is not None else None,
                component_name=component.name if component is not None else "",
                address=arrival.address,
                state=IncidentState.OPEN.value,
                count=0,
                severity=arrival.grade,
                written_title=title,
                held=quiet_reason(component, None) is not Quiet.NO,
                first_at=moment,
                last_at=moment,
                changed=True,
            )
            self._open[key] = problem
            self._new.append(problem)
        problem.count += 1
        problem.first_at = min(problem.first_at, moment)
        problem.last_at = max(problem.last_at, moment)
        if (problem.severity, problem.written_title) != (arrival.grade, title):
            problem.severity, problem.written_title, problem.changed = arrival.grade, title, True
        if problem.held and quiet_reason(arrival.component, problem) is Quiet.NO:
            problem.held, problem.changed = False, True
        self._touched[id(problem)] = problem
        return problem

    def _end(self, arrival: Arrival, unless_after: datetime | None = None) -> Problem | None:
        ended = None
        for key in self._keys[id(arrival)]:
            problem = self._open.get(key)
            if problem is None or (unless_after is not None and problem.last_at > unless_after):
                continue
            del self._open[key]
            problem.state = IncidentState.CLOSED.value
            problem.last_at = problem.closed_at = arrival.received_at
            problem.closed_why = arrival.written_title
            problem.changed = True
            self._touched[id(problem)] = problem
            ended = problem
        return ended


def _counted_row(row: Problem, moment: rows.MomentWriter) -> rows.Row:
    return row.count, moment(row.first_at), moment(row.last_at), row.pk


def _changed_row(row: Problem, moment: rows.MomentWriter) -> rows.Row:
    return (
        *(row.state, row.count, moment(row.first_at), moment(row.last_at), row.severity, row.written_title),
        *(moment(row.closed_at), "", row.closed_why, row.held, row.pk),
    )


def _new_row(row: Problem, moment: rows.MomentWriter) -> rows.Row:
    return (
        *(row.component_id, row.component_name, row.address, row.place, row.definition.pk, row.object),
        *(row.severity, row.written_title, row.state, row.count),
        *(moment(row.first_at), moment(row.last_at), "", "", moment(row.closed_at), "", row.closed_why),
        row.held,
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
