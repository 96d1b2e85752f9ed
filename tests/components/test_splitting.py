"""What came by an interface goes with it when it is taken out of a component; what nobody knows of stays."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.alerts.models import Alert, EventSubscription, Incident
from apps.alerts.services import catalogue
from apps.alerts.services.arrivals import Arrival
from apps.alerts.services.ingestion import ingest
from apps.alerts.services.raising import raise_alert
from apps.alerts.sources import EVENT_SOURCE
from apps.components.models import Component, ManagementInterface
from apps.components.services import joining
from apps.drivers.contract import Port, PortsReport, PortState
from apps.monitoring import port_reports
from apps.monitoring.models import ExcludedPort, InventoryChange, LastPorts, Liveness, LoggedEntry
from tests.factories import make_component, make_interface, ship_definitions

pytestmark = pytest.mark.django_db
DOWN, UP = "linkDown", "linkUp"
AGENT, CONTROLLER = "192.0.2.1", "192.0.2.2"
MACS = ("00:16:3e:00:00:01", "00:16:3e:00:00:02", "00:16:3e:00:00:03")


@pytest.fixture
def server() -> Component:
    ship_definitions()
    component = make_component("web01")
    make_interface(component, address=AGENT, last_answer_at=timezone.now())
    make_interface(component, driver="ilo", address=CONTROLLER, last_answer_at=timezone.now())
    return component


def ilo_of(component: Component) -> ManagementInterface:
    return component.interfaces.get(driver="ilo")


def tell(component: Component, address: str, key: str = DOWN, thing: str = "1", source: str = "snmp-trap") -> Alert:
    """Have an alert come from an address."""
    definition = catalogue.current().by_key[key]
    now = timezone.now()
    (alert,) = ingest([Arrival(source, now, definition, component, address, object=thing)])
    return alert


def port(number: int, mac_address: str) -> Port:
    return Port(number, f"eth{number}", "", "", mac_address, PortState.UP, None, 6, 64)


def of(component: Component) -> set[tuple[str | None, str]]:
    return set(Alert.objects.filter(component=component).values_list("address", "object"))


def test_alerts_and_problems_go_by_the_address_that_they_came_from(server, admin):
    tell(server, AGENT, thing="1")
    tell(server, CONTROLLER, thing="2")
    tell(server, "192.0.2.9", thing="3")  # an address that was set by hand
    assert {one.component for one in Incident.objects.all()} == {server}
    assert server.causes.filter(source="alert").count() == 3
    made = joining.split(ilo_of(server), admin)
    assert (of(server), of(made)) == ({(AGENT, "1"), ("192.0.2.9", "3")}, {(CONTROLLER, "2")})
    (moved,) = Incident.objects.filter(component=made)
    assert (moved.place, moved.object, moved.is_open) == (f"component {made.pk}", "2", True)
    assert server.causes.filter(source="alert").count() == 2
    assert made.causes.filter(source="alert").count() == 1
    tell(made, CONTROLLER, thing="2")
    assert Incident.objects.get(component=made).count == 2  # folded as before
    tell(made, CONTROLLER, UP, thing="2")
    assert not made.causes.filter(source="alert").exists()


def test_a_problem_of_both_becomes_two(server, admin):
    first, second, third = (tell(server, address) for address in (AGENT, CONTROLLER, CONTROLLER))
    assert Incident.objects.get().count == 3
    made = joining.split(ilo_of(server), admin)
    left, part = Incident.objects.get(component=server), Incident.objects.get(component=made)
    assert (left.count, part.count, left.is_open, part.is_open) == (1, 2, True, True)
    assert (left.last_at, part.first_at) == (first.received_at, second.received_at)
    assert set(part.alerts.all()) == {second, third}
    assert {server.causes.filter(source="alert").count(), made.causes.filter(source="alert").count()} == {1}


def test_at_one_address_for_both_only_its_own_events_go(server, admin):
    ManagementInterface.objects.update(address=AGENT)
    EventSubscription.objects.create(interface=ilo_of(server))
    tell(server, AGENT, thing="1")
    tell(server, AGENT, thing="2", source=EVENT_SOURCE)
    tell(server, AGENT, thing="3")
    Alert.objects.filter(object="3").update(trap_oid="1.3.6.1.4.1.3183.1.1.0.131330")  # a platform event
    made = joining.split(ilo_of(server), admin)
    assert (of(server), of(made)) == ({(AGENT, "1")}, {(AGENT, "2"), (AGENT, "3")})


def test_events_stay_with_whose_subscription_they_came_by(server, admin):
    EventSubscription.objects.create(interface=ilo_of(server))
    tell(server, "192.0.2.77", thing="1", source=EVENT_SOURCE)  # behind a router
    made = joining.split(server.interfaces.get(address=AGENT), admin)
    assert (of(server), of(made)) == ({("192.0.2.77", "1")}, set())
    made = joining.split(ilo_of(joining.join(server, made, admin)), admin)
    assert (of(server), of(made)) == (set(), {("192.0.2.77", "1")})


def test_a_lost_address_and_what_was_told_of_it_go_along(server, admin):
    lost_at = timezone.now()
    for address in (AGENT, CONTROLLER):
        Liveness.objects.create(
            component=server, address=address, answers=False, since=lost_at, lost=3, access_lost_at=lost_at
        )
        raise_alert("portal.access-lost", component=server, object=address)
    made = joining.split(ilo_of(server), admin)
    assert Liveness.objects.get(component=made).address == CONTROLLER
    assert Incident.objects.open().get(component=made).object == CONTROLLER
    assert Incident.objects.open().get(component=server).object == AGENT
    joined = joining.join(server, made, admin)
    assert set(Liveness.objects.filter(component=joined).values_list("address", flat=True)) == {AGENT, CONTROLLER}
    assert Incident.objects.open().filter(component=joined).count() == 2


def test_its_event_log_and_its_excluded_ports_go_along(server, admin):
    ilo, agent = ilo_of(server), server.interfaces.get(address=AGENT)
    for interface, macs in ((agent, MACS[:2]), (ilo, MACS[1:])):
        ports = tuple(port(n, mac) for n, mac in enumerate(macs, 1))
        LastPorts.objects.create(
            interface=interface, report=port_reports.pack(PortsReport(ports, None)), measured_at=timezone.now()
        )
    for mac in MACS:
        ExcludedPort.objects.create(component=server, mac_address=mac)
    at = datetime(2026, 5, 1, tzinfo=UTC)
    LoggedEntry.objects.create(interface=ilo, key="1", placed_at=at, read_at=at + timedelta(1), status="warning")
    InventoryChange.objects.create(interface=ilo, at=at, change="gone", kind="memory", key="1", name="DIMM 1", words="")
    made = joining.split(ilo, admin)
    assert LoggedEntry.objects.get().interface.component == made
    assert InventoryChange.objects.get().interface.component == made
    assert [row.mac_address for row in made.excluded_ports.all()] == [*MACS[1:]]
    assert [row.mac_address for row in server.excluded_ports.all()] == [*MACS[:2]]
