"""Our driver before the simulated controller: suites, privileges, faults; no session is ever left open."""

from dataclasses import replace
from datetime import timedelta

import pytest

from apps.drivers.bmc.driver import BmcDriver
from apps.drivers.contract import BootDevice, BootOverride, PowerAction, PowerState, Status
from apps.protocols.errors import AuthenticationFailed, ContactError, DeviceError, Unreachable, Unsupported
from apps.protocols.ipmi import chassis, session
from apps.simulators.bmc import Controller, Fault, Order
from apps.simulators.bmc.session import SUITES
from tests.simulators.bmc.conftest import OPERATOR, VIEWER, target, until

HARDWARE = {
    Fault.PSU_FAILED: "PSU2 Status",
    Fault.POWER_LOST: "PSU2 Status",
    Fault.DRIVE_FAILED: "Drive 3",
    Fault.FAN_STOPPED: "Fan2",
    Fault.OVER_TEMPERATURE: "CPU1 Temp",
}


async def test_the_better_suite_is_chosen_and_the_other_one_may_be_forbidden(controller: Controller) -> None:
    async with BmcDriver(target(controller)) as driver:
        assert [step.params.get("suite") for step in await driver.check()] == [None, "17", None]
    controller.sessions.suites = SUITES[:1]
    async with BmcDriver(target(controller)) as driver:
        assert [step.params.get("suite") for step in await driver.check()] == [None, "3", None]
    with pytest.raises(Unsupported, match="suite 17"):
        async with BmcDriver(target(controller, allow_suite_3=False)):
            pass
    assert len(controller.sessions) == 0


async def test_everything_is_read_in_one_session(controller: Controller) -> None:
    async with BmcDriver(target(controller)) as driver:
        facts = await driver.identify()
        readings = {one.sensor.name: one for one in await driver.read_sensors()}
        states = {one.name: one for one in await driver.read_states()}
        health = await driver.read_health()
        drawn = await driver.read_power_drawn()
        log = await driver.read_events({})
        assert len(controller.sessions) == 1
    assert (facts.uuid, facts.serial_number, facts.model) == (
        str(controller.machine.uuid),
        "SRV0001",
        "Express5800/R120k-2M",
    )
    assert (len(readings), len(states)) == (19, 13)
    assert readings["CPU Usage"].value == 50.0
    assert {one.status for one in (*readings.values(), *states.values())} == {Status.NORMAL, None}
    assert health.facts == ()
    assert drawn is not None
    assert (drawn.watts, drawn.cap) == (250.0, None)
    assert log.events == ()
    assert (controller.sessions.opened, len(controller.sessions)) == (1, 0)


@pytest.mark.parametrize("fault", HARDWARE)
async def test_a_fault_of_the_machine_shows_everywhere(controller: Controller, fault: Fault) -> None:
    controller.begin(fault)
    async with BmcDriver(target(controller)) as driver:
        shown = {one.sensor.name: one.status for one in await driver.read_sensors()}
        shown |= {one.name: one.status for one in await driver.read_states()}
        log = await driver.read_events({})
        place = log.place
    assert shown[HARDWARE[fault]] == Status.CRITICAL
    assert HARDWARE[fault] in {event.source for event in log.events if event.status == Status.CRITICAL}
    controller.mend(fault)
    async with BmcDriver(target(controller)) as driver:
        assert (await driver.read_health()).facts == ()
        after = await driver.read_events(place)
    assert after.events
    assert {event.asserted for event in after.events} == {False}
    assert len(controller.sessions) == 0


async def test_orders_are_carried_out_once(controller: Controller) -> None:
    machine = controller.machine
    async with BmcDriver(target(controller)) as driver:
        await driver.set_boot(BootOverride(BootDevice.PXE, once=True, uefi=True))
        assert await driver.read_boot() == BootOverride(BootDevice.PXE, True, True)
        await driver.set_lamp(True, timedelta(seconds=30))
        assert await driver.read_lamp() is True
        await driver.set_lamp(False)
        assert await driver.read_lamp() is False
        await driver.set_power(PowerAction.SHUTDOWN)
        await until(lambda: not machine.is_on)
        assert (await driver.read_power()).state == PowerState.OFF
        with pytest.raises(ContactError):
            await driver.set_power(PowerAction.RESET)
        await driver.set_power(PowerAction.ON)
        await until(lambda: machine.is_on)
        assert (await driver.read_boot()).device == BootDevice.NONE
        assert {event.source for event in (await driver.read_events({})).events} == {
            "ACPI State",
            "OS Stop",
            "System Start",
        }
        await driver.clear_events()
        assert len(machine.log.entries) == 1
    assert machine.orders == [Order.SOFT, Order.ON]


