"""Stores alerts in bulk: opens, folds and ends incidents, and moves the causes in the status with them."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from apps.alerts.models import DEFAULT_ALERT_TYPE, Alert, AlertDefinition, Incident, IncidentState, Severity
from apps.alerts.services import catalogue
from apps.alerts.services.arrivals import UNKNOWN_TITLE, Arrival
from apps.alerts.services.quiet import quiet_reason
from apps.components.models import StatusCause
from apps.components.services import causes
from apps.components.services.causes import Cause
from apps.core import events
from apps.core.phrases import Phrase
from apps.core.registries import Registry
from apps.core.writes import turn

log = logging.getLogger(__name__)

SOURCE = "alert"  # of the causes
TRIES = 3
_CHANGED = (
    "state",
    "count",
    "first_at",
    "last_at",
    "severity",
    "title",
    "closed_at",
    "closed_by_name",
    "closed_why",
)

Listener = Callable[[Sequence[Alert]], None]
listeners: Registry[Listener] = Registry("alert listener")
"""Whom to wake with the alerts of a batch, after its commit."""

Key = tuple[str, int, str]


def ingest(arrivals: Sequence[Arrival]) -> list[Alert]:
    """Store alerts in their order, in one write turn; at most 500 at once.

    Two processes may open the same incident at the same time; the database lets one, the other looks again.
    """
    for _ in range(TRIES - 1):
        try:
            with turn():
                return Batch(arrivals).store()
        except IntegrityError:
            log.debug("an incident was opened elsewhere at the same moment; storing again")
    with turn():
        return Batch(arrivals).store()


def cause_key(incident: Incident) -> str:
    """Give the key under which an incident's cause stands in the status."""
    return f"incident {incident.pk}"


def settle_causes(incidents: Iterable[Incident]) -> None:
    """Make the status of the components agree with these incidents: open ones count, ended ones do not."""
    wanted, ended = [], []
    for incident in incidents:
        if incident.component_id is None:
            continue
        if incident.is_open and incident.definition.counts:
            wanted.append(Cause(incident.component_id, SOURCE, cause_key(incident), incident.severity, incident.title))
        elif not incident.is_open:
            ended.append(cause_key(incident))
    if wanted:
        causes.put(wanted)
    # Most of what ends counted, but not all: components are not locked for nothing.
    rows = StatusCause.objects.filter(source=SOURCE, key__in=ended).order_by() if ended else None
    standing: dict[int, list[str]] = defaultdict(list)
    for component_id, key in rows.values_list("component_id", "key") if rows is not None else ():
        standing[component_id].append(key)
    if standing:
        causes.withdraw_all(SOURCE, standing)


