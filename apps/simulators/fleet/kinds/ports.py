"""Network ports of simulated devices: IF-MIB (RFC 2863) with 32- and 64-bit counters, and what links them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from apps.protocols.snmp.ber import RawVarbind, Tag
from apps.simulators.fleet.course import Wave, between, wave
from apps.simulators.fleet.faults import Edge, FaultKind
from apps.simulators.fleet.kinds.base import Device, Moment, Trap
from apps.simulators.fleet.plan import BadPlan
from apps.simulators.fleet.shape import Shape

INTERFACES = "1.3.6.1.2.1.2"
ENTRY = f"{INTERFACES}.2.1"
MORE = "1.3.6.1.2.1.31.1.1.1"
ETHERNET, LOOPBACK, TUNNEL = 6, 24, 131
LINK_DOWN, LINK_UP = 2, 3  # generic numbers of version 1
UP, DOWN = 1, 2
GIGABIT = 10**9
_COUNTER32, _GAUGE32_MAX = 2**32, 2**32 - 1
_OCTETS_A_PACKET = 740
_FIRST_LINK = 2_300  # hundredths of a second after the start at which ports had their link


@dataclass(slots=True)
class Port:
    """One network port. ``into`` and ``out`` are its traffic in octets a second, None where there is no cable."""

    index: int
    name: str
    description: str
    alias: str = ""
    speed: int = GIGABIT
    kind: int = ETHERNET
    enabled: bool = True
    is_uplink: bool = False
    into: Wave | None = None
    out: Wave | None = None
    peer: "tuple[Networked, Port] | None" = None
    mtu: int = 1500

    @property
    def cabled(self) -> bool:
        """Say whether there is a cable, or something like one."""
        return self.into is not None


@dataclass(frozen=True, slots=True)
class Counted:
    """What a port has counted since its device started."""

    up: bool
    into: int
    out: int


class PortsMoment(Moment):
    """A device with ports at one moment."""

    device: "Networked"

    @cached_property
    def _counted(self) -> dict[int, Counted]:
        return {}

    def is_up(self, port: Port) -> bool:
        """Say whether a port has its link: a cable, and nothing wrong at either end; a loopback needs none."""
        if port.kind == LOOPBACK:
            return True
        if not (port.enabled and port.cabled):
            return False
        if self.fault(FaultKind.LINK_DOWN, port.index):
            return False
        other = port.peer
        return not (other and other[0].faults and other[0].faults.now(FaultKind.LINK_DOWN, self.at, other[1].index))

    def counted(self, place: int) -> Counted:
        """Give the counters of the port at this place of the device's list."""
        found = self._counted.get(place)
        if found is None:
            port = self.device.ports[place]
            found = self._counted[place] = self._count(port)
        return found

    def _count(self, port: Port) -> Counted:
        into, out = port.into, port.out
        if into is None or out is None:
            return Counted(False, 0, 0)
        # While the link is down its clock stands still: nothing is counted, and nothing is counted twice.
        active = self.at - self.device.down_for(port, self.started, self.at)
        began = self.device.began(port, self.started)
        return Counted(self.is_up(port), int(into.until(active) - began[0]), int(out.until(active) - began[1]))

    def last_change(self, port: Port) -> int:
        """Give the uptime at which a port's state became what it is."""
        edges = [self.device.faults.last_edge(FaultKind.LINK_DOWN, self.at, port.index)]
        if port.peer:
            edges.append(port.peer[0].faults.last_edge(FaultKind.LINK_DOWN, self.at, port.peer[1].index))
        last = max((edge for edge in edges if edge is not None), default=None)
        if last is None or last < self.started:
            return _FIRST_LINK if port.cabled and port.enabled else 0
        return int((last - self.started) * 100)

    def errors(self, port: Port) -> int:
        """Count the frames that came in broken: a few on a tenth of all ports."""
        often = between(0, 1, "errors", self.device.seed, port.index)
        if not port.cabled or often > 0.1:
            return 0
        return int((self.at - self.started) / (600 + often * 86_400))


