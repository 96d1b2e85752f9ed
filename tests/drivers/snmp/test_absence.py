"""What an agent does not have is not asked for again, until a day has passed or the agent restarts."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from apps.drivers.contract import Reading, Target
from apps.drivers.snmp import oids
from apps.drivers.snmp.absence import LIFETIME, SETTLED, Absence
from apps.drivers.snmp_agent.driver import SnmpAgentDriver
from apps.protocols.snmp import Tag
from apps.simulators.snmp_replay import Recording, ReplayAgent, serve

PORTS = 24
UPTIME = 100_000  # hundredths of a second


def switch(uptime: int = UPTIME) -> Recording:
    """Give a switch with 32-bit counters and nothing of a host."""
    recording = Recording(
        {
            oids.SYS_DESCR: (Tag.OCTET_STRING, b"switch"),
            oids.SYS_UP_TIME: (Tag.TIME_TICKS, uptime),
            oids.IF_NUMBER: (Tag.INTEGER, PORTS),
        }
    )
    for index in range(1, PORTS + 1):
        recording.set(f"{oids.IF_DESCR}.{index}", Tag.OCTET_STRING, b"port")
        recording.set(f"{oids.IF_OPER_STATUS}.{index}", Tag.INTEGER, 1)
        recording.set(f"{oids.IF_IN_OCTETS}.{index}", Tag.COUNTER32, index)
        recording.set(f"{oids.IF_OUT_OCTETS}.{index}", Tag.COUNTER32, index)
    return recording


async def poll(agent: ReplayAgent, state: Mapping[str, Any], version: str = "2c") -> tuple[list[Reading], Any, int]:
    """Give the readings, what is kept, and how many questions it took."""
    before = agent.requests
    credential = {"version": version, "community": "public"}
    target = Target("127.0.0.1", agent.port, "snmp-community", credential, timeout=0.3, retries=0, state=state)
    async with SnmpAgentDriver(target) as driver:
        await driver.read_health()
        readings = list(await driver.read_sensors())
        assert len((await driver.read_ports()).ports) == PORTS
    return readings, driver.state, agent.requests - before


def keys(readings: list[Reading]) -> set[str]:
    return {reading.sensor.key for reading in readings}


async def test_the_second_poll_asks_only_for_what_there_is_and_reads_the_same() -> None:
    async with await serve(switch()) as agent:
        first, state, questions = await poll(agent, {})
        second, kept, fewer = await poll(agent, state)

    assert (questions, fewer) == (5, 2)  # one for what is no table, one for the 24 ports
    assert keys(second) == keys(first)
    assert kept["absent"] == state["absent"]
    assert {oids.HR_STORAGE_SIZE, oids.IF_HC_IN_OCTETS, oids.LA_LOAD_1} <= set(state["absent"]["oids"])
    assert {oids.IF_DESCR, oids.IF_IN_OCTETS, oids.SYS_UP_TIME}.isdisjoint(state["absent"]["oids"])


@pytest.mark.parametrize("forgotten", ["a day has passed", "the agent restarted"])
async def test_what_an_agent_gained_is_found(forgotten: str) -> None:
    recording = switch()
    async with await serve(recording) as agent:
        _readings, state, _questions = await poll(agent, {})
        recording.set(oids.HR_SYSTEM_PROCESSES, Tag.GAUGE32, 7)
        recording.set(f"{oids.HR_PROCESSOR_LOAD}.1", Tag.INTEGER, 30)
        readings, state, _questions = await poll(agent, state)
        assert not keys(readings) & {"processes", "cpu"}

        if forgotten == "the agent restarted":
            recording.set(oids.SYS_UP_TIME, Tag.TIME_TICKS, UPTIME - 1)
        else:
            state = {**state, "absent": {**state["absent"], "at": time.time() - LIFETIME}}
        readings, state, _questions = await poll(agent, state)

    assert keys(readings) >= {"processes", "cpu"}
    assert {oids.HR_SYSTEM_PROCESSES, oids.HR_PROCESSOR_LOAD}.isdisjoint(state["absent"]["oids"])


async def test_nothing_is_concluded_from_an_agent_that_has_just_started() -> None:
    async with await serve(switch(uptime=int(SETTLED * 100) - 1)) as agent:
        _readings, state, _questions = await poll(agent, {})
    assert "absent" not in state


async def test_nothing_is_concluded_of_ports_where_there_are_none() -> None:
    recording = Recording(
        {oids.SYS_DESCR: (Tag.OCTET_STRING, b"thing"), oids.SYS_UP_TIME: (Tag.TIME_TICKS, UPTIME)},
    )
    async with await serve(recording) as agent:
        target = Target("127.0.0.1", agent.port, "snmp-community", {"version": "2c", "community": "public"})
        async with SnmpAgentDriver(target) as driver:
            await driver.read_sensors()
    absent = set(driver.state["absent"]["oids"])
    assert absent.isdisjoint((*oids.INTERFACES, *oids.WIDE_COUNTERS, *oids.NARROW_COUNTERS))
    assert absent >= set(oids.HOST_TABLES)


async def test_the_other_version_is_asked_for_wide_counters_again() -> None:
    recording = switch()
    async with await serve(recording) as agent:
        _readings, state, _questions = await poll(agent, {}, version="1")
        for index in range(1, PORTS + 1):
            recording.set(f"{oids.IF_HC_IN_OCTETS}.{index}", Tag.COUNTER64, 5)
        target = Target(
            "127.0.0.1", agent.port, "snmp-community", {"version": "2c", "community": "public"}, state=state
        )
        async with SnmpAgentDriver(target) as driver:
            ports = (await driver.read_ports()).ports
    assert {(port.counter_bits, port.in_octets) for port in ports} == {(64, 5)}


@pytest.mark.parametrize("state", [None, 5, [], {}, {"at": 1.0, "uptime": None, "oids": []}, {"at": 1.0, "oids": {}}])
def test_what_is_no_absence_is_forgotten(state: Any) -> None:
    assert Absence.from_state(state) is None


def test_an_absence_comes_back_from_its_state() -> None:
    absence = Absence(5.0, 900.0, frozenset({"1.3.1", "1.3.2"}))
    assert Absence.from_state(absence.to_state()) == absence