async def test_a_start_and_an_interrupt_leave_traces(controller: Controller) -> None:
    machine = controller.machine
    machine.restart_cause = 1
    async with BmcDriver(target(controller)) as driver:
        before = await driver.read_traces()
        again = await driver.read_traces(before)
        assert (again.cause, again.restarted_since(before)) == ("Ordered through the controller", False)
        await driver.set_power(PowerAction.NMI)
        struck = await driver.read_traces(before)
        assert (struck.interrupted_since(before), struck.restarted_since(before)) == (True, False)
        await driver.set_power(PowerAction.RESET)
        await until(lambda: [*machine.log.entries.values()][-1][10] == 0x1D)
    async with BmcDriver(target(controller)) as driver:
        after = await driver.read_traces(before)
    assert after.cause == before.cause  # by which nobody would see it
    assert after.restarted_since(before)
    async with BmcDriver(target(controller)) as driver:
        assert not (await driver.read_traces(await driver.read_traces())).restarted_since(after)


async def test_why_the_machine_started_is_asked_once_for_each_start(controller: Controller, monkeypatch) -> None:
    machine = controller.machine
    machine.restart_cause = 2
    asked: list[int] = []
    read = chassis.read_restart_cause
    monkeypatch.setattr(chassis, "read_restart_cause", lambda session: asked.append(1) or read(session))
    state: dict = {}

    async def cause() -> str:
        async with BmcDriver(replace(target(controller), state=state)) as driver:
            told = (await driver.read_power()).restart_cause
            state.clear()
            state.update(driver.state)
            return told

    assert [await cause(), await cause(), len(asked)] == ["Reset button", "Reset button", 1]
    machine.is_on = False
    assert [await cause(), len(asked)] == ["Reset button", 1]
    machine.is_on, machine.restart_cause = True, 4
    assert [await cause(), await cause(), len(asked)] == ["Watchdog expired", "Watchdog expired", 2]
    state["cause"]["at"] -= 3601
    machine.restart_cause = 0x0A
    assert [await cause(), len(asked)] == ["Soft reset", 3]


async def test_what_an_account_may_not_do_is_told(controller: Controller) -> None:
    async with BmcDriver(target(controller, OPERATOR)) as driver:
        await driver.set_power(PowerAction.RESET)
    async with BmcDriver(target(controller, VIEWER)) as driver:
        assert (await driver.read_power()).state == PowerState.ON
        with pytest.raises(Unsupported, match="does not allow this account"):
            await driver.set_power(PowerAction.OFF)
    assert controller.machine.orders == [Order.RESET]
    assert len(controller.sessions) == 0


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Fault.SILENT, Unreachable, "does not answer"),
        (Fault.SESSION_FULL, DeviceError, "no free session"),
        (Fault.WRONG_PASSWORD, AuthenticationFailed, "refuses the login"),
    ],
)
async def test_who_cannot_be_spoken_to_is_told_apart(
    controller: Controller, fault: Fault, error: type[ContactError], words: str
) -> None:
    controller.begin(fault)
    with pytest.raises(error, match=words):
        async with BmcDriver(target(controller)):
            pass
    controller.mend(fault)
    async with BmcDriver(target(controller)) as driver:
        assert (await driver.read_power()).state == PowerState.ON
    assert len(controller.sessions) == 0


async def test_one_that_dies_amid_a_reading_is_given_up(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "FIRST_WAIT", 0.1)
    controller.begin(Fault.DIES)
    with pytest.raises(Unreachable, match="stopped answering"):
        async with BmcDriver(target(controller)) as driver:
            await driver.read_sensors()
    controller.mend(Fault.DIES)
    controller.restart()  # whoever dies forgets its sessions
    controller.restarts_in = 0.0
    controller.restart()
    async with BmcDriver(target(controller)) as driver:
        assert len(await driver.read_sensors()) == 19
    assert len(controller.sessions) == 0


async def test_a_slow_one_is_waited_for(controller: Controller) -> None:
    controller.slowness = 0.3
    controller.begin(Fault.SLOW)
    async with BmcDriver(target(controller)) as driver:
        assert (await driver.read_power()).state == PowerState.ON
    assert len(controller.sessions) == 0


async def test_a_reset_of_the_controller_ends_sessions_and_the_machine_runs_on(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "FIRST_WAIT", 0.1)
    controller.restarts_in = 0.3
    async with BmcDriver(target(controller)) as driver:
        await driver.read_power()
        controller.restart()
        assert len(controller.sessions) == 0
        with pytest.raises(Unreachable):
            await driver.read_power()
    await until(lambda: not controller.is_restarting)
    async with BmcDriver(target(controller)) as driver:
        assert (await driver.read_power()).state == PowerState.ON
    assert controller.machine.orders == []