class Batch:
    """The incidents that a batch touches, while it is walked through in order."""

    def __init__(self, arrivals: Sequence[Arrival]) -> None:
        self.arrivals = arrivals
        self.catalogue = catalogue.current()
        self.open = self._open_incidents()
        self.new: list[Incident] = []
        self.touched: dict[int, Incident] = {}  # by identity: a new one has no key yet
        self.only_counted: set[int] = set()  # of the touched: where nothing but a repetition was added

    def _keys(self, arrival: Arrival) -> list[Key]:
        """Give the keys of the incidents that an arrival opens or ends."""
        definition = arrival.definition
        if definition is None:
            return []
        concerned: Iterable[AlertDefinition] = []
        if arrival.is_problem:
            concerned = [definition]
        elif arrival.grade == Severity.NORMAL:
            concerned = self.catalogue.ended_by(definition)
        component_id = arrival.component.pk if arrival.component is not None else None
        place = Incident.place_of(component_id, arrival.address)
        return [(place, entry.pk, arrival.object[:200]) for entry in concerned]

    def _open_incidents(self) -> dict[Key, Incident]:
        keys = {key for arrival in self.arrivals for key in self._keys(arrival)}
        if not keys:
            return {}
        places, definitions, objects = (set(part) for part in zip(*keys, strict=True))
        found = (
            Incident.objects.open()
            .filter(place__in=places, definition__in=definitions, object__in=objects)
            .select_related("definition")
            .select_for_update(of=("self",))
            .order_by("pk")  # everybody locks in this order
        )
        return {(row.place, row.definition_id, row.object): row for row in found}

    def store(self) -> list[Alert]:
        """Write everything; gives the alerts in their order."""
        alerts = [self._interpret(arrival) for arrival in self.arrivals]
        self.store_incidents()
        Alert.objects.bulk_create(alerts)
        settle_causes(self.touched.values())
        if alerts:
            events.publish("alert")
            transaction.on_commit(lambda: _wake(alerts), robust=True)
        return alerts

    def store_incidents(self) -> None:
        """Write the incidents that were opened, folded into or ended."""
        Incident.objects.bulk_create(self.new)
        known = {id(incident) for incident in self.new}
        changed = [incident for key, incident in self.touched.items() if key not in known]
        counted = [incident for incident in changed if id(incident) in self.only_counted]
        others = [incident for incident in changed if id(incident) not in self.only_counted]
        Incident.objects.bulk_update(counted, ("count", "last_at"), batch_size=250)
        Incident.objects.bulk_update(others, _CHANGED, batch_size=100)

    def _interpret(self, arrival: Arrival) -> Alert:
        definition = arrival.definition
        incident = None
        if definition is not None and definition.enabled:
            incident = self.fold(arrival, definition) if arrival.is_problem else self._end(arrival, definition)
        alert = Alert(
            received_at=arrival.received_at,
            occurred_at=arrival.occurred_at,
            source=arrival.source,
            address=arrival.address,
            version=arrival.version,
            trap_oid=arrival.trap_oid,
            enterprise=arrival.enterprise,
            request_id=arrival.request_id,
            bindings=list(arrival.bindings),
            datagram=arrival.datagram,
            digest=arrival.digest,
            component=arrival.component,
            component_name=arrival.component.name if arrival.component is not None else "",
            candidates=list(arrival.candidates),
            object=arrival.object[:200],
            incident=incident,
            quiet=quiet_reason(arrival.component, incident).value,
        )
        explain(alert, definition, arrival)
        return alert

    def fold(self, arrival: Arrival, definition: AlertDefinition) -> Incident:
        """Count an alert of a problem in its open incident, which is opened when there is none."""
        (key,) = self._keys(arrival)
        incident = self.open.get(key)
        if incident is None:
            incident = Incident(
                component=arrival.component,
                component_name=arrival.component.name if arrival.component is not None else "",
                address=arrival.address,
                place=key[0],
                definition=definition,
                object=key[2],
                count=0,
                first_at=arrival.received_at,
                last_at=arrival.received_at,
            )
            self.open[key] = incident
            self.new.append(incident)
        was = (incident.first_at, incident.severity, incident.title)
        incident.count += 1
        incident.first_at = min(incident.first_at, arrival.received_at)
        incident.last_at = max(incident.last_at, arrival.received_at)
        incident.severity = arrival.grade
        incident.title = arrival.phrase(definition.title)
        if was != (incident.first_at, incident.severity, incident.title):
            self.only_counted.discard(id(incident))
        elif id(incident) not in self.touched:
            self.only_counted.add(id(incident))
        self.touched[id(incident)] = incident
        return incident

    def end_before(self, arrival: Arrival, definition: AlertDefinition) -> Incident | None:
        """End what a recovery that is understood late ends: problems that were not repeated after it."""
        return self._end(arrival, definition, arrival.received_at)

    def _end(
        self, arrival: Arrival, definition: AlertDefinition, unless_after: datetime | None = None
    ) -> Incident | None:
        ended = None
        for key in self._keys(arrival):
            incident = self.open.get(key)
            if incident is None or (unless_after is not None and incident.last_at > unless_after):
                continue
            del self.open[key]
            incident.state = IncidentState.CLOSED.value
            incident.last_at = incident.closed_at = arrival.received_at
            incident.closed_by_name = ""
            incident.closed_why = arrival.phrase(definition.title)
            self.touched[id(incident)] = incident
            self.only_counted.discard(id(incident))
            ended = incident
        return ended


def explain(alert: Alert, definition: AlertDefinition | None, arrival: Arrival) -> None:
    """Say on an alert what its definition makes of it."""
    alert.definition = definition
    alert.product = arrival.product
    alert.matched = definition is not None and definition.enabled  # one that is switched off hides its alerts
    if definition is None:
        alert.severity = Severity.UNKNOWN.value
        alert.alert_type = arrival.alert_type or DEFAULT_ALERT_TYPE
        alert.title = arrival.phrase(UNKNOWN_TITLE)
        alert.detail = alert.remedy = Phrase()
        return
    alert.severity = arrival.grade
    alert.alert_type = arrival.alert_type or definition.alert_type
    alert.title = arrival.phrase(definition.title)
    alert.detail = arrival.phrase(definition.detail)
    alert.remedy = arrival.phrase(definition.remedy)


def _wake(alerts: Sequence[Alert]) -> None:
    for name, listener in listeners.items():
        try:
            listener(alerts)
        except Exception:  # one listener's fault is not the next one's, and the alert is stored
            log.exception("the alert listener %s failed", name)
