"""Who is at the other ends of the cables (LLDP-MIB, IEEE 802.1AB-2005)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Self

from apps.drivers.contract import Neighbour, Port
from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.values import Cells, cell, line, mac_address, number
from apps.protocols.snmp.ber import arcs

_LLDP = "1.0.8802.1.1.2.1"
LAST_CHANGE = f"{_LLDP}.2.1.0"  # lldpStatsRemTablesLastChangeTime
LOCAL_ID_KIND = f"{_LLDP}.3.7.1.2"
LOCAL_ID = f"{_LLDP}.3.7.1.3"
LOCAL_DESCR = f"{_LLDP}.3.7.1.4"
CHASSIS_ID_KIND = f"{_LLDP}.4.1.1.4"
CHASSIS_ID = f"{_LLDP}.4.1.1.5"
PORT_ID_KIND = f"{_LLDP}.4.1.1.6"
PORT_ID = f"{_LLDP}.4.1.1.7"
PORT_DESCR = f"{_LLDP}.4.1.1.8"
SYSTEM_NAME = f"{_LLDP}.4.1.1.9"
SYSTEM_DESCR = f"{_LLDP}.4.1.1.10"
CAPABILITIES = f"{_LLDP}.4.1.1.12"
ADDRESS_KIND = f"{_LLDP}.4.2.1.3"  # of the management address that its index holds
BRIDGE_PORT = "1.3.6.1.2.1.17.1.4.1.2"  # BRIDGE-MIB dot1dBasePortIfIndex

LLDP = Mib("LLDP-MIB", (LAST_CHANGE,), root=_LLDP)
REMOTE = (
    CHASSIS_ID_KIND,
    CHASSIS_ID,
    PORT_ID_KIND,
    PORT_ID,
    PORT_DESCR,
    SYSTEM_NAME,
    SYSTEM_DESCR,
    CAPABILITIES,
    ADDRESS_KIND,
)
LOCAL = (LOCAL_ID_KIND, LOCAL_ID, LOCAL_DESCR, BRIDGE_PORT)

_CHASSIS_ID_KINDS = {
    1: "chassis-component",
    2: "interface-alias",
    3: "port-component",
    4: "mac-address",
    5: "network-address",
    6: "interface-name",
    7: "local",
}
_PORT_ID_KINDS = {
    1: "interface-alias",
    2: "port-component",
    3: "mac-address",
    4: "network-address",
    5: "interface-name",
    6: "agent-circuit-id",
    7: "local",
}
_MAC_ADDRESS, _NAMES = 3, (1, 5, 7)  # kinds of port identifiers
_CAPABILITIES = (
    "other", "repeater", "bridge", "wlan-access-point", "router", "telephone", "docsis-cable-device", "station",
)  # fmt: skip
_FAMILIES = {1: 4, 2: 16}  # octets of an address (IANA address family numbers)


def neighbours(remote: Cells, local: Cells, ports: Sequence[Port]) -> list[Neighbour]:
    """Put lldpRemTable together; each is named by the port of this device that hears it."""
    found = {}
    addresses = _addresses(remote)
    own = _LocalPorts.told(local, ports)
    # By time: what an agent lists twice, it heard of anew.
    for index in sorted(remote.get(CHASSIS_ID, {}), key=arcs):
        _, place, row = (*index.split("."), "", "")[:3]
        chassis_kind = _CHASSIS_ID_KINDS.get(number(cell(remote, CHASSIS_ID_KIND, index)) or 0, "local")
        port_kind = _PORT_ID_KINDS.get(number(cell(remote, PORT_ID_KIND, index)) or 0, "local")
        port = own.port(place)
        found[place, row] = Neighbour(
            local_port=port.name if port is not None else _said(local, place) or place,
            port_index=port.index if port is not None else None,
            chassis_id=_identifier(cell(remote, CHASSIS_ID, index), chassis_kind),
            chassis_id_kind=chassis_kind,
            port_id=_identifier(cell(remote, PORT_ID, index), port_kind),
            port_id_kind=port_kind,
            port_description=line(cell(remote, PORT_DESCR, index)) or "",
            system_name=line(cell(remote, SYSTEM_NAME, index)) or "",
            system_description=line(cell(remote, SYSTEM_DESCR, index)) or "",
            capabilities=_capabilities(cell(remote, CAPABILITIES, index)),
            addresses=tuple(addresses.get((place, row), ())),
        )
    return list(found.values())


def _identifier(value: Any, kind: str) -> str:
    if not isinstance(value, bytes):
        return ""
    if kind == "mac-address":
        return mac_address(value) or line(value) or value.hex(":")
    if kind == "network-address":
        return _address(value[0], value[1:]) if value else ""
    # What calls itself a name may be six octets of an address.
    return line(value) or value.hex(":")


def _address(family: int, octets: bytes) -> str:
    return str(ip_address(octets)) if len(octets) == _FAMILIES.get(family) else octets.hex(":")


def _capabilities(value: Any) -> tuple[str, ...]:
    if not isinstance(value, bytes) or not value:
        return ()
    return tuple(name for place, name in enumerate(_CAPABILITIES) if value[0] & 0x80 >> place)


def _addresses(remote: Cells) -> Mapping[tuple[str, str], list[str]]:
    """Read the management addresses out of the index of lldpRemManAddrTable, by local port and row."""
    found: dict[tuple[str, str], list[str]] = {}
    for index in sorted(remote.get(ADDRESS_KIND, {}), key=arcs):
        _, place, row, family, *rest = (*arcs(index), 0, 0, 0, 0)[: max(len(arcs(index)), 4)]
        length = _FAMILIES.get(family, 0)
        # The length of the address stands before it, though some agents forget it.
        if not length or len(rest) not in (length, length + 1) or max(rest[-length:]) > 255:
            continue
        address = str(ip_address(bytes(rest[-length:])))
        told = found.setdefault((str(place), str(row)), [])
        if address not in told:
            told.append(address)
    return found


@dataclass(frozen=True, slots=True)
class _LocalPorts:
    """The device's own ports by the numbers that LLDP gives them (lldpLocPortNum), for which there is no rule."""

    told_of: Mapping[str, Port]  # by what LLDP says of the port itself
    counted: Mapping[str, int | None]  # as the bridge counts its ports: number → ifIndex
    by_index: Mapping[int, Port]

    @classmethod
    def told(cls, local: Cells, ports: Sequence[Port]) -> Self:
        """Find the ports by name, description or MAC address."""
        names: dict[str, Port] = {}
        macs: dict[str | None, list[Port]] = {}
        for port in reversed(ports):
            names |= {name: port for name in (port.alias, port.description, port.name) if name}
            macs.setdefault(port.mac_address, []).append(port)
        told_of = {}
        for place in {*local.get(LOCAL_ID, {}), *local.get(LOCAL_DESCR, {})}:
            said = cell(local, LOCAL_ID, place)
            if number(cell(local, LOCAL_ID_KIND, place)) == _MAC_ADDRESS:
                alike = macs.get(mac_address(said) or "", [])
                found = alike[0] if len(alike) == 1 else None
            else:
                found = names.get(line(said) or "")
            found = found or names.get(line(cell(local, LOCAL_DESCR, place)) or "")
            if found is not None:
                told_of[place] = found
        counted = {place: number(value) for place, value in local.get(BRIDGE_PORT, {}).items()}
        return cls(told_of, counted, {port.index: port for port in ports})

    def port(self, place: str) -> Port | None:
        """Give the port of a number: by its name, else as the bridge counts, else the one whose ifIndex is the same."""
        if place in self.told_of:
            return self.told_of[place]
        counted = self.counted.get(place)
        return self.by_index.get(counted or 0) or self.by_index.get(number(place.encode()) or 0)


def _said(local: Cells, place: str) -> str | None:
    """Give what the device calls one of its ports in LLDP."""
    named = line(cell(local, LOCAL_ID, place)) if number(cell(local, LOCAL_ID_KIND, place)) in _NAMES else None
    return named or line(cell(local, LOCAL_DESCR, place))
