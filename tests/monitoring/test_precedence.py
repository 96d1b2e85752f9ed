"""Where two ways of managing measure the same, a rule says whose value counts, never who wrote last."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.components import contact
from apps.components.models import Component
from apps.components.services import power_states
from apps.drivers.contract import PowerState, Quantity, Reading
from apps.drivers.contract import Sensor as Point
from apps.monitoring.judging import snapshot
from apps.monitoring.models import FleetQuantity, LastValues
from apps.monitoring.services import fleet, fleet_history, power, precedence, readings, writing
from apps.monitoring.services.asking import Polled
from tests.factories import make_component, make_interface, make_user

pytestmark = pytest.mark.django_db

WATTS = Point("power", "Power consumption", Quantity.POWER, "W")
SUPPLY = Point("psu.1", "Power supply 1", Quantity.POWER, "W")
INLET = Point("inlet", "Inlet ambient", Quantity.TEMPERATURE, "°C")
BOARD = Point("board", "Board", Quantity.TEMPERATURE, "°C")
CPU = Point("cpu", "CPU", Quantity.CPU, "%")
UP = Point("up", "Uptime", Quantity.UPTIME, "s")


@pytest.fixture
def server() -> Component:
    component = make_component("web01")
    for driver, address in (("snmp_agent", "192.0.2.1"), ("bmc", "192.0.2.2")):
        make_interface(component, driver=driver, address=address, last_answer_at=timezone.now())
    return component


def agent(server):
    return server.interfaces.get(driver="snmp_agent")


def controller(server):
    return server.interfaces.get(driver="bmc")


def polled(interface, **values: float | None) -> Polled:
    """What a poll gave: sensors by the names above."""
    points = {"watts": WATTS, "supply": SUPPLY, "inlet": INLET, "board": BOARD, "cpu": CPU, "up": UP}
    (line,) = contact.lines([interface], contact.POLL)
    taken = snapshot([Reading(points[name], value) for name, value in values.items()], {})
    return Polled(line, timezone.now().timestamp(), readings=taken)


def columns(server) -> tuple[float | None, ...]:
    server.refresh_from_db()
    return server.power, server.temperature, server.cpu


BY_AGENT = {"cpu": 40.0, "inlet": 99.0, "watts": 900.0, "up": 86_400.0}
BY_CONTROLLER = {"cpu": 1.0, "inlet": 21.0, "watts": 214.0, "up": 30.0}


@pytest.mark.parametrize("order", ["agent first", "controller first", "together"])
def test_lists_show_the_hardware_by_the_controller_and_load_by_the_agent(server, order):
    one, other = polled(agent(server), **BY_AGENT), polled(controller(server), **BY_CONTROLLER)
    batches = {"agent first": [[one], [other]], "controller first": [[other], [one]], "together": [[one, other]]}
    for batch in batches[order]:
        writing.write(batch)
    if order == "agent first":  # who had nobody beside him yet was believed; from now on the rule holds
        writing.write([one])
    assert columns(server) == (214.0, 21.0, 40.0)
    assert timezone.now() - server.up_since > timedelta(hours=23)


def test_page_api_list_and_dashboard_agree(server, client):
    viewer = make_user("viewer")
    writing.write([polled(controller(server), **BY_CONTROLLER)])
    writing.write([polled(agent(server), **BY_AGENT)])
    drawn = power.of(server, readings.latest(server))
    assert (drawn.watts, drawn.interface_id) == (214.0, controller(server).pk)
    api = APIClient()
    api.force_authenticate(viewer)
    told = api.get(f"/api/v1/components/{server.pk}/power/").json()
    assert (told["watts"], told["interface"]) == (214.0, controller(server).pk)
    fleet.sample()
    ids, end = fleet_history.chosen([server.pk]), timezone.now() + timedelta(hours=1)
    for quantity, value in ((FleetQuantity.POWER, 214.0), (FleetQuantity.TEMPERATURE, 21.0), (FleetQuantity.CPU, 40.0)):
        assert fleet_history.totals(quantity, ids, end - timedelta(hours=2), end).mean.tolist() == [value]
    client.force_login(viewer)
    page = client.get(server.get_absolute_url())
    figures = {str(figure.label): (figure.value, figure.interface_id) for figure in page.context["figures"]}
    assert figures["Power"] == (214.0, controller(server).pk)
    assert figures["Temperature"] == (21.0, controller(server).pk)
    assert figures["CPU"] == (40.0, agent(server).pk)
    shown = client.get(f"{server.get_absolute_url()}?tab=power").content.decode()
    assert '<span class="tag" title="Management controller (IPMI) 192.0.2.2">IPMI</span>' in shown


def test_who_measures_the_whole_comes_before_who_measures_a_part(server):
    writing.write([polled(controller(server), supply=90.0), polled(agent(server), watts=180.0)])
    assert columns(server)[0] == 180.0
    assert power.of(server, readings.latest(server)).watts == 180.0


def test_who_has_no_value_or_an_old_one_stands_back(server):
    writing.write([polled(controller(server), watts=None, inlet=None), polled(agent(server), watts=180.0, inlet=30.0)])
    assert columns(server)[:2] == (180.0, 30.0)
    writing.write([polled(controller(server), watts=214.0, inlet=21.0)])
    assert columns(server)[:2] == (214.0, 21.0)
    LastValues.objects.filter(interface=controller(server)).update(measured_at=timezone.now() - timedelta(hours=9))
    writing.write([polled(agent(server), watts=181.0, inlet=31.0)])
    assert columns(server)[:2] == (181.0, 31.0)
    assert power.of(server, readings.latest(server)).interface_id == agent(server).pk


def test_what_an_agent_measured_before_the_machine_went_off_does_not_count(server):
    writing.write([polled(agent(server), watts=180.0)])
    power_states.keep([power_states.Seen(server.pk, PowerState.OFF, timezone.now())])
    writing.write([polled(controller(server), watts=None)])
    assert columns(server)[0] is None


def test_of_two_of_a_kind_the_first_counts(server):
    second = make_interface(server, driver="ilo", address="192.0.2.3", last_answer_at=timezone.now())
    writing.write([polled(controller(server), watts=214.0)])
    writing.write([polled(second, watts=220.0)])
    assert columns(server)[0] == 214.0


def test_a_component_with_one_way_costs_one_look(server, django_assert_num_queries):
    alone = make_interface(driver="bmc", address="192.0.2.9")
    batch = [polled(alone, watts=100.0)]
    precedence.elsewhere(batch)
    with django_assert_num_queries(1):
        assert precedence.elsewhere(batch) == {}


def test_a_sample_of_the_fleet_asks_the_same_of_one_and_of_many(server, django_assert_max_num_queries):
    for number in range(12):
        single = make_interface(driver="bmc", address=f"192.0.2.{100 + number}", last_answer_at=timezone.now())
        writing.write([polled(single, watts=100.0)])
    fleet.sample()
    with django_assert_max_num_queries(16):
        assert fleet.sample() == 12
