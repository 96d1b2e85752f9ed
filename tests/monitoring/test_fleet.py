"""What a fleet measured: written out of roll-ups and samples, read by few rows, for the chosen components only."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import time_machine

from apps.components.models import ManagementInterface
from apps.drivers.contract import Limits, Quantity, Reading
from apps.drivers.contract import Sensor as Point
from apps.monitoring import layouts, packing
from apps.monitoring.foremost import choose
from apps.monitoring.judging import snapshot
from apps.monitoring.models import FleetQuantity, FleetSpan, FleetValues, LastValues, Sample, Span
from apps.monitoring.services import fleet, fleet_history, retention, rollups
from apps.monitoring.services.fleet_history import chosen, course, totals
from tests.factories import make_component, make_interface
from tests.statements import statements_of

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
CPU = Point("cpu", "CPU load", Quantity.CPU, "%")
POWER = Point("power", "Power", Quantity.POWER, "W")
DISKS = [Point(f"storage.{number}", f"/{number}", Quantity.STORAGE, "%") for number in (1, 2)]
PORTS = [Point(f"if.{number}.in", f"eth{number} in", Quantity.TRAFFIC, "bit/s") for number in (1, 2)]
P = FleetQuantity


def keep(interface: ManagementInterface, at: datetime, *readings: tuple[Point, float | None]) -> None:
    """Write one sample as a poll writes it."""
    taken = snapshot([Reading(point, value) for point, value in readings], {})
    layout_id = layouts.ids({taken.digest: taken.sensors})[taken.digest]
    at_ms = int(at.timestamp() * 1000)
    Sample.objects.create(interface=interface, at=at_ms, layout_id=layout_id, values=taken.packed)
    values = {"layout_id": layout_id, "values": taken.exact, "statuses": taken.statuses, "measured_at": at}
    LastValues.objects.update_or_create(interface=interface, defaults=values)


def ids_of(*interfaces: ManagementInterface) -> fleet_history.Ids:
    return chosen([interface.component_id for interface in interfaces])


def shown(found: fleet_history.Course) -> list[tuple[timedelta, float | None, float | None, float | None, int]]:
    """Give the points as time since the day began, low, mean, high and number of components."""
    return [(point.at - DAY, *point[1:], number) for point, number in zip(found.points, found.measured, strict=True)]


def test_the_sensors_that_stand_for_a_device_are_found_by_what_they_measure():
    limited = Point("storage.9", "/var", Quantity.STORAGE, "%", Limits(upper_warning=90))
    found = choose([POWER, *PORTS, *DISKS, CPU, limited])
    assert (found.powers, found.traffic, found.disks, found.cpu, found.memory) == ((0,), (1, 2), (6,), 5, None)


def test_an_hour_of_the_fleet_is_that_of_the_roll_ups():
    one, two = make_interface(), make_interface()
    for minutes, load in ((0, 10.0), (30, 30.0)):
        keep(one, DAY + minutes * MINUTE, (CPU, load), (POWER, 100.0), (DISKS[0], 20.0), (DISKS[1], 40.0))
        keep(two, DAY + minutes * MINUTE, (CPU, load + 40.0), (POWER, None), *((port, 1e6) for port in PORTS))
    rollups.roll_up(Span.HOUR, DAY + HOUR + 3 * MINUTE)
    rows = {row.quantity: row for row in FleetValues.objects.filter(span=FleetSpan.HOUR)}
    assert set(rows) == {"cpu", "power", "disk", "traffic"}
    cpu = packing.unpack(rows["cpu"].values).reshape(4, -1).T.tolist()
    assert dict(zip(packing.unpack_ids(rows["cpu"].components).tolist(), cpu, strict=True)) == {
        one.component_id: [10.0, 20.0, 30.0, 2.0],
        two.component_id: [50.0, 60.0, 70.0, 2.0],
    }
    assert packing.unpack_ids(rows["power"].components).tolist() == [one.component_id]
    assert packing.unpack(rows["disk"].values).tolist() == [40.0, 40.0, 40.0, 2.0]


def test_rolling_up_again_changes_nothing():
    one = make_interface()
    keep(one, DAY, (CPU, 10.0))
    rollups.roll_up(Span.HOUR, DAY + HOUR + 3 * MINUTE)
    before = list(FleetValues.objects.values_list("pk", "at", "quantity", "values"))
    gatherer = fleet.Gatherer()
    gatherer.add(
        one.component_id,
        one.pk,
        one.driver,
        LastValues.objects.get().layout_id,
        np.array([[10.0], [10.0], [10.0], [1.0]]),
    )
    gatherer.write(FleetSpan.HOUR, int(DAY.timestamp() * 1000))
    assert list(FleetValues.objects.values_list("pk", "at", "quantity", "values")) == before


def test_of_two_interfaces_that_measure_the_same_the_first_one_counts():
    component = make_component()
    system, controller = make_interface(component), make_interface(component)
    keep(system, DAY, (CPU, 10.0))
    keep(controller, DAY, (CPU, 99.0), (POWER, 250.0))
    with time_machine.travel(DAY + MINUTE, tick=False):
        assert fleet.sample() == 2
    found = {row.quantity: packing.unpack(row.values).tolist() for row in FleetValues.objects.all()}
    assert found == {"cpu": [10.0], "power": [250.0]}


def test_what_is_stale_or_not_watched_is_in_no_sample():
    fresh, stale, left = make_interface(), make_interface(), make_interface(make_component(unmanaged=True))
    keep(fresh, DAY, (CPU, 10.0))
    keep(stale, DAY - 2 * HOUR, (CPU, 20.0))
    keep(left, DAY, (CPU, 30.0))
    assert fleet.sample(DAY + MINUTE) == 1
    (row,) = FleetValues.objects.all()
    assert packing.unpack_ids(row.components).tolist() == [fresh.component_id]
    assert row.at == int(DAY.timestamp() * 1000)


def test_power_is_summed_and_load_averaged_over_the_chosen_components_only():
    interfaces = [make_interface() for _ in range(3)]
    for step in range(3):
        at = DAY + step * timedelta(seconds=fleet.EVERY)
        for number, interface in enumerate(interfaces):
            keep(interface, at, (CPU, 10.0 * (number + 1)), (POWER, 100.0 * (number + 1) + step))
        fleet.sample(at)
    ids, end = ids_of(*interfaces[:2]), DAY + 15 * MINUTE
    five = timedelta(seconds=fleet.EVERY)
    assert shown(course(P.POWER, ids, DAY, end)) == [
        (0 * five, 300.0, 300.0, 300.0, 2), (1 * five, 302.0, 302.0, 302.0, 2), (2 * five, 304.0, 304.0, 304.0, 2),
    ]  # fmt: skip
    assert shown(course(P.CPU, ids, DAY, end)) == [(step * five, 10.0, 15.0, 20.0, 2) for step in range(3)]
    assert shown(course(P.POWER, ids, DAY, end, 900)) == [(0 * five, 300.0, 302.0, 304.0, 2)]
    assert course(P.POWER, chosen([]), DAY, end).points == []
    assert course(P.TEMPERATURE, ids, DAY, end).points == []


def test_where_nobody_took_samples_the_hours_stand_in():
    one = make_interface()
    for minutes in range(0, 300, 10):
        keep(one, DAY + minutes * MINUTE, (CPU, float(minutes // 60)))
    rollups.roll_up(Span.HOUR, DAY + 6 * HOUR)
    for minutes in range(0, 60, 5):
        keep(one, DAY + 5 * HOUR + minutes * MINUTE, (CPU, 50.0))
        fleet.sample(DAY + 5 * HOUR + minutes * MINUTE)
    found = shown(course(P.CPU, ids_of(one), DAY, DAY + 6 * HOUR, 3600))
    assert [(at // HOUR, mean) for at, _low, mean, _high, _n in found] == [
        (0, 0.0), (1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0), (5, 50.0),
    ]  # fmt: skip


def test_long_ranges_come_by_days_then_hours_then_samples():
    one = make_interface()
    for hours in range(20 * 24 + 5):
        keep(one, DAY + hours * HOUR, (CPU, float(hours // 24)))
        if hours % 100 == 0:
            rollups.roll_up(Span.HOUR, DAY + hours * HOUR)
    now = DAY + timedelta(days=20, hours=5)
    rollups.roll_up(Span.HOUR, now)
    rollups.roll_up(Span.DAY, now)
    keep(one, now, (CPU, 77.0))
    fleet.sample(now)
    spans = [moment.span for moment in fleet_history.moments_of(P.CPU, ids_of(one), DAY, now + timedelta(minutes=1))]
    assert [spans.count(span) for span in (FleetSpan.DAY, FleetSpan.HOUR, FleetSpan.SAMPLE)] == [20, 4, 1]
    found = shown(course(P.CPU, ids_of(one), DAY, now + timedelta(minutes=1)))
    assert found[0] == (timedelta(0), 0.0, 0.0, 0.0, 1)
    assert found[19] == (timedelta(days=19), 19.0, 19.0, 19.0, 1)
    assert found[20][1:4] == (20.0, pytest.approx(31.4), 77.0)


def test_each_component_has_its_mean_and_the_line_through_its_disk():
    growing, full = make_interface(), make_interface()
    for hours in range(72):
        keep(growing, DAY + hours * HOUR, (DISKS[0], 40.0 + hours / 24 * 2))
        keep(full, DAY + hours * HOUR, (DISKS[0], 90.0 + (hours * 7919 % 13) / 10))
    end = DAY + 72 * HOUR
    rollups.roll_up(Span.HOUR, end + 3 * MINUTE)
    found = totals(P.DISK, ids_of(growing, full), DAY, end)
    assert [found.ids[place] for place in found.highest(5)] == [full.component_id, growing.component_id]
    place = int(np.flatnonzero(found.ids == growing.component_id)[0])
    assert found.mean[place] == pytest.approx(40 + 71 / 24, abs=1e-5)
    assert (found.low[place], found.high[place]) == (40.0, pytest.approx(40 + 71 / 12, abs=1e-5))
    fits = found.fits
    assert fits.per_day[place] == pytest.approx(2.0, abs=1e-4)
    assert fits.last[place] == pytest.approx(46.0, abs=0.05)
    assert fits.share[place] > 0.999
    assert fits.share[1 - place] < 0.1
    assert (fits.points[place], fits.days[place]) == (72, pytest.approx(71 / 24))


def test_the_parts_of_a_large_fleet_are_put_together(monkeypatch):
    monkeypatch.setattr(fleet, "PART", 1)
    interfaces = [make_interface() for _ in range(3)]
    for interface in interfaces:
        keep(interface, DAY, (POWER, 100.0))
    fleet.sample(DAY)
    assert FleetValues.objects.count() == 3
    assert shown(course(P.POWER, ids_of(*interfaces), DAY, DAY + HOUR))[0][1:] == (300.0, 300.0, 300.0, 3)


def test_reading_costs_the_same_for_one_component_and_for_sixty():
    one = make_interface()
    keep(one, DAY, (CPU, 10.0))
    fleet.sample(DAY)
    few = statements_of(lambda: course(P.CPU, ids_of(one), DAY, DAY + HOUR))
    many = [one, *(make_interface() for _ in range(59))]
    for interface in many:
        keep(interface, DAY + 5 * MINUTE, (CPU, 10.0))
    fleet.sample(DAY + 5 * MINUTE)
    assert statements_of(lambda: course(P.CPU, ids_of(*many), DAY, DAY + HOUR)) == few


def test_what_is_too_old_is_forgotten():
    now = datetime.now(UTC)
    for span, days in ((FleetSpan.SAMPLE, 4), (FleetSpan.SAMPLE, 2), (FleetSpan.HOUR, 101), (FleetSpan.DAY, 101)):
        FleetValues.objects.create(
            span=span, quantity="cpu", part=0, at=int((now - timedelta(days=days)).timestamp() * 1000),
            components=packing.pack_ids([1]), values=packing.pack([1.0]),
        )  # fmt: skip
    retention.forget_old()
    assert list(FleetValues.objects.order_by("pk").values_list("span", flat=True)) == ["sample", "day"]
