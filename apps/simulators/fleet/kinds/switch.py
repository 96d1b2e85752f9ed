"""Switches: UNIVERGE QX, which are Comware inside, and Comware itself: ports, neighbours, parts, temperature."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from apps.protocols.snmp.ber import Oid, RawVarbind, Tag
from apps.simulators.fleet.course import Wave, between, chance, wave
from apps.simulators.fleet.faults import Edge, FaultKind
from apps.simulators.fleet.kinds import entity
from apps.simulators.fleet.kinds.base import Trap, vendor_trap
from apps.simulators.fleet.kinds.lldp import Neighbourly
from apps.simulators.fleet.kinds.ports import GIGABIT, Port, PortsMoment
from apps.simulators.fleet.plan import BadPlan
from apps.simulators.fleet.shape import Shape

BRIDGE_AND_ROUTER = 78
_CHASSIS, _SENSOR, _FAN, _SUPPLY = 2, 20, 30, 40
_WARM, _CRITICAL = 60, 75  # °C
_OK, _TOO_WARM = 2, 4  # hh3cEntityExtErrorStatus


@dataclass(frozen=True, slots=True)
class Model:
    """A make of switch."""

    object_id: Oid
    maker: str
    access: int  # ports for others
    uplinks: int  # faster ports, behind them
    common: Oid  # where the maker keeps Comware's own objects
    software: str
    access_speed: int = GIGABIT


_QX, _H3C = "1.3.6.1.4.1.119.2.3.126.10.2", "1.3.6.1.4.1.25506.2"
_NEC, _COMWARE = "1.3.6.1.4.1.119.1.126.2", "1.3.6.1.4.1.25506.1"
MODELS = {
    "QX-S4124GT-4G": Model(f"{_NEC}.124", "NEC", 24, 4, _QX, "UNIVERGE QX-S4124GT-4G Software Version 7.1.070"),
    "QX-S4148GT-4G": Model(f"{_NEC}.125", "NEC", 48, 4, _QX, "UNIVERGE QX-S4148GT-4G Software Version 7.1.070"),
    "QX-S5224GT-4X": Model(f"{_NEC}.104", "NEC", 24, 4, _QX, "UNIVERGE QX-S5224GT-4X Software Version 7.1.064"),
    "QX-S5548GT-4X2Q": Model(f"{_NEC}.108", "NEC", 48, 6, _QX, "UNIVERGE QX-S5548GT-4X2Q Software Version 7.1.064"),
    "E528": Model(f"{_COMWARE}.578", "H3C", 24, 4, _H3C, "H3C Switch E528 Software Version 5.20, Release 1513P62"),
    "SR8808-X": Model(
        f"{_COMWARE}.921",
        "H3C",
        24,
        4,
        _H3C,
        "H3C Comware Platform Software, Software Version 7.1.075, Release 7751P01",
        10 * GIGABIT,
    ),
}
DEFAULT = "QX-S5224GT-4X"


class SwitchMoment(PortsMoment):
    """A switch at one moment."""

    device: "Switch"

    @property
    def error_status(self) -> int:
        """Give the verdict that the switch gives of itself."""
        return _TOO_WARM if self.temperature >= _WARM else _OK

    @property
    def memory_used(self) -> int:
        """Give the memory in use in percent."""
        return round(38 + 20 * self.device.memory_base + 6 * self.load)


class Switch(Neighbourly):
    """A switch."""

    kind = "switch"
    moment_class = SwitchMoment
    services = BRIDGE_AND_ROUTER
    usual_boots = 210.0

    def __init__(self, *arguments: Any) -> None:
        name = arguments[0].model or DEFAULT
        if name not in MODELS:
            raise BadPlan(f"{arguments[0].name}: a switch is one of {', '.join(MODELS)}, not {name}")
        self.model_name, self.model = name, MODELS[name]
        super().__init__(*arguments)
        self.object_id = self.model.object_id
        self.memory_base = between(0, 1, "memory", self.seed)
        self.load = wave(between(0.08, 0.2, "load", self.seed), self.seed, "load", daily=0.35, noise=0.5)
        owner = "NEC Corporation" if self.model.maker == "NEC" else "Hangzhou H3C Tech. Co., Ltd."
        self.description = f"{self.model.software}\r\n{owner}"

    def make_ports(self) -> Iterator[Port]:
        """Give the access ports, of which two thirds have a cable of somebody unknown, and the uplinks."""
        model = self.model
        fast = "Ten-GigabitEthernet" if model.access_speed > GIGABIT else "GigabitEthernet"
        for index in range(1, model.access + 1):
            name = f"{fast}1/0/{index}"
            port = Port(index, name, name, speed=model.access_speed)
            if chance("cable", self.seed, index) < 0.66:
                mean = between(8_000, 900_000, "traffic", self.seed, index)
                port.into, port.out = self.own_traffic(index, mean)
            elif chance("enabled", self.seed, index) < 0.3:
                port.enabled = False
            yield port
        for index in range(model.access + 1, model.access + model.uplinks + 1):
            name = f"Ten-GigabitEthernet1/0/{index}"
            yield Port(index, name, name, speed=10 * GIGABIT, is_uplink=True)

    def free_port(self, *, uplink: bool) -> Port:
        """Give the next port that nobody of the fleet is connected to; raises ``BadPlan``."""
        kinds = [port for port in self.ports if port.peer is None and port.is_uplink is uplink]
        if not kinds and uplink:
            return self.free_port(uplink=False)
        if not kinds:
            raise BadPlan(f"{self.name} has no free port left")
        return kinds[0]

    def gather(self, port: Port) -> None:
        """Let what all other ports bring go through an uplink that leads to nobody's server."""
        into = sum(p.into.mean for p in self.ports if p.into and p is not port and not p.is_uplink)
        out = sum(p.out.mean for p in self.ports if p.out and p is not port and not p.is_uplink)
        port.out, port.into = self._uplink_wave("in", into), self._uplink_wave("out", out)

    def _uplink_wave(self, way: str, mean: float) -> Wave:
        return wave(0.7 * mean, self.seed, "uplink", way, daily=0.55, noise=0.25, weekly=0.1)

    def structure(self) -> Any:
        """Give what tells shapes apart: the model."""
        return self.model_name

    def build(self, shape: Shape) -> None:
        """Show ENTITY-MIB with its sensors, and the state table of Comware."""
        super().build(shape)
        entity.build(shape, self.items(), self.model.maker, self.model_name)
        state = f"{self.model.common}.6.1.1.1.1"
        number = Tag.INTEGER
        shape.constants(f"{state}.2", number, [(_CHASSIS, 4), (_SENSOR, 4)])  # administratively unlocked
        shape.constants(f"{state}.3", number, [(_CHASSIS, 3), (_SENSOR, 3)])  # enabled
        shape.live(f"{state}.6.{_CHASSIS}", number, lambda m, _: round(100 * m.load))
        shape.live(f"{state}.8.{_CHASSIS}", number, lambda m, _: m.memory_used)
        shape.live(f"{state}.12.{_CHASSIS}", number, lambda m, _: round(m.temperature))
        shape.fixed(f"{state}.13.{_CHASSIS}", number, _WARM)
        shape.live(f"{state}.19.{_CHASSIS}", number, lambda m, _: m.error_status)
        shape.constants(f"{state}.19", number, [(_FAN, _OK), (_SUPPLY, _OK)])

    def items(self) -> Sequence[entity.Item]:
        """Give the parts that it is made of."""
        item, model = entity.Item, self.model_name
        release = self.model.software.rpartition("Version ")[2]
        return (
            item(1, self.model.maker, entity.STACK),
            item(
                _CHASSIS, model, entity.CHASSIS, 1, revision=release, is_device=True, vendor_type=self.model.object_id
            ),
            item(
                _SENSOR,
                "Temperature sensor 1",
                entity.SENSOR_CLASS,
                _CHASSIS,
                measures=entity.CELSIUS,
                reads=lambda m: round(m.temperature),
            ),
            item(_FAN, "Fan 1", entity.FAN, _CHASSIS),
            item(_SUPPLY, "Power supply 1", entity.POWER_SUPPLY, _CHASSIS),
        )

    def traps(self, edge: Edge, moment: Any) -> Sequence[Trap]:
        """Add what Comware tells: too warm, too busy, configured."""
        kind = edge.fault.kind
        extended = f"{self.model.common}.6.2"
        name: RawVarbind = (f"1.3.6.1.2.1.47.1.1.1.1.7.{_CHASSIS}", Tag.OCTET_STRING, self.model_name.encode())
        state = f"{self.model.common}.6.1.1.1.1"
        if kind is FaultKind.HOT:
            degrees = round(moment.temperature)
            bindings: list[RawVarbind] = [
                name,
                (f"{state}.12.{_CHASSIS}", Tag.INTEGER, degrees),
                (f"{state}.13.{_CHASSIS}", Tag.INTEGER, _WARM),
                (f"{state}.19.{_CHASSIS}", Tag.INTEGER, _TOO_WARM),
            ]
            if edge.begins:
                return [vendor_trap(extended, 1 if degrees < _CRITICAL else 8, bindings)]
            return [vendor_trap(extended, 22, bindings[:2])]
        if kind is FaultKind.HIGH_LOAD:
            load = round(100 * moment.load)
            number = 4 if edge.begins else 25
            return [vendor_trap(extended, number, [name, (f"{state}.6.{_CHASSIS}", Tag.INTEGER, load)])]
        if kind is FaultKind.CONFIGURED:
            log = f"{self.model.common}.4.1.1"
            terminal: list[RawVarbind] = [
                (f"{log}.3.1.3.1", Tag.INTEGER, 2),
                (f"{log}.3.1.4.1", Tag.INTEGER, 3),
                (f"{log}.3.1.5.1", Tag.INTEGER, 4),
            ]
            notifications = f"{self.model.common}.4.2"
            return [vendor_trap(notifications, 1, terminal, oid=f"{notifications}.1")]
        return super().traps(edge, moment)
