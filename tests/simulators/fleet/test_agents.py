"""The agents as others see them: net-snmp and our client read the same, v1, v2c and v3; every fault shows."""

import asyncio
import socket
from dataclasses import replace
from typing import Any

import pytest

from apps.protocols.errors import AuthenticationFailed, Unreachable
from apps.protocols.snmp import SnmpClient, SnmpTarget
from apps.protocols.snmp.ber import RawVarbind
from apps.simulators.fleet import Agents, FaultKind, Fleet, Plan, Spec, mixed, serve
from apps.simulators.fleet.plan import BadPlan
from tests.peers import program
from tests.simulators.fleet.conftest import DEVICES, LOGIN, NOW, PLAN

IF_OPER_STATUS = "1.3.6.1.2.1.2.2.1.8"
IF_HC_IN, IF_HC_OUT = "1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.31.1.1.1.10"
SYS_NAME, SYS_UP_TIME = "1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.1.3.0"
LLDP = "1.0.8802.1.1.2.1.4.1.1"


def target(agents: Agents, name: str, **fields: Any) -> SnmpTarget:
    """How our client reaches a device."""
    address = agents.fleet.device(name).spec.address
    return SnmpTarget(**{"address": address, "port": agents.port, "timeout": 0.5, "retries": 0} | fields)


def as_user(agents: Agents, name: str, **fields: Any) -> SnmpTarget:
    """How our client reaches a device as the fleet's user."""
    login = {one: getattr(LOGIN, one) for one in LOGIN.__slots__}
    return target(agents, name, **{"version": "3", **login} | fields)


async def walk(client: SnmpClient, agent: SnmpTarget) -> list[RawVarbind]:
    """Give everything that an agent shows: neighbours first."""
    return [*await client.walk(agent, "1.0"), *await client.walk(agent, "1.3")]


