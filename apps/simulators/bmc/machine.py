"""One simulated server: how it is powered, how busy, what is wrong with it, what it wrote down.

It knows nothing of IPMI's messages. Whoever shows another side of the same machine (an agent of its operating system)
reads ``is_on`` and ``load``, and is told by ``watch`` what happens.
"""

import asyncio
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol
from uuid import NAMESPACE_URL, uuid5

from apps.simulators.bmc import hardware
from apps.simulators.bmc.event_log import EventLog
from apps.simulators.bmc.faults import Fault
from apps.simulators.bmc.nature import USUAL_PACE, USUAL_PRODUCT, Load, Measure, Measured, Pace, Product
from apps.simulators.bmc.sensors import PASSED, Moment, Sensor, Severity

_NO_DATA = 0xFF
_VALUE_AND_LIMIT = 0x50  # event data 2 is the value, 3 the limit
_DEASSERTED = 0x80
_BY_COMMAND, _BY_WATCHDOG, _BY_SOFTWARE = 1, 4, 0x0A  # restart causes, §28.11
_POWER_UP, _HARD_RESET, _WARM_RESET = 0, 1, 2  # events of system start
_OS_STOPPED = 0x03
_FULL = 4  # event of the event log
_BOOT_VALID, _BOOT_PERSISTENT = 0x80, 0x40


class Order(IntEnum):
    """What a chassis can be told (IPMI 2.0 §28.3)."""

    OFF = 0
    ON = 1
    CYCLE = 2
    RESET = 3
    NMI = 4
    SOFT = 5


class NotNow(Exception):
    """The machine cannot do this as it is powered now."""


@dataclass(frozen=True, slots=True)
class Switched:
    """The power went on or off."""

    on: bool


@dataclass(frozen=True, slots=True)
class Started:
    """The machine begins to boot, from the device of the boot flags (0: as usual)."""

    device: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """A sensor tells something: the event's three bytes, and its entry in the log, None when that was full."""

    sensor: Sensor
    offset: int
    asserted: bool
    data: tuple[int, int, int]
    severity: Severity
    entry: bytes | None


Happening = Switched | Started | Event
Listener = Callable[["Machine", Happening], None]


class Handle(Protocol):
    """What can be called off, such as the event loop's timers."""

    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Handle]


def _on_the_loop(seconds: float, act: Callable[[], None]) -> Handle:
    return asyncio.get_running_loop().call_later(seconds, act)


