"""Statistics over a fleet and its groups, and the statistics and storage of one component."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from apps.components.models import InventoryItem
from apps.drivers.contract import Limits, Quantity, Reading
from apps.drivers.contract import Sensor as Point
from apps.monitoring import layouts
from apps.monitoring.judging import snapshot
from apps.monitoring.models import LastValues, RollUpProgress, Sample, Sensor, Span
from apps.monitoring.services import rollups
from tests.factories import make_component, make_group, make_interface, make_user
from tests.statements import statements_of

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 3, 1, tzinfo=UTC)
NOW = DAY + timedelta(days=3)
HOUR = timedelta(hours=1)
CPU = Point("cpu", "CPU load", Quantity.CPU, "%")
POWER = Point("power", "Power", Quantity.POWER, "W")
ROOT = Point("storage.1", "/", Quantity.STORAGE, "%", Limits(upper_warning=90, upper_critical=95))
VAR = Point("storage.2", "/var", Quantity.STORAGE, "%", Limits(upper_warning=90, upper_critical=95))
PORTS = [Point(f"if.{n}.{way}", f"eth{n} {way}", Quantity.TRAFFIC, "bit/s") for n in (0, 1) for way in ("in", "out")]
POINTS = (CPU, POWER, ROOT, VAR, *PORTS)


def device(name: str, group=None, *, load: float, disk: tuple[float, float], flow: float, **about):
    """Make a component with three days of hourly samples: a disk that grows by so much a day, two ports."""
    interface = make_interface(make_component(name, group, **about))
    for point in POINTS:
        Sensor.objects.create(
            interface=interface, key=point.key, name=point.name, quantity=point.quantity, unit=point.unit,
            status="normal",
        )  # fmt: skip
    for hours in range(72):
        full = disk[0] + disk[1] * hours / 24
        values = (load, 100.0 if hours % 2 else 120.0, 5.0, full, flow, flow / 2, flow / 4, None)
        taken = snapshot([Reading(point, value) for point, value in zip(POINTS, values, strict=True)], {})
        layout_id = layouts.ids({taken.digest: taken.sensors})[taken.digest]
        at = int((DAY + hours * HOUR).timestamp() * 1000)
        Sample.objects.create(interface=interface, at=at, layout_id=layout_id, values=taken.packed)
    last = {"layout_id": layout_id, "values": taken.exact, "statuses": taken.statuses, "measured_at": NOW}
    LastValues.objects.create(interface=interface, **last)
    return interface.component


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def fleet():
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    rack = make_group("Rack 1", tokyo)
    device("web-1", rack, load=80.0, disk=(40.0, 5.0), flow=8e6)
    device("web-2", tokyo, load=20.0, disk=(90.0, 0.0), flow=2e6)
    device("db-1", osaka, load=50.0, disk=(10.0, 0.5), flow=3e6)
    rollups.roll_up(Span.HOUR, NOW + 3 * timedelta(minutes=1))
    rollups.roll_up(Span.DAY, NOW + 3 * timedelta(minutes=1))
    return tokyo, osaka


@pytest.fixture
def viewer(client):
    client.force_login(make_user("viewer"))
    return client


def told(entries) -> list[tuple[str, float]]:
    return [(entry.component.name, round(entry.mean, 3)) for entry in entries]


@pytest.mark.parametrize("range_", ["7d", "30d", "1y"])
def test_the_lists_name_who_is_highest(viewer, fleet, range_):
    lists = viewer.get(f"/statistics/?range={range_}").context["lists"]
    assert told(lists.cpu) == [("web-1", 80.0), ("db-1", 50.0), ("web-2", 20.0)]
    assert [entry.component.name for entry in lists.disks] == ["web-2", "web-1", "db-1"]
    assert [(entry.component.name, entry.sensor.name, entry.mean) for entry in lists.ports][:4] == [
        ("web-1", "eth0 in", 8e6), ("web-1", "eth0 out", 4e6), ("db-1", "eth0 in", 3e6), ("web-1", "eth1 in", 2e6),
    ]  # fmt: skip


def test_disks_say_when_they_will_be_full_where_a_line_fits(viewer, fleet):
    lists = viewer.get("/statistics/?range=7d").context["lists"]
    forecasts = {entry.component.name: entry.forecast for entry in lists.disks}
    assert forecasts["web-1"].per_day == pytest.approx(5.0, abs=0.01)
    assert forecasts["web-1"].days == pytest.approx(9.0, abs=0.1)  # 55 % at the end of the third day
    assert forecasts["web-2"].days is None
    assert forecasts["db-1"].days is None  # 177 days are further away than thirty times three days
    assert [(entry.component.name, entry.sensor.name) for entry in lists.filling] == [("web-1", "/var")]


def test_groups_are_put_together_with_what_is_below_them(viewer, fleet):
    tokyo, _osaka = fleet
    lines = {line.name: line for line in viewer.get("/statistics/?range=7d").context["by_group"]}
    assert set(lines) == {"Tokyo", "Osaka"}
    assert (lines["Tokyo"].pk, lines["Tokyo"].total, lines["Osaka"].total) == (tokyo.pk, 2, 1)
    assert (lines["Tokyo"].means["cpu"], lines["Tokyo"].highest["cpu"]) == (50.0, 80.0)
    assert (lines["Tokyo"].means["power"], lines["Osaka"].means["power"]) == (220.0, 110.0)
    assert lines["Osaka"].means["temperature"] is None
    inside = viewer.get(f"/statistics/?range=7d&group={tokyo.pk}").context["by_group"]
    assert [(line.name, line.total, line.own) for line in inside] == [("Rack 1", 1, False), ("Tokyo", 1, True)]


def test_statistics_are_of_what_somebody_may_see(client, fleet):
    tokyo, osaka = fleet
    client.force_login(make_user("viewer", osaka))
    page = client.get("/statistics/?range=7d")
    assert told(page.context["lists"].cpu) == [("db-1", 50.0)]
    assert "web-1" not in page.content.decode()
    assert client.get(f"/statistics/?group={tokyo.pk}").status_code == 404


def test_what_is_chosen_stands_in_the_address_of_the_charts(viewer, fleet):
    tokyo, _osaka = fleet
    address = f"/statistics/?range=30d&compare=before&quantity=disk&quantity=power&group={tokyo.pk}"
    charts = viewer.get(address).context["charts"]
    assert [chart.url for chart in charts] == [
        f"/statistics/chart.json?quantity={name}&range=30d&group={tokyo.pk}&compare=before"
        for name in ("disk", "power")
    ]
    own = viewer.get("/statistics/?range=&from=2026-03-01T00:00&to=2026-03-02T00:00&quantity=cpu").context["charts"]
    assert own[0].url == "/statistics/chart.json?quantity=cpu&from=2026-03-01T00%3A00&to=2026-03-02T00%3A00"


def test_a_wrong_time_is_named_and_kept(viewer, fleet):
    page = viewer.get("/statistics/?range=&from=2026-03-05T00:00&to=2026-03-04T00:00")
    assert page.status_code == 400
    text = page.content.decode()
    assert "This must lie before the end." in text
    assert 'value="2026-03-05T00:00"' in text


def test_an_empty_fleet_has_nothing_and_no_zero(viewer):
    page = viewer.get("/statistics/")
    assert page.status_code == 200
    assert page.context["by_group"] == []
    assert page.context["lists"].cpu == []


def test_the_page_costs_the_same_for_one_component_and_for_sixty(viewer):
    device("one", load=1.0, disk=(1.0, 1.0), flow=1.0)
    first = Sample.objects.first()
    later = NOW + timedelta(minutes=90)

    def measure(interface) -> None:
        at = int((NOW + timedelta(seconds=1)).timestamp() * 1000)
        Sample.objects.create(interface=interface, at=at, layout_id=first.layout_id, values=first.values)

    def look() -> int:
        RollUpProgress.objects.filter(span=Span.HOUR, until__gt=int(NOW.timestamp() * 1000)).update(
            until=int(NOW.timestamp() * 1000)
        )
        rollups.roll_up(Span.HOUR, later)
        with time_machine.travel(later, tick=False):
            viewer.force_login(make_user("viewer"))
            assert len(viewer.get("/statistics/?range=7d").context["lists"].cpu) == min(10, Sample.objects.count() - 72)
            return statements_of(lambda: viewer.get("/statistics/?range=7d"))

    measure(first.interface)
    few = look()
    for number in range(59):
        interface = make_interface(make_component(f"more {number}"))
        for point in POINTS:
            Sensor.objects.create(
                interface=interface, key=point.key, name=point.name, quantity=point.quantity, unit=point.unit,
                status="normal",
            )  # fmt: skip
        measure(interface)
    assert look() == few


# --- one component ---


def panel_of(page, name: str):
    """Give what a card of the page shows."""
    views = [*page.context["still"], *page.context["panels"]]
    return next(view.content for view in views if view.panel.name == name)


def test_the_tab_shows_what_says_most_until_somebody_chooses(viewer, fleet):
    component = fleet[1].components.get()
    page = viewer.get(f"{component.get_absolute_url()}?tab=statistics&range=7d")
    panel = panel_of(page, "statistics")
    assert [row.sensor.key for row in panel.rows] == ["cpu", "storage.2", "if.0.in", "power"]
    rows = {row.sensor.key: row.summary for row in panel.rows}
    assert (rows["power"].low, rows["power"].mean, rows["power"].high) == (100.0, 110.0, 120.0)
    assert rows["storage.2"].trend.per_day == pytest.approx(0.5, abs=0.01)
    assert [chart.label for chart in panel.charts] == ["CPU load (%)", "/var (%)", "eth0 in (bit/s)", "Power (W)"]


def test_chosen_sensors_of_one_quantity_share_a_chart(viewer, fleet):
    component = fleet[1].components.get()
    ids = list(Sensor.objects.filter(interface__component=component, quantity="traffic").values_list("pk", flat=True))
    words = "&".join(f"sensor={pk}" for pk in ids)
    page = viewer.get(f"{component.get_absolute_url()}?tab=statistics&range=7d&compare=before&{words}")
    panel = panel_of(page, "statistics")
    (chart,) = panel.charts
    base = f"/components/{component.pk}/chart.json?"
    assert chart.url == f"{base}{words}&range=7d&compare=before"
    assert [(pick.kind, pick.chosen) for pick in panel.picks if pick.chosen] == [(Quantity.TRAFFIC, 4)]
    assert panel.rows[3].summary is None  # never measured
    assert "not measured" in page.content.decode()


def test_the_storage_tab_knows_sizes_growth_and_the_day(viewer, fleet):
    component = next(c for c in fleet[0].components.model.objects.all() if c.name == "web-1")
    interface = component.interfaces.get()
    InventoryItem.objects.create(
        interface=interface, kind="storage", key="storage.2", name="/var", details={"Size (bytes)": 1000}
    )
    page = viewer.get(f"{component.get_absolute_url()}?tab=storage")
    var, root = panel_of(page, "storage").disks
    assert (var.view.name, var.size, round(var.used), round(var.free)) == ("/var", 1000, 548, 452)
    assert var.forecast.days == pytest.approx(9.0, abs=0.1)
    assert (root.view.name, root.size, root.used, root.free, root.forecast.days) == ("/", None, None, None, None)


def test_without_disks_there_is_no_storage_tab(viewer):
    component = make_interface().component
    page = viewer.get(f"{component.get_absolute_url()}?tab=storage")
    assert page.context["tab"].name == "overview"
    assert "storage" not in [view.tab.name for view in page.context["tabs"]]


@pytest.mark.parametrize("tab", ["statistics", "storage"])
def test_a_tab_costs_the_same_for_few_and_for_many_sensors(viewer, fleet, tab):
    component = fleet[1].components.get()
    url = f"{component.get_absolute_url()}?tab={tab}"
    words = "".join(
        f"&sensor={pk}" for pk in Sensor.objects.filter(interface__component=component).values_list("pk", flat=True)
    )
    few = statements_of(lambda: viewer.get(f"{url}{words.split('&', 2)[1] and '&' + words.split('&', 2)[1]}"))
    assert statements_of(lambda: viewer.get(url + words)) == few
