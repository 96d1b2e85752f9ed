"""The driver for network devices over a socket: few questions, neighbours that are kept, and what it remembers."""

from collections.abc import Mapping
from typing import Any

import pytest

from apps.drivers.contract import Neighbour, Target
from apps.drivers.network_snmp import comware
from apps.drivers.network_snmp.driver import NetworkSnmpDriver
from apps.drivers.snmp import entity, lldp, oids
from apps.protocols.snmp import Tag
from apps.simulators.snmp_replay import Recording, ReplayAgent, serve
from tests.drivers.machines import WIRE

QX = WIRE / "network_snmp" / "univerge-qx-s5124gt-4x" / "first.snmprec"
OF_COMWARE = comware.MIBS[2].root


def target(agent: ReplayAgent, state: Mapping[str, Any], version: str = "2c") -> Target:
    credential = {"version": version, "community": "public"}
    return Target("127.0.0.1", agent.port, "snmp-community", credential, timeout=5.0, state=state)


async def poll(
    agent: ReplayAgent, state: Mapping[str, Any], version: str = "2c"
) -> tuple[list[Neighbour] | None, Mapping[str, Any], int]:
    """Poll once as the portal does; give the neighbours, what to keep, and how many questions it took."""
    before = agent.requests
    async with NetworkSnmpDriver(target(agent, state, version)) as driver:
        await driver.read_health()
        await driver.read_sensors()
        await driver.read_states()
        await driver.read_ports()
        heard = await driver.read_neighbours()
    return None if heard is None else list(heard), driver.state, agent.requests - before


async def test_a_poll_of_a_switch_that_is_known_is_a_handful_of_questions() -> None:
    async with await serve(Recording.load(QX)) as agent:
        _heard, state, first = await poll(agent, {})
        _heard, state, second = await poll(agent, state)
    assert (first, second) == (8, 3)
    # Of what the agent lacks only the roots are kept: the state goes to the database at every poll.
    assert len(str(state["absent"])) < 1500


@pytest.mark.parametrize("version", ["1", "2c"])
async def test_every_version_sees_the_same(version: str) -> None:
    async with await serve(Recording.load(QX)) as agent:
        heard, state, _questions = await poll(agent, {}, version)
        async with NetworkSnmpDriver(target(agent, state, version)) as driver:
            identity = await driver.identify()
            ports = (await driver.read_ports()).ports
    assert identity.model == "UNIVERGE QX-S5124GT-4X"
    assert [(each.local_port, each.system_name, each.port_id) for each in heard or ()] == [
        ("GE1/0/1", "core-1", "Ten-GigabitEthernet1/0/49")
    ]
    assert [port.name for port in ports] == ["GE1/0/1", "GE1/0/2", "GE1/0/3", "GE1/0/4", "Vlan1"]
    assert {port.counter_bits for port in ports} == {32 if version == "1" else 64}


class TestNeighbours:
    """They are read when the device says that something changed, and else now and then."""

    async def test_they_are_not_read_while_nothing_changes(self) -> None:
        async with await serve(Recording.load(QX)) as agent:
            heard, state, _questions = await poll(agent, {})
            again, state, _questions = await poll(agent, state)
        assert heard is not None
        assert again is None

    async def test_they_are_read_when_the_device_says_that_they_changed(self) -> None:
        recording = Recording.load(QX)
        async with await serve(recording) as agent:
            _heard, state, _questions = await poll(agent, {})
            recording.set(lldp.LAST_CHANGE, Tag.TIME_TICKS, 90_500)
            recording.set(f"{lldp.SYSTEM_NAME}.90000.1.7", Tag.OCTET_STRING, b"core-2")
            heard, state, _questions = await poll(agent, state)
        assert [each.system_name for each in heard or ()] == ["core-2"]
        assert state["lldp"]["changed"] == 90_500

    async def test_they_are_read_once_an_hour_whatever_it_says(self) -> None:
        async with await serve(Recording.load(QX)) as agent:
            _heard, state, _questions = await poll(agent, {})
            old = {**state, "lldp": {**state["lldp"], "at": state["lldp"]["at"] - 3600}}
            heard, _state, _questions = await poll(agent, old)
        assert heard is not None

    async def test_a_device_that_hears_nobody_any_more_says_so(self) -> None:
        recording = Recording.load(QX)
        async with await serve(recording) as agent:
            _heard, state, _questions = await poll(agent, {})
            for column in lldp.REMOTE[:-1]:
                recording.remove(f"{column}.90000.1.7")
            recording.set(lldp.LAST_CHANGE, Tag.TIME_TICKS, 90_600)
            heard, _state, _questions = await poll(agent, state)
        assert heard == []

    async def test_a_device_without_lldp_has_none_and_is_not_asked_again(self) -> None:
        recording = Recording({oids.SYS_DESCR: (Tag.OCTET_STRING, b"hub"), oids.SYS_UP_TIME: (Tag.TIME_TICKS, 9**9)})
        async with await serve(recording) as agent:
            heard, state, _questions = await poll(agent, {})
            again, _state, _questions = await poll(agent, state)
        assert (heard, again) == ([], None)


class TestParts:
    """What parts are called is remembered; how they are is asked at every poll."""

    async def test_a_part_that_fails_is_seen_at_once(self) -> None:
        recording = Recording.load(QX)
        async with await serve(recording) as agent:
            _heard, state, _questions = await poll(agent, {})
            recording.set(f"{OF_COMWARE}.1.1.1.1.19.15", Tag.INTEGER, 41)
            async with NetworkSnmpDriver(target(agent, state)) as driver:
                facts = (await driver.read_health()).facts
        assert [fact.message % fact.params for fact in facts] == [
            "Power Supply 2: Power supply failed",
            "Fan 1: Fan failed",
        ]

    async def test_a_part_that_is_put_in_is_called_by_its_name_when_the_device_says_that_parts_changed(self) -> None:
        recording = Recording.load(QX)
        async with await serve(recording) as agent:
            _heard, state, _questions = await poll(agent, {})
            for column, tag, value in (
                (entity.CLASS, Tag.INTEGER, 7),
                (entity.NAME, Tag.OCTET_STRING, b"Fan 2"),
                (entity.CONTAINED_IN, Tag.INTEGER, 2),
            ):
                recording.set(f"{column}.16", tag, value)
            recording.set(f"{OF_COMWARE}.1.1.1.1.19.16", Tag.INTEGER, 2)
            _heard, state, _questions = await poll(agent, state)
            assert "16" not in {row[0] for row in state["parts"]["parts"]}

            recording.set(entity.LAST_CHANGE, Tag.TIME_TICKS, 5000)
            async with NetworkSnmpDriver(target(agent, state)) as driver:
                states = await driver.read_states()
        assert ("entity.16", "Fan 2", ("Working",)) in [(one.key, one.name, one.words) for one in states]
