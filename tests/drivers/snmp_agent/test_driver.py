"""The driver over a socket: few questions, faults that cost little, stages of a check, what it keeps."""

import asyncio
import json
import os
from collections.abc import Mapping
from typing import Any

import pytest

from apps.drivers.contract import PortState, Status, Target
from apps.drivers.snmp import oids
from apps.drivers.snmp_agent.driver import SnmpAgentDriver
from apps.protocols.errors import DeviceError, Stage, Unreachable, Unsupported
from apps.protocols.snmp import Tag
from apps.simulators.snmp_replay import Behaviour, Recording, ReplayAgent, serve
from tests.drivers.machines import WIRE
from tests.peers import free_udp_port

COMMUNITY = {"version": "2c", "community": "public"}


def target(port: int, state: Mapping[str, Any] | None = None, **fields: Any) -> Target:
    settings = {"credential": COMMUNITY, "timeout": 0.3, "retries": 0, **fields}
    return Target("127.0.0.1", port, "snmp-community", state=state or {}, **settings)


def server(ports: int = 24) -> Recording:
    """Give a Linux server with that many cabled ports, from the recorded one."""
    recording = Recording.load(WIRE / "snmp_agent" / "debian-12-snmpd" / "first.snmprec")
    for index in range(11, 11 + ports):
        for column, tag, value in (
            (oids.IF_DESCR, Tag.OCTET_STRING, f"eth{index}".encode()),
            (oids.IF_TYPE, Tag.INTEGER, 6),
            (oids.IF_SPEED, Tag.GAUGE32, 1_000_000_000),
            (oids.IF_PHYS_ADDRESS, Tag.OCTET_STRING, bytes((2, 0, 0, 0, 0, index))),
            (oids.IF_ADMIN_STATUS, Tag.INTEGER, 1),
            (oids.IF_OPER_STATUS, Tag.INTEGER, 1),
            (oids.IF_LAST_CHANGE, Tag.TIME_TICKS, 0),
            (oids.IF_IN_DISCARDS, Tag.COUNTER32, 0),
            (oids.IF_IN_ERRORS, Tag.COUNTER32, 0),
            (oids.IF_OUT_DISCARDS, Tag.COUNTER32, 0),
            (oids.IF_OUT_ERRORS, Tag.COUNTER32, 0),
            (oids.IF_NAME, Tag.OCTET_STRING, f"eth{index}".encode()),
            (oids.IF_HIGH_SPEED, Tag.GAUGE32, 1000),
            (oids.IF_ALIAS, Tag.OCTET_STRING, b""),
            *((column, Tag.COUNTER64, 5) for column in oids.WIDE_COUNTERS),
        ):
            recording.set(f"{column}.{index}", tag, value)
    return recording


async def poll(driver: SnmpAgentDriver) -> None:
    await driver.identify()
    await driver.read_health()
    await driver.read_sensors()
    await driver.read_ports()


async def test_a_whole_poll_of_a_server_with_24_ports_is_a_handful_of_questions() -> None:
    async with await serve(server(24)) as agent, SnmpAgentDriver(target(agent.port)) as driver:
        await poll(driver)
        asked = agent.requests
        await poll(driver)
        await driver.read_inventory()

        assert asked <= 7
        assert agent.requests == asked


async def test_a_hundred_polls_at_once_share_one_socket() -> None:
    async with await serve(server(2)) as agent:

        async def one() -> int:
            async with SnmpAgentDriver(target(agent.port, timeout=5.0)) as driver:
                await poll(driver)
                return len((await driver.read_ports()).ports)

        assert await one() == 6
        before = len(os.listdir("/proc/self/fd"))
        polls = asyncio.gather(*(one() for _ in range(100)))
        while not polls.done():
            assert len(os.listdir("/proc/self/fd")) < before + 5
            await asyncio.sleep(0)
        assert await polls == [6] * 100


async def test_an_agent_with_small_answers_still_takes_few_questions() -> None:
    async with await serve(server(24), behaviour=Behaviour(largest=1472)) as agent:
        async with SnmpAgentDriver(target(agent.port)) as driver:
            await poll(driver)
            report = await driver.read_ports()
        assert len(report.ports) == 28
        assert agent.requests <= 25


