"""Network ports (IF-MIB): names, state, speed, counters, their rates, and what is wrong with them."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache

from apps.drivers.contract import Fact, InventoryItem, InventoryKind, Port, PortState, Quantity, Reading, Sensor, Status
from apps.drivers.snmp_agent import oids
from apps.drivers.snmp_agent.parse.rates import Interval, Rate
from apps.drivers.snmp_agent.parse.values import Cells, cell, indexes, line, mac_address, number, ticks

LOOPBACK = 24  # IANAifType softwareLoopback
_CABLED = frozenset({6, 7, 9, 15, 26, 56, 62, 69, 117, 161, 199, 277})  # types whose link going down means something
_SOFTWARE = re.compile(
    r"(?:docker|veth|virbr|vnet|br-|tap|tun|wg|dummy|ifb|cali|cilium|flannel|cni|kube|lxc|lxd|fwbr|fwpr|fwln|nflog|teql|"
    r"vmk|vboxnet|gre|gretap|erspan|sit|ip6tnl|tunl|ppp|isatap|teredo|pseudo|loopback|null)",
    re.IGNORECASE,
)
_UNKNOWN_SPEED = 0xFFFFFFFF
# What an unconnected card says in ifHighSpeed beside ifSpeed 4294967295: -1 in bit/s, divided by a million.
_UNKNOWN_HIGH_SPEEDS = frozenset({None, 0, 4294, 4295, _UNKNOWN_SPEED})
_STATES = {1: PortState.UP, 2: PortState.DOWN, 5: PortState.DORMANT, 6: PortState.NOT_PRESENT, 7: PortState.DOWN}

COUNTERS = ("in", "out", "in-errors", "out-errors", "in-discards", "out-discards")


def ports(cells: Cells, uptime: timedelta | None) -> tuple[Port, ...]:
    """Put the columns of ifTable and ifXTable together; 64-bit counters win, names are the agent's shortest."""
    # A row that only ifXTable has, or that has neither state nor name, is a left-over and no port.
    rows = indexes(cells, oids.IF_DESCR, oids.IF_OPER_STATUS)
    return tuple(_port(cells, index, uptime) for index in rows if index.isdigit())


def _port(cells: Cells, index: str, uptime: timedelta | None) -> Port:
    description = line(cell(cells, oids.IF_DESCR, index)) or ""
    wide = number(cell(cells, oids.IF_HC_IN_OCTETS, index)) is not None
    octets_in, octets_out, packets_in, packets_out = oids.WIDE_COUNTERS if wide else oids.NARROW_COUNTERS
    kind = number(cell(cells, oids.IF_TYPE, index)) or 1
    return Port(
        index=int(index),
        name=line(cell(cells, oids.IF_NAME, index)) or description or index,
        description=description,
        alias=line(cell(cells, oids.IF_ALIAS, index)) or "",
        mac_address=mac_address(cell(cells, oids.IF_PHYS_ADDRESS, index)),
        state=port_state(
            number(cell(cells, oids.IF_ADMIN_STATUS, index)), number(cell(cells, oids.IF_OPER_STATUS, index))
        ),
        speed=port_speed(
            number(cell(cells, oids.IF_SPEED, index)), number(cell(cells, oids.IF_HIGH_SPEED, index)), kind
        ),
        type=kind,
        counter_bits=64 if wide else 32,
        in_octets=_counter(cells, octets_in, index),
        out_octets=_counter(cells, octets_out, index),
        in_packets=_counter(cells, packets_in, index),
        out_packets=_counter(cells, packets_out, index),
        in_errors=_counter(cells, oids.IF_IN_ERRORS, index),
        out_errors=_counter(cells, oids.IF_OUT_ERRORS, index),
        in_discards=_counter(cells, oids.IF_IN_DISCARDS, index),
        out_discards=_counter(cells, oids.IF_OUT_DISCARDS, index),
        last_change=_age(ticks(cell(cells, oids.IF_LAST_CHANGE, index)), uptime),
    )


def _counter(cells: Cells, column: str, index: str) -> int | None:
    found = number(cell(cells, column, index))
    return found if found is not None and found >= 0 else None


def _age(changed: timedelta | None, uptime: timedelta | None) -> timedelta | None:
    # 0 means "before the agent started" (RFC 2863), which says nothing of when.
    return uptime - changed if changed and uptime and uptime >= changed else None


