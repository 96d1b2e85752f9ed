"""Controllers that fail in the middle of a round: what is told of each, and that the others never notice."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from apps.components.models import Component, Credential, ManagementInterface, StatusCause
from apps.components.services import credentials
from apps.core.actors import SYSTEM
from apps.drivers.redfish import sections
from apps.monitoring.services import polling, readings
from apps.protocols.ipmi import measuring, session
from apps.simulators.bmc import Controller, Fault
from apps.simulators.redfish import Fault as ServiceFault
from apps.simulators.redfish import Machine, Service, serve
from tests.controllers import PASSWORD, TWENTY, USERNAME, LoopThread
from tests.factories import make_component, make_credential, make_interface
from tests.redfish_peers import SECRET, USER, Pair, redfish_certificates  # noqa: F401

pytestmark = pytest.mark.django_db

NETWORK = "127.0.72"
REFUSED = "authentication_failed"


@pytest.fixture(autouse=True)
def _no_limits_remembered() -> None:
    measuring.forget()


@pytest.fixture
def services(thread: LoopThread, redfish_certificates: tuple[Pair, Pair]) -> Iterator[list[Service]]:  # noqa: F811
    """Twenty Redfish services with one account."""
    with ExitStack() as stack:
        found = []
        for number in range(1, TWENTY + 1):
            how = {"certificate": redfish_certificates[0], "username": USER, "password": SECRET}
            found.append(thread.wait(serve(Machine(), f"127.0.73.{number}", **how)))
            stack.callback(lambda one=found[-1]: thread.wait(one.close()))
        yield found


def register(places: list[tuple[str, int]], driver: str, credential: Credential) -> list[ManagementInterface]:
    return [
        make_interface(make_component(), driver=driver, address=address, port=port, credential=credential, polled=False)
        for address, port in places
    ]


def bmcs(rack: list[Controller], password: str = PASSWORD) -> list[ManagementInterface]:
    credential = make_credential("password", username=USERNAME, password=password)
    return register([(one.address, one.port) for one in rack], "bmc", credential)


def poll(ways: list[ManagementInterface]) -> list[str]:
    """Poll, and give the code of each."""
    outcome = polling.poll([way.pk for way in ways])
    return [error.code if (error := outcome[way.pk]) is not None else "" for way in ways]


def status_of(ways: list[ManagementInterface]) -> list[str]:
    return [Component.objects.get(pk=way.component_id).status for way in ways]


def last_error(way: ManagementInterface) -> str:
    return str(ManagementInterface.objects.get(pk=way.pk).last_error)


def test_a_wrong_password_of_twenty_controllers_is_offered_to_two_and_then_nowhere_until_it_is_changed(rack):
    ways = bmcs(rack, "wrong")
    credential = ways[0].credential
    assert credential is not None
    assert poll(ways) == [REFUSED] * TWENTY
    assert sorted(one.sessions.asked for one in rack) == [0] * 18 + [1, 1]
    asked = [one.sessions.asked for one in rack]
    assert (
        sorted(last_error(way).partition(" ")[2][:18] for way in ways)
        == ["devices refused th"] * 18 + ["refuses the login:"] * 2
    )
    assert poll(ways) == [REFUSED] * TWENTY
    assert [one.sessions.asked for one in rack] == asked  # nobody was asked again
    assert status_of(ways) == ["unknown"] * TWENTY

    credentials.change(credential, SYSTEM, fields={"password": PASSWORD})
    assert poll(ways) == [""] * TWENTY
    assert status_of(ways) == ["normal"] * TWENTY
    assert [one.sessions.opened for one in rack] == [1] * TWENTY
    assert [len(one.sessions) for one in rack] == [0] * TWENTY


def test_a_wrong_password_of_twenty_services_is_offered_to_two_and_then_nowhere_until_it_is_changed(services):
    credential = make_credential("password", username=USER, password="wrong")
    ways = register([(one.address, one.port) for one in services], "redfish", credential)

    def logins() -> list[int]:
        return [sum(method == "POST" for method, _path in one.requests) for one in services]

    assert poll(ways) == [REFUSED] * TWENTY
    asked = logins()
    assert sorted(asked) == [0] * 18 + [1, 1]
    assert poll(ways) == [REFUSED] * TWENTY
    assert logins() == asked
    assert Credential.objects.get(pk=credential.pk).is_latched

    credentials.change(credential, SYSTEM, fields={"password": SECRET})
    assert poll(ways) == [""] * TWENTY
    assert [one.opened for one in services] == [1] * TWENTY
    assert [one.sessions for one in services] == [{}] * TWENTY


def test_one_that_answers_after_20_s_and_one_that_is_silent_hold_up_nobody(rack, thread):
    slow, silent, *well = rack[:6]
    slow.slowness = 20.0
    thread.call(lambda: slow.begin(Fault.SLOW))
    thread.call(lambda: silent.begin(Fault.SILENT))
    ways = bmcs(rack[:6])
    begun = time.monotonic()
    assert poll(ways) == ["unreachable", "unreachable", *[""] * len(well)]
    assert time.monotonic() - begun < polling.DEADLINE
    assert status_of(ways) == ["unknown", "unknown", *["normal"] * len(well)]
    for way in ways[:2]:
        assert last_error(way) == f"The management controller at {way.address} does not answer"
    assert (slow.sessions.asked, silent.sessions.asked) == (0, 0)  # whoever is not there is not signed in to
    thread.call(lambda: slow.mend(Fault.SLOW))
    assert poll(ways[:1]) == [""]
    assert status_of(ways[:1]) == ["normal"]


def test_one_that_dies_while_it_is_read_keeps_its_values_and_the_others_are_read(rack, thread, monkeypatch):
    monkeypatch.setattr(session, "FIRST_WAIT", 0.1)
    dying, well = rack[:2]
    ways = bmcs(rack[:2])
    assert poll(ways) == ["", ""]
    before = {view.key: view.value for view in readings.latest(ways[0].component)}
    thread.call(lambda: dying.begin(Fault.DIES))
    assert poll(ways) == ["unreachable", ""]
    assert last_error(ways[0]) == f"{dying.address} stopped answering"
    assert status_of(ways) == ["unknown", "normal"]
    assert {view.key: view.value for view in readings.latest(ways[0].component)} == before
    assert (dying.sessions.opened, well.sessions.opened) == (2, 2)
    thread.call(dying.sessions.close_all)  # whoever dies forgets its sessions
    thread.call(lambda: dying.mend(Fault.DIES))
    assert poll(ways) == ["", ""]
    assert status_of(ways) == ["normal", "normal"]
    assert [len(one.sessions) for one in (dying, well)] == [0, 0]


def redfish(services: list[Service], **parameters: object) -> list[ManagementInterface]:
    login = make_credential("password", username=USER, password=SECRET)
    ways = register([(one.address, one.port) for one in services], "redfish", login)
    ManagementInterface.objects.filter(pk=ways[0].pk).update(parameters=parameters)
    return ways


def left_behind(services: list[Service]) -> tuple[list[int], list[int]]:
    """Give what is left at each service: sessions, and connections once those that were closed have gone."""
    until = time.monotonic() + 30
    while any(one.connections for one in services) and time.monotonic() < until:
        time.sleep(0.05)
    return [len(one.sessions) for one in services], [one.connections for one in services]


def test_a_service_that_dies_while_it_is_read_keeps_its_values_and_the_others_are_read(services, thread):
    dying, *well = services[:4]
    ways = redfish(services[:4])
    assert poll(ways) == [""] * 4
    before = {view.key: view.value for view in readings.latest(ways[0].component)}
    thread.call(lambda: dying.begin(ServiceFault.DIES))
    begun = time.monotonic()
    assert poll(ways) == ["unreachable", "", "", ""]
    assert time.monotonic() - begun < polling.DEADLINE
    assert dying.opened == 2  # it had let us in
    assert last_error(ways[0]) == f"{dying.address} breaks the connection off"
    assert status_of(ways) == ["unknown", *["normal"] * len(well)]
    assert {view.key: view.value for view in readings.latest(ways[0].component)} == before
    assert left_behind(services[:4]) == ([0] * 4, [0] * 4)
    thread.call(lambda: dying.mend(ServiceFault.DIES))
    assert poll(ways) == [""] * 4
    assert status_of(ways) == ["normal"] * 4
    assert left_behind(services[:4]) == ([0] * 4, [0] * 4)


def test_a_service_whose_storage_takes_20_s_keeps_what_was_known_of_it_and_gives_all_else(
    services, thread, monkeypatch
):
    monkeypatch.setattr(sections, "SELDOM", 0.0)  # everything is due
    slow, *well = services[:4]
    ways = redfish(services[:4], section_limit=1)
    assert poll(ways) == [""] * 4
    before = {view.key for view in readings.latest(ways[0].component)}
    slow.machine.slowness, slow.machine.inlet = 20.0, 27.0
    thread.call(lambda: slow.begin(ServiceFault.SLOW))
    begun = time.monotonic()
    assert poll(ways) == [""] * 4
    assert time.monotonic() - begun < polling.DEADLINE
    after = {view.key: view for view in readings.latest(ways[0].component)}
    assert after["temperature.0"].value == 27.0
    assert after["drive.DE00C000.0.life"].value is None
    assert str(after["drive.DE00C000.0.life"].why) == "not answered in time"
    assert after.keys() == before
    causes = list(StatusCause.objects.filter(component=ways[0].component).values_list("key", "status"))
    assert causes == [("unread.storage", "unknown")]
    assert status_of(ways) == ["unknown", *["normal"] * len(well)]
    assert left_behind(services[:4]) == ([0] * 4, [0] * 4)


def test_a_service_each_of_whose_answers_takes_20_s_is_told_as_such_and_holds_up_nobody(services, thread):
    slow, *well = services[:4]
    ways = redfish(services[:4])
    slow.machine.slowness, slow.slow_below = 20.0, "/"
    thread.call(lambda: slow.begin(ServiceFault.SLOW))
    begun = time.monotonic()
    assert poll(ways) == ["unreachable", "", "", ""]
    assert time.monotonic() - begun < polling.DEADLINE
    assert last_error(ways[0]) == f"{slow.address} does not answer in time"
    assert status_of(ways) == ["unknown", *["normal"] * len(well)]
    assert slow.opened == 0
    assert left_behind(services[:4]) == ([0] * 4, [0] * 4)


def test_one_without_a_free_session_is_told_as_that_and_costs_the_others_nothing(rack, services, thread):
    full, well = rack[:2]
    ways = bmcs(rack[:2])
    login = make_credential("password", username=USER, password=SECRET)
    ways += register([(one.address, one.port) for one in services[:2]], "redfish", login)
    thread.call(lambda: full.begin(Fault.SESSION_FULL))
    thread.call(lambda: services[0].begin(ServiceFault.SESSION_FULL))
    assert poll(ways) == ["device_error", "", "unreachable", ""]
    assert last_error(ways[0]).startswith(f"{full.address} has no free session: ")
    assert last_error(ways[2]).startswith(f"{services[0].address} has no free session")
    assert status_of(ways) == ["unknown", "normal", "unknown", "normal"]
    thread.call(lambda: full.mend(Fault.SESSION_FULL))
    thread.call(lambda: services[0].mend(ServiceFault.SESSION_FULL))
    assert poll(ways) == [""] * 4
    assert status_of(ways) == ["normal"] * 4
    assert [len(one.sessions) for one in (full, well, *services[:2])] == [0] * 4


def test_what_nobody_has_accepted_yet_is_waited_for_only_a_while(rack, thread, monkeypatch):
    """Two that are asked first and do not come to an end hold up the others no longer than the patience."""
    monkeypatch.setattr("apps.components.offers.PATIENCE", 0.3)
    for one in rack[:2]:
        thread.call(lambda one=one: one.begin(Fault.SILENT))
    ways = bmcs(rack)
    assert poll(ways) == ["unreachable"] * 2 + [""] * (TWENTY - 2)
