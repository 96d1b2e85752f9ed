"""A real net-snmp agent, read as a network device in every version: MIB-2 by version 1 at least."""

import os
from collections.abc import Mapping
from typing import Any

import pytest

from apps.drivers.contract import PortState, Stage, Target
from apps.drivers.network_snmp.driver import NetworkSnmpDriver
from tests.peers import V3_LOGIN, Snmpd

LOGINS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "v1": ("snmp-community", {"version": "1", "community": "public"}),
    "v2c": ("snmp-community", {"version": "2c", "community": "public"}),
    "v3 SHA-256 AES-128": ("snmp-v3", V3_LOGIN),
}


@pytest.mark.parametrize("login", LOGINS)
async def test_a_healthy_agent_is_read_whole(snmpd: Snmpd, login: str) -> None:
    kind, credential = LOGINS[login]
    state: Mapping[str, Any] = {}
    for _ in range(2):
        target = Target("127.0.0.1", snmpd.port, kind, credential, timeout=2.0, state=state)
        async with NetworkSnmpDriver(target) as driver:
            steps = await driver.check()
            identity = await driver.identify()
            health = await driver.read_health()
            readings = await driver.read_sensors()
            states = await driver.read_states()
            await driver.read_inventory()
            report = await driver.read_ports()
            neighbours = await driver.read_neighbours()
        state = driver.state

    assert [step.stage for step in steps] == [Stage.PORT, Stage.SIGN_IN, Stage.PROTOCOL]
    assert identity.name == os.uname().nodename
    assert (health.facts, tuple(states), neighbours) == ((), (), None)  # nothing fails, nobody is heard
    values = {reading.sensor.key: reading.value for reading in readings}
    assert 0 <= (values.get("cpu") or 0.0) <= 100  # an agent that has only just started counts no ticks yet
    assert 0 < (values["memory"] or 0.0) <= 100
    loopback = next(port for port in report.ports if port.name == "lo")
    assert (loopback.state, loopback.counter_bits) == (PortState.UP, 32 if login == "v1" else 64)
    assert {port.name for port in report.ports} == set(os.listdir("/sys/class/net")) - {"bonding_masters"}
