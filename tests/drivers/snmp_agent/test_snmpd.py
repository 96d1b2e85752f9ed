"""A real, plain, healthy net-snmp agent on this machine is normal, and its values are those of this machine."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from apps.drivers.contract import InventoryKind, PortState, Status, Target
from apps.drivers.snmp_agent.driver import SnmpAgentDriver
from apps.protocols.errors import AuthenticationFailed, Stage, Unreachable
from tests.peers import V3_LOGIN, Snmpd

LOGINS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "v1": ("snmp-community", {"version": "1", "community": "public"}),
    "v2c": ("snmp-community", {"version": "2c", "community": "public"}),
    "v3 SHA-256 AES-128": ("snmp-v3", V3_LOGIN),
}


def target(snmpd: Snmpd, kind: str, credential: Mapping[str, Any], **fields: Any) -> Target:
    return Target("127.0.0.1", snmpd.port, kind, credential, **{"timeout": 1.0, "retries": 1, **fields})


@pytest.mark.parametrize("login", LOGINS)
async def test_a_healthy_agent_is_normal_and_tells_the_truth(snmpd: Snmpd, login: str) -> None:
    state: Mapping[str, Any] = {}
    for _ in range(2):
        async with SnmpAgentDriver(target(snmpd, *LOGINS[login], state=state)) as driver:
            steps = await driver.check()
            identity = await driver.identify()
            health = await driver.read_health()
            readings = await driver.read_sensors()
            inventory = await driver.read_inventory()
            report = await driver.read_ports()
        state = driver.state

    assert [step.stage for step in steps] == [Stage.PORT, Stage.SIGN_IN, Stage.PROTOCOL]
    assert identity.name == os.uname().nodename
    assert identity.operating_system == f"Linux {os.uname().release}"
    assert health.facts == ()

    bad = {
        reading.sensor.name
        for reading in readings
        if reading.value is not None and reading.sensor.limits.judge(reading.value) is not Status.NORMAL
    }
    assert bad == {name for name in _mounts(readings) if _fill(name) >= 90}

    values = {reading.sensor.key: reading.value for reading in readings}
    total = psutil.virtual_memory().total
    (memory,) = (item for item in inventory if item.kind is InventoryKind.MEMORY)
    assert memory.details["Size (bytes)"] == pytest.approx(total, rel=0.01)
    assert values["memory"] == pytest.approx(psutil.virtual_memory().percent, abs=10)
    assert values["uptime"] == pytest.approx(float(Path("/proc/uptime").read_text().split()[0]), abs=30)
    assert values["processes"] == pytest.approx(len(psutil.pids()), rel=0.3)
    assert values["load.1"] == pytest.approx(os.getloadavg()[0], abs=3)
    root = next(reading for reading in readings if reading.sensor.name == "/")
    assert root.value == pytest.approx(_fill("/"), abs=1)
    assert (root.sensor.limits.upper_warning, root.sensor.limits.upper_critical) == (90, 95)

    real = psutil.net_if_stats()
    assert {port.name for port in report.ports} == set(real)
    for port in report.ports:
        assert (port.state is PortState.UP) == real[port.name].isup, port
        assert port.speed is None or port.speed == real[port.name].speed * 1_000_000
        assert port.counter_bits == (32 if login == "v1" else 64)


def _mounts(readings: Any) -> set[str]:
    return {reading.sensor.name for reading in readings if reading.sensor.limits.upper_critical is not None}


def _fill(mount: str) -> float:
    found = os.statvfs(mount)
    return 100 * (found.f_blocks - found.f_bfree) / found.f_blocks


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"username": "nobody"}, "does not know the user"),
        ({"auth_password": "wrong password"}, "refuses the authentication password"),
        ({"auth_protocol": "SHA"}, "refuses the authentication password"),
    ],
)
async def test_a_wrong_user_or_password_is_a_refusal(snmpd: Snmpd, changed: dict[str, str], words: str) -> None:
    with pytest.raises(AuthenticationFailed, match=words) as refused:
        async with SnmpAgentDriver(target(snmpd, "snmp-v3", {**V3_LOGIN, **changed})) as driver:
            await driver.check()
    assert refused.value.stage is Stage.SIGN_IN
    assert not refused.value.retry_helps
    assert "wrong password" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "credential"),
    [
        ("snmp-community", {"version": "2c", "community": "secret"}),
        ("snmp-v3", {**V3_LOGIN, "priv_password": "wrong password"}),
    ],
)
async def test_silence_after_a_login_names_what_may_be_wrong(
    snmpd: Snmpd, kind: str, credential: dict[str, str]
) -> None:
    with pytest.raises(Unreachable, match="no answer: address, community or privacy key") as silent:
        async with SnmpAgentDriver(target(snmpd, kind, credential, timeout=0.3, retries=0)) as driver:
            await driver.check()
    assert silent.value.stage is Stage.SIGN_IN
