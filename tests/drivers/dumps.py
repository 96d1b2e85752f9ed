"""Dumps of real devices (PyPI ``snmpsim-data``), read where they lie: replayed over a socket, and looked at plainly.

What a driver makes of a dump must be what a plain look at its lines gives. Dumps of millions of lines are slow ones;
of all that are not short only the parts that drivers ask for are replayed.
"""

import bz2
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from apps.drivers.contract import (
    Driver,
    Health,
    Identity,
    IdentityFacts,
    Inventory,
    Neighbour,
    Neighbours,
    Port,
    Ports,
    PortState,
    Reading,
    Sensors,
    State,
    States,
    Target,
)
from apps.drivers.registry import driver_class
from apps.drivers.snmp import lldp, oids
from apps.drivers.snmp.conversation import SnmpDriver
from apps.drivers.snmp.values import line, mac_address, text
from apps.simulators.snmp_replay import Recording, serve
from tests.drivers.dump_parts import part_of

DATA = Path(str(files("snmpsim_data") / "data"))
LARGE = 1_000_000  # octets, packed: such a dump is a slow one
WHOLE = 50_000  # octets, packed: what is larger is read in parts
STANDARD = (
    *("1.3.6.1.2.1.1", "1.3.6.1.2.1.2", "1.3.6.1.2.1.25", "1.3.6.1.2.1.31"),  # system, interfaces, host, ifMIB
    *("1.3.6.1.2.1.33", "1.3.6.1.2.1.47", "1.3.6.1.2.1.99", "1.3.6.1.2.1.131"),  # UPS, parts, their sensors and states
    *("1.3.6.1.2.1.17.1.4", "1.0.8802.1.1.2.1", "1.3.6.1.4.1.2021"),  # numbers of bridge ports, LLDP, UCD
)
STATES = {
    "1": PortState.UP,
    "2": PortState.DOWN,
    "5": PortState.DORMANT,
    "6": PortState.NOT_PRESENT,
    "7": PortState.DOWN,
}


def dumps(*folders: str) -> list[Any]:
    """Give every dump of these folders as a parameter of a test, the large ones marked as slow."""
    found = sorted(path for folder in folders for path in (DATA / folder).iterdir() if ".snmprec" in path.name)
    return [
        pytest.param(
            path,
            id=path.relative_to(DATA).as_posix().split(".snmprec")[0],
            marks=[pytest.mark.slow] if path.stat().st_size > LARGE else [],
        )
        for path in found
    ]


def asked_of(driver: type[SnmpDriver]) -> tuple[str, ...]:
    """Give the names below which a driver asks anything."""
    return (*STANDARD, *(mib.root for mib in driver.mibs if mib.root))


@dataclass(frozen=True)
class Dump:
    """A dump as a plain look at its lines reads it; the first of two equal names counts."""

    values: dict[str, bytes]

    @classmethod
    def load(cls, path: Path, below: tuple[str, ...] = ()) -> "Dump":
        """Read a dump; of a large one only what lies below some names."""
        values: dict[str, bytes] = {}
        part = _part(path, below)
        with bz2.open(part) if part.suffix == ".bz2" else part.open("rb") as rows:
            for row in rows:
                if row.count(b"|") < 2:
                    continue
                oid, kind, value = row.rstrip(b"\r\n").split(b"|", 2)
                if b":" in kind:  # a value that the simulator computes is none of the device's
                    continue
                values.setdefault(oid.decode(), _octets(value) if kind.endswith(b"x") else value)
        return cls(values)

    def column(self, column: str) -> dict[str, bytes]:
        """Give a column of a table by index."""
        return {oid[len(column) + 1 :]: value for oid, value in self.values.items() if oid.startswith(f"{column}.")}

    def number(self, oid: str) -> int | None:
        """Give a whole number, None where the dump has none."""
        return int(self.values[oid]) if oid in self.values else None

    def ports(self) -> Iterator[str]:
        """Give the indexes of the rows of ifTable that are ports."""
        yield from sorted(self.column(oids.IF_DESCR).keys() | self.column(oids.IF_OPER_STATUS).keys(), key=int)


@dataclass(frozen=True)
class Seen:
    """All that a driver sees of a device in one poll and one look at its parts."""

    identity: IdentityFacts
    facts: Sequence[Any]
    readings: Sequence[Reading]
    ports: Sequence[Port]
    states: Sequence[State]
    neighbours: Sequence[Neighbour] | None
    state: Mapping[str, Any]

    @property
    def values(self) -> dict[str, float | None]:
        """Give the readings by key."""
        return {reading.sensor.key: reading.value for reading in self.readings}


async def see(name: str, path: Path, version: str = "2c", polls: int = 1) -> Seen:
    """Replay a dump and read it with a driver; a second poll knows what the first one kept."""
    driver = driver_class(name)
    assert issubclass(driver, SnmpDriver)
    state: Mapping[str, Any] = {}
    async with await serve(Recording.load(_part(path, asked_of(driver)))) as agent:
        for _ in range(polls):
            target = Target(
                "127.0.0.1",
                agent.port,
                "snmp-community",
                {"version": version, "community": "public"},
                timeout=10.0,
                state=state,
            )
            async with driver(target) as device:
                seen = await _read(device)
            state = seen.state
    return seen


