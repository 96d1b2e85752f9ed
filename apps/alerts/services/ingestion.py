"""Stores alerts in bulk, with the problems that they open, repeat and end; wakes who listens after the commit."""

import json
import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from json.encoder import encode_basestring as quoted
from typing import overload

from django.db import IntegrityError, connection, transaction

from apps.alerts.models import DEFAULT_ALERT_TYPE, Alert
from apps.alerts.services import catalogue
from apps.alerts.services.arrivals import UNKNOWN_TITLE, Arrival, Binding
from apps.alerts.services.folding import Folding, Problem
from apps.alerts.services.quiet import quiet_reason
from apps.core import events, rows
from apps.core.phrases import Phrase
from apps.core.registries import Registry
from apps.core.writes import turn

log = logging.getLogger(__name__)

TRIES = 3

Listener = Callable[[Sequence[Alert]], None]
listeners: Registry[Listener] = Registry("alert listener")
"""Whom to wake with the alerts of a batch, after its commit."""

_COLUMNS = (
    *("received_at", "occurred_at", "source", "address", "version", "trap_oid", "enterprise", "request_id"),
    *("bindings", "datagram", "digest", "component_id", "component_name", "candidates", "definition_id", "matched"),
    *("object", "severity", "alert_type", "product", "title", "detail", "remedy", "incident_id", "quiet"),
)


class Stored(Sequence[Alert]):
    """The alerts of a batch; they are read from the database only when somebody looks at them."""

    def __init__(self, ids: Sequence[int], arrivals: Sequence[Arrival]) -> None:
        self._ids = ids
        self._arrivals = arrivals

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, place: int) -> Alert: ...

    @overload
    def __getitem__(self, place: slice) -> list[Alert]: ...

    def __getitem__(self, place: int | slice) -> Alert | list[Alert]:
        return self.alerts[place]

    @cached_property
    def alerts(self) -> list[Alert]:
        """Give the alerts in their order, with the components that are known already."""
        known = {arrival.component.pk: arrival.component for arrival in self._arrivals if arrival.component is not None}
        found = list(Alert.objects.filter(pk__in=self._ids).select_related("definition", "incident").order_by("pk"))
        for alert in found:
            if alert.component_id in known:
                alert.component = known[alert.component_id]
        return found


def ingest(arrivals: Sequence[Arrival]) -> list[Alert]:
    """Store alerts in their order, in one write turn, and give them."""
    with turn():
        return store(arrivals).alerts


def store(arrivals: Sequence[Arrival]) -> Stored:
    """Store alerts in their order, in one write turn.

    Two processes may open the same incident at the same time; the database lets one, the other looks again.
    """
    for _ in range(TRIES - 1):
        try:
            with turn():
                return _store(arrivals)
        except IntegrityError:
            log.debug("an incident was opened elsewhere at the same moment; storing again")
    with turn():
        return _store(arrivals)


def _store(arrivals: Sequence[Arrival]) -> Stored:
    folding = Folding(arrivals, catalogue.current())
    problems = [folding.take(arrival) for arrival in arrivals]
    folding.store()
    others = [field for field in Alert._meta.concrete_fields if field.column not in {*_COLUMNS, "id"}]
    rest = tuple(field.get_db_prep_save(field.get_default(), connection) for field in others)
    moment = rows.moment_writer()
    new = [(*_row(arrival, problem, moment), *rest) for arrival, problem in zip(arrivals, problems, strict=True)]
    stored = Stored(rows.add(Alert, [*_COLUMNS, *(str(field.column) for field in others)], new), arrivals)
    if stored:
        events.publish("alert")
        transaction.on_commit(lambda: _wake(stored), robust=True)
    return stored


def _row(arrival: Arrival, problem: Problem | None, moment: rows.MomentWriter) -> rows.Row:
    component, definition = arrival.component, arrival.definition
    if definition is None:
        alert_type, texts = arrival.alert_type or DEFAULT_ALERT_TYPE, (UNKNOWN_TITLE, "", "")
    else:
        alert_type = arrival.alert_type or definition.alert_type
        texts = (definition.title, definition.detail, definition.remedy)
    return (
        *(moment(arrival.received_at), moment(arrival.occurred_at), arrival.source, arrival.address),
        *(arrival.version, arrival.trap_oid, arrival.enterprise, arrival.request_id, _written(arrival.bindings)),
        *(arrival.datagram, arrival.digest, component.pk if component is not None else None),
        component.name if component is not None else "",
        json.dumps(arrival.candidates) if arrival.candidates else "[]",
        *(definition.pk if definition is not None else None, arrival.matched, arrival.object[:200]),
        *(arrival.grade, alert_type, arrival.product, *arrival.written(texts)),
        *(problem.pk if problem is not None else None, quiet_reason(component, problem).value),
    )


def _written(bindings: Sequence[Binding]) -> str:
    """Write variables as JSON: all that they hold is text."""
    told = [
        f'{{"oid": {quoted(each["oid"])}, "type": {quoted(each["type"])}, "value": {quoted(each["value"])}}}'
        for each in bindings
    ]
    return f"[{', '.join(told)}]"


def explain(alert: Alert, arrival: Arrival) -> None:
    """Say on an alert what its definition makes of it."""
    definition = arrival.definition
    alert.definition = definition
    alert.product = arrival.product
    alert.matched = arrival.matched
    alert.severity = arrival.grade
    if definition is None:
        alert.alert_type = arrival.alert_type or DEFAULT_ALERT_TYPE
        alert.title = arrival.phrase(UNKNOWN_TITLE)
        alert.detail = alert.remedy = Phrase()
        return
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
