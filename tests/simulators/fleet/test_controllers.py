"""A server of a fleet by both its sides: one power, one identity, and faults that the controller tells."""

import asyncio
import ssl
from pathlib import Path

import aiohttp
import pytest

from apps.simulators.fleet import Fleet, Plan, Spec, serve
from apps.simulators.fleet.agents import Agents
from apps.simulators.fleet.controllers import serve as serve_controllers
from apps.simulators.fleet.controllers.ilo import STARTS_IN, IloSide
from apps.simulators.fleet.faults import FaultKind
from apps.simulators.fleet.kinds.base import COLD_START
from apps.simulators.fleet.places import ILO_PASSWORD, USERNAME, address_of
from apps.simulators.fleet.plan import BadPlan
from apps.simulators.redfish import Fault, Machine

AT = 1_790_000_000.0
PLAN = Plan(
    (
        Spec("web-01", "linux", "127.33.0.1", role="web", controller="ilo"),
        Spec("web-02", "linux", "127.33.0.2", role="web"),
    )
)


@pytest.fixture
async def agents():
    agents = await serve(Fleet(PLAN))
    agents.set_clock(AT)
    yield agents
    agents.close()


def side(agents: Agents) -> tuple[Machine, IloSide]:
    found = IloSide(agents, agents.fleet.device("web-01"))
    return found.machine, found


def is_away(agents: Agents, after: float = 0.0) -> bool:
    return agents.fleet.device("web-01").faults.now(FaultKind.REBOOT, AT + after) is not None


async def test_switched_off_the_agent_is_away_and_switched_on_it_starts_anew(agents):
    machine, _side = side(agents)
    server = agents.fleet.device("web-01")
    assert machine.reset("ForceOff") == 200
    assert is_away(agents)
    assert is_away(agents, 86_400)
    agents.set_clock(AT + 100)
    assert machine.reset("On") == 200
    assert is_away(agents, 100 + STARTS_IN - 1)
    assert not is_away(agents, 100 + STARTS_IN + 1)
    assert server.when(AT + 100 + STARTS_IN + 5).uptime == 500
    (told,) = agents.fleet.happenings(AT, AT + 200)
    assert told[2].generic == COLD_START


async def test_a_restart_is_away_for_a_while_and_an_interrupt_is_not(agents):
    machine, _side = side(agents)
    machine.reset("Nmi")
    assert not is_away(agents)
    machine.reset("ForceRestart")
    assert is_away(agents)
    assert not is_away(agents, STARTS_IN + 1)
    machine.reset("ForceOff")
    assert is_away(agents, STARTS_IN + 1)


async def test_both_sides_say_the_same_of_who_they_are_and_how_warm_they_are(agents):
    machine, both = side(agents)
    server = agents.fleet.device("web-01")
    assert (machine.serial, machine.uuid) == (server.serial_number, str(server.uuid))
    both.measure(machine)
    moment = server.when(AT)
    assert (machine.watts, machine.inlet) == (round(moment.watts), round(moment.room))
    cool = machine.processor
    agents.fleet.fault("web-01", FaultKind.HOT, AT - 600)
    both.measure(machine)
    assert machine.processor > cool + 25


async def test_a_fault_of_the_script_shows_at_the_controller(agents):
    machine, both = side(agents)
    agents.fleet.fault("web-01", FaultKind.PSU_FAILED, AT)
    both.measure(machine)
    assert machine.faults == {Fault.PSU_FAILED}
    agents.fleet.mend("web-01", AT)
    both.measure(machine)
    assert machine.faults == set()
    with pytest.raises(BadPlan):
        agents.fleet.fault("web-02", FaultKind.FAN_STOPPED, AT)


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if kind.is_controllers])
async def test_an_ilo_can_have_every_fault_of_controllers(agents, kind: FaultKind):
    machine, both = side(agents)
    agents.fleet.fault("web-01", kind, AT)
    both.follow()
    (shown,) = machine.faults
    assert shown.value == kind.value.removeprefix("controller-")
    agents.fleet.mend("web-01", AT, kind)
    both.follow()
    assert machine.faults == set()


async def test_it_shows_another_certificate_while_the_fault_lasts(agents, tmp_path: Path):
    controllers = await serve_controllers(agents, tmp_path, 0)
    (ilo,) = controllers
    place = (address_of("127.33.0.1"), ilo.service.port)
    seen = []
    for change in ("", "fault", "mend"):
        if change == "fault":
            agents.fleet.fault("web-01", FaultKind.WRONG_CERTIFICATE, AT)
        elif change == "mend":
            agents.fleet.mend("web-01", AT)
        ilo.follow()
        seen.append(await asyncio.to_thread(ssl.get_server_certificate, place))
    assert seen[0] == seen[2] != seen[1]
    await controllers.close()


async def test_it_answers_at_its_own_address_with_a_certificate_that_stays(agents, tmp_path: Path):
    seen = []
    for _ in range(2):
        controllers = await serve_controllers(agents, tmp_path / "controllers", 0)
        (ilo,) = controllers
        place = (address_of("127.33.0.1"), ilo.service.port)
        seen.append(await asyncio.to_thread(ssl.get_server_certificate, place))
        connector = aiohttp.TCPConnector(ssl=False)
        login = aiohttp.BasicAuth(USERNAME, ILO_PASSWORD)
        url = f"https://{place[0]}:{place[1]}/redfish/v1/Systems/1"
        async with aiohttp.ClientSession(auth=login, connector=connector) as session, session.get(url) as answer:
            system = await answer.json()
        await controllers.close()
    assert system["UUID"] == str(agents.fleet.device("web-01").uuid)
    assert seen[0] == seen[1]
