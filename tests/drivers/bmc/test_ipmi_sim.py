"""Our driver and ipmitool before the same controller: OpenIPMI's simulator."""

import asyncio
import re
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from apps.drivers.bmc.driver import BmcDriver
from apps.drivers.contract import (
    BootDevice,
    BootOverride,
    Limits,
    PowerAction,
    PowerState,
    Quantity,
    Stage,
    Status,
    Target,
)
from apps.protocols.errors import AuthenticationFailed, Unreachable, Unsupported
from apps.protocols.ipmi import measuring, session
from tests.ipmi_sim import ADDED_AT, DISCRETE, GUID, PASSWORD, USERNAME, IpmiSim, ipmi_sim

READER = """
import asyncio, sys
from apps.drivers.bmc.driver import BmcDriver
from apps.drivers.contract import Target
from apps.protocols.ipmi import repository

async def read(port, username, password):
    target = Target("127.0.0.1", int(port), "password", {"username": username, "password": password})
    counts = set()
    for _ in range(3):
        repository.forget()
        async with BmcDriver(target) as driver:
            counts.add(len(await driver.read_states()))
    print(*counts, "states, three times")

asyncio.run(read(*sys.argv[1:]))
"""
_NUMBER = re.compile(r"^-?[\d.]+$")


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpmiSim]:
    """One controller for the whole module."""
    with ipmi_sim(tmp_path_factory.mktemp("bmc")) as running:
        yield running


def target(simulator: IpmiSim, password: str = PASSWORD, **parameters: Any) -> Target:
    """The way to the controller."""
    login = {"username": USERNAME, "password": password}
    return Target("127.0.0.1", simulator.port, "password", login, parameters, timeout=1.0, retries=1)


async def test_the_check_tells_how_it_came_in(simulator: IpmiSim) -> None:
    async with BmcDriver(target(simulator)) as driver:
        steps = await driver.check()
    assert [step.stage for step in steps] == [Stage.PORT, Stage.SIGN_IN, Stage.PROTOCOL]
    assert [step.seen % step.params for step in steps][1:] == [
        "Signed in with cipher suite 3",
        "NEC, firmware 2.45, IPMI 2.0",
    ]


async def test_the_machine_says_who_it_is(simulator: IpmiSim) -> None:
    async with BmcDriver(target(simulator)) as driver:
        facts = await driver.identify()
        items = await driver.read_inventory()
    cells = [line.split(":", 1) for line in simulator.ipmitool("fru").splitlines() if ":" in line]
    told = {name.strip(): value.strip() for name, value in cells}
    assert facts.serial_number == told["Product Serial"] == "SRV0001"
    assert facts.model == told["Product Name"] == "Express5800/R120k-1M"
    assert facts.manufacturer == told["Product Manufacturer"] == "NEC"
    assert facts.uuid == GUID
    details = {item.key: item.details for item in items}
    assert details["fru.0"]["Part number"] == told["Product Part Number"]
    assert details["fru.0"]["Chassis serial number"] == told["Chassis Serial"]
    assert details["controller"]["Firmware version"] == "2.45"
    lan = simulator.ipmitool("lan", "print", "1", fails=True)  # not all of it is in the simulator
    assert f": {details['lan.1']['Address']}" in lan
    assert details["lan.1"]["MAC address"] == "02:00:00:00:20:17"
    assert "02:00:00:00:20:17" in lan


async def test_sensors_are_those_of_ipmitool(simulator: IpmiSim) -> None:
    async with BmcDriver(target(simulator)) as driver:
        found = {reading.sensor.name: reading for reading in await driver.read_sensors()}
    told = {}
    for line in simulator.ipmitool("sensor").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if _NUMBER.match(cells[1]):
            told[cells[0]] = [float(cell) if _NUMBER.match(cell) else None for cell in (cells[1], *cells[5:9])]
    ours = {
        name: [
            one.value,
            one.sensor.limits.lower_critical,
            one.sensor.limits.lower_warning,
            one.sensor.limits.upper_warning,
            one.sensor.limits.upper_critical,
        ]
        for name, one in found.items()
    }
    assert ours == told
    assert list(found) == ["CPU1 Temp", "P12V", "Fan1", "PS Power", "Ambient"]
    cpu = found["CPU1 Temp"]
    assert (cpu.value, cpu.sensor.key, cpu.sensor.quantity) == (48.0, "20.0.02", Quantity.TEMPERATURE)
    assert cpu.sensor.limits == Limits(3.0, 5.0, 85.0, 95.0)
    assert (found["P12V"].value, found["P12V"].sensor.unit) == (12.12, "V")
    assert found["Ambient"].value == -5.0
    assert (found["Fan1"].value, found["Fan1"].sensor.unit) == (4200.0, "rpm")


