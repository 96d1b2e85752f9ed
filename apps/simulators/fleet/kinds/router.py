"""A UNIVERGE IX router: MIB-2 over SNMP version 1, and traps in the names of its model."""

from collections.abc import Iterator, Sequence
from typing import Any

from apps.protocols.snmp.ber import Tag
from apps.simulators.fleet.course import wave
from apps.simulators.fleet.faults import Edge, FaultKind
from apps.simulators.fleet.kinds.base import Trap, vendor_trap
from apps.simulators.fleet.kinds.lldp import Neighbourly
from apps.simulators.fleet.kinds.ports import LOOPBACK, TUNNEL, Port
from apps.simulators.fleet.plan import BadPlan
from apps.simulators.fleet.shape import Shape

_IX = "1.3.6.1.4.1.119.1.84"
_NETWORK_MONITOR = "1.3.6.1.4.1.119.2.3.84.8.2"
MODELS = {
    "IX2215": (f"{_IX}.16.1", "10.8.21"),
    "IX2310": (f"{_IX}.26.1", "10.9.14"),
    "IX3315": (f"{_IX}.21.1", "10.9.14"),
}
DEFAULT = "IX2215"
_LAN_PORTS = 3
_NEGOTIATED = 10**8  # bit/s; faster, and 32-bit counters would wrap more than once between two looks


class Router(Neighbourly):
    """A router."""

    kind = "router"
    services = 78
    usual_boots = 180.0

    def __init__(self, *arguments: Any) -> None:
        name = arguments[0].model or DEFAULT
        if name not in MODELS:
            raise BadPlan(f"{arguments[0].name}: a router is one of {', '.join(MODELS)}, not {name}")
        super().__init__(*arguments)
        self.model_name = name
        self.object_id, version = MODELS[name]
        self.description = (
            f"NEC Portable Internetwork Core Operating System Software, IX Series {name} (magellan-sec) Software, "
            f"Version {version}, RELEASE SOFTWARE"
        )
        self.load = wave(0.18, self.seed, "load", daily=0.45, noise=0.5)

    def make_ports(self) -> Iterator[Port]:
        """Give the side of the provider, that of the office, a tunnel between sites and the loopback."""
        for number in range(_LAN_PORTS):
            port = Port(number + 1, f"GigaEthernet{number}.0", f"GigaEthernet{number}.0", speed=_NEGOTIATED)
            if number < 2:
                port.alias = ("WAN", "LAN")[number]
                port.is_uplink = number == 1
                port.into, port.out = self.own_traffic(number, 2_600_000.0)
            yield port
        tunnel = Port(101, "Tunnel0.0", "Tunnel0.0", "VPN", speed=_NEGOTIATED, kind=TUNNEL, mtu=1390)
        tunnel.into, tunnel.out = self.own_traffic(101, 900_000.0)
        yield tunnel
        yield Port(102, "Loopback0.0", "Loopback0.0", speed=10**9, kind=LOOPBACK)

    def build(self, shape: Shape) -> None:
        """Nothing beyond MIB-2 and LLDP is shown."""
        super().build(shape)

    def traps(self, edge: Edge, moment: Any) -> Sequence[Trap]:
        """Add what its network monitor tells of the other side, when the link to it is lost."""
        found = list(super().traps(edge, moment))
        if edge.fault.kind is FaultKind.LINK_DOWN and self.port(edge.fault.part).alias == "WAN":
            watched = (f"{_NETWORK_MONITOR[:-2]}.1.1.1.2.1", Tag.OCTET_STRING, b"watch-internet")
            found.append(vendor_trap(_NETWORK_MONITOR, 1 if edge.begins else 2, [watched]))
        return found
