"""Network ports (IF-MIB): names, state, speed, counters, their rates, and what is wrong with them."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from apps.drivers.contract import Fact, InventoryItem, InventoryKind, Port, PortState, Quantity, Reading, Sensor, Status
from apps.drivers.snmp import oids
from apps.drivers.snmp.rates import Interval, Rate
from apps.drivers.snmp.values import Cells, indexes, line, mac_address, number, ticks

LOOPBACK = 24  # IANAifType softwareLoopback
_CABLED = frozenset({6, 7, 9, 15, 26, 56, 62, 69, 117, 161, 199, 277})  # types whose link going down means something
_SOFTWARE = re.compile(
    r"(?:docker|veth|virbr|vnet|br-|tap|tun|wg|dummy|ifb|cali|cilium|flannel|cni|kube|lxc|lxd|fwbr|fwpr|fwln|nflog|teql|"
    r"vmk|vboxnet|gre|gretap|erspan|sit|ip6tnl|tunl|ppp|isatap|teredo|pseudo|loopback|null)",
    re.IGNORECASE,
)
_OF_LINKS = frozenset({"State", "Speed (bit/s)"})  # details that change with a cable
_UNKNOWN_SPEED = 0xFFFFFFFF
# What an unconnected card says in ifHighSpeed beside ifSpeed 4294967295: -1 in bit/s, divided by a million.
_UNKNOWN_HIGH_SPEEDS = frozenset({None, 0, 4294, 4295, _UNKNOWN_SPEED})
_STATES = {1: PortState.UP, 2: PortState.DOWN, 5: PortState.DORMANT, 6: PortState.NOT_PRESENT, 7: PortState.DOWN}

COUNTERS = ("in", "out", "in-errors", "out-errors", "in-discards", "out-discards")
_ERROR_COUNTERS = tuple((place, 32, None) for place in range(2, len(COUNTERS)))


_COLUMNS = (
    oids.IF_DESCR,
    oids.IF_NAME,
    oids.IF_ALIAS,
    oids.IF_PHYS_ADDRESS,
    oids.IF_TYPE,
    oids.IF_ADMIN_STATUS,
    oids.IF_OPER_STATUS,
    oids.IF_SPEED,
    oids.IF_HIGH_SPEED,
    oids.IF_LAST_CHANGE,
    *oids.WIDE_COUNTERS,
    *oids.NARROW_COUNTERS,
    oids.IF_IN_ERRORS,
    oids.IF_OUT_ERRORS,
    oids.IF_IN_DISCARDS,
    oids.IF_OUT_DISCARDS,
)
_FIRST_COUNTER = _COLUMNS.index(oids.WIDE_COUNTERS[0])


def ports(cells: Cells, uptime: timedelta | None) -> tuple[Port, ...]:
    """Put the columns of ifTable and ifXTable together; 64-bit counters win, names are the agent's shortest."""
    # A row that only ifXTable has, or that has neither state nor name, is a left-over and no port.
    rows = [index for index in indexes(cells, oids.IF_DESCR, oids.IF_OPER_STATUS) if index.isdigit()]
    # By columns, because every poll of every port comes through here.
    columns = [list(map(cells.get(column, {}).get, rows)) for column in _COLUMNS]
    columns[_FIRST_COUNTER:] = [[_counter(value) for value in column] for column in columns[_FIRST_COUNTER:]]
    return tuple(_port(index, values, uptime) for index, values in zip(rows, zip(*columns, strict=True), strict=True))


def _port(index: str, values: Sequence[Any], uptime: timedelta | None) -> Port:
    """Put one row together; ``values`` are in the order of ``_COLUMNS``."""
    said, name, alias, address, kind, admin, oper, speed, high_speed, changed, *counted = values
    is_wide = counted[0] is not None
    octets_in, octets_out, packets_in, packets_out = counted[:4] if is_wide else counted[4:8]
    errors_in, errors_out, discards_in, discards_out = counted[8:]
    description = line(said) or ""
    iana_type = number(kind) or 1
    return Port(
        index=int(index),
        name=line(name) or description or index,
        description=description,
        alias=line(alias) or "",
        mac_address=mac_address(address),
        state=port_state(number(admin), number(oper)),
        speed=port_speed(number(speed), number(high_speed), iana_type),
        type=iana_type,
        counter_bits=64 if is_wide else 32,
        in_octets=octets_in,
        out_octets=octets_out,
        in_packets=packets_in,
        out_packets=packets_out,
        in_errors=errors_in,
        out_errors=errors_out,
        in_discards=discards_in,
        out_discards=discards_out,
        last_change=_age(ticks(changed), uptime),
    )


def _counter(value: Any) -> int | None:
    found = value if type(value) is int else number(value)
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
        octets = (port.counter_bits, fastest)
        rates = interval.rates(key, ((0, *octets), (1, *octets), *_ERROR_COUNTERS))
        into, out, errors, discards = _sensors(key, port.name)
        for sensor, rate in ((into, rates[0]), (out, rates[1])):
            yield Reading(sensor, None if rate.value is None else rate.value * 8, None, rate.why)
        for sensor, rate in ((errors, _sum(rates[2], rates[3])), (discards, _sum(rates[4], rates[5]))):
            yield Reading(sensor, rate.value, None, rate.why)


@lru_cache(maxsize=32768)
def _sensors(key: str, name: str) -> tuple[Sensor, Sensor, Sensor, Sensor]:
    return (
        Sensor(f"{key}.in", f"{name} in", Quantity.TRAFFIC, "bit/s"),
        Sensor(f"{key}.out", f"{name} out", Quantity.TRAFFIC, "bit/s"),
        Sensor(f"{key}.errors", f"{name} errors", Quantity.ERRORS, "1/s"),
        Sensor(f"{key}.discards", f"{name} discards", Quantity.ERRORS, "1/s"),
    )


def _sum(first: Rate, second: Rate) -> Rate:
    if first.value is None or second.value is None:
        return first if second.value is None else second
    return Rate(first.value + second.value)


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
                f"if.{port.index}.down",
                Status.WARNING,
                "The network port %(port)s is down",
                {"port": port.name},
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
                passing=_OF_LINKS,
                lasting=is_cabled(port),
            )
