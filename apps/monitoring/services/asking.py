"""The conversation of a poll: health, readings, states, ports of one device, under a deadline. No database in here."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from django.utils.translation import gettext_noop

from apps.components import contact
from apps.components.contact import Line
from apps.drivers.contract import (
    Driver,
    EventLog,
    Fact,
    Health,
    Limits,
    Neighbour,
    Neighbours,
    Ports,
    Power,
    PowerDrawn,
    PowerMeter,
    PowerState,
    Sensors,
    State,
    States,
    Status,
)
from apps.monitoring import exclusions, metering, port_reports
from apps.monitoring.exclusions import Exclusions
from apps.monitoring.judging import Snapshot, snapshot
from apps.monitoring.services import inventory, log_reading
from apps.monitoring.services.inventory import Told
from apps.monitoring.services.log_reading import Begin, Look
from apps.protocols.errors import ContactError, DeviceError, Stage, Unreachable, Unsupported

DEADLINE = 20.0  # seconds for one device, whatever it does
LONGEST = 180.0  # seconds for one that somebody said is slow
SILENT = gettext_noop("%(address)s does not answer a ping.")
PARTLY = gettext_noop("%(part)s cannot be read: %(error)s")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll of one interface gave."""

    line: Line
    at: float  # seconds since 1970
    error: ContactError | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    readings: Snapshot | None = None
    states: Sequence[State] | None = None
    ports: bytes | None = None
    neighbours: Sequence[Neighbour] | None = None  # None: as they were
    power: PowerState | None = None  # None: not told
    power_actions: tuple[str, ...] | None = None  # None: not told
    restart_cause: str = ""  # empty: not told
    log: Look | None = None  # None: its event log was not due
    drawn: PowerDrawn | None = None  # None: there is no meter, or it was not asked


async def ask(
    line: Line,
    tell: Callable[[Polled | Told], None],
    *,
    own: Mapping[int, Mapping[str, Limits]],
    excluded: Mapping[int, Exclusions],
    silent: set[int],
    logs: Mapping[int, Begin],
    listed: Collection[int],
    deadline: float,
) -> None:
    """Have one conversation; every way in which it may fail becomes part of the answer.

    With those of ``listed`` it goes on with what they are made of, when the values were told: nobody waits for a list.
    """
    if line.interface_id in silent and line.refusal is None:
        error: ContactError = Unreachable(SILENT, stage=Stage.ROUTE, address=line.target.address)
        _tell_failure(line, error, tell, listed)
        return
    deadline = prolonged(line, deadline)
    begin = logs.get(line.interface_id)
    more = begin.within + log_reading.ROOM if begin is not None else 0.0
    more += inventory.DEADLINE + log_reading.ROOM if line.interface_id in listed else 0.0
    polled: Polled | None = None
    is_told = False
    try:
        async with asyncio.timeout(deadline) as limit, contact.open(line, deadline=deadline + more) as device:
            device.until = limit.when()
            without = exclusions.of(line.component_id, excluded)
            polled = await _read(line, device, own.get(line.interface_id, {}), without)
            limit.reschedule(None)  # the log has a limit of its own
            if begin is not None and isinstance(device, EventLog):
                polled = replace(polled, log=await log_reading.look(device, line, begin))
            if line.interface_id in listed:
                tell(replace(polled, state=dict(polled.state)))  # the driver goes on with its own
                is_told = True
                tell(await inventory.look(line, device))
    except ContactError as failed:
        error = failed
    except TimeoutError:
        told = {"address": line.target.address, "seconds": f"{deadline:g}"}
        error = Unreachable(contact.TOO_SLOW, stage=Stage.PROTOCOL, **told)
    else:
        if not is_told:
            tell(polled)
        return
    if not is_told:
        _tell_failure(line, error, tell, listed)


def _tell_failure(
    line: Line, error: ContactError, tell: Callable[[Polled | Told], None], listed: Collection[int]
) -> None:
    tell(Polled(line, time.time(), error))
    if line.interface_id in listed:
        tell(Told(line, error))


def prolonged(line: Line, deadline: float) -> float:
    """Give how long a poll may last where parameters say that the device is slow; 0 is as long as any may."""
    for parameter in line.spec.parameters if line.spec is not None else ():
        if parameter.prolongs:
            value = float(line.target.parameters.get(parameter.name) or 0)
            usual = float(parameter.default or 0)
            deadline = max(deadline, min(deadline + value - usual, LONGEST) if value else LONGEST)
    return deadline


async def _read(line: Line, device: Driver, own: Mapping[str, Limits], without: Exclusions) -> Polled:
    """Read all that a poll wants. A part that the device cannot give costs that part only, unless all are so."""
    facts: list[Fact] = []
    trouble: list[DeviceError | Unsupported] = []
    parts = 0

    async def part(name: str, read: Callable[[], Awaitable[T]]) -> T | None:
        nonlocal parts
        parts += 1
        try:
            return await read()
        except (DeviceError, Unsupported) as error:
            trouble.append(error)
            facts.append(Fact(f"unreadable.{name}", Status.UNKNOWN, PARTLY, {"part": name, "error": str(error)}))
            return None

    health = await part(gettext_noop("health"), device.read_health) if isinstance(device, Health) else None
    readings = await part(gettext_noop("sensors"), device.read_sensors) if isinstance(device, Sensors) else None
    states = await part(gettext_noop("states"), device.read_states) if isinstance(device, States) else None
    ports = await part(gettext_noop("ports"), device.read_ports) if isinstance(device, Ports) else None
    power = await part(gettext_noop("power"), device.read_power) if isinstance(device, Power) else None
    meter = device.read_power_drawn if isinstance(device, PowerMeter) else None
    drawn = await part(gettext_noop("power meter"), meter) if meter is not None else None
    readings = metering.with_drawn(readings, drawn, power.state if power is not None else None)
    neighbours = None
    if isinstance(device, Neighbours):
        neighbours = await part(gettext_noop("neighbours"), device.read_neighbours)
    if not parts:
        await device.check()
    elif len(trouble) == parts:
        raise trouble[0]
    left_out = exclusions.indexes(ports.ports, without) if ports is not None else frozenset()
    return Polled(
        line,
        time.time(),
        state=device.state,
        facts=exclusions.counted_facts((*(health.facts if health is not None else ()), *facts), left_out),
        readings=exclusions.counted_readings(snapshot(readings, own), left_out) if readings is not None else None,
        states=states,
        ports=port_reports.pack(ports) if ports is not None else None,
        neighbours=neighbours,
        power=power.state if power is not None else None,
        power_actions=tuple(sorted(power.actions)) if power is not None and power.actions is not None else None,
        restart_cause=power.restart_cause if power is not None else "",
        drawn=drawn,
    )
