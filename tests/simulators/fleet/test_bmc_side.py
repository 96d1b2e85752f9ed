"""A server of a fleet by its agent and by its IPMI controller: one power, one identity, one course, the same faults."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from apps.drivers.bmc.driver import BmcDriver
from apps.drivers.contract import PowerAction, PowerState, Status, Target
from apps.protocols.errors import AuthenticationFailed, DeviceError, Unreachable
from apps.protocols.ipmi import measuring
from apps.protocols.snmp import SnmpClient
from apps.protocols.snmp.notification import decode_notification
from apps.simulators.bmc import Pace
from apps.simulators.fleet import Agents, Fleet, Plan, Spec, serve
from apps.simulators.fleet.controllers import Controllers
from apps.simulators.fleet.controllers import serve as serve_controllers
from apps.simulators.fleet.controllers.bmc import BmcSide
from apps.simulators.fleet.faults import FaultKind
from apps.simulators.fleet.kinds.server import DEVICE
from apps.simulators.fleet.places import BMC_PASSWORD, USERNAME, address_of
from apps.simulators.fleet.plan import BadPlan
from tests.simulators.bmc.conftest import until
from tests.simulators.fleet.test_agents import SYS_NAME, target

PLAN = Plan(
    (
        Spec("app-01", "linux", "127.34.0.1", role="app", controller="bmc", alerts=True),
        Spec("app-02", "linux", "127.34.0.2", role="app", controller="bmc", power_meter=False),
        Spec("app-03", "linux", "127.34.0.3", role="app"),
    )
)


@pytest.fixture
def traps() -> Iterator[socket.socket]:
    """Who listens for traps."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.setblocking(False)
        yield listening


@pytest.fixture
async def controllers(traps: socket.socket, tmp_path: Path) -> AsyncIterator[Controllers]:
    """The controllers of the fleet, live beside its agents."""
    measuring.forget()
    agents = await serve(Fleet(PLAN), traps_to=traps.getsockname())
    controllers = await serve_controllers(agents, tmp_path, agents.port)
    yield controllers
    await controllers.close()
    agents.close()


@pytest.fixture
def agents(controllers: Controllers) -> Agents:
    """The agents beside them."""
    return controllers.agents


@pytest.fixture
def side(controllers: Controllers) -> BmcSide:
    """The other side of the first server, whose machine is quick."""
    first = cast(BmcSide, next(iter(controllers)))
    first.machine.pace = Pace(on=0.05, off=0.05, boot=0.6, soft=0.1)
    return first


def controller(agents: Agents, name: str = "app-01") -> Target:
    """The way to the controller of a server: beside its agent, on the same port."""
    address = address_of(agents.fleet.device(name).spec.address)
    return Target(address, agents.port, "password", {"username": USERNAME, "password": BMC_PASSWORD}, {}, timeout=5.0)


async def answers(client: SnmpClient, agents: Agents) -> bool:
    try:
        return bool(await client.get(target(agents, "app-01", timeout=0.1, retries=0), [SYS_NAME]))
    except Unreachable:
        return False


async def told(traps: socket.socket) -> tuple[str, int]:
    """Give who sent the next trap, and its specific number."""
    data, (address, _port) = await asyncio.wait_for(asyncio.get_running_loop().sock_recvfrom(traps, 2000), 30)
    return address, decode_notification(data).specific or 0


async def test_switched_off_the_agent_is_silent_and_switched_on_both_boot(
    agents: Agents, side: BmcSide, client: SnmpClient
) -> None:
    server = agents.fleet.device("app-01")
    async with BmcDriver(controller(agents)) as driver:
        facts = await driver.identify()
        assert (facts.uuid, facts.serial_number, facts.model) == (
            str(server.uuid),
            server.serial_number,
            side.machine.product.model,
        )
        assert await answers(client, agents)
        await driver.set_power(PowerAction.OFF)
        await until(lambda: not side.machine.is_on)
        assert (await driver.read_power()).state == PowerState.OFF
        assert not await answers(client, agents)
        assert agents.fleet.mend("app-01", agents.clock.now()) == 0
        assert not await answers(client, agents)
        said = bytearray()
        side.controller.serial_over_lan.terminal.hear = said.extend
        await driver.set_power(PowerAction.ON)
        await until(lambda: b"app-01 login: " in said)
    async with asyncio.timeout(30):
        while not await answers(client, agents):
            pass
    assert server.serial_number.encode() in said