def port_state(admin: int | None, oper: int | None) -> PortState:
    """Take ifAdminStatus and ifOperStatus together: who switched a port off does not miss it."""
    if admin == 2:
        return PortState.DISABLED
    return _STATES.get(oper or 0, PortState.UNKNOWN)


def port_speed(speed: int | None, high_speed: int | None, kind: int = 6) -> int | None:
    """Give bit/s: ifHighSpeed (Mbit/s) where ifSpeed cannot say it (RFC 2863 §3.1.4); None when the card does not know.

    A loopback has no speed, whatever it claims. An unconnected card that claims 4,294 Mbit/s has none either.
    """
    if kind == LOOPBACK:
        return None
    if speed is not None and 0 < speed < _UNKNOWN_SPEED:
        return speed
    if speed == _UNKNOWN_SPEED and high_speed in _UNKNOWN_HIGH_SPEEDS:
        return None
    if high_speed is None or high_speed <= 0 or high_speed == _UNKNOWN_SPEED:
        return None
    return high_speed * 1_000_000


def counters(port: Port) -> tuple[int | None, ...]:
    """Give a port's counters in the order of ``COUNTERS``, as a snapshot keeps them."""
    return (
        port.in_octets,
        port.out_octets,
        port.in_errors,
        port.out_errors,
        port.in_discards,
        port.out_discards,
    )


def has_traffic(port: Port) -> bool:
    """Say whether a port is worth sensors: a loopback, or one that counts nothing, is not."""
    return port.type != LOOPBACK and port.in_octets is not None


def readings(found: Sequence[Port], interval: Interval) -> Iterator[Reading]:
    """Give traffic, errors and discards of every port; a port that is switched off keeps its sensors."""
    for port in found:
        if not has_traffic(port):
            continue
        key = f"if.{port.index}"
        fastest = port.speed / 8 if port.speed else None
        into, out, errors, discards = _sensors(key, port.name)
        for place, sensor in ((0, into), (1, out)):
            rate = interval.rate(key, place, port.counter_bits, fastest)
            yield Reading(sensor, None if rate.value is None else rate.value * 8, why=rate.why)
        for place, sensor in ((2, errors), (4, discards)):
            rate = _sum(interval.rate(key, place, 32), interval.rate(key, place + 1, 32))
            yield Reading(sensor, rate.value, why=rate.why)


@lru_cache(maxsize=32768)
def _sensors(key: str, name: str) -> tuple[Sensor, Sensor, Sensor, Sensor]:
    return (
        Sensor(f"{key}.in", f"{name} in", Quantity.TRAFFIC, "bit/s"),
        Sensor(f"{key}.out", f"{name} out", Quantity.TRAFFIC, "bit/s"),
        Sensor(f"{key}.errors", f"{name} errors", Quantity.ERRORS, "1/s"),
        Sensor(f"{key}.discards", f"{name} discards", Quantity.ERRORS, "1/s"),
    )


def _sum(first: Rate, second: Rate) -> Rate:
    values = [rate.value for rate in (first, second) if rate.value is not None]
    return Rate(sum(values)) if values else first


def remembered_up(found: Sequence[Port], before: Collection[int]) -> list[int]:
    """Give the indexes of ports that were up at some time since they were last switched off or taken out."""
    return [
        port.index
        for port in found
        if port.state is PortState.UP
        or (port.index in before and port.state not in (PortState.DISABLED, PortState.NOT_PRESENT))
    ]


def facts(found: Sequence[Port], was_up: Collection[int]) -> Iterator[Fact]:
    """Tell of the cabled ports that are down and were not always: never of one that somebody switched off."""
    for port in found:
        if port.state is PortState.DOWN and port.index in was_up and is_cabled(port):
            yield Fact(
                f"port.{port.index}.down", Status.WARNING, "The network port %(port)s is down", {"port": port.name}
            )


def is_cabled(port: Port) -> bool:
    """Say whether a port has a cable: software interfaces come and go as they like."""
    return port.type in _CABLED and not _SOFTWARE.match(port.name) and not _SOFTWARE.match(port.description)


def inventory(found: Sequence[Port]) -> Iterator[InventoryItem]:
    """List the ports that are hardware, or carry an address of their own."""
    for port in found:
        if port.mac_address:
            yield InventoryItem(
                InventoryKind.NETWORK,
                f"if.{port.index}",
                port.name,
                details={
                    "Description": port.description,
                    "Alias": port.alias or None,
                    "MAC address": port.mac_address,
                    "Speed (bit/s)": port.speed,
                    "State": port.state.value,
                },
            )