async def test_a_port_that_goes_down_is_told_and_comes_back() -> None:
    recording = server(1)
    state: Mapping[str, Any] = {}
    told = []
    async with await serve(recording) as agent:
        for oper in (2, 1, 2, 2, 1):
            recording.set(f"{oids.IF_OPER_STATUS}.11", Tag.INTEGER, oper)
            async with SnmpAgentDriver(target(agent.port, state)) as driver:
                told.append([(fact.key, fact.status) for fact in (await driver.read_health()).facts])
            state = driver.state

    down = [("if.11.down", Status.WARNING)]
    assert told == [[], [], down, down, []]


async def test_what_is_kept_is_json_and_has_no_secret() -> None:
    async with await serve(server(2)) as agent, SnmpAgentDriver(target(agent.port)) as driver:
        await poll(driver)

    kept = json.dumps(driver.state)
    assert json.loads(kept)["up"] == [1, 4, 11, 12]
    assert "public" not in kept
    assert set(driver.state) == {"up", "rates"}


async def test_a_check_alone_keeps_what_was_kept_before() -> None:
    before = {"up": [7], "rates": {"at": 1.0, "uptime": None, "counters": {}}}
    async with await serve(server(0)) as agent, SnmpAgentDriver(target(agent.port, before)) as driver:
        await driver.check()
    assert driver.state == before


async def test_an_agent_without_any_table_gives_no_sensors_and_no_error() -> None:
    recording = Recording({oids.SYS_DESCR: (Tag.OCTET_STRING, b"thing"), oids.SYS_UP_TIME: (Tag.TIME_TICKS, 100)})
    for version in ("1", "2c"):
        async with await serve(recording) as agent:
            credential = {"version": version, "community": "public"}
            async with SnmpAgentDriver(target(agent.port, credential=credential)) as driver:
                await driver.check()
                identity = await driver.identify()
                readings = await driver.read_sensors()
                assert (await driver.read_ports()).ports == ()
                assert (await driver.read_health()).facts == ()
        assert identity.description == "thing"
        assert [reading.sensor.key for reading in readings] == ["uptime"]


async def test_an_agent_that_answers_nothing_of_itself_is_not_supported() -> None:
    async with await serve(Recording({"1.3.6.1.4.1.1.0": (Tag.INTEGER, 1)})) as agent:
        with pytest.raises(Unsupported, match="shows no system group"):
            async with SnmpAgentDriver(target(agent.port)) as driver:
                await driver.check()


@pytest.mark.parametrize("behaviour", [Behaviour(circling=True), Behaviour(unending=True)])
async def test_an_endless_agent_ends_as_a_device_error(behaviour: Behaviour) -> None:
    async with await serve(server(2), behaviour=behaviour) as agent:
        with pytest.raises(DeviceError):
            async with SnmpAgentDriver(target(agent.port)) as driver:
                await driver.read_ports()


async def test_host_tables_that_cannot_be_read_cost_their_sensors_alone() -> None:
    agent_class = _CirclesInHostTables
    async with await _serve(agent_class, server(1)) as agent, SnmpAgentDriver(target(agent.port)) as driver:
        readings = await driver.read_sensors()
        health = await driver.read_health()
        report = await driver.read_ports()

    assert [(fact.key, fact.status) for fact in health.facts] == [("host-resources.unreadable", Status.UNKNOWN)]
    assert "storage.36" not in {reading.sensor.key for reading in readings}
    assert {port.state for port in report.ports if port.index == 11} == {PortState.UP}


async def test_an_agent_of_version_1_alone_is_named_when_asked_in_version_2c() -> None:
    async with await _serve(_VersionOneOnly, server(0)) as agent:
        with pytest.raises(Unsupported, match="does not speak SNMP version 2c, but version 1") as refused:
            async with SnmpAgentDriver(target(agent.port)) as driver:
                await driver.check()
        assert refused.value.stage is Stage.PROTOCOL
        one = {"version": "1", "community": "public"}
        async with SnmpAgentDriver(target(agent.port, credential=one)) as driver:
            assert (await driver.check())[-1].stage is Stage.PROTOCOL


