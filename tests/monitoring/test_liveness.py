"""The story of an address that falls silent and comes back: one alert each, and a cause in between."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.alerts.models import Alert, Incident
from apps.components.models import Component, ManagementInterface, StatusCause
from apps.components.services import causes
from apps.core import options
from apps.core.actors import SYSTEM
from apps.monitoring.models import Liveness
from apps.monitoring.services import liveness
from tests.factories import make_component, make_interface

pytestmark = pytest.mark.django_db
LOST, RECOVERED = "portal.access-lost", "portal.access-recovered"


class Clock:
    """Sweeps one after the other, a minute apart."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def sweep(self, *answering: str) -> None:
        """Keep a sweep in which these addresses answered and all others were silent."""
        self.now += timedelta(seconds=60)
        places = liveness._places()
        liveness.keep(places, {address: address in answering for _component, address in places}, self.now)


@pytest.fixture
def clock() -> Clock:
    call_command("load_definitions", verbosity=0)
    return Clock()


@pytest.fixture
def server() -> ManagementInterface:
    return make_interface(make_component("web-1"), address="192.0.2.1", last_answer_at=timezone.now())


def alerts() -> list[tuple[str, str]]:
    return list(Alert.objects.order_by("pk").values_list("definition__key", "object"))


def status(interface: ManagementInterface) -> str:
    causes.recompute([interface.component_id])
    return Component.objects.get(pk=interface.component_id).status


def test_lost_and_recovered_are_told_once_each(clock, server):
    clock.sweep("192.0.2.1")
    clock.sweep()
    clock.sweep()
    assert alerts() == []
    assert status(server) == "normal"
    clock.sweep()
    assert alerts() == [(LOST, "192.0.2.1")]
    assert status(server) == "unknown"
    (cause,) = StatusCause.objects.filter(source="liveness")
    assert (cause.status, cause.key, cause.interface_id) == ("unknown", "192.0.2.1", server.pk)
    for _ in range(4):
        clock.sweep()
    assert alerts() == [(LOST, "192.0.2.1")]
    assert Incident.objects.open().count() == 1

    clock.sweep("192.0.2.1")
    assert alerts() == [(LOST, "192.0.2.1"), (RECOVERED, "192.0.2.1")]
    assert status(server) == "normal"
    assert Incident.objects.open().count() == 0
    clock.sweep("192.0.2.1")
    assert len(alerts()) == 2


def test_one_lost_packet_is_no_alarm(clock, server):
    for answered in (True, False, True, False, False, True):
        clock.sweep(*(["192.0.2.1"] if answered else []))
    assert alerts() == []


def test_the_option_says_how_many_sweeps_are_enough(clock, server):
    options.set_value("access_lost_retries", 1, SYSTEM)
    clock.sweep("192.0.2.1")
    clock.sweep()
    assert alerts() == [(LOST, "192.0.2.1")]


def test_a_device_that_answers_its_driver_only_is_not_lost(clock, server):
    for _ in range(6):
        ManagementInterface.objects.update(last_answer_at=clock.now, failures=0)
        clock.sweep()
    assert alerts() == []
    # It never answered pings: that its driver hears nothing any more is what counts.
    ManagementInterface.objects.update(failures=1, last_error_code="unreachable")
    clock.sweep()
    assert alerts() == []
    ManagementInterface.objects.update(failures=2)
    clock.sweep()
    assert alerts() == [(LOST, "192.0.2.1")]
    ManagementInterface.objects.update(failures=0, last_error_code="", last_answer_at=clock.now + timedelta(seconds=30))
    clock.sweep()
    assert alerts() == [(LOST, "192.0.2.1"), (RECOVERED, "192.0.2.1")]


def test_a_device_that_refuses_its_login_is_there(clock, server):
    ManagementInterface.objects.update(failures=9, last_error_code="authentication_failed")
    for _ in range(6):
        clock.sweep()
    assert alerts() == []


def test_pings_that_a_firewall_swallows_later_are_no_loss_while_the_driver_hears(clock, server):
    clock.sweep("192.0.2.1")
    for _ in range(5):
        ManagementInterface.objects.update(last_answer_at=clock.now + timedelta(seconds=61))
        clock.sweep()
    assert alerts() == []


def test_each_address_of_a_component_is_told_by_itself(clock, server):
    bmc = make_interface(server.component, address="192.0.2.2")
    clock.sweep("192.0.2.1", "192.0.2.2")
    for _ in range(3):
        clock.sweep("192.0.2.2")
    assert alerts() == [(LOST, "192.0.2.1")]
    clock.sweep("192.0.2.1", "192.0.2.2")
    assert alerts() == [(LOST, "192.0.2.1"), (RECOVERED, "192.0.2.1")]
    assert Liveness.objects.get(address="192.0.2.2").answers
    assert bmc.component == server.component


def test_a_device_that_comes_back_is_polled_at_once_whatever_its_back_off(clock, server):
    later = timezone.now() + timedelta(hours=1)
    clock.sweep("192.0.2.1")
    for _ in range(3):
        clock.sweep()
    ManagementInterface.objects.update(next_poll_at=later, next_inventory_at=later, failures=5)
    clock.sweep("192.0.2.1")
    server.refresh_from_db()
    assert server.next_poll_at == clock.now
    assert server.next_inventory_at == clock.now


def test_rows_are_written_when_something_changed_only(clock, server):
    def writes(*answering: str) -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            clock.sweep(*answering)
        own = [query["sql"] for query in queries if "monitoring_liveness" in query["sql"]]
        return [sql.split()[0] for sql in own if sql.startswith(("INSERT", "UPDATE", "DELETE"))]

    assert writes("192.0.2.1") == ["INSERT"]
    assert writes("192.0.2.1") == []
    assert writes() == ["UPDATE"]
    assert writes() == ["UPDATE"]
    assert writes() == ["UPDATE", "UPDATE"]  # counted, and told
    assert writes() == []


def test_those_who_answer_are_seen(clock, server):
    clock.sweep("192.0.2.1")
    assert Component.objects.get(pk=server.component_id).last_seen_at == clock.now
    seen = clock.now
    clock.sweep()
    assert Component.objects.get(pk=server.component_id).last_seen_at == seen


def test_what_is_not_watched_any_more_is_neither_lost_nor_recovered(clock, server):
    clock.sweep("192.0.2.1")
    for _ in range(3):
        clock.sweep()
    ManagementInterface.objects.update(address="192.0.2.9")
    clock.sweep("192.0.2.9")
    assert alerts() == [(LOST, "192.0.2.1")]
    assert Incident.objects.open().count() == 0
    assert not StatusCause.objects.filter(source="liveness").exists()
    assert list(Liveness.objects.values_list("address", flat=True)) == ["192.0.2.9"]


def test_a_real_sweep_over_loopback_hears_who_is_there(clock):
    here = make_interface(make_component(), address="127.0.0.1")
    six = make_interface(make_component(), address="::1")
    name = make_interface(make_component(), address="localhost")
    nowhere = make_interface(make_component(), address="no-such-name.invalid")
    assert liveness.sweep() == 3
    answers = dict(Liveness.objects.values_list("address", "answers"))
    assert answers == {here.address: True, six.address: True, name.address: True, nowhere.address: False}
    assert liveness.is_current()


def test_one_sweep_at_a_time(clock, server):
    cache.add("monitoring:sweep", "somebody else", 60)
    assert liveness.sweep() is None
    assert cache.get("monitoring:sweep") == "somebody else"
