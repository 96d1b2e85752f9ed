"""Dumps of real switches, routers and access points are read as a plain look at them does."""

from pathlib import Path

import pytest

from apps.drivers.network_snmp.driver import NetworkSnmpDriver
from apps.drivers.snmp import lldp
from tests.drivers.dumps import (
    DATA,
    Dump,
    asked_of,
    assert_neighbours,
    assert_ports,
    assert_readings,
    assert_system,
    dumps,
    see,
)

# What the dumps themselves say: psuError(51), and the bit "warning" of entStateAlarm.
FAULTS = {
    "h3c-wx6103": ["PSU2: Power supply failed"],
    "juniper-mx960-16-1r6-7-a": ["SCB-MX960-S: Alarm"],
    "juniper-mx960-16-1r6-7-b": ["SCB-MX960-S: Alarm"],
}


@pytest.mark.parametrize("path", dumps("network/router", "network/switch", "network/wifi"))
async def test_a_network_device_is_read_as_its_dump_says(path: Path) -> None:
    dump = Dump.load(path, asked_of(NetworkSnmpDriver))

    seen = await see("network_snmp", path)

    assert_system(seen.identity, dump)
    assert_ports(seen.ports, dump)
    assert_readings(seen.readings)
    assert_neighbours(seen.neighbours or (), dump)
    assert len({state.key for state in seen.states}) == len(seen.states)
    told = [fact.message % fact.params for fact in seen.facts]
    assert told == FAULTS.get(path.name.split(".")[0], [])


MODELS = {
    "router/juniper-mx960-12-3r6-6": ("Juniper", "mx960"),
    "router/huawei-s5720": ("Huawei", "S5720-36C-EI-AC"),
    "switch/cisco-c3560": ("Cisco", "WS-C3560G-48TS-E"),
    "switch/cisco-n5000": ("Cisco Systems, Inc.", "N5K-C5548UP"),
    "switch/h3c-e528-2": ("H3C", "H3C Switch E528"),
    "switch/brocade-icx6430-24": ("Brocade", "ICX6430-24"),
    "switch/zte-zrx10": ("ZTE COMPANY", "9900"),
}


@pytest.mark.parametrize("name", MODELS)
async def test_the_model_is_known(name: str) -> None:
    seen = await see("network_snmp", DATA / "network" / f"{name}.snmprec.bz2")
    assert (seen.identity.manufacturer, seen.identity.model) == MODELS[name]


@pytest.mark.parametrize("name", ["switch/cisco-n5000", "router/juniper-mx960-12-3r6-6", "switch/h3c-e528-2"])
async def test_neighbours_are_heard_at_ports_that_there_are(name: str) -> None:
    path = DATA / "network" / f"{name}.snmprec.bz2"
    seen = await see("network_snmp", path)
    names = {port.index: port.name for port in seen.ports}
    assert seen.neighbours
    for neighbour in seen.neighbours:
        assert names[neighbour.port_index or 0] == neighbour.local_port
        assert neighbour.addresses or not neighbour.system_name or neighbour.capabilities
    assert len(seen.neighbours) == len(Dump.load(path).column(lldp.CHASSIS_ID))


async def test_neighbours_that_did_not_change_are_not_read_again() -> None:
    seen = await see("network_snmp", DATA / "network/switch/cisco-n5000.snmprec.bz2", polls=2)
    assert seen.neighbours is None
