"""Uninterruptible power supplies: UPS-MIB (RFC 1628), and PowerNet-MIB as APC's cards speak it."""

import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

from apps.protocols.snmp.ber import Oid, RawVarbind, Tag
from apps.simulators.fleet.course import DAY, between, last_start, wave
from apps.simulators.fleet.faults import Edge, FaultKind
from apps.simulators.fleet.kinds.base import Trap, vendor_trap
from apps.simulators.fleet.kinds.ports import Networked, Port, PortsMoment
from apps.simulators.fleet.shape import Shape

RFC1628 = "1.3.6.1.2.1.33"
_OBJECTS = f"{RFC1628}.1"
_TRAPS = f"{RFC1628}.2"
_ALARMS = f"{_OBJECTS}.6.3"  # the well-known alarms
_BATTERY_BAD, _ON_BATTERY, _LOW_BATTERY, _TEMPERATURE_BAD = 1, 2, 3, 5
POWERNET = "1.3.6.1.4.1.318"
_SMART = f"{POWERNET}.1.1.1"
_LOW = 25.0  # percent
_EMPTY = 4.0
_RECHARGES = 100 / 3600  # percent a second
_TESTS_EVERY = 14 * DAY
_REPEATED_EVERY = 60.0  # seconds between two reminders that it runs on its battery
_REMINDERS = 30


class UpsMoment(PortsMoment):
    """A UPS at one moment."""

    device: "Ups"

    @property
    def began(self) -> float | None:
        """Give since when it runs on its battery, None while it does not."""
        fault = self.fault(FaultKind.ON_BATTERY)
        return fault.begun(self.at) if fault else None

    @property
    def on_battery(self) -> bool:
        """Say whether it runs on its battery."""
        return self.began is not None

    @property
    def is_worn(self) -> bool:
        """Say whether the battery must be replaced."""
        return self.fault(FaultKind.BATTERY_WORN) is not None

    @property
    def seconds_on_battery(self) -> int:
        """Give how long it has run on its battery."""
        return int(self.at - self.began) if self.began is not None else 0

    @cached_property
    def power(self) -> float:
        """Give the power that its loads take in W."""
        return self.device.capacity * self.load

    @property
    def full_runtime(self) -> float:
        """Give the seconds that a full battery would last at this load."""
        return self.device.runtime * (0.5 / max(self.load, 0.05)) ** 1.15 * (0.33 if self.is_worn else 1.0)

    @cached_property
    def charge(self) -> float:
        """Give the charge of the battery in percent."""
        ends = [spell for one in self.device.faults.of(FaultKind.ON_BATTERY) if (spell := one.last_spell(self.at))]
        falls = 100 / self.full_runtime
        level = 100.0
        if ends:
            began, ended = max(ends, key=lambda spell: spell[1])
            charged_until = self.began if self.began is not None else self.at
            level = max(_EMPTY, 100 - (ended - began) * falls)
            level = min(100.0, level + (charged_until - ended) * _RECHARGES)
        if self.began is not None:
            level = max(_EMPTY, level - (self.at - self.began) * falls)
        return level

    @property
    def runtime(self) -> float:
        """Give the seconds that the battery lasts from now on."""
        return self.full_runtime * self.charge / 100

    @property
    def is_low(self) -> bool:
        """Say whether little is left."""
        return self.charge < _LOW

    @property
    def input_voltage(self) -> float:
        """Give the voltage of the mains in V: next to none while it runs on its battery."""
        return 0.0 if self.on_battery else self.device.mains.at(self.at)

    @cached_property
    def alarms(self) -> dict[int, int]:
        """Give the well-known alarms that stand, and the uptime at which each came."""
        began = {
            _BATTERY_BAD: self._since(FaultKind.BATTERY_WORN),
            _ON_BATTERY: self.began,
            _LOW_BATTERY: self.at if self.is_low else None,
            _TEMPERATURE_BAD: self._since(FaultKind.HOT),
        }
        return {alarm: max(0, int((at - self.started) * 100)) for alarm, at in began.items() if at is not None}

    def _since(self, kind: FaultKind) -> float | None:
        fault = self.fault(kind)
        return fault.begun(self.at) if fault else None

    @cached_property
    def last_test(self) -> float:
        """Give when it tested itself last: every other week, or when somebody asked for it."""
        tests = [
            edge.at
            for one in self.device.faults.of(FaultKind.SELF_TEST)
            for edge in one.edges(self.at - 30 * DAY, self.at)
        ]
        return max([*tests[-1:], last_start(_TESTS_EVERY, self.at, self.device.seed, "test")[1]])


