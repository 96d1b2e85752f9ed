"""What the component's page shows of monitoring."""

import pytest
from django.utils import timezone

from apps.drivers.contract import Limits, Quantity, Status
from apps.monitoring import panels
from apps.monitoring.models import Liveness
from apps.monitoring.services import polling
from apps.monitoring.services.readings import SensorView
from tests.factories import make_component
from tests.monitoring.conftest import fake_device

pytestmark = pytest.mark.django_db


def test_sensors_are_grouped_by_what_they_measure_worst_first():
    interface = fake_device(script="filling", sensors=2)
    interface.state = {"contact": 15}
    interface.save()
    polling.poll([interface.pk])
    panel = panels.sensor_panel(interface.component)
    assert [(group.kind, len(group.sensors)) for group in panel.groups] == [
        (Quantity.CPU, 1),
        (Quantity.MEMORY, 1),
        (Quantity.STORAGE, 1),
        (Quantity.TEMPERATURE, 1),
        (Quantity.OTHER, 2),
    ]
    assert (panel.total, panel.out_of_range, panel.stale) == (6, 1, False)
    assert [view.key for view in panel.worst] == ["storage.1"]
    assert [tile.kind for tile in panels.tiles(panel)] == [
        Quantity.CPU,
        Quantity.MEMORY,
        Quantity.STORAGE,
        Quantity.TEMPERATURE,
    ]
    assert [group.kind for group in panels.charts(panel)] == [
        Quantity.CPU,
        Quantity.MEMORY,
        Quantity.STORAGE,
        Quantity.TEMPERATURE,
    ]


def test_ports_are_counted_by_state():
    interface = fake_device(ports=3)
    polling.poll([interface.pk])
    panel = panels.port_panel(interface.component)
    assert (panel.up, panel.down, panel.total) == (3, 0, 3)


def test_a_component_that_was_never_polled_has_no_panels():
    component = make_component()
    assert panels.sensor_panel(component) is None
    assert panels.port_panel(component) is None
    assert panels.addresses(component) == []


def test_addresses_say_that_the_sweeps_stand_still():
    component = make_component()
    since = timezone.now()
    Liveness.objects.create(component=component, address="192.0.2.1", answers=True, since=since)
    assert panels.addresses(component) == [panels.AddressView("192.0.2.1", True, since, None, stale=True)]


@pytest.mark.parametrize(
    ("value", "unit", "limits", "expected"),
    [
        (50.0, "%", Limits(upper_warning=90, upper_critical=95), (45.8, None, None, 82.4, 87.0)),
        (22.0, "°C", Limits(upper_warning=40), (47.8, None, None, 87.0, None)),
        (None, "%", Limits(upper_warning=90), None),
        (50.0, "%", Limits(), None),
    ],
)
def test_the_position_of_a_value_among_its_limits(value, unit, limits, expected):
    now = timezone.now()
    source = None if limits == Limits() else "device"
    view = SensorView(1, 1, "k", "n", Quantity.OTHER, unit, value, Status.NORMAL, now, limits, source, now, False, None)
    found = panels.position(view)
    if expected is None:
        assert found is None
    else:
        assert (
            found.value,
            found.lower_critical,
            found.lower_warning,
            found.upper_warning,
            found.upper_critical,
        ) == expected
