"""What the component's page shows of monitoring."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.components.models import Component, ManagementInterface
from apps.components.pages.look import Look
from apps.core.phrases import Phrase
from apps.drivers.contract import Limits, PortState, Quantity, Status
from apps.monitoring import panels
from apps.monitoring.models import LastValues, Liveness, Sensor
from apps.monitoring.port_reports import COUNTERS, PortView
from apps.monitoring.services import polling, presence, readings
from apps.monitoring.services.readings import PortsView, SensorView
from tests.factories import make_component, make_user
from tests.monitoring.conftest import fake_device

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client) -> Callable[..., str]:
    """Ask for a component's page as a viewer; gives its text."""
    client.force_login(make_user("viewer"))

    def get(component: Component, **query: str) -> str:
        answer = client.get(f"/components/{component.pk}/", query)
        assert answer.status_code == 200
        return answer.content.decode()

    return get


@pytest.fixture
def disk_is_full() -> ManagementInterface:
    interface = fake_device(script="filling", ports=3)
    ManagementInterface.objects.filter(pk=interface.pk).update(state={"contact": 15})
    polling.poll([interface.pk])
    return interface


def test_the_overview_shows_charts_and_what_is_out_of_range(page, disk_is_full):
    text = page(disk_is_full.component)
    disk = Sensor.objects.get(interface=disk_is_full, key="storage.1")
    assert f"/sensors/{disk.pk}/chart.json?range=24h" in text
    assert "96\N{NO-BREAK SPACE}%" in text


def test_who_looks_at_a_component_makes_it_be_polled_more_often(page, disk_is_full):
    assert presence.watched() == []
    page(disk_is_full.component)
    assert presence.watched() == [disk_is_full.component_id]


def test_the_sensor_tab_lists_all_and_charts_the_chosen_one(page, disk_is_full):
    heat = Sensor.objects.get(interface=disk_is_full, key="temperature.1")
    text = page(disk_is_full.component, tab="sensors", sensor=str(heat.pk), range="7d")
    assert f"/sensors/{heat.pk}/chart.json?range=7d" in text
    names = Sensor.objects.filter(interface=disk_is_full).values_list("name", flat=True)
    assert len(names) == 8
    assert [name for name in names if name not in text] == []


def test_the_port_tab_lists_every_port(page, disk_is_full):
    text = page(disk_is_full.component, tab="ports")
    assert [name for name in ("eth0", "eth1", "eth2", "eth3") if name in text] == ["eth0", "eth1", "eth2"]


@pytest.mark.parametrize("tab", ["overview", "sensors", "ports"])
def test_what_was_not_measured_yet_has_no_chart_and_no_zero(page, tab):
    text = page(fake_device().component, tab=tab)
    assert "chart.json" not in text
    assert "\N{NO-BREAK SPACE}%" not in text


def test_old_values_are_marked_stale(page, disk_is_full):
    assert "stale" not in page(disk_is_full.component, tab="sensors")
    LastValues.objects.update(measured_at=timezone.now() - timedelta(hours=2))
    assert "stale" in page(disk_is_full.component, tab="sensors")


@pytest.mark.parametrize(
    ("rates", "chosen"),
    [
        ({"lo": 0.0, "eth0": 0.0, "eth1": 0.0}, "eth1 in"),  # nothing flows: the one that is up
        ({"lo": None, "eth0": 900.0, "eth1": 5.0}, "eth1 in"),  # what was measured last before the port went down
        ({"lo": None, "eth0": 900.0, "eth1": None}, "eth1 in"),
    ],
)
def test_the_traffic_that_is_charted_is_that_of_a_port_that_is_up(rf, monkeypatch, rates, chosen):
    component = make_component()
    now = timezone.now()
    sensors = [
        SensorView(
            n, 1, f"if.{n}.in", f"{name} in", Quantity.TRAFFIC, "bit/s", rate, Status.NORMAL, now, Limits(), None, now,
            stale=False, why=Phrase(),
        )
        for n, (name, rate) in enumerate(rates.items(), 1)
    ]  # fmt: skip
    nothing = dict.fromkeys(COUNTERS)
    ports = [
        PortView(
            n, name, "", "", None, PortState.UP if name == "eth1" else PortState.DOWN, None, nothing, nothing, None
        )
        for n, name in enumerate(rates, 1)
    ]
    monkeypatch.setattr(readings, "latest", lambda component: sensors)
    monkeypatch.setattr(readings, "ports", lambda component: [PortsView(1, now, stale=False, ports=ports)])
    request = rf.get("/")
    request.user = make_user("viewer")
    charts = panels.overview_charts(Look(request, component))
    assert [chart.title for chart in charts.charts] == [chosen]


def test_addresses_say_that_the_sweeps_stand_still():
    component = make_component()
    since = timezone.now()
    Liveness.objects.create(component=component, address="192.0.2.1", answers=True, since=since)
    assert panels.addresses(component) == [panels.AddressView("192.0.2.1", True, since, None, stale=True)]