class Machine:
    """A server. ``clock`` gives seconds since 1970, ``later`` calls something after a while: both may be one's own."""

    def __init__(
        self,
        name: str = "server-1",
        *,
        serial: str = "SIM0000001",
        asset: str = "",
        load: Load | None = None,
        measure: Measure | None = None,
        product: Product = USUAL_PRODUCT,
        pace: Pace = USUAL_PACE,
        on: bool = True,
        clock: Callable[[], float] = time.time,
        later: Later = _on_the_loop,
    ) -> None:
        self.name, self.serial, self.asset = name, serial, asset
        self.uuid = uuid5(NAMESPACE_URL, f"{name}/{serial}")
        self.pace, self.clock, self._later = pace, clock, later
        own = random.Random(f"{name}/{serial}")
        self._phase, self._period = own.random() * math.tau, own.uniform(500, 900)
        self._base = own.uniform(0.15, 0.45)
        self.load_at: Load = load or self._usual_load
        self.measure_at: Measure = measure or self._usual_values
        self.product = product
        self.is_on = on
        self.faults: set[Fault] = set()
        self.opened = False  # the cover
        self.log = EventLog(clock)
        self.orders: list[Order] = []  # those that were carried out
        self.restart_cause = 0
        self.boot_flags = bytes(5)
        self.power_limit: int | None = None  # watts, while it is active
        self.limits: dict[int, tuple[int, bytes]] = {}  # where somebody changed a sensor's
        self.started_at = clock()
        self.switched_by_command = False  # the last time that it went on
        self._up_at = 0.0
        self._lit_until = 0.0
        self._listeners: list[Listener] = []
        self._pending: Handle | None = None
        self._states = self._all_states()

    # --- how it is ----------------------------------------------------------------------------------------------------

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Call a listener with whatever happens from now on; gives what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def is_up(self) -> bool:
        """Whether its operating system runs: it is on, and has booted."""
        return self.is_on and self.clock() >= self._up_at

    @property
    def load(self) -> float:
        """How busy it is, 0 to 1."""
        return self.load_at(self.clock()) if self.is_on else 0.0

    @property
    def watts(self) -> float:
        """What it draws now."""
        return self.watts_at(self.clock())

    def watts_at(self, at: float) -> float:
        """Give what it draws at a moment, powered as it is now."""
        if not self.is_on:
            return hardware.STANDBY_WATTS
        return self._limited(self.measure_at(at).watts)

    def _limited(self, drawn: float) -> float:
        return min(drawn, self.power_limit) if self.power_limit else drawn

    def moment(self) -> Moment:
        """Give all that sensors are read from."""
        now = self.clock()
        told, load = self.measure_at(now), self.load_at(now) if self.is_on else 0.0
        watts = self._limited(told.watts) if self.is_on else hardware.STANDBY_WATTS
        faults = frozenset(self.faults)
        return Moment(self.is_on, load, self._wave(now), watts, told.inlet, told.processor, self.opened, faults)

    def _wave(self, at: float) -> float:
        return math.sin(at / 47 + self._phase)

    def _usual_values(self, at: float) -> Measured:
        load, wave = self.load_at(at), self._wave(at)
        watts = hardware.IDLE_WATTS + (hardware.FULL_WATTS - hardware.IDLE_WATTS) * load
        return Measured(watts, 23.0 + 1.6 * wave, 38.0 + 34.0 * load + 2.0 * wave)

    def _usual_load(self, at: float) -> float:
        slow, quick = math.sin(at / self._period + self._phase), math.sin(at / 61 + 3 * self._phase)
        return min(1.0, max(0.02, self._base + 0.2 * slow + 0.08 * quick))

    @property
    def uptime(self) -> float:
        """Seconds since it began to start."""
        return max(0.0, self.clock() - self.started_at)

    @property
    def is_lit(self) -> bool:
        """Whether the lamp is lit."""
        return self.clock() < self._lit_until

    @property
    def is_lit_for_good(self) -> bool:
        """Whether it stays lit until it is put out."""
        return self._lit_until == math.inf

    def light(self, seconds: float) -> None:
        """Light the lamp for a time, ``math.inf``: until it is put out."""
        self._lit_until = self.clock() + seconds

    def limits_of(self, sensor: Sensor) -> tuple[int, bytes]:
        """Give the mask and the raw values of a sensor's limits."""
        found = self.limits.get(sensor.number)
        if found is None:
            found = self.limits[sensor.number] = sensor.first_limits()
        return found

    def read(self, sensor: Sensor, moment: Moment) -> tuple[int, int] | None:
        """Give a sensor's raw value and the bits that are set; None when it cannot be read now."""
        value = sensor.read(moment) if sensor.read else None
        if value is None:
            return None
        if not sensor.measures:
            return 0, int(value)
        raw = sensor.raw(value)
        return raw, sensor.passed(raw, *self.limits_of(sensor))

    # --- faults -------------------------------------------------------------------------------------------------------

    def begin(self, fault: Fault) -> None:
        """Let a fault begin."""
        self.faults.add(fault)
        self.look()

    def mend(self, fault: Fault) -> None:
        """Let it end."""
        self.faults.discard(fault)
        self.look()

    def _all_states(self) -> dict[int, int]:
        moment = self.moment()
        found = ((sensor, self.read(sensor, moment)) for sensor in hardware.READ)
        return {sensor.number: state[1] if state else 0 for sensor, state in found}

    def look(self) -> None:
        """Note what the sensors have to tell since the last look."""
        moment, before = self.moment(), self._states
        self._states = self._all_states()
        for sensor in hardware.READ:
            changed = before[sensor.number] ^ self._states[sensor.number]
            place = 0
            while changed >> place:
                if changed >> place & 1:
                    self._tell(sensor, place, bool(self._states[sensor.number] >> place & 1), moment)
                place += 1

    def _tell(self, sensor: Sensor, place: int, asserted: bool, moment: Moment) -> None:
        if not sensor.measures:
            if (sensor.asserts if asserted else sensor.deasserts) >> place & 1:
                self.note(sensor, place, asserted=asserted)
            return
        offset, told = PASSED[place], self.read(sensor, moment)
        if told is None:
            self.note(sensor, offset, asserted=asserted)
        else:
            limit = self.limits_of(sensor)[1][place]
            self.note(sensor, offset, (told[0], limit), asserted=asserted, upper_bits=_VALUE_AND_LIMIT)

    def event(
        self, kind: int, number: int, direction_and_type: int, data: tuple[int, int, int], entry: bytes | None
    ) -> Event:
        """Give an event in the shape in which it is told; a sensor that nobody knows is made up for it."""
        offset, asserted = data[0] & 0x0F, not direction_and_type & _DEASSERTED
        sensor = hardware.BY_NUMBER.get(number)
        if sensor is None or (sensor.kind, sensor.reading_type) != (kind, direction_and_type & 0x7F):
            sensor = Sensor(number, "", kind, 0, 0, None, reading_type=direction_and_type & 0x7F)
        return Event(sensor, offset, asserted, data, sensor.severity(offset, asserted=asserted), entry)

    def note_raw(self, kind: int, number: int, direction_and_type: int, data: tuple[int, int, int]) -> None:
        """Note an event that came from outside, in its bytes."""
        entry = self.log.add_event(kind, number, direction_and_type, data)
        self._happened(self.event(kind, number, direction_and_type, data, entry))

    def note(
        self,
        sensor: Sensor,
        offset: int,
        behind: tuple[int, int] = (_NO_DATA, _NO_DATA),
        *,
        asserted: bool = True,
        upper_bits: int = 0,
    ) -> None:
        """Write an event into the log, and tell it to whoever listens."""
        data = (upper_bits | offset, *behind)
        direction_and_type = sensor.reading_type | (0 if asserted else _DEASSERTED)
        log = self.log
        if len(log.entries) == log.room - 1 and sensor is not hardware.EVENT_LOG:
            self.note(hardware.EVENT_LOG, _FULL)
        self.note_raw(sensor.kind, sensor.number, direction_and_type, data)

    def _happened(self, happening: Happening) -> None:
        for listener in tuple(self._listeners):
            listener(self, happening)

    # --- power --------------------------------------------------------------------------------------------------------

    def order(self, order: Order) -> None:
        """Begin to carry out an order; it takes a while. Raises ``NotNow``."""
        if not self.is_on and order not in (Order.ON, Order.OFF):
            raise NotNow
        self.orders.append(order)
        self._carry_out(order, _BY_COMMAND)

    def act_of_watchdog(self, order: Order) -> None:
        """Do what the watchdog wants."""
        self._carry_out(order, _BY_WATCHDOG)

    def _carry_out(self, order: Order, cause: int) -> None:
        pace = self.pace
        match order:
            case Order.ON if not self.is_on:
                self._after(pace.on, self._power_up)
            case Order.OFF if self.is_on:
                self._after(pace.off, self._power_down)
            case Order.CYCLE:
                self._after(pace.off, lambda: self._cycle(cause))
            case Order.RESET:
                self._after(pace.off, lambda: self._restart(cause))
            case Order.SOFT:
                self._after(pace.soft, self._shut_down)
            case Order.NMI:
                self.note(hardware.INTERRUPT, 0)

    def restart(self) -> None:
        """Restart by itself, as an operating system does that was told to."""
        self._after(self.pace.off, lambda: self._restart(_BY_SOFTWARE))

    def shut_down(self) -> None:
        """Switch itself off, as an operating system does that was told to."""
        self._after(self.pace.soft, self._shut_down)

    def later(self, seconds: float, act: Callable[[], None]) -> Handle:
        """Call something after a while, by the machine's own clock."""
        return self._later(seconds, act)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        if self._pending is not None:
            self._pending.cancel()
        self._pending = self._later(seconds, act)

    def close(self) -> None:
        """Let nothing happen any more that was still to come."""
        if self._pending is not None:
            self._pending.cancel()
        self._listeners.clear()

    def _switch(self, on: bool) -> None:
        self.is_on = on
        self._happened(Switched(on))
        self.look()

    def _power_up(self, cause: int = _BY_COMMAND) -> None:
        if not self.is_on:
            self.switched_by_command = cause == _BY_COMMAND
            self._switch(True)
            self._boot(_POWER_UP, cause)

    def _power_down(self) -> None:
        if self.is_on:
            self._switch(False)

    def _cycle(self, cause: int) -> None:
        self._power_down()
        self._after(self.pace.cycle, lambda: self._power_up(cause))

    def _shut_down(self) -> None:
        self.note(hardware.SHUTDOWN, _OS_STOPPED)
        self._power_down()

    def _restart(self, cause: int = _BY_COMMAND) -> None:
        if self.is_on:
            self._boot(_WARM_RESET if cause == _BY_SOFTWARE else _HARD_RESET, cause)

    def _boot(self, event: int, cause: int) -> None:
        self.restart_cause, self.started_at = cause, self.clock()
        self._up_at = self.started_at + self.pace.boot
        flags, device = self.boot_flags, 0
        if flags[0] & _BOOT_VALID:
            device = flags[1] >> 2 & 0x0F
            if not flags[0] & _BOOT_PERSISTENT:
                self.boot_flags = bytes(5)
        self.note(hardware.START, event)
        self._happened(Started(device))
