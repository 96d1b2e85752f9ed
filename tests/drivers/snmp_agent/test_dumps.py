"""Dumps of real devices (PyPI ``snmpsim-data``), replayed over a socket, are read as a plain look at the dump does."""

import bz2
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

from apps.drivers.contract import PortState, Target
from apps.drivers.snmp import oids
from apps.drivers.snmp.values import line, mac_address, text
from apps.drivers.snmp_agent.driver import SnmpAgentDriver
from apps.simulators.snmp_replay import Recording, serve

DUMPS = (
    "UPS/apc-8932.snmprec",
    "UPS/eaton-93e-80.snmprec.bz2",
    "UPS/emerson-network-power.snmprec.bz2",
    "UPS/vertiv-power.snmprec.bz2",
    "bmc/hp-onboard-administrator.snmprec.bz2",
    "iot/geist-temperature-sensor.snmprec",
    "network/router/huawei-s5720.snmprec.bz2",
    "network/router/vyatta-unknown.snmprec.bz2",
    "network/switch/brocade-icx6430-24.snmprec.bz2",
    "network/switch/cisco-c3560.snmprec.bz2",
    "network/switch/cisco-n5000.snmprec.bz2",
    "network/switch/dlink-des3038.snmprec.bz2",
    "network/switch/h3c-e528-2.snmprec.bz2",
    "network/switch/hpe-procurve-516733-b21.snmprec.bz2",
    "os/linux/ibm-power-chrp.snmprec.bz2",
    "os/linux/ibm-x3550-m3.snmprec.bz2",
    "os/linux/sangfor.snmprec.bz2",
    "os/linux/slackware.snmprec.bz2",
    "os/linux/unknown-001.snmprec.bz2",
    "os/linux/unknown-002.snmprec.bz2",
    "os/linux/unknown-003.snmprec.bz2",
    "os/linux/unknown-004.snmprec.bz2",
    "os/linux/unknown-006.snmprec.bz2",
    "os/windows/XP.snmprec.bz2",
    "os/windows/server-2003-5-2.snmprec.bz2",
    "storage/netapp-fas3270.snmprec.bz2",
)
STATES = {
    "1": PortState.UP,
    "2": PortState.DOWN,
    "5": PortState.DORMANT,
    "6": PortState.NOT_PRESENT,
    "7": PortState.DOWN,
}


@dataclass(frozen=True)
class Dump:
    """A dump as a plain look at its lines reads it; the first of two equal names counts."""

    values: dict[str, bytes]

    @classmethod
    def load(cls, path: Path) -> "Dump":
        content = path.read_bytes()
        lines = (bz2.decompress(content) if path.suffix == ".bz2" else content).split(b"\n")
        values: dict[str, bytes] = {}
        for row in lines:
            if row.count(b"|") < 2:
                continue
            oid, kind, value = row.rstrip(b"\r").split(b"|", 2)
            if b":" in kind:  # a value that the simulator computes is none of the device's
                continue
            values.setdefault(oid.decode(), bytes.fromhex(value.decode()) if kind.endswith(b"x") else value)
        return cls(values)

    def column(self, column: str) -> dict[str, bytes]:
        return {oid[len(column) + 1 :]: value for oid, value in self.values.items() if oid.startswith(f"{column}.")}

    def rows(self) -> Iterator[str]:
        yield from sorted(self.column(oids.IF_DESCR).keys() | self.column(oids.IF_OPER_STATUS).keys(), key=int)


@pytest.mark.parametrize("name", DUMPS)
async def test_a_real_device_is_read_as_its_dump_says(name: str) -> None:
    path = Path(str(files("snmpsim_data") / "data" / name))
    dump = Dump.load(path)

    async with await serve(Recording.load(path)) as agent:
        target = Target("127.0.0.1", agent.port, "snmp-community", {"version": "2c", "community": "public"})
        async with SnmpAgentDriver(target) as driver:
            await driver.check()
            identity = await driver.identify()
            health = await driver.read_health()
            readings = await driver.read_sensors()
            await driver.read_inventory()
            report = await driver.read_ports()

    assert identity.description == text(dump.values[oids.SYS_DESCR])
    assert identity.name == line(dump.values.get(oids.SYS_NAME, b""))
    assert identity.location == line(dump.values.get(oids.SYS_LOCATION, b""))
    assert identity.object_id == dump.values[oids.SYS_OBJECT_ID].decode().removeprefix(".")
    assert health.facts == ()
    keys = [reading.sensor.key for reading in readings]
    assert len(keys) == len(set(keys))
    assert [port.index for port in report.ports] == [int(index) for index in dump.rows()]
    _assert_ports(report.ports, dump)
    _assert_values(readings, dump)


def _assert_ports(found, dump: Dump) -> None:
    names, descriptions = dump.column(oids.IF_NAME), dump.column(oids.IF_DESCR)
    admin, oper = dump.column(oids.IF_ADMIN_STATUS), dump.column(oids.IF_OPER_STATUS)
    macs, types = dump.column(oids.IF_PHYS_ADDRESS), dump.column(oids.IF_TYPE)
    wide, narrow = dump.column(oids.IF_HC_IN_OCTETS), dump.column(oids.IF_IN_OCTETS)
    errors, speeds = dump.column(oids.IF_IN_ERRORS), dump.column(oids.IF_SPEED)
    for port in found:
        index = str(port.index)
        description = line(descriptions.get(index, b""))
        assert port.name == (line(names.get(index, b"")) or description or index)
        assert port.description == (description or "")
        assert port.mac_address == mac_address(macs.get(index, b""))
        assert port.type == int(types[index])
        state = PortState.DISABLED if admin.get(index) == b"2" else STATES.get(oper[index].decode(), PortState.UNKNOWN)
        assert port.state == state
        octets = wide.get(index, narrow.get(index))
        assert port.in_octets == (None if octets is None else int(octets))
        assert port.in_errors == (int(errors[index]) if index in errors else None)
        speed = int(speeds.get(index, b"0"))
        if 0 < speed < 0xFFFFFFFF and port.type != 24:
            assert port.speed == speed
        assert port.speed not in (4_294_967_295, 4_294_000_000, 4_295_000_000)


def _assert_values(readings, dump: Dump) -> None:
    values = {reading.sensor.key: reading.value for reading in readings}
    processes = dump.values.get("1.3.6.1.2.1.25.1.6.0")
    assert values.get("processes") == (None if processes is None else float(processes))
    loads = [int(load) for load in dump.column(oids.HR_PROCESSOR_LOAD).values()]
    if loads:
        assert values["cpu"] == pytest.approx(sum(loads) / len(loads))
    for reading in readings:
        if reading.sensor.unit == "%" and reading.value is not None:
            assert 0 <= reading.value <= 100, reading