async def test_discrete_sensors_are_states_and_what_is_wrong_is_a_fact(simulator: IpmiSim) -> None:
    async with BmcDriver(target(simulator)) as driver:
        states = {state.name: (state.words, state.status) for state in await driver.read_states()}
        health = await driver.read_health()
    assert states == {
        "PSU1 Status": (("Present",), Status.NORMAL),
        "PSU2 Status": (("Input lost", "Present"), Status.CRITICAL),
        "Drive 1": (("Drive present",), Status.NORMAL),
    }
    assert [(fact.key, fact.status) for fact in health.facts] == [("state.20.0.21", Status.CRITICAL)]


async def test_a_value_beyond_its_limit_is_critical_by_the_controllers_word(simulator: IpmiSim) -> None:
    simulator.say("sensor_set_value 0x20 0 2 97 0")
    try:
        async with BmcDriver(target(simulator)) as driver:
            hot = (await driver.read_sensors())[0]
    finally:
        simulator.say("sensor_set_value 0x20 0 2 48 0")
    assert (hot.value, hot.status) == (97.0, Status.CRITICAL)


async def test_the_event_log_is_read_entry_by_entry_and_only_once(simulator: IpmiSim) -> None:
    async with BmcDriver(target(simulator)) as driver:
        first = await driver.read_events({})
        again = await driver.read_events(first.place)
    assert [event.key for event in first.events] == ["1", "2", "3"]
    assert [event.source for event in first.events] == ["CPU1 Temp", "PSU2 Status", "PSU2 Status"]
    assert [event.at for event in first.events] == [ADDED_AT + timedelta(minutes=place) for place in range(3)]
    assert [event.asserted for event in first.events] == [True, True, False]
    assert (again.events, again.cleared) == ((), False)
    listed = [line.split("|") for line in simulator.ipmitool("sel", "elist").splitlines()]
    assert [int(cells[0], 16) for cells in listed] == [1, 2, 3]
    assert [cells[2].strip() for cells in listed] == ["10:00:00 UTC", "10:01:00 UTC", "10:02:00 UTC"]
    assert [cells[4].strip() for cells in listed] == [
        "Upper Critical going high",
        "Power Supply AC lost",
        "Power Supply AC lost",
    ]

    simulator.say("sel_add 0x20 0x02 0 0 0 0 0x20 0 4 0x0d 34 0x6f 1 0xff 0xff")
    async with BmcDriver(target(simulator)) as driver:
        later = await driver.read_events(first.place)
        await driver.clear_events()
        emptied = await driver.read_events(later.place)
    assert [(event.source, event.text, event.status) for event in later.events] == [
        ("Drive 1", "Drive failed", Status.CRITICAL)
    ]
    assert later.cleared is False
    assert emptied.events == ()
    assert emptied.cleared is True
    assert simulator.ipmitool("sel", "list") == ""


async def test_power_is_ordered_once_and_seen_by_both(simulator: IpmiSim) -> None:
    before = len(simulator.orders())
    async with BmcDriver(target(simulator)) as driver:
        assert (await driver.read_power()).state is PowerState.ON
        await driver.set_power(PowerAction.OFF)
        off = await driver.read_power()
        assert (off.state, off.actions) == (PowerState.OFF, frozenset(PowerAction) - {PowerAction.REBOOT})
        assert "is off" in simulator.ipmitool("power", "status")
        fan = (await driver.read_sensors())[2]
        await driver.set_power(PowerAction.ON)
        assert (await driver.read_power()).state is PowerState.ON
        await driver.set_power(PowerAction.RESET)
        with pytest.raises(Unsupported):
            await driver.set_power(PowerAction.REBOOT)
    assert "is on" in simulator.ipmitool("power", "status")
    assert fan.value == 4200.0  # the simulated fan turns on
    assert simulator.orders()[before:] == ["set power 0", "set power 1", "set reset 1"]


async def test_the_boot_device(simulator: IpmiSim) -> None:
    before = len(simulator.orders())
    async with BmcDriver(target(simulator)) as driver:
        await driver.set_boot(BootOverride(BootDevice.PXE))
        told = await driver.read_boot()
        seen = simulator.ipmitool("chassis", "bootparam", "get", "5")
        await driver.set_boot(BootOverride(BootDevice.NONE))
        assert (await driver.read_boot()).device is BootDevice.NONE
    # The simulator keeps the device and forgets that it is valid: both of us say so.
    assert "Boot Device Selector : Force PXE" in seen
    assert "Boot Flag Invalid" in seen
    assert told.device is BootDevice.NONE
    assert simulator.orders()[before:] == ["set boot pxe", "set boot none"]


async def test_the_lamp_is_lit_for_a_time_or_for_good_and_put_out(simulator: IpmiSim) -> None:
    before = len(simulator.orders())
    async with BmcDriver(target(simulator)) as driver:
        await driver.set_lamp(lit=True)
        await driver.set_lamp(lit=True, duration=timedelta(seconds=20))
        await driver.set_lamp(lit=True, duration=timedelta(hours=1))
        await driver.set_lamp(lit=False)
        assert await driver.read_lamp() is None  # the simulator does not tell
    assert simulator.orders()[before:] == [
        "set identify 0 1",
        "set identify 20 0",
        "set identify 255 0",
        "set identify 0 0",
    ]


