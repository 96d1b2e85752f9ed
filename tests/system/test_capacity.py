"""What is stored is measured as it is, its growth told from what was written, and the day of the full disk foreseen."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from apps.alerts.models import Alert, Incident
from apps.alerts.services import catalogue
from apps.core import options
from apps.core.actors import COMMAND
from apps.monitoring import layouts
from apps.monitoring.models import RollUp, Sample, SensorLayout
from apps.system import preflight
from apps.system.capacity import estimate, forecast, kinds, measuring, tables
from apps.system.capacity.estimate import Fleet, Kept, Weights
from apps.system.capacity.forecast import Stream
from apps.system.models import CapacityMeasurement
from tests.factories import make_component, make_interface, make_user, ship_definitions

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def make_layout(size: int = 4) -> SensorLayout:
    return SensorLayout.objects.create(digest=bytes([size] * 16), sensors=b"x" * 50, size=size)


def make_samples(count: int, first: datetime, step: timedelta, size: int = 4) -> None:
    """Make polls of one interface."""
    interface, layout = make_interface(), make_layout(size)
    Sample.objects.bulk_create(
        Sample(interface=interface, at=ms(first + number * step), layout=layout, values=b"v" * 40)
        for number in range(count)
    )


def make_alerts(count: int, first: datetime, step: timedelta) -> None:
    Alert.objects.bulk_create(
        Alert(
            received_at=first + number * step,
            source="snmp-trap",
            title="x",
            bindings=[{"oid": "1.3", "value": "y" * 200}],
        )
        for number in range(count)
    )


@pytest.mark.django_db
class TestTables:
    """Bytes by table."""

    def test_the_tables_and_what_is_free_are_the_whole_database(self):
        make_alerts(500, NOW, HOUR)
        sizes = tables.sizes()
        assert sizes.counted
        assert sizes.tables["alerts_alert"] > 500 * 200
        if connection.vendor == "sqlite":
            assert sum(sizes.tables.values()) + sizes.free == sizes.total
        else:
            assert sizes.total > sum(sizes.tables.values())
            assert (sizes.free, sizes.log) == (None, None)

    def test_weighed_by_samples_it_comes_near_what_is_counted(self, monkeypatch):
        make_alerts(5000, NOW, HOUR)
        make_samples(5000, NOW, HOUR)
        counted = tables.sizes()
        monkeypatch.setattr(tables, "COUNTED_UP_TO", 0)
        weighed = tables.sizes()
        assert (weighed.counted, counted.counted) == (connection.vendor != "sqlite", True)  # PostgreSQL keeps book
        assert abs(sum(weighed.tables.values()) - sum(counted.tables.values())) < 100
        for table in ("alerts_alert", "monitoring_sample"):
            assert weighed.tables[table] == pytest.approx(counted.tables[table], rel=0.2)

    def test_rows_are_counted_in_windows_where_there_are_many(self, monkeypatch):
        make_alerts(5000, NOW, HOUR)
        first = Alert.objects.order_by("pk").values_list("pk", flat=True)[0]
        Alert.objects.filter(pk__gte=first + 1000, pk__lt=first + 2000).delete()
        assert tables.rows("alerts_alert") == 4000
        assert tables.rows("alerts_alert", low=first + 1500) == 3000
        assert tables.rows("alerts_alert", where="severity = 'critical'") == 0
        monkeypatch.setattr(tables, "ROWS_COUNTED_UP_TO", 10)
        assert tables.rows("alerts_alert") == pytest.approx(4000, rel=0.05)
        assert tables.rows("core_job") == 0


@pytest.mark.django_db
class TestRates:
    """What was written a day."""

    def test_polls_of_the_last_seven_days_count(self):
        make_samples(10 * 24, NOW - 10 * DAY, HOUR)
        assert kinds.per_day(kinds.BY_NAME["sample"], NOW) == pytest.approx(24)

    def test_a_younger_portal_counts_from_its_first_row(self):
        make_samples(6 * 5, NOW - 5 * HOUR, timedelta(minutes=10))
        assert kinds.per_day(kinds.BY_NAME["sample"], NOW) == pytest.approx(144)

    def test_less_than_an_hour_tells_nothing(self):
        make_samples(5, NOW - timedelta(minutes=50), timedelta(minutes=10))
        assert kinds.per_day(kinds.BY_NAME["sample"], NOW) is None
        assert kinds.per_day(kinds.BY_NAME["alert"], NOW) is None
        assert kinds.per_day(kinds.BY_NAME["component"], NOW) is None

    def test_a_silence_lowers_the_rate(self):
        make_alerts(70, NOW - 7 * DAY, timedelta(minutes=1))
        assert kinds.per_day(kinds.BY_NAME["alert"], NOW) == pytest.approx(10)

    def test_days_follow_from_hours(self):
        interface, layout = make_interface(), make_layout()
        for number in range(48):
            at = ms(NOW - (48 - number) * HOUR)
            RollUp.objects.create(interface=interface, span="hour", at=at, layout=layout, values=b"v")
        RollUp.objects.create(interface=interface, span="day", at=ms(NOW - 2 * DAY), layout=layout, values=b"v")
        assert kinds.per_day(kinds.BY_NAME["hourly"], NOW) == pytest.approx(24)
        assert kinds.per_day(kinds.BY_NAME["daily"], NOW) == pytest.approx(1)
        assert (kinds.BY_NAME["hourly"].rows(), kinds.BY_NAME["daily"].rows()) == (48, 1)

    def test_every_table_of_ours_that_grows_has_a_kind(self):
        owned = {table: kind.name for table, kind in kinds.by_table().items()}
        assert owned["monitoring_rollup"] == "hourly"
        assert owned["components_statuschange"] == "status-change"
        assert owned["alerts_incident"] == "alert"
        assert owned["components_inventoryitem"] == owned["monitoring_lastvalues"] == "component"
        assert "accounts_session" not in owned


class TestForecast:
    """When the disk is full."""

    def test_without_an_end_it_is_a_division(self):
        assert forecast.days_until(1000, [Stream(0, 10, 10)]) == pytest.approx(10)
        assert forecast.growth([Stream(0, 10, 10), Stream(5, 1, 50)]) == 150

    def test_retention_bends_the_line(self):
        polls = Stream(rows=0, per_day=10, each=10, kept_for=5)  # 500 bytes after five days, then no more
        alerts = Stream(rows=0, per_day=1, each=10)  # 10 bytes a day for ever
        assert forecast.days_until(550, [polls, alerts]) == pytest.approx(5)
        assert forecast.days_until(600, [polls, alerts]) == pytest.approx(10)
        assert forecast.days_until(440, [polls, alerts]) == pytest.approx(4)

    def test_what_is_kept_may_never_need_the_room(self):
        assert forecast.days_until(501, [Stream(0, 10, 10, kept_for=5)]) is None
        assert forecast.days_until(1000, [Stream(50, 10, 10, kept_for=5)]) is None
        assert forecast.days_until(1000, []) is None

    def test_what_is_kept_by_number_ends_too(self):
        assert forecast.days_until(1000, [Stream(0, 10, 10, kept_for=50, kept_at_most=99)]) is None
        assert forecast.days_until(980, [Stream(0, 10, 10, kept_for=50, kept_at_most=99)]) == pytest.approx(9.8)

    def test_a_full_disk_is_full_today(self):
        assert forecast.days_until(0, [Stream(0, 10, 10)]) == 0

    def test_what_is_at_its_most_grows_no_more(self):
        full = Stream(rows=60, per_day=10, each=10, kept_for=5)
        assert (full.growth, full.grown(100)) == (0, 0)


class TestEstimate:
    """The calculator."""

    weights = Weights(base=1000, component=100, sensor=10, sample_value=2, roll_up_value=5, alert=20)
    kept = Kept(samples=7, hourly=100, daily=730, alerts=None)

    def test_a_day(self):
        fleet = Fleet(components=2, values=10, interval=8640, alerts=3)
        sample, roll_up = 60 + 20, 60 + 50
        each = 100 + 100 + 10 * sample + 24 * roll_up + roll_up
        assert estimate.size(fleet, 1, self.kept, self.weights) == 1000 + 2 * each + 3 * 20

    def test_retention_ends_the_growth_of_all_but_alerts(self):
        fleet = Fleet(components=1, values=10, interval=86400, alerts=1)
        month, year = (estimate.size(fleet, days, self.kept, self.weights) for days in (730, 1095))
        assert year - month == 365 * 20
        capped = Kept(samples=7, hourly=100, daily=730, alerts=10)
        assert estimate.size(fleet, 730, capped, self.weights) == estimate.size(fleet, 7300, capped, self.weights)
        few = Kept(samples=7, hourly=100, daily=730, alerts=None, alerts_at_most=5)
        assert month - estimate.size(fleet, 730, few, self.weights) == 725 * 20

    def test_the_guide(self):
        fleet = Fleet(components=1000, values=10, interval=60, alerts=100)
        assert estimate.guide(fleet, 30) == 10_000_000 + 1000 * 13_000 + 3_000_000
        assert estimate.guide(fleet, 30, management_controller=True) == 10_000_000 + 1000 * 73_000 + 3_000_000


@pytest.mark.django_db
class TestMeasuring:
    """The whole, as the task does it."""

    @pytest.fixture(autouse=True)
    def _definitions(self, settings):
        ship_definitions()
        yield
        catalogue.forget()
        layouts.forget()

    @pytest.fixture
    def room(self, monkeypatch):
        """Set how much is free on the disk of the database."""

        def give(free: int | None) -> None:
            disk = None if free is None else {"folder": "/data", "total": 10**12, "free": free}
            monkeypatch.setattr(measuring, "database_disk", lambda: disk)
            monkeypatch.setattr(measuring, "_disk", lambda folder: disk)

        return give

    def test_it_finds_what_is_there(self, room):
        room(10**12)
        make_samples(200, NOW - 200 * HOUR, HOUR, size=8)
        make_alerts(200, NOW - 200 * HOUR, HOUR)
        make_component()
        facts = measuring.find(NOW)
        found = {kind["name"]: kind for kind in facts["kinds"]}
        assert {name: kind["rows"] for name, kind in found.items()} == {
            "sample": 200, "hourly": 0, "daily": 0, "alert": 200,
            "status-change": 0, "audit": 0, "job": 0, "component": 2,
        }  # fmt: skip
        assert found["sample"]["per_day"] == pytest.approx(24)
        assert (found["sample"]["kept_for"], found["status-change"]["kept_for"]) == (7, 1100)
        assert found["sample"]["each"] == found["sample"]["bytes"] / 200
        assert found["hourly"]["each"] is None
        assert facts["values"] == 8
        parts = facts["other"] + sum(kind["bytes"] for kind in facts["kinds"]) + (facts["database"]["free"] or 0)
        assert parts == facts["database"]["total"]
        assert facts["growth"] == pytest.approx(24 * found["alert"]["each"])  # polls are at what retention keeps

    def test_the_day_of_the_full_disk(self, room):
        make_alerts(8 * 24, NOW - 8 * DAY, HOUR)
        room(None)
        facts = measuring.find(NOW)
        assert (facts["outlook"], facts["days"]) == ("unknown", None)
        each = next(kind["each"] for kind in facts["kinds"] if kind["name"] == "alert")
        room(round(each * 24 * 100) - (facts["database"]["free"] or 0))
        facts = measuring.find(NOW)
        assert facts["outlook"] == "full"
        assert facts["days"] == pytest.approx(100, abs=0.1)

    def test_a_young_portal_foresees_nothing(self, room):
        room(10**12)
        facts = measuring.find(NOW)
        assert (facts["outlook"], facts["days"], facts["growth"]) == ("unknown", None, None)

    def test_an_alert_is_raised_once_and_ended(self, room, monkeypatch):
        monkeypatch.setattr(measuring, "FEWEST_FREE", 0)
        make_alerts(8 * 24, NOW - 8 * DAY, HOUR)
        size = {kind["name"]: kind["each"] for kind in measuring.find(NOW)["kinds"]}["alert"]
        free = measuring.find(NOW)["database"]["free"] or 0
        room(round(size * 24 * 30.5) - free)
        assert not measuring.measure(NOW - HOUR).warned
        room(round(size * 24 * 20.5) - free)
        assert measuring.measure(NOW).warned
        assert measuring.measure(NOW + HOUR).warned
        incident = Incident.objects.get()
        assert (incident.state, str(incident.title)) == ("open", "The portal's disk will be full in 20 days")
        room(10**12)
        assert not measuring.measure(NOW + 2 * HOUR).warned
        incident.refresh_from_db()
        assert incident.state == "closed"
        assert Alert.objects.exclude(source="snmp-trap").count() == 2

    def test_a_nearly_full_disk_is_told_also_without_a_forecast(self, room):
        room(10**9)
        measuring.measure(NOW)
        assert str(Incident.objects.get().title) == "The portal's disk is nearly full"
        room(1_600_000_000)  # a little more is not enough to end it
        assert measuring.measure(NOW + HOUR).warned

    def test_the_option_turns_it_off(self, room):
        options.set_value("disk_warning_days", 0, COMMAND)
        room(10**6)
        assert not measuring.measure(NOW).warned
        assert not Incident.objects.exists()

    def test_old_measurements_thin_out(self, room):
        room(10**12)
        for hours in range(24 * 4, 0, -6):
            CapacityMeasurement.objects.create(at=NOW - hours * HOUR, size=1, facts={})
        CapacityMeasurement.objects.create(at=NOW - 800 * DAY, size=1, facts={})
        measuring.measure(NOW)
        ages = sorted(round((NOW - at) / HOUR) for at in CapacityMeasurement.objects.values_list("at", flat=True))
        assert ages == [0, 6, 12, 18, 24, 30, 36, 42, 48, 60, 84, 96]

    def test_what_is_there_weighs_in_the_calculator(self, room):
        room(10**12)
        make_samples(200, NOW - 200 * HOUR, HOUR, size=8)
        facts = measuring.find(NOW)
        found = measuring.weights(facts)
        sample = next(kind for kind in facts["kinds"] if kind["name"] == "sample")
        assert found.measured == {"base", "sample_value"}
        assert found.sample(8) == pytest.approx(sample["each"])
        assert found.alert == estimate.TYPICAL.alert
        assert measuring.weights(None) is estimate.TYPICAL
        alert = kinds.BY_NAME["alert"]
        assert measuring.kept() == Kept(7, 100, 730, alert.kept_for, alert.kept_at_most)

    def test_looking_costs_one_query(self, room, django_assert_num_queries):
        room(10**12)
        measuring.measure(NOW)
        with django_assert_num_queries(1):
            assert measuring.latest().at == NOW


@pytest.mark.django_db
class TestApi:
    """The same by API."""

    def test_nothing_was_measured(self, client):
        client.force_login(make_user("administrator"))
        answer = client.get("/api/v1/capacity/").json()
        assert (answer["measured_at"], answer["database"], answer["kinds"]) == (None, None, [])
        assert (answer["outlook"], answer["days_until_full"]) == ("unknown", None)

    def test_what_was_measured(self, client):
        client.force_login(make_user("administrator"))
        make_alerts(100, NOW - 100 * HOUR, HOUR)
        measuring.measure(NOW)
        answer = client.get("/api/v1/capacity/").json()
        alert = next(kind for kind in answer["kinds"] if kind["name"] == "alert")
        assert (alert["label"], alert["rows"]) == ("Alerts with their incidents", 100)
        assert alert["bytes_each"] == alert["bytes"] / 100
        assert alert["rows_per_day"] == pytest.approx(24)
        assert answer["measured_at"] == "2026-11-25T12:00:00Z"
        assert answer["database"]["size"] == CapacityMeasurement.objects.get().size
        history = client.get("/api/v1/capacity/history/").json()
        assert [point[1] for point in history["points"]] == [answer["database"]["size"]]

    def test_an_estimate(self, client):
        client.force_login(make_user("administrator"))
        asked = {"components": 10, "values": 5, "interval": 600, "alerts": 0}
        answer = client.get("/api/v1/capacity/estimate/", asked).json()
        assert {name: answer[name] for name in asked} == asked
        assert [(line["after"], line["days"]) for line in answer["sizes"]] == [
            ("day", 1), ("week", 7), ("month", 30), ("kept", 730),
        ]  # fmt: skip
        weights = Weights(**answer["bytes"])
        assert answer["sizes"][0]["size"] == round(estimate.size(Fleet(**asked), 1, measuring.kept(), weights))
        assert answer["measured"] == []

    @pytest.mark.parametrize(
        ("change", "named"),
        [({"interval": 59}, "interval"), ({"values": "x"}, "values"), ({"alerts": ""}, "alerts"), ({"x": 1}, "x")],
    )
    def test_a_bad_question_is_named(self, client, change, named):
        client.force_login(make_user("administrator"))
        asked = {"components": 10, "values": 5, "interval": 600, "alerts": 0} | change
        answer = client.get("/api/v1/capacity/estimate/", asked)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [named])

    @pytest.mark.parametrize("path", ["", "history/", "estimate/"])
    def test_only_who_sets_the_portal(self, client, path):
        client.force_login(make_user("operator"))
        assert client.get(f"/api/v1/capacity/{path}").status_code == 403


@pytest.mark.django_db
class TestPreflight:
    """The check of the machine reads what was measured last."""

    @pytest.mark.parametrize(
        ("facts", "outcome", "found"),
        [
            (None, "pass", "not measured yet"),
            ({"outlook": "unknown", "days": None}, "pass", "not measured yet"),
            ({"outlook": "sufficient", "days": None}, "pass", "not within ten years"),
            ({"outlook": "full", "days": 31.5}, "pass", "31"),
            ({"outlook": "full", "days": 29.9}, "warn", "29"),
        ],
    )
    def test_the_days_that_remain(self, facts, outcome, found):
        if facts is not None:
            CapacityMeasurement.objects.create(size=1, facts=facts)
        check = preflight.disk_outlook()
        assert (check.outcome.value, check.found, bool(check.remedy)) == (outcome, found, outcome == "warn")