class Networked(Device):
    """A device with network ports."""

    moment_class = PortsMoment
    parts = frozenset({FaultKind.LINK_DOWN})

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.ports: list[Port] = list(self.make_ports())
        self._began: dict[tuple[int, float], tuple[float, float]] = {}

    def make_ports(self) -> Iterator[Port]:
        """Give its ports."""
        return iter(())

    def structure(self) -> Any:
        """Give what tells shapes apart: how many ports there are and what they are called."""
        return tuple((p.index, p.name, p.description, p.speed, p.kind, p.mtu) for p in self.ports)

    def port(self, index: int) -> Port:
        """Give the port with this ifIndex; raises ``BadPlan``."""
        for port in self.ports:
            if port.index == index:
                return port
        raise BadPlan(f"{self.name} has no port {index}")

    def part_of(self, kind: FaultKind, part: int) -> int:
        """Give the port of a fault; 0 asks for one with a cable, rather to nobody that the fleet knows."""
        if part:
            return self.port(part).index
        cabled = [port for port in self.ports if port.cabled and port.kind == ETHERNET]
        if not cabled:
            raise BadPlan(f"{self.name} has no port with a cable")
        return min(cabled, key=lambda port: (port.is_uplink, port.peer is not None, port.index)).index

    @property
    def is_troubled(self) -> bool:
        """Say whether anything is wrong with it or its neighbours."""
        return bool(self.faults) or any(port.peer and port.peer[0].faults for port in self.ports)

    def own_traffic(self, number: int, mean: float, **swings: float) -> tuple[Wave, Wave]:
        """Make the traffic of a port: what comes in, and what goes out, which follows the same course."""
        share = between(0.25, 2.2, "share", self.seed, number)
        swings = {"daily": 0.5, "noise": 0.6, "weekly": 0.1} | swings
        into = wave(mean, self.seed, "traffic", number, **swings)
        return into, wave(mean * share, self.seed, "traffic", number, **swings)

    def down_for(self, port: Port, start: float, end: float) -> float:
        """Give how long a port had no link in a stretch of time."""
        own = self.faults.length(FaultKind.LINK_DOWN, start, end, port.index)
        if port.peer:
            own += port.peer[0].faults.length(FaultKind.LINK_DOWN, start, end, port.peer[1].index)
        return min(own, end - start)

    def began(self, port: Port, started: float) -> tuple[float, float]:
        """Give the sums of a port's traffic at the start, from which its counters count."""
        key = (port.index, started)
        if key not in self._began:
            into, out = port.into, port.out
            self._began[key] = (into.until(started) if into else 0.0, out.until(started) if out else 0.0)
        return self._began[key]

    def traps(self, edge: Edge, moment: Any) -> Sequence[Trap]:
        """Say that a link went or came back."""
        if edge.fault.kind is FaultKind.LINK_DOWN:
            port = self.port(edge.fault.part)
            return [self.link_trap(port, up=not edge.begins)]
        return super().traps(edge, moment)

    def happenings(self, after: float, until: float) -> list[tuple[float, Trap]]:
        """Add what happens to a link by a fault of the other end."""
        found = super().happenings(after, until)
        for port in self.ports:
            if port.peer and port.peer[0].faults:
                for fault in port.peer[0].faults.of(FaultKind.LINK_DOWN, port.peer[1].index):
                    found += [(e.at, self.link_trap(port, up=not e.begins)) for e in fault.edges(after, until)]
        return sorted(found, key=lambda one: one[0])

    def link_trap(self, port: Port, *, up: bool) -> Trap:
        """Make linkDown or linkUp with the bindings of RFC 2863, and the name that most switches add."""
        state = UP if up else DOWN
        bindings: list[RawVarbind] = [
            (f"{ENTRY}.1.{port.index}", Tag.INTEGER, port.index),
            (f"{ENTRY}.7.{port.index}", Tag.INTEGER, UP),
            (f"{ENTRY}.8.{port.index}", Tag.INTEGER, state),
            (f"{ENTRY}.2.{port.index}", Tag.OCTET_STRING, port.description.encode()),
        ]
        return self.generic(LINK_UP if up else LINK_DOWN, bindings)

    def build(self, shape: Shape) -> None:
        """Show ifTable and ifXTable."""
        super().build(shape)
        _build_table(shape, self)
        _build_more(shape, self)


def _rows(device: Networked) -> list[tuple[int, int]]:
    return [(port.index, place) for place, port in enumerate(device.ports)]


