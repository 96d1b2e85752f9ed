"""Roll-ups have exact values, are caught up, and charts read samples or roll-ups as the range wants."""

import math
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.drivers.contract import Quantity, Reading
from apps.drivers.contract import Sensor as Point
from apps.monitoring import layouts, packing
from apps.monitoring.judging import snapshot
from apps.monitoring.models import RollUp, RollUpProgress, Sample, Sensor, SensorLayout, Span
from apps.monitoring.services import history, presence, retention, rollups
from tests.factories import make_interface

pytestmark = pytest.mark.django_db
HEAT = Point("heat", "Inlet", Quantity.TEMPERATURE, "°C")
POWER = Point("power", "Power", Quantity.POWER, "W")
DAY = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Device:
    """An interface whose samples are written as a poll writes them."""

    def __init__(self) -> None:
        self.interface = make_interface(polled=True)
        self.heat, self.power = (
            Sensor.objects.create(
                interface=self.interface, key=point.key, name=point.name, quantity=point.quantity, unit=point.unit,
                status="normal",
            )
            for point in (HEAT, POWER)
        )  # fmt: skip

    def sample(self, at: datetime, heat: float | None = None, power: float | None = None, points=(HEAT, POWER)) -> None:
        """Write one sample."""
        values = {"heat": heat, "power": power}
        taken = snapshot([Reading(point, values[point.key]) for point in points], {})
        layout_id = layouts.ids({taken.digest: taken.sensors})[taken.digest]
        Sample.objects.create(
            interface=self.interface, at=int(at.timestamp() * 1000), layout_id=layout_id, values=taken.packed
        )

    def rolled(self, span: Span) -> dict[datetime, list[list[float | None]]]:
        """Give min, mean, max and count of each sensor by the beginning of the span."""
        found = {}
        for row in RollUp.objects.filter(interface=self.interface, span=span).order_by("at"):
            table = packing.unpack(row.values).reshape(4, -1).T.tolist()
            found[datetime.fromtimestamp(row.at / 1000, UTC)] = [
                [None if math.isnan(one) else one for one in sensor] for sensor in table
            ]
        return found


@pytest.fixture
def device() -> Device:
    return Device()


def test_an_hour_has_the_exact_min_mean_max_and_count(device):
    for minutes, heat, power in ((0, 20.0, 100.0), (20, 26.0, None), (40, 23.0, None), (59, 31.0, None)):
        device.sample(DAY + timedelta(minutes=minutes), heat, power)
    device.sample(DAY + HOUR, 99.0, 99.0)
    assert rollups.roll_up(Span.HOUR, DAY + HOUR + timedelta(minutes=3)) == 1
    assert device.rolled(Span.HOUR) == {DAY: [[20.0, 25.0, 31.0, 4.0], [100.0, 100.0, 100.0, 1.0]]}


def test_what_was_never_measured_in_an_hour_stays_not_measured(device):
    device.sample(DAY, 20.0, None)
    rollups.roll_up(Span.HOUR, DAY + 2 * HOUR)
    assert device.rolled(Span.HOUR)[DAY][1] == [None, None, None, 0.0]


def test_an_hour_that_has_not_ended_is_left_for_later(device):
    device.sample(DAY, 20.0)
    assert rollups.roll_up(Span.HOUR, DAY + HOUR + timedelta(seconds=30)) == 0
    assert rollups.roll_up(Span.HOUR, DAY + HOUR + timedelta(seconds=121)) == 1


def test_rolling_up_again_changes_nothing(device):
    device.sample(DAY, 20.0)
    rollups.roll_up(Span.HOUR, DAY + 3 * HOUR)
    before = device.rolled(Span.HOUR)
    assert rollups.roll_up(Span.HOUR, DAY + 3 * HOUR) == 0
    RollUpProgress.objects.all().delete()
    rollups.roll_up(Span.HOUR, DAY + 3 * HOUR)
    assert device.rolled(Span.HOUR) == before