class Ups(Networked):
    """A UPS with a network card."""

    kind = "ups"
    object_id = RFC1628
    moment_class = UpsMoment
    usual_boots = 260.0
    manufacturer: ClassVar[str] = "Example Power"
    firmware: ClassVar[str] = "02.14"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        size = between(0, 1, "size", self.seed)
        self.capacity = (1350.0, 2700.0, 5400.0)[int(size * 3)]  # W
        self.runtime = between(800, 1500, "runtime", self.seed)  # seconds at half load
        self.load = wave(between(0.28, 0.55, "load", self.seed), self.seed, "load", daily=0.14, noise=0.1)
        self.mains = wave(101.0, self.spec.place, "mains", noise=0.012)
        self.model_name = f"UPS-{int(self.capacity / 0.9)}"
        self.description = f"Network management card, {self.model_name}"

    def can_have(self, kind: FaultKind) -> bool:
        """A UPS can run on its battery, have a worn one, and test itself."""
        own = {FaultKind.ON_BATTERY, FaultKind.BATTERY_WORN, FaultKind.SELF_TEST}
        return kind in own or super().can_have(kind)

    def make_ports(self) -> Iterator[Port]:
        """Give the network card."""
        into, out = self.own_traffic(1, 900.0, daily=0.1)
        yield Port(1, "eth0", "Network card", is_uplink=True, speed=10**8, into=into, out=out)

    def traps(self, edge: Edge, moment: Any) -> Sequence[Trap]:
        """Add what UPS-MIB tells: running on its battery, alarms that come and go, a test that has ended."""
        kind, begins = edge.fault.kind, edge.begins
        if kind is FaultKind.ON_BATTERY:
            alarm = self.alarm_trap(_ON_BATTERY, stands=begins)
            low = [self.alarm_trap(_LOW_BATTERY, stands=False)] if moment.is_low else []
            return [self.on_battery_trap(moment), alarm] if begins else [alarm, *low]
        if kind is FaultKind.BATTERY_WORN:
            return [self.alarm_trap(_BATTERY_BAD, stands=begins)]
        if kind is FaultKind.HOT:
            return [self.alarm_trap(_TEMPERATURE_BAD, stands=begins)]
        if kind is FaultKind.SELF_TEST:
            bindings: list[RawVarbind] = [
                (f"{_OBJECTS}.7.1.0", Tag.OBJECT_IDENTIFIER, f"{_OBJECTS}.7.7.3"),
                (f"{_OBJECTS}.7.2.0", Tag.INTEGER, 1),
                (f"{_OBJECTS}.7.3.0", Tag.INTEGER, 3 if moment.is_worn else 1),
                (f"{_OBJECTS}.7.4.0", Tag.OCTET_STRING, b"battery weak" if moment.is_worn else b""),
                (f"{_OBJECTS}.7.5.0", Tag.TIME_TICKS, moment.uptime),
                (f"{_OBJECTS}.7.6.0", Tag.INTEGER, 10),
            ]
            return [vendor_trap(_TRAPS, 2, bindings, oid=f"{_TRAPS}.2")]
        return super().traps(edge, moment)

    def happenings(self, after: float, until: float) -> list[tuple[float, Trap]]:
        """Repeat every minute that it runs on its battery, and say once when little is left."""
        found = super().happenings(after, until)
        for fault in self.faults.of(FaultKind.ON_BATTERY):
            for edge in fault.edges(after - _REMINDERS * _REPEATED_EVERY, until):
                if not edge.begins:
                    continue
                for number in range(1, _REMINDERS + 1):
                    at = edge.at + number * _REPEATED_EVERY
                    if after < at <= until and fault.begun(at) == edge.at:
                        found += [(at, trap) for trap in self.reminders(self.moment_class(self, at))]
        return sorted(found, key=lambda one: one[0])

    def reminders(self, moment: UpsMoment) -> list[Trap]:
        """Give what it says every minute while it runs on its battery."""
        earlier = self.moment_class(self, moment.at - _REPEATED_EVERY)
        low = [self.alarm_trap(_LOW_BATTERY, stands=True)] if moment.is_low and not earlier.is_low else []
        return [self.on_battery_trap(moment), *low]

    def on_battery_trap(self, moment: UpsMoment) -> Trap:
        """Make upsTrapOnBattery."""
        bindings: list[RawVarbind] = [
            (f"{_OBJECTS}.2.3.0", Tag.INTEGER, int(moment.runtime // 60)),
            (f"{_OBJECTS}.2.2.0", Tag.INTEGER, moment.seconds_on_battery),
            (f"{_OBJECTS}.9.7.0", Tag.INTEGER, 2),
        ]
        return vendor_trap(_TRAPS, 1, bindings, oid=f"{_TRAPS}.1")

    def alarm_trap(self, alarm: int, *, stands: bool) -> Trap:
        """Make upsTrapAlarmEntryAdded or upsTrapAlarmEntryRemoved."""
        bindings: list[RawVarbind] = [
            (f"{_OBJECTS}.6.2.1.1.{alarm}", Tag.INTEGER, alarm),
            (f"{_OBJECTS}.6.2.1.2.{alarm}", Tag.OBJECT_IDENTIFIER, f"{_ALARMS}.{alarm}"),
        ]
        number = 3 if stands else 4
        return vendor_trap(_TRAPS, number, bindings, oid=f"{_TRAPS}.{number}")

    def build(self, shape: Shape) -> None:
        """Show UPS-MIB."""
        super().build(shape)
        number, text, identifier = Tag.INTEGER, Tag.OCTET_STRING, Tag.OBJECT_IDENTIFIER

        def live(oid: Oid, read: Any, tag: Tag = number) -> None:
            shape.live(f"{_OBJECTS}.{oid}", tag, lambda m, _: read(m))

        live("1.1.0", lambda m: m.device.manufacturer.encode(), text)
        live("1.2.0", lambda m: m.device.model_name.encode(), text)
        live("1.3.0", lambda m: m.device.firmware.encode(), text)
        live("1.4.0", lambda m: b"3.1", text)
        live("1.5.0", lambda m: m.device.name.encode(), text)
        live("1.6.0", lambda m: m.device.spec.place.encode(), text)
        live("2.1.0", lambda m: 3 if m.is_low else 2)
        live("2.2.0", lambda m: m.seconds_on_battery)
        live("2.3.0", lambda m: int(m.runtime // 60))
        live("2.4.0", lambda m: round(m.charge))
        live("2.5.0", lambda m: round(540 - 90 * (1 - m.charge / 100)) if m.on_battery else 548)
        live("2.6.0", lambda m: round(m.power / 50 * 10) if m.on_battery else 0)
        live("2.7.0", lambda m: round(m.temperature))
        shape.live(f"{_OBJECTS}.3.1.0", Tag.COUNTER32, lambda m, _: _line_failures(m))
        shape.fixed(f"{_OBJECTS}.3.2.0", number, 1)
        live("3.3.1.2.1", lambda m: 0 if m.on_battery else 500)
        live("3.3.1.3.1", lambda m: round(m.input_voltage))
        live("3.3.1.4.1", lambda m: 0 if m.on_battery else round(m.power / 90 * 10))
        live("3.3.1.5.1", lambda m: 0 if m.on_battery else round(m.power * 1.06))
        live("4.1.0", lambda m: 5 if m.on_battery else 3)
        shape.fixed(f"{_OBJECTS}.4.2.0", number, 500)
        shape.fixed(f"{_OBJECTS}.4.3.0", number, 1)
        shape.fixed(f"{_OBJECTS}.4.4.1.2.1", number, 100)
        live("4.4.1.3.1", lambda m: round(m.power / 100 * 10))
        live("4.4.1.4.1", lambda m: round(m.power))
        live("4.4.1.5.1", lambda m: round(100 * m.load))
        shape.live(f"{_OBJECTS}.6.1.0", Tag.GAUGE32, lambda m, _: len(m.alarms))
        alarms = [(alarm, alarm) for alarm in (_BATTERY_BAD, _ON_BATTERY, _LOW_BATTERY, _TEMPERATURE_BAD)]
        shape.column(
            f"{_OBJECTS}.6.2.1.2", identifier, alarms, lambda m, a: f"{_ALARMS}.{a}" if a in m.alarms else None
        )
        shape.column(f"{_OBJECTS}.6.2.1.3", Tag.TIME_TICKS, alarms, lambda m, a: m.alarms.get(a))
        shape.fixed(f"{_OBJECTS}.7.1.0", identifier, f"{_OBJECTS}.7.7.3")
        shape.fixed(f"{_OBJECTS}.7.2.0", number, 1)
        live("7.3.0", lambda m: 3 if m.is_worn else 1)
        live("7.4.0", lambda m: b"battery weak" if m.is_worn else b"", text)
        live("7.5.0", lambda m: max(0, int((m.last_test - m.started) * 100)), Tag.TIME_TICKS)
        shape.fixed(f"{_OBJECTS}.7.6.0", number, 10)
        for place, value in ((1, 100), (2, 500), (3, 100), (4, 500), (7, 2), (8, 1), (9, 88), (10, 112)):
            shape.fixed(f"{_OBJECTS}.9.{place}.0", number, value)
        live("9.5.0", lambda m: int(m.device.capacity / 0.9))
        live("9.6.0", lambda m: int(m.device.capacity))


def _line_failures(moment: UpsMoment) -> int:
    faults = moment.device.faults.of(FaultKind.ON_BATTERY)
    return sum(edge.begins for one in faults for edge in one.edges(max(moment.started, moment.at - 7 * DAY), moment.at))


class PowerNetUps(Ups):
    """A UPS with a card that speaks PowerNet-MIB."""

    manufacturer = "APC"
    firmware = "UPS 04.1 (ID18)"
    object_id = f"{POWERNET}.1.3.27"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.model_name = f"Smart-UPS {int(self.capacity / 0.9)}"
        self.description = (
            f"APC Web/SNMP Management Card (MB:v4.1.0 PF:v6.8.2 AF1:v6.8.2 MN:AP9631 SN:{self.serial_number})"
        )

    def traps(self, edge: Edge, moment: Any) -> Sequence[Trap]:
        """Say in PowerNet's words what the others say in those of UPS-MIB."""
        numbers = {
            (FaultKind.ON_BATTERY, True): 5,  # upsOnBattery
            (FaultKind.ON_BATTERY, False): 9,  # powerRestored
            (FaultKind.BATTERY_WORN, True): 17,  # upsBatteryNeedsReplacement
            (FaultKind.BATTERY_WORN, False): 36,  # upsBatteryReplaced
            (FaultKind.SELF_TEST, True): 3 if moment.is_worn else 10,  # upsDiagnosticsFailed, upsDiagnosticsPassed
        }
        number = numbers.get((edge.fault.kind, edge.begins))
        if number is not None:
            return [self._told(number), *([self._told(11)] if number == 9 and moment.is_low else [])]
        return [] if edge.fault.kind is FaultKind.HOT else Networked.traps(self, edge, moment)

    def reminders(self, moment: UpsMoment) -> list[Trap]:
        """Say once when little is left."""
        earlier = self.moment_class(self, moment.at - _REPEATED_EVERY)
        return [self._told(7)] if moment.is_low and not earlier.is_low else []

    def _told(self, number: int) -> Trap:
        """Make a trap with PowerNet's one binding, the text of the event."""
        texts = {
            3: "UPS: Failed a self-test.",
            5: "UPS: On battery power in response to an input power problem.",
            7: "UPS: The battery power is too low to support the load.",
            9: "UPS: No longer on battery power.",
            10: "UPS: Passed a self-test.",
            11: "UPS: The battery is no longer too low.",
            17: "UPS: The battery must be replaced.",
            36: "UPS: The battery was replaced.",
        }
        text = (f"{POWERNET}.2.3.3.0", Tag.OCTET_STRING, texts[number].encode())
        return vendor_trap(POWERNET, number, [text])

    def build(self, shape: Shape) -> None:
        """Show PowerNet's part for smart UPSs, and nothing of UPS-MIB."""
        Networked.build(self, shape)
        number, gauge, text = Tag.INTEGER, Tag.GAUGE32, Tag.OCTET_STRING

        def live(oid: Oid, read: Any, tag: Tag = number) -> None:
            shape.live(f"{_SMART}.{oid}", tag, lambda m, _: read(m))

        live("1.1.1.0", lambda m: m.device.model_name.encode(), text)
        live("1.1.2.0", lambda m: m.device.name.encode(), text)
        live("1.2.1.0", lambda m: m.device.firmware.encode(), text)
        live("1.2.3.0", lambda m: m.device.serial_number.encode(), text)
        live("2.1.1.0", lambda m: 3 if m.is_low else 2)
        live("2.1.2.0", lambda m: m.seconds_on_battery * 100, Tag.TIME_TICKS)
        live("2.2.1.0", lambda m: round(m.charge), gauge)
        live("2.2.2.0", lambda m: round(m.temperature), gauge)
        live("2.2.3.0", lambda m: int(m.runtime * 100), Tag.TIME_TICKS)
        live("2.2.4.0", lambda m: 2 if m.is_worn else 1)
        live("2.2.8.0", lambda m: round(54 - 9 * (1 - m.charge / 100)))
        live("3.2.1.0", lambda m: round(m.input_voltage), gauge)
        live("3.2.4.0", lambda m: 0 if m.on_battery else 50, gauge)
        live("3.2.5.0", lambda m: 9 if m.on_battery else 1)
        live("4.1.1.0", lambda m: 3 if m.on_battery else 2)
        live("4.2.1.0", lambda m: 100, gauge)
        live("4.2.2.0", lambda m: 50, gauge)
        live("4.2.3.0", lambda m: round(100 * m.load), gauge)
        live("4.2.4.0", lambda m: round(m.power / 100), gauge)
        live("4.2.8.0", lambda m: round(m.power), gauge)
        live("7.2.3.0", lambda m: 2 if m.is_worn else 1)
        live("7.2.4.0", _test_date, text)


def _test_date(moment: UpsMoment) -> bytes:
    return time.strftime("%m/%d/%Y", time.gmtime(moment.last_test)).encode()
