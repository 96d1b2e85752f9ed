"""Who may not order something sends nothing: nothing leaves for the controller, by no way, with no operation."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.test import Client

from apps.control.pages.choices import CHOICES
from apps.core.models import Job
from tests.control.conftest import run
from tests.control.test_operations_api import ORDERS
from tests.factories import make_component, make_credential, make_group, make_interface, make_user
from tests.ipmi_sim import PASSWORD, USERNAME, IpmiSim, ipmi_sim
from tests.redfish_peers import SECRET, USER, IloProgram, ilo_program

__all__ = ["ilo_program"]

pytestmark = pytest.mark.django_db

API, PAGE = "/api/v1/operations/", "/operations/"


@dataclass
class Relay:
    """Stands before a controller and counts what is sent to it."""

    controller: tuple[str, int]
    port: int = 0
    received: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self, front: socket.socket) -> None:
        """Pass datagrams on until it is ended; each sender has a socket of its own towards the controller."""
        behind: dict[tuple[str, int], socket.socket] = {}
        front.settimeout(0.02)
        while not self.ended.is_set():
            try:
                said, sender = front.recvfrom(4096)
            except TimeoutError:
                pass
            else:
                self.received += 1
                if sender not in behind:
                    behind[sender] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    behind[sender].connect(self.controller)
                    threading.Thread(target=self._back, args=(front, behind[sender], sender), daemon=True).start()
                behind[sender].send(said)
        for one in behind.values():
            one.close()

    def _back(self, front: socket.socket, behind: socket.socket, sender: tuple[str, int]) -> None:
        behind.settimeout(0.2)
        while not self.ended.is_set():
            try:
                front.sendto(behind.recv(4096), sender)
            except TimeoutError:
                continue
            except OSError:
                return


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpmiSim]:
    """One controller for the whole module."""
    with ipmi_sim(tmp_path_factory.mktemp("bmc")) as running:
        yield running


@pytest.fixture
def relay(simulator: IpmiSim) -> Iterator[Relay]:
    """What stands between the portal and the controller."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as front:
        front.bind(("127.0.0.1", 0))
        found = Relay(("127.0.0.1", simulator.port), front.getsockname()[1])
        thread = threading.Thread(target=found.run, args=(front,))
        thread.start()
        yield found
        found.ended.set()
        thread.join()


@pytest.fixture
def device(relay: Relay):
    """A server whose controller is behind the relay."""
    return make_interface(
        make_component(group=make_group("Rack 1")),
        driver="bmc",
        address="127.0.0.1",
        port=relay.port,
        credential=make_credential("password", username=USERNAME, password=PASSWORD),
    )


def everything(client_of, user, component: int) -> set[int]:
    """Try every operation by the API and by the page, carry out what was begun, and give how each was answered."""
    client, browser = client_of(user), Client()
    browser.force_login(user)
    answers = []
    for operation, arguments, _word in ORDERS:
        body = {"operation": operation, "arguments": arguments, "components": [component]}
        answers.append(client.post(API, body, format="json").status_code)
    for order in CHOICES:
        body = {"order": order, "ids": str(component), "confirmed": "yes", "expect": 1}
        answers.append(browser.post(PAGE, body).status_code)
    for job in Job.objects.all():
        run(job)
    return set(answers)


def test_refused_orders_reach_no_controller_and_allowed_ones_reach_it_once(
    client_of, queued, impatient, simulator, relay, device
):
    group, pk = device.component.group, device.component_id
    before = len(simulator.orders())
    assert everything(client_of, make_user("viewer", group), pk) <= {400, 403}
    assert everything(client_of, make_user("operator", make_group("Rack 2")), pk) <= {400, 404, 409}
    assert everything(client_of, make_user(None), pk) <= {400, 403, 404, 409}
    assert not Job.objects.exists()
    assert relay.received == 0
    assert simulator.orders()[before:] == []

    operator = make_user("operator", group)
    body = {"operation": "power", "arguments": {"action": "off"}, "components": [pk]}
    assert client_of(operator).post(API, body, format="json").status_code == 202
    (step,) = run(Job.objects.get())
    assert (step.state, str(step.message)) == ("done", "It is off.")
    assert relay.received > 0
    browser = Client()
    browser.force_login(operator)
    form = {"order": "power.on", "ids": str(pk), "confirmed": "yes", "expect": 1}
    assert browser.post(PAGE, form).status_code == 302
    (step,) = run(Job.objects.latest("pk"))
    assert (step.state, str(step.message)) == ("done", "It is on.")
    assert [line for line in simulator.orders()[before:] if "power" in line] == ["set power 0", "set power 1"]


def test_refused_orders_reach_no_redfish_service_and_allowed_ones_reach_it_once(
    client_of,
    queued,
    impatient,
    ilo_program: IloProgram,
):
    group, port = make_group("Rack 1"), ilo_program.port
    credential = make_credential("password", username=USER, password=SECRET)
    device = make_interface(
        make_component(group=group), driver="ilo", address="127.0.0.1", port=port, credential=credential
    )
    pk, before = device.component_id, ilo_program.tell("requests")
    assert everything(client_of, make_user("viewer", group), pk) <= {400, 403}
    assert everything(client_of, make_user("operator", make_group("Rack 2")), pk) <= {400, 404, 409}
    assert everything(client_of, make_user(None), pk) <= {400, 403, 404, 409}
    assert not Job.objects.exists()
    assert ilo_program.tell("requests") == before

    ordered = ilo_program.tell("orders")
    body = {"operation": "power", "arguments": {"action": "off"}, "components": [pk]}
    assert client_of(make_user("operator", group)).post(API, body, format="json").status_code == 202
    (step,) = run(Job.objects.get())
    assert (step.state, str(step.message)) == ("done", "It is off.")
    assert ilo_program.tell("orders").replace("nothing", "") == f"{ordered.replace('nothing', '')}ForceOff"