def test_a_standstill_is_caught_up(device):
    for hours in range(30):
        device.sample(DAY + hours * HOUR + timedelta(minutes=5), float(hours))
    assert rollups.roll_up(Span.HOUR, DAY + 30 * HOUR + timedelta(minutes=10)) == 30
    assert [values[0][1] for values in device.rolled(Span.HOUR).values()] == [float(hours) for hours in range(30)]


def test_a_day_weighs_hours_by_their_values(device):
    for minutes in (0, 10, 20):
        device.sample(DAY + timedelta(minutes=minutes), 10.0)
    device.sample(DAY + 5 * HOUR, 50.0)
    device.sample(DAY + 24 * HOUR, 999.0)
    rollups.roll_up(Span.HOUR, DAY + 26 * HOUR)
    assert rollups.roll_up(Span.DAY, DAY + 26 * HOUR) == 1
    assert device.rolled(Span.DAY) == {DAY: [[10.0, 20.0, 50.0, 4.0], [None, None, None, 0.0]]}


def test_a_day_waits_for_its_hours(device):
    device.sample(DAY, 10.0)
    rollups.roll_up(Span.HOUR, DAY + 23 * HOUR)
    assert rollups.roll_up(Span.DAY, DAY + 26 * HOUR) == 0


def test_sensors_that_come_and_go_within_an_hour_are_all_kept(device):
    device.sample(DAY, 20.0, points=(HEAT,))
    device.sample(DAY + timedelta(minutes=10), 30.0, 200.0, points=(POWER, HEAT))
    rollups.roll_up(Span.HOUR, DAY + 2 * HOUR)
    (row,) = RollUp.objects.filter(interface=device.interface)
    keys = [point.key for point in layouts.sensors_of(row.layout_id)]
    assert dict(zip(keys, device.rolled(Span.HOUR)[DAY], strict=True)) == {
        "power": [200.0, 200.0, 200.0, 1.0],
        "heat": [20.0, 25.0, 30.0, 2.0],
    }


def test_up_to_two_days_every_sample_is_a_point(device):
    for minutes in (0, 10, 20):
        device.sample(DAY + timedelta(minutes=minutes), 20.1 + minutes)
    device.sample(DAY + timedelta(minutes=30), None)
    series = history.samples(device.heat, DAY, DAY + HOUR)
    assert [tuple(point[1:]) for point in series.points] == [
        (20.1, 20.1, 20.1),
        (30.1, 30.1, 30.1),
        (40.1, 40.1, 40.1),
        (None, None, None),
    ]
    assert series.points[1].at == DAY + timedelta(minutes=10)
    assert series.step == 600


def test_a_page_that_is_open_makes_no_gaps_of_the_time_before(device):
    """The page makes polls quicker; those before were ten minutes apart, and nothing is missing between them."""
    presence.watch(device.interface.component_id)
    for minutes in range(0, 60, 10):
        device.sample(DAY + timedelta(minutes=minutes), heat=20.0)
    series = history.samples(device.heat, DAY, DAY + HOUR)
    assert (series.step, series.apart) == (60, 600)
    assert history.samples(device.heat, DAY, DAY + HOUR, step=120).apart == 600


def test_a_step_puts_samples_together_and_keeps_the_extremes(device):
    for minutes, heat in ((0, 10.0), (10, 40.0), (20, 10.0), (30, 5.0)):
        device.sample(DAY + timedelta(minutes=minutes), heat)
    series = history.samples(device.heat, DAY, DAY + HOUR, 1800)
    assert series.step == 1800
    assert series.points == [
        history.Point(DAY, 10.0, 20.0, 40.0),
        history.Point(DAY + timedelta(minutes=30), 5.0, 5.0, 5.0),
    ]