async def test_what_this_controller_does_not_have(simulator: IpmiSim) -> None:
    async with BmcDriver(target(simulator)) as driver:
        assert await driver.read_power_drawn() is None


async def test_sessions_are_closed_also_after_an_error(simulator: IpmiSim) -> None:
    for _ in range(8):  # more than a controller has
        async with BmcDriver(target(simulator)) as driver:
            await driver.check()
    with pytest.raises(RuntimeError):
        async with BmcDriver(target(simulator)):
            raise RuntimeError

    async def without_end() -> None:
        async with asyncio.timeout(0.2), BmcDriver(target(simulator)) as driver:
            while True:
                await driver.read_power()

    with pytest.raises(TimeoutError):
        await without_end()
    async with BmcDriver(target(simulator)) as driver:
        await driver.check()
    assert simulator.sessions() == 0


async def test_conversations_with_one_controller_take_turns(simulator: IpmiSim) -> None:
    async def temperature() -> float | None:
        async with BmcDriver(target(simulator)) as driver:
            return (await driver.read_sensors())[0].value

    async with asyncio.timeout(20):
        assert await asyncio.gather(*(temperature() for _ in range(4))) == [48.0] * 4
    assert simulator.sessions() == 0


async def test_processes_that_read_its_records_at_once_do_not_keep_each_other_from_it(simulator: IpmiSim) -> None:
    """A reservation of one ends that of the other (§33.11); turns are taken within one process only."""
    readers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", READER, str(simulator.port), USERNAME, PASSWORD, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    told = [(await reader.communicate())[0].decode().strip() for reader in readers]
    assert told == [f"{len(DISCRETE)} states, three times"] * 3


async def test_a_wrong_password_is_told_as_such(simulator: IpmiSim) -> None:
    with pytest.raises(AuthenticationFailed) as refused:
        async with BmcDriver(target(simulator, "wrong")) as driver:
            await driver.check()
    assert refused.value.stage is Stage.SIGN_IN
    assert "wrong" not in str(refused.value)
    async with BmcDriver(target(simulator)) as driver:
        await driver.check()


async def test_an_account_that_may_only_look_switches_nothing(
    simulator: IpmiSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_PRIVILEGES", (2,))  # the simulator gives every account what it asks for
    before = simulator.orders()
    async with BmcDriver(target(simulator)) as driver:
        assert (await driver.read_sensors())[0].value == 48.0
        with pytest.raises(Unsupported) as refused:
            await driver.set_power(PowerAction.OFF)
    assert "does not allow this account" in str(refused.value)
    assert simulator.orders() == before


async def test_suite_3_can_be_forbidden(simulator: IpmiSim) -> None:
    with pytest.raises(Unsupported) as refused:
        async with BmcDriver(target(simulator, allow_suite_3=False)) as driver:
            await driver.check()
    assert refused.value.stage is Stage.SIGN_IN
    assert "cipher suite 17" in str(refused.value)
    async with BmcDriver(target(simulator, allow_suite_3=True)) as driver:
        await driver.check()


async def test_the_source_port_can_be_chosen(simulator: IpmiSim) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for _ in range(2):
        async with BmcDriver(target(simulator, source_port=port)) as driver:
            assert f"{port:04X} " in open("/proc/net/udp6").read() + open("/proc/net/udp").read()  # noqa: SIM115
            await driver.check()
    assert f":{port:04X} " not in open("/proc/net/udp6").read()  # noqa: SIM115
    async with BmcDriver(target(simulator)) as driver:
        await driver.check()


async def test_the_second_address_is_asked_when_the_first_is_silent(simulator: IpmiSim) -> None:
    way = target(simulator, second_address="127.0.0.1")
    away = Target("127.0.0.2", way.port, way.credential_kind, way.credential, way.parameters, 0.2, 0)
    async with BmcDriver(away) as driver:
        steps = await driver.check()
    assert steps[0].params == {"address": "127.0.0.1"}


async def test_thresholds_are_remembered(simulator: IpmiSim, monkeypatch: pytest.MonkeyPatch) -> None:
    async with BmcDriver(target(simulator)) as driver:
        before = await driver.read_sensors()
    monkeypatch.setattr(measuring, "_read_thresholds", lambda *_: pytest.fail("asked again"))
    async with BmcDriver(target(simulator)) as driver:
        assert [one.sensor for one in await driver.read_sensors()] == [one.sensor for one in before]


async def test_a_controller_that_dies_in_the_middle(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "FIRST_WAIT", 0.2)
    with ipmi_sim(tmp_path_factory.mktemp("dying")) as dying:
        async with asyncio.timeout(30):
            with pytest.raises(Unreachable) as lost:
                await _read_while_it_dies(dying)
            assert lost.value.stage is Stage.PROTOCOL
            with pytest.raises(Unreachable) as gone:
                async with BmcDriver(target(dying)):
                    pass
            assert gone.value.stage is Stage.PORT


async def _read_while_it_dies(dying: IpmiSim) -> None:
    async with BmcDriver(replace(target(dying), timeout=0.2)) as driver:
        await driver.check()
        dying.kill()
        await driver.read_sensors()
