"""Measured power: from the meter to the history, to a component's page, to sums over groups, each with its count."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.components.models import Component, ManagementInterface
from apps.drivers.contract import PowerDrawn, PowerState, Quantity, Reading
from apps.drivers.contract import Sensor as Point
from apps.monitoring import layouts, metering, packing
from apps.monitoring.foremost import choose, meter_among
from apps.monitoring.judging import snapshot
from apps.monitoring.models import FleetQuantity, FleetSpan, LastPower, LastValues, Sample
from apps.monitoring.services import fleet, fleet_history, polling, power, readings
from tests.control.conftest import machine
from tests.factories import make_component, make_credential, make_group, make_interface, make_user
from tests.monitoring.conftest import fake_device
from tests.redfish_peers import SECRET, USER, IloProgram, ilo_program  # noqa: F401

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
METER = Point("power", "Power consumption", Quantity.POWER, "W")
SUPPLY = Point("psu.1.output", "Power supply 1", Quantity.POWER, "W")


def views_of(interface):
    return {view.key: view for view in readings.latest(interface.component) if view.interface_id == interface.pk}


def drawn_by(interface) -> power.Drawn:
    found = power.of(interface.component, readings.latest(interface.component))
    assert found is not None
    return found


def client_of(user) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("drawn", "state", "value", "why"),
    [
        (PowerDrawn(212.0), PowerState.ON, 212.0, ""),
        (PowerDrawn(0.0), PowerState.OFF, 0.0, ""),  # the meter's own word
        (PowerDrawn(None), PowerState.OFF, None, "not available (power off)"),
        (PowerDrawn(None), PowerState.ON, None, "not measured"),
        (PowerDrawn(None), None, None, "not measured"),
    ],
)
def test_what_a_meter_says_is_a_reading_and_nothing_is_never_zero(drawn, state, value, why):
    (reading,) = metering.with_drawn((), drawn, state)
    assert (reading.sensor.key, reading.sensor.unit, reading.value, reading.why) == ("power.drawn", "W", value, why)


def test_what_the_driver_tells_itself_is_not_doubled():
    own = Reading(Point("power", "Power consumption", Quantity.POWER, "W"), 212.0)
    assert metering.with_drawn((own,), PowerDrawn(212.0, sensor="power"), PowerState.ON) == (own,)
    assert metering.with_drawn((own,), None, PowerState.ON) == (own,)


def test_the_meter_stands_for_the_whole_and_its_parts_are_not_added():
    supplies = [Point(f"psu.{n}.output", f"Power supply {n}", Quantity.POWER, "W") for n in (1, 2)]
    meter = Point("power.drawn", "Power consumption", Quantity.POWER, "W")
    named = Point("sdr.20.7", "Pwr_Consumption", Quantity.POWER, "W")
    apparent = Point("sdr.20.8", "System Power", Quantity.POWER, "VA")
    assert (choose([*supplies, named, meter]).powers, choose([*supplies, meter]).metered) == ((3,), True)
    assert choose([*supplies, named]).powers == (2,)
    assert (choose([*supplies, apparent]).powers, choose(supplies).metered) == ((0, 1), False)


def test_the_meter_is_told_from_the_supplies():
    listed = [("sdr.30", "PSU1 Input"), ("sdr.31", "PSU2 Input"), ("power.drawn", "Power consumption")]
    assert meter_among(listed) == 2
    assert meter_among(listed[:2]) is None


def test_a_poll_keeps_power_its_extremes_and_what_lists_sort_by():
    interface = fake_device(meter="well")
    polling.poll([interface.pk])
    view = views_of(interface)["power.drawn"]
    assert (view.kind, view.unit, view.stale) == (Quantity.POWER, "W", False)
    assert 150 <= view.value <= 250
    assert Component.objects.get(pk=interface.component_id).power == view.value
    row = LastPower.objects.get(interface=interface)
    assert (row.minimum, row.average, row.maximum, row.seconds, row.cap) == (150.0, 200.0, 250.0, 86400.0, None)
    assert Sample.objects.filter(interface=interface).count() == 1
    polling.poll([interface.pk])
    assert LastPower.objects.count() == 1


def test_a_device_without_a_meter_has_no_reading_of_power():
    interface = fake_device()
    polling.poll([interface.pk])
    assert "power.drawn" not in views_of(interface)
    assert not LastPower.objects.exists()
    assert Component.objects.get(pk=interface.component_id).power is None


def test_a_machine_that_is_off_is_not_measured():
    interface = machine(power="off", meter="idle")
    polling.poll([interface.pk])
    view = views_of(interface)["power.drawn"]
    assert (view.value, str(view.why)) == (None, "not available (power off)")
    assert Component.objects.get(pk=interface.component_id).power is None
    shown = client_of(make_user("viewer")).get(f"/api/v1/components/{interface.component_id}/power/").json()
    assert (shown["watts"], shown["why"]) == (None, "not available (power off)")


def test_two_ways_that_measure_the_same_machine_count_once():
    first = fake_device(meter="well")
    second = make_interface(
        first.component, driver="fake", credential=make_credential("password"), parameters={"meter": "well"}
    )
    polling.poll([first.pk, second.pk])
    fleet.sample()
    assert Component.objects.get(pk=first.component_id).power == drawn_by(first).watts
    polling.poll([second.pk])
    assert Component.objects.get(pk=first.component_id).power == drawn_by(first).watts  # the first one says it
    LastValues.objects.filter(interface=first).update(measured_at=timezone.now() - 2 * HOUR)
    polling.poll([second.pk])
    assert Component.objects.get(pk=first.component_id).power == views_of(second)["power.drawn"].value
    LastValues.objects.filter(interface=first).update(measured_at=timezone.now())
    ids = fleet_history.chosen([first.component_id])
    (moment,) = fleet_history.moments_of(FleetQuantity.POWER, ids, timezone.now() - HOUR, timezone.now() + HOUR)
    assert moment.mean.tolist() == [views_of(first)["power.drawn"].value] == [drawn_by(first).watts]
    assert len(readings.latest(first.component)) == 2 * len(views_of(second))


def snapshot_of(interface, point, value):
    taken = snapshot([Reading(point, value)], {})
    return interface.component_id, layouts.ids({taken.digest: taken.sensors})[taken.digest], taken


def test_a_meter_comes_before_parts_that_another_way_measures():
    gatherer, component = fleet.Gatherer(), make_component()
    for point, value in ((SUPPLY, 90.0), (METER, 214.0), (SUPPLY, 80.0)):
        interface = make_interface(component)
        owner, layout_id, taken = snapshot_of(interface, point, value)
        gatherer.add(owner, interface.pk, interface.driver, layout_id, packing.unpack(taken.packed).reshape(1, -1))
    gatherer.write(FleetSpan.SAMPLE, 0)
    ids = fleet_history.chosen([component.pk])
    (moment,) = fleet_history.moments_of(FleetQuantity.POWER, ids, EPOCH, EPOCH + HOUR)
    assert moment.mean.tolist() == [214.0]


# --- sums ---


def sampled(courses: dict[Component, list[float | None]]) -> None:
    """Keep samples of the fleet, five minutes apart, the last one five minutes ago."""
    length = max(map(len, courses.values()))
    for place in range(length):
        gatherer = fleet.Gatherer()
        for component, values in courses.items():
            if values[place] is not None:
                gatherer.keep(FleetQuantity.POWER, component.pk, np.array([values[place]]))
        at = int(timezone.now().timestamp()) // 300 * 300 - 300 * (length - place)
        gatherer.write(FleetSpan.SAMPLE, at * 1000)


def measuring(name: str, group, watts: float | None, **about) -> Component:
    component = make_component(name, group, power=watts, **about)
    make_interface(component, last_answer_at=timezone.now())
    return component


@pytest.fixture
def racks():
    tokyo = make_group("Tokyo")
    rack = make_group("Rack 1", tokyo)
    a, b = measuring("a", tokyo, 100.0), measuring("b", rack, 50.0)
    measuring("silent", rack, None)
    ups = measuring("ups", tokyo, 900.0, category="ups")
    # Never both at their highest at once: 300 + 40, 100 + 200, and b alone.
    sampled({a: [300.0, 100.0, None], b: [40.0, 200.0, 30.0], ups: [900.0, 900.0, 900.0]})
    return tokyo, rack


def test_the_power_of_a_group_says_on_how_many_each_sum_stands(racks):
    tokyo, rack = racks
    client = client_of(make_user("viewer"))
    told = client.get(f"/api/v1/groups/{tokyo.pk}/power/").json()
    assert (told["group"], told["include_subgroups"], told["components"]) == (tokyo.pk, True, 3)
    assert told["now"] == {"watts": 150.0, "measured": 2}
    assert told["mean"] == {"watts": 290.0, "measured": 2}  # 200 + 90: the gap of a lowers nothing
    assert (told["peak"]["watts"], told["peak"]["measured"], told["peak"]["step"]) == (340.0, 2, 300)
    alone = client.get(f"/api/v1/groups/{tokyo.pk}/power/?include_subgroups=false").json()
    assert (alone["components"], alone["now"]["watts"], alone["peak"]["watts"]) == (1, 100.0, 300.0)
    inside = client.get(f"/api/v1/groups/{rack.pk}/power/").json()
    assert (inside["components"], inside["now"], inside["peak"]["watts"]) == (2, {"watts": 50.0, "measured": 1}, 200.0)


def test_what_may_not_be_seen_is_not_added(racks):
    tokyo, rack = racks
    viewer = client_of(make_user("viewer", rack))
    assert viewer.get(f"/api/v1/groups/{tokyo.pk}/power/").status_code == 404
    assert viewer.get(f"/api/v1/groups/{rack.pk}/power/").json()["now"]["watts"] == 50.0
    hidden = Component.objects.get(name="a")
    assert viewer.get(f"/api/v1/components/{hidden.pk}/power/").status_code == 404


def test_the_page_of_statistics_has_a_line_for_each_group_and_one_for_all(racks, client):
    tokyo, _rack = racks
    client.force_login(make_user("viewer"))
    page = client.get(f"/statistics/?range=24h&group={tokyo.pk}")
    lines = {line.name: drawn for line, drawn in page.context["power"]}
    assert (lines["Rack 1"].now.watts, lines["Rack 1"].now.measured, lines["Rack 1"].now.total) == (50.0, 1, 2)
    assert (lines["Tokyo"].now.watts, lines["Tokyo"].peak.together.watts) == (100.0, 300.0)
    everything = page.context["power_of_all"]
    assert (everything.now.watts, everything.mean.watts, everything.peak.together.watts) == (150.0, 290.0, 340.0)
    text = " ".join(page.content.decode().split())
    assert "2 of 3 measured" in text
    assert "1 of 2 measured" in text


def test_the_dashboard_tells_the_peak_of_its_range_once(racks, client):
    client.force_login(make_user("viewer"))
    page = client.get("/?range=24h")
    drawn = page.context["power_over"]
    assert (drawn.peak.together.watts, drawn.peak.together.measured, drawn.peak.together.total) == (340.0, 2, 3)


# --- one component ---


def test_the_api_gives_now_the_range_the_controllers_own_window_and_the_cap():
    interface = fake_device(meter="well")
    polling.poll([interface.pk])
    first = drawn_by(interface).watts
    polling.poll([interface.pk])
    second = drawn_by(interface).watts
    client = client_of(make_user("viewer"))
    url = f"/api/v1/components/{interface.component_id}/power/"
    told = client.get(url).json()
    assert (told["watts"], told["stale"], told["why"], told["cap"]) == (second, False, "", None)
    assert told["sensor"] == views_of(interface)["power.drawn"].id
    assert (told["over"]["minimum"], told["over"]["maximum"]) == (min(first, second), max(first, second))
    assert told["controller"] == {"minimum": 150.0, "mean": 200.0, "maximum": 250.0, "seconds": 86400.0}
    early = client.get(url, {"from": "2020-01-01", "to": "2020-01-02"}).json()
    assert (early["watts"], early["over"]["mean"]) == (second, None)
    assert client.get(url, {"from": "never"}).status_code == 400
    nothing = client.get(f"/api/v1/components/{make_component().pk}/power/").json()
    assert (nothing["watts"], nothing["why"], nothing["controller"]) == (None, "not measured", None)


def test_the_page_says_plainly_that_power_is_above_its_cap(client):
    interface = fake_device(meter="well")
    ManagementInterface.objects.filter(pk=interface.pk).update(
        state={"contact": 1, "machine": machine().state["machine"] | {"cap": 100}}
    )
    polling.poll([interface.pk])
    client.force_login(make_user("viewer"))
    page = " ".join(client.get(f"/components/{interface.component_id}/?tab=power").content.decode().split())
    assert "which is above its cap of 100 W" in page
    assert "measured to ±10 %" in page
    assert "The controller itself" in page
    assert "The portal's history" in page
    LastPower.objects.update(cap=None, throttled=None)
    calm = " ".join(client.get(f"/components/{interface.component_id}/?tab=power").content.decode().split())
    assert "above its cap" not in calm


def test_without_a_meter_there_is_no_tab_of_power(client):
    interface = fake_device()
    polling.poll([interface.pk])
    client.force_login(make_user("viewer"))
    assert "?tab=power" not in client.get(f"/components/{interface.component_id}/").content.decode()


def test_an_ilo_tells_its_power_once_and_its_cap(ilo_program: IloProgram):  # noqa: F811
    interface = make_interface(
        make_component(),
        polled=False,
        driver="ilo",
        address="127.0.0.1",
        port=ilo_program.port,
        credential=make_credential("password", username=USER, password=SECRET),
    )
    polling.poll([interface.pk])
    found = views_of(interface)
    assert "power.drawn" not in found
    assert (found["power"].value, Component.objects.get(pk=interface.component_id).power) == (214.0, 214.0)
    drawn = drawn_by(interface)
    assert (drawn.cap, drawn.throttled, drawn.own) == (None, None, power.Own(204.0, 214.0, 254.0, HOUR / 3))