@pytest.mark.parametrize("how", ["reset by the controller", "fault of the agent"])
async def test_a_new_start_is_seen_by_both(agents: Agents, side: BmcSide, client: SnmpClient, how: str) -> None:
    machine = side.machine
    before = machine.uptime
    assert before > 3600
    if how == "fault of the agent":
        agents.fleet.fault("app-01", FaultKind.REBOOT, agents.clock.now(), seconds=0.5)
        side.follow()
    else:
        async with BmcDriver(controller(agents)) as driver:
            await driver.set_power(PowerAction.RESET)
    await until(lambda: machine.uptime < 3600)
    assert not machine.is_up
    assert agents.fleet.device("app-01").faults.now(FaultKind.REBOOT, agents.clock.now() + 0.4)


async def test_both_sides_say_the_same_of_what_is_measured(agents: Agents, side: BmcSide) -> None:
    moment = side.moment()
    async with BmcDriver(controller(agents)) as driver:
        values = {one.sensor.name: one.value for one in await driver.read_sensors()}
        drawn = await driver.read_power_drawn()
    assert drawn is not None
    assert values["Inlet Temp"] == pytest.approx(moment.room, abs=1)
    assert values["CPU1 Temp"] == pytest.approx(moment.temperature + 20, abs=1)
    assert drawn.watts == pytest.approx(moment.watts, abs=2)
    async with BmcDriver(controller(agents, "app-02")) as driver:
        assert await driver.read_power_drawn() is None


@pytest.mark.parametrize(
    ("kind", "sensor", "trap"),
    [
        (FaultKind.PSU_FAILED, "PSU2 Status", 0x086F01),
        (FaultKind.POWER_LOST, "PSU2 Status", 0x086F03),
        (FaultKind.FAN_STOPPED, "Fan2", 0x040102),
        (FaultKind.DRIVE_FAILED, "Drive 3", 0x0D6F01),
        (FaultKind.HOT, "CPU1 Temp", 0x010109),
    ],
)
async def test_what_breaks_is_shown_and_told(
    agents: Agents, side: BmcSide, traps: socket.socket, client: SnmpClient, kind: FaultKind, sensor: str, trap: int
) -> None:
    agents.fleet.fault("app-01", kind, agents.clock.now() - 600)
    seen = []
    while (side.server.spec.address, trap) not in seen:
        address, specific = await told(traps)
        assert address == address_of("127.34.0.1")
        seen.append(("127.34.0.1", specific))
    async with BmcDriver(controller(agents)) as driver:
        status = {one.sensor.name: one.status for one in await driver.read_sensors()}
        status |= {one.name: one.status for one in await driver.read_states()}
    assert status[sensor] == Status.CRITICAL
    if kind is FaultKind.DRIVE_FAILED:  # its operating system sees that, too
        states = await client.walk(target(agents, "app-01"), f"{DEVICE}.5")
        assert {bound.value for bound in states} == {2, 3}
    agents.fleet.mend("app-01", agents.clock.now())
    while not specific & 0x80:
        _address, specific = await told(traps)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.CONTROLLER_SILENT, Unreachable),
        (FaultKind.SESSION_FULL, DeviceError),
        (FaultKind.WRONG_PASSWORD, AuthenticationFailed),
    ],
)
async def test_a_controller_can_be_wrong_while_its_server_is_well(
    agents: Agents, side: BmcSide, client: SnmpClient, kind: FaultKind, error: type[Exception]
) -> None:
    agents.fleet.fault("app-01", kind, agents.clock.now())
    side.follow()
    way = replace(controller(agents), timeout=0.3, retries=0)
    with pytest.raises(error):
        async with BmcDriver(way):
            pass
    assert await answers(client, agents)


def test_what_makes_no_sense_is_refused() -> None:
    fleet = Fleet(PLAN)
    with pytest.raises(BadPlan):
        fleet.fault("app-01", FaultKind.WRONG_CERTIFICATE, 0.0)  # IPMI shows none
    with pytest.raises(BadPlan):
        fleet.fault("app-03", FaultKind.PSU_FAILED, 0.0)
    with pytest.raises(BadPlan, match="Windows"):
        Fleet(Plan((Spec("books", "windows", "127.34.0.9", controller="bmc"),)))
    with pytest.raises(BadPlan, match="one of ilo, bmc"):
        Fleet(Plan((Spec("web", "linux", "127.34.0.9", controller="idrac"),)))
