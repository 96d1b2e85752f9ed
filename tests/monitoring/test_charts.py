"""Charts as data and as a file: of a sensor, of several, of a fleet; with the time before."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine

from apps.core.csv_file import MARK
from apps.drivers.contract import Quantity, Reading
from apps.drivers.contract import Sensor as Point
from apps.monitoring import layouts
from apps.monitoring.judging import snapshot
from apps.monitoring.models import LastValues, Limit, Sample, Sensor
from apps.monitoring.services import fleet
from tests.factories import make_component, make_group, make_interface, make_user
from tests.statements import statements_of

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CPU = Point("cpu", "=CPU load", Quantity.CPU, "%")
CORE = Point("cpu.1", "Core 1", Quantity.CPU, "%")
POWER = Point("power", "Power", Quantity.POWER, "W")


class Device:
    """A component with samples as polls write them."""

    def __init__(self, **about):
        self.interface = make_interface(make_component(**about))
        self.component = self.interface.component
        self.points = (CPU, CORE, POWER)
        self.sensors = {
            point.key: Sensor.objects.create(
                interface=self.interface, key=point.key, name=point.name, quantity=point.quantity, unit=point.unit,
                status="normal",
            )
            for point in self.points
        }  # fmt: skip

    def measure(self, at: datetime, *values: float | None) -> None:
        """Write one sample of all three."""
        taken = snapshot([Reading(point, value) for point, value in zip(self.points, values, strict=True)], {})
        layout_id = layouts.ids({taken.digest: taken.sensors})[taken.digest]
        ms = int(at.timestamp() * 1000)
        Sample.objects.create(interface=self.interface, at=ms, layout_id=layout_id, values=taken.packed)
        last = {"layout_id": layout_id, "values": taken.exact, "statuses": taken.statuses, "measured_at": at}
        LastValues.objects.update_or_create(interface=self.interface, defaults=last)

    def url(self, *keys: str, form: str = "json", **query: str) -> str:
        """Give the address of the chart of some sensors."""
        words = [f"sensor={self.sensors[key].pk}" for key in keys] + [f"{name}={word}" for name, word in query.items()]
        return f"/components/{self.component.pk}/chart.{form}?{'&'.join(words)}"


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def device() -> Device:
    device = Device(name="web-1")
    for minutes, values in ((70, (1.0, 2.0, 3.0)), (50, (10.0, 20.0, 100.0)), (40, (30.0, None, 110.0))):
        device.measure(NOW - minutes * MINUTE, *values)
    return device


@pytest.fixture
def viewer(client):
    client.force_login(make_user("viewer"))
    return client


def stamp(minutes: int) -> float:
    return (NOW - minutes * MINUTE).timestamp()


def test_several_sensors_stand_in_one_chart(viewer, device):
    body = viewer.get(device.url("cpu", "cpu.1", range="1h")).json()
    assert (body["name"], body["unit"], body["limits"], body["before"]) == ("Processors", "%", None, [])
    assert (body["from"], body["to"]) == (stamp(60), stamp(0))
    assert [(line["name"], line["points"]) for line in body["lines"]] == [
        ("=CPU load", [[stamp(50), 10.0, 10.0, 10.0], [stamp(40), 30.0, 30.0, 30.0]]),
        ("Core 1", [[stamp(50), 20.0, 20.0, 20.0], [stamp(40), None, None, None]]),
    ]


def test_the_time_before_is_as_long_and_keeps_its_own_times(viewer, device):
    body = viewer.get(device.url("cpu", range="1h", compare="before")).json()
    assert [line["points"] for line in body["before"]] == [[[stamp(70), 1.0, 1.0, 1.0]]]


def test_one_sensor_shows_the_limits_in_force(viewer, device):
    Limit.objects.create(interface=device.interface, key="cpu", upper_warning=80.0)
    limits = viewer.get(device.url("cpu")).json()["limits"]
    assert limits == {"lower_critical": None, "lower_warning": None, "upper_warning": 80.0, "upper_critical": None}


@pytest.mark.parametrize("keys", [(), ("cpu", "power")])
def test_nothing_and_different_units_are_no_chart(viewer, device, keys):
    assert viewer.get(device.url(*keys)).status_code == 404


def test_more_than_eight_lines_are_no_chart(viewer, device):
    words = "&".join(f"sensor={number}" for number in range(1, 10))
    assert viewer.get(f"/components/{device.component.pk}/chart.json?{words}").status_code == 404


def test_a_sensor_of_another_component_is_not_there(viewer, device):
    other = Device()
    pk = other.sensors["cpu"].pk
    assert viewer.get(f"/components/{device.component.pk}/chart.json?sensor={pk}").status_code == 404


def test_somebody_elses_charts_do_not_exist(client, device):
    client.force_login(make_user("viewer", make_group()))
    for form in ("json", "csv"):
        assert client.get(device.url("cpu", form=form)).status_code == 404
        assert client.get(f"/components/{device.component.pk}/sensors/1/chart.{form}").status_code == 404


def test_the_file_has_the_same_values_in_the_readers_zone(client, device):
    client.force_login(make_user("viewer", time_zone="Asia/Tokyo"))
    answer = client.get(device.url("cpu", form="csv", range="1h", compare="before"))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="cpu-load-20260310-2100.csv"'
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith(MARK)
    assert list(csv.reader(StringIO(text.removeprefix(MARK)))) == [
        ["Time", "Name", "Unit", "Lowest", "Mean", "Highest"],
        ["2026-03-10T20:10:00+09:00", "'=CPU load", "%", "10.0", "10.0", "10.0"],
        ["2026-03-10T20:20:00+09:00", "'=CPU load", "%", "30.0", "30.0", "30.0"],
        ["2026-03-10T19:50:00+09:00", "'=CPU load (the time before)", "%", "1.0", "1.0", "1.0"],
    ]


def test_what_was_not_measured_is_an_empty_cell_never_zero(viewer, device):
    answer = viewer.get(device.url("cpu.1", form="csv", range="1h"))
    text = b"".join(answer.streaming_content).decode()
    assert list(csv.reader(StringIO(text)))[-1][1:] == ["Core 1", "%", "", "", ""]


def test_a_bad_time_is_named(viewer, device):
    answer = viewer.get(device.url("cpu", **{"from": "soon"}))
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["from"])


def test_a_fleets_power_is_a_sum_over_what_somebody_may_see(client):
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    for group, watts, category in (
        (tokyo, 100.0, "server"), (tokyo, 50.5, "network"), (osaka, 300.0, "server"), (tokyo, 999.0, "ups")
    ):  # fmt: skip
        Device(group=group, category=category).measure(NOW, 10.0, 1.0, watts)
    fleet.sample(NOW)
    url = "/statistics/chart.json?quantity=power&range=1h"
    with time_machine.travel(NOW + MINUTE, tick=False):
        client.force_login(make_user("viewer"))
        (line,) = client.get(url).json()["lines"]
        assert (line["points"], line["measured"]) == ([[stamp(0), 450.5, 450.5, 450.5]], [3])
        (line,) = client.get(f"{url}&group={osaka.pk}").json()["lines"]
        assert line["points"][0][2] == 300.0
        client.force_login(make_user("viewer", tokyo))
        (line,) = client.get(url).json()["lines"]
        assert (line["points"][0][2], line["measured"]) == (150.5, [2])
        assert client.get(f"{url}&group={osaka.pk}").status_code == 404
        file = b"".join(client.get(url.replace("json", "csv")).streaming_content).decode()
        assert file.splitlines()[1] == "2026-03-10T12:00:00+00:00,Power,W,150.5,150.5,150.5,2"


@pytest.mark.parametrize("query", ["quantity=luck", "quantity=cpu&group=x", "quantity=cpu&group=99999", ""])
def test_what_is_not_there_is_no_chart(viewer, query):
    assert viewer.get(f"/statistics/chart.json?{query}").status_code == 404


def test_a_chart_of_many_sensors_costs_what_one_costs(viewer, device):
    for number in range(5):
        interface = make_interface(device.component)
        sensor = Sensor.objects.create(
            interface=interface, key="cpu", name=f"cpu {number}", quantity="cpu", unit="%", status="normal"
        )
        device.sensors[f"other {number}"] = sensor
    few = statements_of(lambda: viewer.get(device.url("cpu.1", "cpu", range="7d")))
    many = device.url("cpu", "cpu.1", *(f"other {number}" for number in range(5)), range="7d")
    assert statements_of(lambda: viewer.get(many)) == few
