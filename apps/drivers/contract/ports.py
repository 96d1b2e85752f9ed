"""The network ports of a device, and who is at the other ends of their cables."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class PortState(StrEnum):
    """The state of a network port (IF-MIB ifAdminStatus and ifOperStatus taken together)."""

    UP = "up"
    DOWN = "down"
    DISABLED = "disabled"  # administratively down
    DORMANT = "dormant"
    NOT_PRESENT = "not-present"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Port:
    """One network interface of a device. Counters are totals as the device counts them; rates are made by the poll."""

    index: int
    name: str
    description: str
    alias: str
    mac_address: str | None
    state: PortState
    speed: int | None  # bit/s; None: not known
    type: int  # IANAifType
    counter_bits: int  # 32 or 64: where the octet counters wrap
    in_octets: int | None = None
    out_octets: int | None = None
    in_packets: int | None = None
    out_packets: int | None = None
    in_errors: int | None = None
    out_errors: int | None = None
    in_discards: int | None = None
    out_discards: int | None = None
    last_change: timedelta | None = None  # age of the state on the device's own clock


@dataclass(frozen=True, slots=True)
class PortsReport:
    """All ports at one moment; ``uptime`` tells a counter reset from a wrap."""

    ports: tuple[Port, ...]
    uptime: timedelta | None


class Ports(ABC):
    """Capability ``ports``.

    Sensors and facts of a port have keys that begin with ``if.<index>.``: people may exclude it from the status.
    """

    @abstractmethod
    async def read_ports(self) -> PortsReport:
        """Read every network port once."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Who is at the other end of a cable, as it told this device (LLDP, IEEE 802.1AB). Nothing said is ""."""

    local_port: str  # the name of this device's port
    port_index: int | None  # its ``Port.index``; None where the device does not say which one it is
    chassis_id: str  # readable: a MAC address as aa:bb:cc:dd:ee:ff, an IP address in its usual form
    chassis_id_kind: str  # "mac-address", "network-address", "interface-name", "local", …
    port_id: str
    port_id_kind: str
    port_description: str = ""
    system_name: str = ""
    system_description: str = ""
    capabilities: tuple[str, ...] = ()  # the enabled ones: "bridge", "router", "wlan-access-point", "telephone", …
    addresses: tuple[str, ...] = ()  # of its management


class Neighbours(ABC):
    """Capability ``neighbours``."""

    @abstractmethod
    async def read_neighbours(self) -> Sequence[Neighbour] | None:
        """Read who is at the other ends of the cables; None: nothing has changed since ``Target.state``."""
