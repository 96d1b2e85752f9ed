"""The page of what is stored: figures with their age, a calculator that checks what it is given, nobody else looks."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.portal import capacity
from apps.system.capacity import measuring
from apps.system.models import CapacityMeasurement
from tests.factories import make_component, make_user

pytestmark = pytest.mark.django_db
PLAN = {"components": 1000, "values": 100, "interval": 600, "alerts": 500}


@pytest.fixture
def anna(client: Client) -> Client:
    client.force_login(make_user("administrator", username="anna"))
    return client


def measured(**facts) -> CapacityMeasurement:
    """Keep a measurement of a database that is known."""
    kinds = [
        {
            "name": "sample",
            "rows": 1000,
            "bytes": 260_000,
            "each": 260.0,
            "per_day": 144.0,
            "kept_for": 7,
            "kept_at_most": None,
        },
        {
            "name": "alert",
            "rows": 500,
            "bytes": 500_000,
            "each": 1000.0,
            "per_day": 20.0,
            "kept_for": 300,
            "kept_at_most": 5000,
        },
        {
            "name": "hourly",
            "rows": 0,
            "bytes": 4096,
            "each": None,
            "per_day": None,
            "kept_for": 100,
            "kept_at_most": None,
        },
        {
            "name": "component",
            "rows": 100,
            "bytes": 900_000,
            "each": 9000.0,
            "per_day": None,
            "kept_for": None,
            "kept_at_most": None,
        },
    ]
    found = {
        "counted": True,
        "database": {"vendor": "sqlite", "total": 2_097_152, "free": 0, "log": 4096},
        "disk": {"folder": "/data", "total": 10**11, "free": 5 * 2**30},
        "data_disk": {"folder": "/data", "total": 10**11, "free": 5 * 2**30},
        "kinds": kinds,
        "other": 300_000,
        "sensors": {"rows": 1000, "bytes": 200_000},
        "values": 20.0,
        "growth": 20_000.0,
        "outlook": "full",
        "days": 25.4,
        **facts,
    }
    size = found["database"]["total"]
    at = timezone.now() - timedelta(minutes=6, seconds=1)
    return CapacityMeasurement.objects.create(at=at, size=size, facts=found, warned=found["days"] is not None)


class TestPage:
    """What it shows."""

    @pytest.mark.parametrize("path", ["/capacity/", "/capacity/history/"])
    @pytest.mark.parametrize("role", ["viewer", "operator"])
    def test_only_who_sets_the_portal_may_look(self, client, role, path):
        client.force_login(make_user(role))
        assert client.get(path).status_code == 403

    def test_before_the_first_measurement_it_says_so_and_reckons_with_typical_figures(self, anna):
        page = anna.get("/capacity/")
        text = page.content.decode()
        assert "Nothing was measured yet." in text
        assert "measured here" not in text
        assert [line["name"] for line in page.context["plan"]] == ["day", "week", "month", "kept"]

    def test_figures_with_their_age(self, anna):
        measured()
        text = anna.get("/capacity/").content.decode()
        for shown in (
            "2\xa0MiB",
            "5\xa0GiB",
            "19.5\xa0KiB",
            "in 25 days",
            "6 min ago",
            "7 days",
            "300 days",
            "at most 5,000",
            "without an end",
        ):
            assert shown in text, shown
        assert "not measured" in text  # an hourly roll-up: there is none

    def test_a_database_elsewhere_is_not_measured(self, anna):
        measured(disk=None, outlook="unknown", days=None)
        text = anna.get("/capacity/").content.decode()
        assert "The database is on another machine" in text
        assert "in 25 days" not in text

    def test_it_starts_with_the_fleet_that_is_there(self, anna):
        make_component()
        measured()
        assert anna.get("/capacity/").context["fleet"] == capacity.estimate.Fleet(1, 20, 600, 20)

    def test_looking_costs_no_measuring(self, anna, monkeypatch):
        measured()
        monkeypatch.setattr(measuring, "find", None)
        monkeypatch.setattr(measuring.tables, "sizes", None)
        assert anna.get("/capacity/").status_code == 200

    def test_the_course_of_the_size(self, anna):
        one = measured()
        answer = anna.get("/capacity/history/").json()
        (line,) = answer["lines"]
        assert (answer["unit"], line["points"]) == ("B", [[one.at.timestamp(), *[one.size] * 3]])
        assert answer["from"] == one.at.timestamp() <= answer["to"]


class TestCalculator:
    """The part that is fetched again."""

    def test_it_reckons_with_what_things_take_here(self, anna):
        measured()
        part = anna.get("/capacity/", PLAN, headers={"HX-Request": "true"})
        assert part.status_code == 200
        assert "<html" not in part.content.decode()
        day = part.context["plan"][0]
        weights = measuring.weights(measuring.latest().facts)
        assert (weights.component, weights.sensor, weights.sample_value) == (7000.0, 200.0, 10.0)
        sample, roll_up = 60 + 100 * 10, 60 + 100 * weights.roll_up_value
        each = 7000 + 100 * 200 + 144 * sample + 25 * roll_up
        assert day["size"] == round(300_000 + 1000 * each + 500 * 1000)
        assert day["guide"] == 10_000_000 + 1000 * 13_000 + 500 * 1000

    @pytest.mark.parametrize(
        ("name", "value"),
        [("interval", 59), ("interval", 86401), ("components", -1), ("values", "x"), ("alerts", "")],
    )
    def test_a_bad_number_is_named_and_nothing_is_lost(self, anna, name, value):
        part = anna.get("/capacity/", PLAN | {name: value}, headers={"HX-Request": "true"})
        assert part.status_code == 400
        assert list(part.context["form"].errors) == [name]
        assert 'value="1000"' in part.content.decode() or name == "components"
        assert "plan" not in part.context