def _build_table(shape: Shape, device: Networked) -> None:
    rows = _rows(device)
    counter, gauge, number = Tag.COUNTER32, Tag.GAUGE32, Tag.INTEGER

    def at(m: PortsMoment, place: int) -> Port:
        return m.device.ports[place]

    shape.fixed(f"{INTERFACES}.1.0", number, len(rows))
    shape.constants(f"{ENTRY}.1", number, [(index, index) for index, _ in rows])
    shape.constants(f"{ENTRY}.2", Tag.OCTET_STRING, [(p.index, p.description.encode()) for p in device.ports])
    shape.constants(f"{ENTRY}.3", number, [(p.index, p.kind) for p in device.ports])
    shape.constants(f"{ENTRY}.4", number, [(p.index, p.mtu) for p in device.ports])
    shape.constants(f"{ENTRY}.5", gauge, [(p.index, min(p.speed, _GAUGE32_MAX)) for p in device.ports])
    shape.column(f"{ENTRY}.6", Tag.OCTET_STRING, rows, _physical_address)
    shape.column(f"{ENTRY}.7", number, rows, lambda m, i: UP if at(m, i).enabled else DOWN)
    shape.column(f"{ENTRY}.8", number, rows, lambda m, i: UP if m.is_up(at(m, i)) else DOWN)
    shape.column(f"{ENTRY}.9", Tag.TIME_TICKS, rows, lambda m, i: m.last_change(at(m, i)))
    shape.column(f"{ENTRY}.10", counter, rows, lambda m, i: m.counted(i).into % _COUNTER32)
    shape.column(f"{ENTRY}.11", counter, rows, lambda m, i: m.counted(i).into // _OCTETS_A_PACKET % _COUNTER32)
    shape.column(f"{ENTRY}.13", counter, rows, lambda m, i: 0)
    shape.column(f"{ENTRY}.14", counter, rows, lambda m, i: m.errors(at(m, i)))
    shape.column(f"{ENTRY}.16", counter, rows, lambda m, i: m.counted(i).out % _COUNTER32)
    shape.column(f"{ENTRY}.17", counter, rows, lambda m, i: m.counted(i).out // _OCTETS_A_PACKET % _COUNTER32)
    shape.constants(f"{ENTRY}.19", counter, [(index, 0) for index, _ in rows])
    shape.constants(f"{ENTRY}.20", counter, [(index, 0) for index, _ in rows])


def _physical_address(moment: PortsMoment, place: int) -> bytes:
    port = moment.device.ports[place]
    return moment.device.mac(port.index) if port.kind == ETHERNET else b""


def _build_more(shape: Shape, device: Networked) -> None:
    rows = _rows(device)
    counter, wide = Tag.COUNTER32, Tag.COUNTER64

    shape.constants(f"{MORE}.1", Tag.OCTET_STRING, [(p.index, p.name.encode()) for p in device.ports])
    for column in (2, 3, 4, 5):
        shape.constants(f"{MORE}.{column}", counter, [(index, 0) for index, _ in rows])
    shape.column(f"{MORE}.6", wide, rows, lambda m, i: m.counted(i).into)
    shape.column(f"{MORE}.7", wide, rows, lambda m, i: m.counted(i).into // _OCTETS_A_PACKET)
    shape.column(f"{MORE}.10", wide, rows, lambda m, i: m.counted(i).out)
    shape.column(f"{MORE}.11", wide, rows, lambda m, i: m.counted(i).out // _OCTETS_A_PACKET)
    shape.constants(f"{MORE}.14", Tag.INTEGER, [(index, 1) for index, _ in rows])
    shape.constants(f"{MORE}.15", Tag.GAUGE32, [(p.index, p.speed // 10**6) for p in device.ports])
    shape.column(f"{MORE}.18", Tag.OCTET_STRING, rows, lambda m, i: m.device.ports[i].alias.encode())


def link(device: Networked, port: Port, other: Networked, other_port: Port) -> None:
    """Connect two ports; what comes out of the one goes into the other."""
    port.peer, other_port.peer = (other, other_port), (device, port)
    other_port.into, other_port.out = port.out, port.into
    if not port.alias:
        port.alias = f"to {other.name}"
    other_port.alias = f"to {device.name}"
