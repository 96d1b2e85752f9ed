"""What the fleet sends unasked: genuine traps of each kind, from each device's own address, understood by net-snmp."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from apps.protocols.snmp import SnmpClient
from apps.protocols.snmp.notification import decode_notification
from apps.simulators.fleet import Agents, FaultKind, Fleet, serve
from tests.peers import free_udp_port, net_snmp_environment, program
from tests.simulators.fleet.conftest import LOGIN, NOW, PLAN
from tests.simulators.fleet.test_agents import SYS_NAME, target

STANDARD = "1.3.6.1.6.3.1.1.5"
UPS_TRAPS, POWERNET = "1.3.6.1.2.1.33.2", "1.3.6.1.4.1.318"
COMWARE = "1.3.6.1.4.1.25506.2"


def told(agents: Agents, until: float) -> list[tuple[float, str, str, str]]:
    """Go on to a moment; give what was sent on the way: seconds from NOW, device, version, name of the trap."""
    names = {str(device.address): device.name for device in agents.fleet}
    found = []
    for at, address, data in agents.set_clock(until):
        notification = decode_notification(data)
        found.append((at - NOW, names[address], notification.version, notification.trap_oid))
    return found


def test_a_link_tells_at_both_ends_that_it_went_and_came(agents: Agents) -> None:
    agents.fleet.fault("edge", FaultKind.LINK_DOWN, NOW + 10, seconds=60, part=3)
    assert told(agents, NOW + 100) == [
        (10, "edge", "2c", f"{STANDARD}.3"),
        (10, "gate", "1", f"{STANDARD}.3"),
        (70, "edge", "2c", f"{STANDARD}.4"),
        (70, "gate", "1", f"{STANDARD}.4"),
    ]


def test_a_router_names_its_model_and_its_monitor_tells(agents: Agents) -> None:
    agents.fleet.fault("gate", FaultKind.LINK_DOWN, NOW + 10, seconds=60, part=1)
    sent = [decode_notification(data) for _, _, data in agents.set_clock(NOW + 20)]
    assert [(one.enterprise, one.generic, one.specific) for one in sent] == [
        ("1.3.6.1.4.1.119.1.84.16.1", 2, 0),
        ("1.3.6.1.4.1.119.2.3.84.8.2", 6, 1),
    ]
    assert str(sent[0].agent_address) == "127.31.0.5"
    assert (sent[0].varbinds[0].oid, sent[0].varbinds[0].value) == ("1.3.6.1.2.1.2.2.1.1.1", 1)


def test_a_ups_reminds_every_minute_until_power_is_back(agents: Agents) -> None:
    agents.fleet.fault("power", FaultKind.ON_BATTERY, NOW + 10, seconds=150)
    agents.fleet.fault("power-2", FaultKind.ON_BATTERY, NOW + 10, seconds=150)
    assert [one for one in told(agents, NOW + 300) if one[1] == "power"] == [
        (10, "power", "2c", f"{UPS_TRAPS}.1"),
        (10, "power", "2c", f"{UPS_TRAPS}.3"),
        (70, "power", "2c", f"{UPS_TRAPS}.1"),
        (130, "power", "2c", f"{UPS_TRAPS}.1"),
        (160, "power", "2c", f"{UPS_TRAPS}.4"),
    ]
    agents.set_clock(NOW)
    assert [one for one in told(agents, NOW + 300) if one[1] == "power-2"] == [
        (10, "power-2", "1", f"{POWERNET}.0.5"),
        (160, "power-2", "1", f"{POWERNET}.0.9"),
    ]


def test_a_battery_that_runs_low_says_so_once(agents: Agents) -> None:
    agents.fleet.fault("power", FaultKind.BATTERY_WORN, NOW - 1000)
    agents.fleet.fault("power", FaultKind.ON_BATTERY, NOW + 10, seconds=1500)
    low = [
        bound.value
        for _, address, data in agents.set_clock(NOW + 1500)
        for bound in decode_notification(data).varbinds
        if bound.oid.startswith("1.3.6.1.2.1.33.1.6.2.1.2.")
    ]
    assert low == [f"1.3.6.1.2.1.33.1.6.3.{alarm}" for alarm in (2, 3)]


def test_comware_tells_of_heat_load_and_configuration(agents: Agents) -> None:
    for kind in (FaultKind.HOT, FaultKind.HIGH_LOAD, FaultKind.CONFIGURED):
        agents.fleet.fault("edge", kind, NOW + 10, seconds=20)
    assert sorted(told(agents, NOW + 60)) == [
        (10, "edge", "2c", f"{COMWARE}.4.2.1"),
        (10, "edge", "2c", f"{COMWARE}.6.2.0.1"),
        (10, "edge", "2c", f"{COMWARE}.6.2.0.4"),
        (30, "edge", "2c", f"{COMWARE}.6.2.0.22"),
        (30, "edge", "2c", f"{COMWARE}.6.2.0.25"),
    ]


def test_a_start_and_an_intruder_are_told_by_everybody(agents: Agents) -> None:
    for device in agents.fleet:
        agents.fleet.fault(device.name, FaultKind.REBOOT, NOW + 10)
        agents.fleet.fault(device.name, FaultKind.INTRUDER, NOW + 100)
    sent = told(agents, NOW + 200)
    assert [one[3] for one in sent] == [f"{STANDARD}.1"] * len(agents.fleet) + [f"{STANDARD}.5"] * len(agents.fleet)
    assert {one[0] for one in sent} == {55, 100}


def test_a_dead_device_sends_nothing(agents: Agents) -> None:
    agents.fleet.fault("power", FaultKind.DEAD, NOW, seconds=100)
    agents.fleet.fault("power", FaultKind.ON_BATTERY, NOW + 10, seconds=50)
    assert told(agents, NOW + 90) == []


async def test_who_asks_with_a_wrong_community_is_told_of(agents: Agents, client: SnmpClient) -> None:
    for _ in range(3):
        with pytest.raises(Exception, match="no answer"):
            await client.get(target(agents, "web", community="guess", timeout=0.05), [SYS_NAME])
    assert told(agents, NOW + 1) == [(0, "web", "2c", f"{STANDARD}.5")]


async def test_what_happened_while_the_clock_stood_is_sent_once_it_runs() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        agents = await serve(Fleet(PLAN), traps_to=receiver.getsockname())
        try:
            stood_at = agents.clock.now()
            agents.set_clock(stood_at)
            agents.fleet.fault("power-2", FaultKind.ON_BATTERY, stood_at + 0.001, seconds=600)
            await asyncio.sleep(0.01)
            assert agents.set_clock(None) == []
            data, sender = await asyncio.wait_for(asyncio.get_running_loop().sock_recvfrom(receiver, 65_507), 20)
        finally:
            agents.close()
    assert sender[0] == "127.31.0.7"
    assert decode_notification(data).trap_oid == f"{POWERNET}.0.5"


# --- on the wire ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def snmptrapd(tmp_path: Path) -> AsyncIterator[tuple[int, asyncio.StreamReader]]:
    """net-snmp's receiver: its port, and what it prints: sender, then names and values."""
    port = free_udp_port()
    engine = PLAN_ENGINE
    user = f"{LOGIN.username} SHA-256 {LOGIN.auth_password} AES {LOGIN.priv_password}"
    lines = [
        "disableAuthorization yes",
        f"createUser -e 0x{engine} {user}",
        "format1 SEEN %b from %a: %N %w %q %v\\n",
        "format2 SEEN %b: %v\\n",
    ]
    (tmp_path / "traps.conf").write_text("\n".join(lines) + "\n")
    process = await asyncio.create_subprocess_exec(
        program("snmptrapd", "snmptrapd"),
        *("-f", "-C", "-c", str(tmp_path / "traps.conf"), "-Lo", "-On", "-n", f"udp:127.0.0.1:{port}"),
        env=net_snmp_environment(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout
    async with asyncio.timeout(15):
        while b"NET-SNMP version" not in await process.stdout.readline():
            pass
    yield port, process.stdout
    process.terminate()
    await process.wait()


PLAN_ENGINE = "80001f8801" + "7f1f0003"  # of web, 127.31.0.3


async def test_snmptrapd_understands_all_three_versions_and_sees_the_sender(
    snmptrapd: tuple[int, asyncio.StreamReader],
) -> None:
    port, printed = snmptrapd
    devices = [replace(spec, trap_version="3") if spec.name == "web" else spec for spec in PLAN.devices]
    agents = await serve(Fleet(replace(PLAN, devices=tuple(devices))), traps_to=("127.0.0.1", port))
    try:
        now = agents.clock.now()
        agents.fleet.fault("edge", FaultKind.LINK_DOWN, now + 0.001, seconds=600, part=1)
        agents.fleet.fault("power-2", FaultKind.ON_BATTERY, now + 0.001, seconds=600)
        seen: dict[str, str] = {}
        async with asyncio.timeout(20):
            while len(seen) < 3:
                line = (await printed.readline()).decode()
                if found := re.search(r"SEEN UDP: \[(127\.31\.0\.\d+)\]:\d+", line):
                    seen[found[1]] = line
    finally:
        agents.close()
    assert sorted(seen) == ["127.31.0.2", "127.31.0.3", "127.31.0.7"]
    assert f".{STANDARD}.3" in seen["127.31.0.2"]
    assert f".{STANDARD}.3" in seen["127.31.0.3"]
    assert f".{POWERNET} 6 .5 " in seen["127.31.0.7"]
    assert "On battery power" in seen["127.31.0.7"]
