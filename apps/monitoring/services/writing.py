"""Writes what polls gave, outside the event loop: a few bulk statements for two hundred devices.

Order matters for a kill at any moment: sensors first, because what is new is found by comparing with the last values;
samples and last values together; causes last. Whatever is cut off is mended by the next poll.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db import DataError, IntegrityError

from apps.components import contact, noting
from apps.components.models import Component, ManagementInterface, StatusCause
from apps.components.services import causes, power_states
from apps.components.services.causes import Cause
from apps.core import events, rows
from apps.core.phrases import Phrase
from apps.core.writes import turn
from apps.monitoring import layouts, metering
from apps.monitoring.judging import Snapshot
from apps.monitoring.models import LastPorts, LastPower, LastStates, LastValues, Sample
from apps.monitoring.services import neighbours, precedence, sensors, silence, states
from apps.monitoring.services.asking import Polled
from apps.monitoring.services.silence import CONTACT, POLL
from apps.protocols.errors import ContactError, DeviceError

LIMIT = "limit"
INTERFACES_AT_ONCE = 100  # each is up to four rows of a transaction
UP_SINCE_SLACK = 120  # seconds by which a device's own clock may wander without looking like a restart

T = TypeVar("T")
log = logging.getLogger(__name__)


def write(batch: Sequence[Polled]) -> None:
    """Keep the results of polls. What the database refuses costs only the device that sent it."""
    try:
        _write(batch)
    except (DataError, IntegrityError, ValueError) as error:
        if len(batch) > 1:
            for polled in batch:
                write([polled])
            return
        line = batch[0].line
        log.warning(
            "what %s said through %s cannot be kept: %s", line.target.address, line.driver, type(error).__name__
        )
        refused = DeviceError(contact.UNEXPECTED, address=line.target.address, kind=type(error).__name__)
        if batch[0].error is None:
            _write([Polled(line, batch[0].at, refused)])


def _write(batch: Sequence[Polled]) -> None:
    told = [polled for polled in batch if not isinstance(polled.error, contact.Busy)]
    measured = [(polled, polled.readings) for polled in told if polled.readings is not None]
    layout_ids = layouts.ids({readings.digest: readings.sensors for _polled, readings in measured})
    sensors.keep([(polled.line.interface_id, readings, layout_ids[readings.digest]) for polled, readings in measured])
    neighbours.keep([(p.line.interface_id, p.neighbours) for p in told if p.neighbours is not None])
    for part in _parts(told, INTERFACES_AT_ONCE):
        _write_values(part, layout_ids)
    power_states.keep(
        power_states.Seen(p.line.component_id, p.power, datetime.fromtimestamp(p.at, UTC), p.restart_cause)
        for p in told
        if p.power is not None
    )
    silent = silence.of(told)
    with causes.together():
        noting.note([noting.Outcome(polled.line, polled.error, polled.state) for polled in told])
        explained = silence.explain(silent, told)
        _settle(POLL, told, [cause for cause in _poll_causes(told) if cause.interface_id not in explained])
        _settle(LIMIT, told, _limit_causes(told))
    events.publish("component")


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _write_values(batch: Sequence[Polled], layout_ids: Mapping[bytes, int]) -> None:
    for attempt in (1, 2):
        try:
            with turn():
                _write_present(batch, layout_ids)
        except IntegrityError:
            # An interface was removed between our look and the end of the transaction: look again.
            if attempt == 2:
                raise
        else:
            return


def _write_present(batch: Sequence[Polled], layout_ids: Mapping[bytes, int]) -> None:
    wanted = [polled.line.interface_id for polled in batch]
    interfaces = ManagementInterface.objects.filter(pk__in=wanted).order_by()
    present = dict(interfaces.values_list("pk", "power_actions"))
    samples: list[Sequence[Any]] = []
    last: list[Sequence[Any]] = []
    ports: list[Sequence[Any]] = []
    said = states.packed((p.line.interface_id, p.states, p.at) for p in batch if p.states is not None)
    stated: list[Sequence[Any]] = []
    drawn: list[Sequence[Any]] = []
    known = precedence.elsewhere(batch)
    columns: dict[tuple[str, ...], list[Sequence[Any]]] = defaultdict(list)
    boots: list[Sequence[Any]] = []
    offers: list[Sequence[Any]] = []
    for polled in batch:
        pk = polled.line.interface_id
        if pk not in present:
            continue
        moment = rows.moment(datetime.fromtimestamp(polled.at, UTC))
        if polled.power_actions is not None and list(polled.power_actions) != present[pk]:
            offers.append((json.dumps(polled.power_actions), pk))
        if polled.ports is not None:
            ports.append((pk, polled.ports, moment))
        if pk in said:
            stated.append((pk, said[pk], moment))
        if polled.drawn is not None:
            drawn.append((pk, *metering.row(polled.drawn), moment))
        readings = polled.readings
        if readings is None:
            continue
        layout_id = layout_ids[readings.digest]
        samples.append((pk, int(polled.at * 1000), layout_id, readings.packed))
        last.append((pk, layout_id, readings.exact, readings.statuses, readings.whys, moment))
        if told := precedence.columns(polled, known):
            columns[tuple(told)].append((*told.values(), polled.line.component_id))
        if readings.uptime is not None and precedence.counts(polled, precedence.UPTIME, readings.uptime, known):
            boots.append(_boot(polled, readings.uptime))
    _insert(samples, last, ports, stated)
    _insert_drawn(drawn)
    rows.update(ManagementInterface, ("power_actions",), offers)
    for names, values in columns.items():
        rows.update(Component, names, values)
    rows.execute_many(
        f"UPDATE {Component._meta.db_table} SET up_since = %s WHERE id = %s"  # noqa: S608
        " AND (up_since IS NULL OR up_since < %s OR up_since > %s)",
        boots,
    )


def _boot(polled: Polled, uptime: float) -> Sequence[Any]:
    at = polled.at - uptime
    around = (at, at - UP_SINCE_SLACK, at + UP_SINCE_SLACK)
    since, earliest, latest = (rows.moment(datetime.fromtimestamp(max(one, 0.0), UTC)) for one in around)
    return since, polled.line.component_id, earliest, latest


def _insert(
    samples: list[Sequence[Any]],
    last: list[Sequence[Any]],
    ports: list[Sequence[Any]],
    stated: list[Sequence[Any]],
) -> None:
    rows.insert(
        Sample, ("interface_id", "at", "layout_id", "values"), samples, "ON CONFLICT (interface_id, at) DO NOTHING"
    )
    rows.insert(
        LastValues,
        ("interface_id", "layout_id", "values", "statuses", "whys", "measured_at"),
        last,
        "ON CONFLICT (interface_id) DO UPDATE SET layout_id = excluded.layout_id, statuses = excluded.statuses,"
        ' whys = excluded.whys, measured_at = excluded.measured_at, "values" = excluded."values"',
    )
    table = LastPorts._meta.db_table
    rows.insert(
        LastPorts,
        ("interface_id", "report", "measured_at"),
        ports,
        f"ON CONFLICT (interface_id) DO UPDATE SET previous = {table}.report, previous_at = {table}.measured_at,"
        " report = excluded.report, measured_at = excluded.measured_at",
    )
    rows.insert(
        LastStates,
        ("interface_id", "states", "measured_at"),
        stated,
        "ON CONFLICT (interface_id) DO UPDATE SET states = excluded.states, measured_at = excluded.measured_at",
    )


def _insert_drawn(drawn: list[Sequence[Any]]) -> None:
    told = ("minimum", "average", "maximum", "seconds", "cap", "throttled", "told_at")
    changed = ", ".join(f"{name} = excluded.{name}" for name in told)
    rows.insert(LastPower, ("interface_id", *told), drawn, f"ON CONFLICT (interface_id) DO UPDATE SET {changed}")


def _poll_causes(batch: Iterable[Polled]) -> Iterator[Cause]:
    for polled in batch:
        component, interface = polled.line.component_id, polled.line.interface_id
        if polled.error is not None:
            yield Cause(component, POLL, CONTACT, "unknown", error_text(polled.error), interface)
        for fact in polled.facts:
            if fact.status != "normal":
                text = Phrase(fact.message, dict(fact.params))
                yield Cause(component, POLL, fact.key, fact.status.value, text, interface)


def error_text(error: ContactError) -> Phrase:
    """Give what a device did to us as a sentence that can be translated."""
    return Phrase(error.message, error.params)


def _limit_causes(batch: Iterable[Polled]) -> Iterator[Cause]:
    """Nothing is beyond a limit while the device does not answer: then nobody knows."""
    for polled in batch:
        if polled.readings is not None:
            yield from limit_causes(polled.line.component_id, polled.line.interface_id, polled.readings)


def limit_causes(component_id: int, interface_id: int, readings: Snapshot) -> Iterator[Cause]:
    """Give a cause for each sensor that is out of range."""
    for breach in readings.breaches:
        yield Cause(component_id, LIMIT, breach.sensor.key, breach.status.value, breach.text, interface_id)


def _settle(source: str, batch: Sequence[Polled], wanted: Iterable[Cause]) -> None:
    """Settle the causes of the interfaces where any changed; a healthy fleet costs one look."""
    by_interface: dict[int, dict[str, tuple[str, str]]] = defaultdict(dict)
    mine = list(wanted)
    for cause in mine:
        if cause.interface_id is not None:
            by_interface[cause.interface_id][cause.place[3]] = (cause.status, cause.text.dumps())
    asked = [polled.line.interface_id for polled in batch]
    present: dict[int, dict[str, tuple[str, str]]] = defaultdict(dict)
    found = StatusCause.objects.filter(source=source, interface__in=asked).order_by()
    for interface_id, key, status, text in found.values_list("interface_id", "key", "status", "text"):
        present[interface_id][key] = (status, text.dumps())
    changed = {pk for pk in asked if by_interface.get(pk, {}) != present.get(pk, {})}
    if changed:
        causes.settle(source, changed, [cause for cause in mine if cause.interface_id in changed])