async def test_a_closed_port_is_the_stage_port() -> None:
    with pytest.raises(Unreachable, match="Nothing listens") as refused:
        async with SnmpAgentDriver(target(free_udp_port())) as driver:
            await driver.check()
    assert refused.value.stage is Stage.PORT


async def test_an_address_without_a_route_is_the_stage_route() -> None:
    with pytest.raises(Unreachable) as lost:
        async with SnmpAgentDriver(Target("255.255.255.255", 161, "snmp-community", COMMUNITY)) as driver:
            await driver.check()
    assert lost.value.stage is Stage.ROUTE


async def test_an_unknown_name_is_the_stage_name() -> None:
    with pytest.raises(Unreachable) as unknown:
        async with SnmpAgentDriver(Target("no..such..name", 161, "snmp-community", COMMUNITY)) as driver:
            await driver.check()
    assert unknown.value.stage is Stage.NAME


@pytest.mark.parametrize(
    ("kind", "credential"),
    [
        ("", {}),
        ("password", {"username": "u", "password": "geheim"}),
        ("snmp-community", {"version": "9", "community": "geheim"}),
        ("snmp-v3", {"username": "u", "priv_protocol": "AES-128", "priv_password": "geheim"}),
    ],
)
async def test_a_credential_that_does_not_fit_is_named_before_anything_is_sent(
    kind: str, credential: dict[str, str]
) -> None:
    with pytest.raises(Unsupported) as refused:
        async with SnmpAgentDriver(Target("127.0.0.1", 161, kind, credential)):
            pass
    assert refused.value.stage is Stage.SIGN_IN
    assert "geheim" not in str(refused.value)


async def test_an_agent_that_is_too_old_is_refused_whatever_is_asked_of_it() -> None:
    recording = Recording.load(WIRE / "snmp_agent" / "serveragent-4.0" / "first.snmprec")
    async with await serve(recording) as agent, SnmpAgentDriver(target(agent.port)) as driver:
        for question in (driver.check, driver.identify, driver.read_health, driver.read_sensors, driver.read_inventory):
            with pytest.raises(Unsupported, match=r"ESMPRO/ServerAgent 4\.0 is too old"):
                await question()
        with pytest.raises(Unsupported):
            await driver.read_ports()


async def test_the_version_is_read_where_the_parameter_says() -> None:
    recording = server(0)
    recording.set("1.3.6.1.4.1.119.9999.1.0", Tag.OCTET_STRING, b"3.9")
    asked = {"agent_version_oid": "1.3.6.1.4.1.119.9999.1.0"}
    async with await serve(recording) as agent, SnmpAgentDriver(target(agent.port, parameters=asked)) as driver:
        with pytest.raises(Unsupported, match=r"3\.9 is too old: version 4\.1"):
            await driver.check()
        recording.set("1.3.6.1.4.1.119.9999.1.0", Tag.OCTET_STRING, b"4.6.1-1")
        assert (await driver.identify()).agent_version == "4.6.1-1"


async def test_a_version_parameter_that_is_no_object_identifier_is_named() -> None:
    async with await serve(server(0)) as agent:
        with pytest.raises(Unsupported, match="version is not an object identifier"):
            async with SnmpAgentDriver(target(agent.port, parameters={"agent_version_oid": "version"})) as driver:
                await driver.check()


class _VersionOneOnly(ReplayAgent):
    """An old agent: silent to everything but version 1."""

    def datagram_received(self, data: bytes, peer: tuple[Any, ...]) -> None:
        if data[4] == 0:
            super().datagram_received(data, peer)


class _CirclesInHostTables(ReplayAgent):
    """An agent whose storage table never ends, while everything else is in order."""

    def datagram_received(self, data: bytes, peer: tuple[Any, ...]) -> None:
        self.behaviour.circling = bytes.fromhex("2b060102011902030102") in data
        super().datagram_received(data, peer)


async def _serve(kind: type[ReplayAgent], recording: Recording) -> ReplayAgent:
    agent = kind(recording, b"public", Behaviour())
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: agent, local_addr=("127.0.0.1", 0))
    return agent