async def net_snmp(tool: str, *words: str) -> list[str]:
    """Give what one of net-snmp's programs prints."""
    process = await asyncio.create_subprocess_exec(
        program(tool, "snmp"),
        *words,
        env={"MIBS": "", "SNMPCONFPATH": "/nowhere", "LC_ALL": "C"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    lines = said.decode(errors="replace").splitlines()
    return [line for line in lines if line.startswith(".") and "No more variables left" not in line]


@pytest.mark.parametrize("device", [spec.name for spec in DEVICES])
async def test_net_snmp_walks_what_our_client_walks(agents: Agents, client: SnmpClient, device: str) -> None:
    place = f"{agents.fleet.device(device).spec.address}:{agents.port}"
    walked = [f".{bound[0]}" for bound in await walk(client, target(agents, device))]
    narrow = [f".{bound[0]}" for bound in await walk(client, target(agents, device, version="1"))]
    bulk = await net_snmp("snmpbulkwalk", "-v2c", "-c", "public", "-On", "-Oe", place, "1")
    one_by_one = await net_snmp("snmpwalk", "-v1", "-c", "public", "-On", "-Oe", place, "1")

    assert [line.split(" = ")[0] for line in bulk] == walked
    assert [line.split(" = ")[0] for line in one_by_one] == narrow
    assert one_by_one == [line for line in bulk if " = Counter64: " not in line]
    assert any(" = Counter64: " in line for line in bulk) is (device != "tapes")


async def test_net_snmp_walks_as_a_version_3_user(agents: Agents, client: SnmpClient) -> None:
    words = ["-v3", "-u", LOGIN.username, "-l", "authPriv", "-a", "SHA-256", "-A", LOGIN.auth_password]
    words += ["-x", "AES", "-X", LOGIN.priv_password, "-On", f"127.31.0.3:{agents.port}", "1.3.6.1.2.1"]
    walked = await net_snmp("snmpbulkwalk", *words)
    ours = await client.walk(as_user(agents, "web"), "1.3.6.1.2.1")
    assert [line.split(" = ")[0] for line in walked] == [f".{bound.oid}" for bound in ours]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"auth_password": "something else"}, "wrongDigest"),
        ({"username": "nobody"}, "unknownUserName"),
        ({"priv_protocol": "none"}, "unsupportedSecLevel"),
        ({"priv_password": "something else"}, "decryptionError"),
    ],
)
async def test_a_wrong_user_is_refused_by_its_name(
    agents: Agents, client: SnmpClient, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(AuthenticationFailed) as refusal:
        await client.get(as_user(agents, "web", **fields), [SYS_NAME])
    assert words in str(refusal.value)


async def test_an_answer_comes_from_the_address_that_was_asked(agents: Agents) -> None:
    """A connected socket hears nothing from elsewhere."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.setblocking(False)
        asker.connect(("127.31.0.4", agents.port))
        question = bytes.fromhex("302602010104067075626c6963a01902010102010002010030 0e300c06082b060102010105000500")
        await loop.sock_sendall(asker, question)
        answer = await asyncio.wait_for(loop.sock_recv(asker, 1500), 5)
    assert b"books.example.net" in answer


async def test_an_address_without_a_device_is_silent(agents: Agents, client: SnmpClient) -> None:
    nobody = SnmpTarget(address="127.31.0.99", port=agents.port, timeout=0.2, retries=0)
    with pytest.raises(Unreachable):
        await client.get(nobody, [SYS_NAME])


async def test_a_thousand_agents_answer_in_one_process(client: SnmpClient) -> None:
    plan = mixed(1000, "127.32.0.1", seed="many")
    agents = await serve(Fleet(plan))
    try:

        async def name_of(spec: Spec) -> Any:
            found = await client.get(SnmpTarget(address=spec.address, port=agents.port, timeout=5.0), [SYS_NAME])
            return found[SYS_NAME]

        names = await asyncio.gather(*(name_of(spec) for spec in plan.devices))
    finally:
        agents.close()
    assert names == [f"{spec.name}.example.net".encode() for spec in plan.devices]
    assert len({spec.address for spec in plan.devices}) == 1000


# --- values -----------------------------------------------------------------------------------------------------------


async def test_counters_follow_the_clock_and_any_past_is_the_same_again(agents: Agents, client: SnmpClient) -> None:
    web = target(agents, "web")

    async def octets(at: float) -> int:
        agents.set_clock(at)
        return int((await client.get(web, [f"{IF_HC_IN}.2"]))[f"{IF_HC_IN}.2"])  # type: ignore[call-overload]

    now, hour_ago, again = [await octets(at) for at in (NOW, NOW - 3600, NOW)]
    assert again == now > hour_ago
    port = agents.fleet.device("web").ports[1]  # type: ignore[attr-defined]
    assert abs((now - hour_ago) / 3600 - port.into.over(3600, NOW)) < 1


async def test_both_ends_of_a_link_count_the_same_and_see_each_other(agents: Agents, client: SnmpClient) -> None:
    rates = {}
    for name, column, index in (("web", IF_HC_OUT, 2), ("edge", IF_HC_IN, 1)):
        counts = []
        for at in (NOW - 60, NOW):
            agents.set_clock(at)
            oid = f"{column}.{index}"
            counts.append(int((await client.get(target(agents, name), [oid]))[oid]))  # type: ignore[call-overload]
        rates[name] = counts[1] - counts[0]
    assert abs(rates["web"] - rates["edge"]) <= 1

    table = await client.table(target(agents, "edge"), [f"{LLDP}.7", f"{LLDP}.9"])
    assert table[f"{LLDP}.9"]["0.1.1"] == b"web.example.net"
    assert table[f"{LLDP}.7"]["0.1.1"] == b"ens1f0"
    uplink = await client.table(target(agents, "core"), [f"{LLDP}.7", f"{LLDP}.9"])
    assert uplink[f"{LLDP}.9"] == {"0.49.1": b"edge.example.net"}
    assert uplink[f"{LLDP}.7"] == {"0.49.1": b"Ten-GigabitEthernet1/0/25"}
    assert table[f"{LLDP}.9"]["0.25.1"] == b"core.example.net"


async def test_the_same_plan_makes_the_same_devices(agents: Agents, client: SnmpClient) -> None:
    other = await serve(Fleet(PLAN))
    other.set_clock(NOW)
    try:
        for name in ("core", "web", "power"):
            assert await walk(client, target(agents, name)) == await walk(client, target(other, name))
    finally:
        other.close()


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FaultKind.DEAD, FaultKind.REBOOT, FaultKind.WRONG_COMMUNITY])
async def test_who_is_away_or_was_changed_is_silent(agents: Agents, client: SnmpClient, kind: FaultKind) -> None:
    agents.fleet.fault("web", kind, NOW, seconds=60)
    with pytest.raises(Unreachable):
        await client.get(target(agents, "web", timeout=0.2), [SYS_NAME])
    assert await client.get(target(agents, "books"), [SYS_NAME])
    agents.set_clock(NOW + 61)
    assert await client.get(target(agents, "web"), [SYS_NAME])


async def test_a_changed_password_is_refused(agents: Agents, client: SnmpClient) -> None:
    agents.fleet.fault("web", FaultKind.WRONG_COMMUNITY, NOW)
    with pytest.raises(AuthenticationFailed):
        await client.get(as_user(agents, "web"), [SYS_NAME])
    agents.fleet.mend("web", NOW)
    assert await client.get(as_user(agents, "web"), [SYS_NAME])


async def test_a_slow_device_answers_late(agents: Agents, client: SnmpClient) -> None:
    agents.fleet.fault("web", FaultKind.SLOW, NOW, strength=0.3)
    with pytest.raises(Unreachable):
        await client.get(target(agents, "web", timeout=0.1), [SYS_NAME])
    assert await client.get(target(agents, "web", timeout=5.0), [SYS_NAME])


async def test_a_lossy_device_answers_who_asks_again(agents: Agents, client: SnmpClient) -> None:
    agents.fleet.fault("web", FaultKind.LOSSY, NOW, strength=0.5)
    for _ in range(20):
        assert await client.get(target(agents, "web", timeout=0.05, retries=12), [SYS_NAME])
    assert agents.requests > agents.answers == 20


async def test_a_restart_sets_the_clock_and_the_counters_back(agents: Agents, client: SnmpClient) -> None:
    wanted = [SYS_UP_TIME, f"{IF_HC_IN}.2"]
    before = await client.get(target(agents, "web"), wanted)
    agents.fleet.fault("web", FaultKind.REBOOT, NOW + 10, seconds=40)
    agents.set_clock(NOW + 55)
    after = await client.get(target(agents, "web"), wanted)
    assert after[SYS_UP_TIME] == 500
    assert after[f"{IF_HC_IN}.2"] < before[f"{IF_HC_IN}.2"]  # type: ignore[operator]


async def test_a_link_that_is_down_counts_nothing_at_either_end(agents: Agents, client: SnmpClient) -> None:
    agents.fleet.fault("edge", FaultKind.LINK_DOWN, NOW, seconds=300, part=1)
    seen = []
    for at in (NOW, NOW + 299, NOW + 301):
        agents.set_clock(at)
        edge = await client.get(target(agents, "edge"), [f"{IF_OPER_STATUS}.1", f"{IF_HC_IN}.1"])
        web = await client.get(target(agents, "web"), [f"{IF_OPER_STATUS}.2", f"{IF_HC_OUT}.2"])
        neighbours = await client.table(target(agents, "edge"), [f"{LLDP}.9"])
        seen.append([*edge.values(), *web.values(), "0.1.1" in neighbours[f"{LLDP}.9"]])
    (down, down_still, up) = seen
    assert down[0] == down[2] == 2
    assert down[1:] == down_still[1:] == [down[1], 2, down[3], False]
    assert [up[0], up[2], up[4]] == [1, 1, True]
    assert up[1] > down[1]


async def test_the_other_faults_show_in_the_values(agents: Agents, client: SnmpClient) -> None:
    load, ticks = "1.3.6.1.2.1.25.3.3.1.2.196608", "1.3.6.1.4.1.2021.11.53.0"
    used, size = "1.3.6.1.2.1.25.2.3.1.6.42", "1.3.6.1.2.1.25.2.3.1.5.42"
    degrees = "1.3.6.1.2.1.99.1.1.1.4.20"
    before = await client.get(target(agents, "web"), [load, ticks, used, size])
    assert before[load] < 80  # type: ignore[operator]
    assert before[used] < 0.8 * before[size]  # type: ignore[operator]
    cool = (await client.get(target(agents, "edge"), [degrees]))[degrees]
    assert 20 <= cool <= 45  # type: ignore[operator]

    agents.fleet.fault("web", FaultKind.HIGH_LOAD, NOW)
    agents.fleet.fault("web", FaultKind.DISK_FULL, NOW, part=2)
    agents.fleet.fault("edge", FaultKind.HOT, NOW)
    agents.set_clock(NOW + 100)
    after = await client.get(target(agents, "web"), [load, ticks, used, size])
    assert after[load] == 97
    idle = (after[ticks] - before[ticks]) % 2**32 / (100 * 100 * 8)  # type: ignore[operator]
    assert 0.02 < idle < 0.04
    assert after[used] == int(0.98 * after[size])  # type: ignore[operator]
    assert (await client.get(target(agents, "edge"), [degrees]))[degrees] >= 55  # type: ignore[operator]


async def test_a_ups_on_its_battery_discharges_and_recovers(agents: Agents, client: SnmpClient) -> None:
    source, seconds, minutes, charge = (f"1.3.6.1.2.1.33.1.{oid}.0" for oid in ("4.1", "2.2", "2.3", "2.4"))
    wanted = [source, seconds, minutes, charge]
    agents.fleet.fault("power", FaultKind.ON_BATTERY, NOW, seconds=240)
    agents.fleet.fault("power-2", FaultKind.ON_BATTERY, NOW, seconds=240)
    seen = []
    for at in (NOW - 1, NOW + 120, NOW + 239, NOW + 300, NOW + 7200):
        agents.set_clock(at)
        seen.append(list((await client.get(target(agents, "power"), wanted)).values()))
    assert [row[0] for row in seen] == [3, 5, 5, 3, 3]
    assert [row[1] for row in seen] == [0, 120, 239, 0, 0]
    charges = [row[3] for row in seen]
    assert charges[0] == charges[4] == 100
    assert charges[0] > charges[1] > charges[2] <= charges[3] < 100  # type: ignore[operator]
    assert seen[2][2] < seen[0][2]  # type: ignore[operator]

    status, left = "1.3.6.1.4.1.318.1.1.1.4.1.1.0", "1.3.6.1.4.1.318.1.1.1.2.2.1.0"
    agents.set_clock(NOW + 200)
    found = await client.get(target(agents, "power-2"), [status, left])
    assert found[status] == 3
    assert found[left] < 100  # type: ignore[operator]


# --- plans ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (Spec("x", "mainframe", "127.31.1.1"), "there is no mainframe"),
        (Spec("x", "switch", "127.31.1.1", model="unknown"), "not unknown"),
        (Spec("x", "linux", "127.31.1.1", role="unknown"), "not unknown"),
        (Spec("x", "linux", "127.31.1.1", uplink="web"), "which is no switch"),
        (Spec("x", "replay", "127.31.1.1", dump="/nowhere"), "is no dump"),
        (Spec("x", "linux", "127.31.1.1", faults=({"kind": "on-battery"},)), "it cannot be on-battery"),
        (Spec("x", "linux", "127.31.1.1", faults=({"kind": "disk-full", "part": 9},)), "has 2 disks"),
        (Spec("x", "switch", "127.31.1.1", faults=({"kind": "link-down", "part": 99},)), "has no port 99"),
        (Spec("x", "linux", "127.31.1.1", faults=({"kind": "tired"},)), "tired is no kind of fault"),
        (Spec("x", "linux", "127.31.1.1", faults=({"kind": "hot", "often": 1},)), "a fault has no often"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(spec: Spec, words: str) -> None:
    with pytest.raises(BadPlan, match=words):
        Fleet(replace(PLAN, devices=(*DEVICES, spec)))


def test_a_fleet_is_seen_by_its_own_machine_only() -> None:
    with pytest.raises(BadPlan, match="no loopback address"):
        mixed(3, "192.0.2.1")


def test_a_replayed_dump_is_one_more_device(tmp_path: Any) -> None:
    dump = tmp_path / "old.snmprec"
    dump.write_text("1.3.6.1.2.1.1.5.0|4|recorded\n")
    fleet = Fleet(Plan((Spec("old", "replay", "127.31.0.1", dump=str(dump)),)))
    assert fleet.device("old").view(NOW).following((1,), 5, True) == [
        fleet.device("127.31.0.1").view(NOW).exactly((1, 3, 6, 1, 2, 1, 1, 5, 0), True)
    ]