def test_there_are_never_more_than_a_thousand_points(device):
    for seconds in range(0, 1500 * 10, 10):
        device.sample(DAY + timedelta(seconds=seconds), float(seconds % 70))
    series = history.samples(device.heat, DAY, DAY + timedelta(seconds=15000))
    assert len(series.points) == 250
    assert series.step == 60
    assert series.points[0] == history.Point(DAY, 0.0, 25.0, 50.0)
    finest = history.samples(device.heat, DAY, DAY + timedelta(seconds=15000), 1)
    assert len(finest.points) <= 1000


@time_machine.travel(DAY + 60 * HOUR, tick=False)
def test_beyond_two_days_hours_are_read_and_the_rest_comes_raw(device):
    for hours in range(60):
        for minutes in (0, 30):
            device.sample(DAY + hours * HOUR + timedelta(minutes=minutes), float(hours + minutes))
    rollups.roll_up(Span.HOUR, DAY + 58 * HOUR + timedelta(minutes=5))
    series = history.samples(device.heat, DAY, DAY + 60 * HOUR)
    assert series.step == 3600
    assert len(series.points) == 60
    assert series.points[0] == history.Point(DAY, 0.0, 15.0, 30.0)
    assert series.points[59] == history.Point(DAY + 59 * HOUR, 59.0, 74.0, 89.0)
    Sample.objects.filter(at__lt=int((DAY + 58 * HOUR).timestamp() * 1000)).delete()
    assert history.samples(device.heat, DAY, DAY + 60 * HOUR) == series


def test_what_is_older_than_the_hours_are_kept_is_read_by_days(device):
    for hours in range(72):
        device.sample(DAY + hours * HOUR, float(hours))
    rollups.roll_up(Span.HOUR, DAY + 80 * HOUR)
    rollups.roll_up(Span.DAY, DAY + 80 * HOUR)
    RollUp.objects.filter(span=Span.HOUR).delete()
    with time_machine.travel(DAY + timedelta(days=120), tick=False):
        series = history.samples(device.heat, DAY, DAY + timedelta(days=3))
    assert series.step == 86400
    assert [tuple(point[1:]) for point in series.points] == [(0.0, 11.5, 23.0), (24.0, 35.5, 47.0), (48.0, 59.5, 71.0)]


def test_a_sensor_that_is_in_no_row_has_no_points(device):
    device.sample(DAY, 20.0, points=(HEAT,))
    assert history.samples(device.power, DAY, DAY + HOUR).points == []


def test_what_is_too_old_is_forgotten_in_slices(device, monkeypatch):
    monkeypatch.setattr(retention, "SLICE", 3)
    now = timezone.now()
    for days in (20, 12, 10, 9, 8, 6, 1):
        device.sample(now - timedelta(days=days, seconds=days), 20.0)
    old = now - timedelta(days=101)
    layout_id = Sample.objects.values_list("layout_id", flat=True).first()
    for span in Span:
        RollUp.objects.create(
            interface=device.interface, span=span, at=int(old.timestamp() * 1000), layout_id=layout_id, values=b""
        )
    retention.forget_old()
    assert Sample.objects.count() == 2
    assert list(RollUp.objects.values_list("span", flat=True)) == ["day"]


def test_a_layout_is_forgotten_when_nothing_refers_to_it_and_nobody_used_it_for_a_day(device):
    device.sample(timezone.now(), 20.0, points=(HEAT,))
    device.sample(timezone.now() - timedelta(days=30), 20.0, 1.0)
    retention.forget_old()
    assert SensorLayout.objects.count() == 2
    SensorLayout.objects.update(used_at=timezone.now() - timedelta(days=2))
    retention.forget_old()
    assert [layout.size for layout in SensorLayout.objects.all()] == [1]


def test_a_sensor_that_is_gone_for_long_is_forgotten(device):
    Sensor.objects.filter(pk=device.power.pk).update(gone_at=timezone.now() - timedelta(days=101))
    Sensor.objects.filter(pk=device.heat.pk).update(gone_at=timezone.now() - timedelta(days=99))
    retention.forget_old()
    assert list(Sensor.objects.values_list("key", flat=True)) == ["heat"]