async def _read(device: Driver) -> Seen:
    assert isinstance(device, Identity)
    assert isinstance(device, Health)
    assert isinstance(device, Inventory)
    assert isinstance(device, Sensors)
    assert isinstance(device, Ports)
    await device.check()
    identity = await device.identify()
    health = await device.read_health()
    readings = await device.read_sensors()
    await device.read_inventory()
    states = await device.read_states() if isinstance(device, States) else ()
    report = await device.read_ports()
    neighbours = await device.read_neighbours() if isinstance(device, Neighbours) else None
    return Seen(identity, health.facts, readings, report.ports, states, neighbours, device.state)


def assert_system(found: IdentityFacts, dump: Dump) -> None:
    """Compare the system group."""
    assert found.description == text(dump.values.get(oids.SYS_DESCR, b""))
    assert found.name == line(dump.values.get(oids.SYS_NAME, b""))
    assert found.location == line(dump.values.get(oids.SYS_LOCATION, b""))
    assert found.contact == line(dump.values.get(oids.SYS_CONTACT, b""))
    assert found.object_id == dump.values[oids.SYS_OBJECT_ID].decode().removeprefix(".")


def assert_ports(found: Sequence[Port], dump: Dump) -> None:
    """Compare the interfaces: which there are, what they are called, their states, speeds and counters."""
    assert [port.index for port in found] == [int(index) for index in dump.ports()]
    names, descriptions = dump.column(oids.IF_NAME), dump.column(oids.IF_DESCR)
    admin, oper = dump.column(oids.IF_ADMIN_STATUS), dump.column(oids.IF_OPER_STATUS)
    macs, types = dump.column(oids.IF_PHYS_ADDRESS), dump.column(oids.IF_TYPE)
    wide, narrow = dump.column(oids.IF_HC_IN_OCTETS), dump.column(oids.IF_IN_OCTETS)
    errors, discards = dump.column(oids.IF_IN_ERRORS), dump.column(oids.IF_OUT_DISCARDS)
    speeds = dump.column(oids.IF_SPEED)
    for port in found:
        index = str(port.index)
        description = line(descriptions.get(index, b""))
        assert port.name == (line(names.get(index, b"")) or description or index)
        assert port.description == (description or "")
        assert port.mac_address == mac_address(macs.get(index, b""))
        assert port.type == int(types.get(index, b"1"))
        state = STATES.get(oper.get(index, b"").decode(), PortState.UNKNOWN)
        assert port.state == (PortState.DISABLED if admin.get(index) == b"2" else state)
        octets = wide.get(index, narrow.get(index))
        assert port.in_octets == (None if octets is None else int(octets))
        assert port.in_errors == (int(errors[index]) if index in errors else None)
        assert port.out_discards == (int(discards[index]) if index in discards else None)
        speed = int(speeds.get(index, b"0"))
        if 0 < speed < 0xFFFFFFFF and port.type != 24:
            assert port.speed == speed
        assert port.speed not in (4_294_967_295, 4_294_000_000, 4_295_000_000)


def assert_readings(found: Sequence[Reading]) -> None:
    """Check what holds of any device: each sensor once, and nothing beyond what it can be."""
    keys = [reading.sensor.key for reading in found]
    assert len(keys) == len(set(keys))
    for reading in found:
        if reading.sensor.unit == "%" and reading.value is not None and not reading.sensor.key.startswith("output."):
            assert 0 <= reading.value <= 100, reading
        assert reading.value is not None or reading.why, reading


def assert_neighbours(found: Sequence[Neighbour], dump: Dump) -> None:
    """Compare lldpRemTable: each port that hears somebody hears the one with that chassis and port."""
    chassis, ports = dump.column(lldp.CHASSIS_ID), dump.column(lldp.PORT_ID)
    names = dump.column(lldp.SYSTEM_NAME)
    chassis_kinds, port_kinds = dump.column(lldp.CHASSIS_ID_KIND), dump.column(lldp.PORT_ID_KIND)
    assert len(found) == len({tuple(index.split(".")[1:]) for index in chassis})
    assert {(neighbour.chassis_id, neighbour.system_name) for neighbour in found} == {
        (_told(value, chassis_kinds[index] == b"4"), line(names.get(index, b"")) or "")
        for index, value in chassis.items()
    }
    assert {neighbour.port_id for neighbour in found} == {
        _told(value, port_kinds[index] == b"3") for index, value in ports.items()
    }


def _told(value: bytes, is_mac: bool) -> str:
    return value.hex(":") if is_mac else line(value) or value.hex(":")


def _part(path: Path, below: tuple[str, ...]) -> Path:
    return part_of(path, below) if below and path.stat().st_size > WHOLE else path


def _octets(value: bytes) -> bytes:
    """Read octets that are written in hexadecimal; some recorders only say so of a plain text."""
    try:
        return bytes.fromhex(value.decode())
    except ValueError:
        return value
