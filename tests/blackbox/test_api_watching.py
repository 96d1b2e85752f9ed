"""What the API says of a device that is watched: sensors, samples, inventory, event log."""

import urllib.parse
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.blackbox.client import ENVELOPE, Caller

SENSOR = {"id", "interface", "name", "kind", "value", "unit", "status", "limits", "measured_at", "stale", "why"}
LIMITS = {"lower_critical", "lower_warning", "upper_warning", "upper_critical", "source"}


def test_sensors_have_the_agreed_shape_and_their_age(admin: Caller, server: dict[str, Any]) -> None:
    path = f"components/{server['id']}/sensors/"
    rows = admin.wait(path, lambda page: page["count"] > 5, "sensors are read")["results"]
    for row in rows:
        assert set(row) == SENSOR
        assert row["interface"] == server["interfaces"][0]["id"]
        assert row["limits"] is None or set(row["limits"]) == LIMITS
        assert isinstance(row["stale"], bool)
        assert row["value"] is None or isinstance(row["value"], int | float)
        if row["value"] is None:
            assert row["why"], "what was not measured says why"
    measured = [row for row in rows if row["value"] is not None]
    assert measured
    assert all(datetime.fromisoformat(row["measured_at"]) > datetime.now(UTC) - timedelta(hours=1) for row in measured)
    page = admin.get(f"{path}?limit=2&page=2")
    assert set(page) == ENVELOPE
    assert (len(page["results"]), page["count"]) == (2, len(rows))
    assert page["previous"]
    one = rows[0]
    assert one in admin.rows(f"{path}?kind={one['kind']}")
    word = urllib.parse.quote(one["name"])
    assert one["name"] in {row["name"] for row in admin.rows(f"{path}?q={word}")}
    assert admin.rows(f"{path}?q=no-sensor-is-called-so") == []
    assert admin.errors("GET", f"{path}?limit=1001", None) == {"limit"}
    assert admin.errors("GET", f"{path}?status=broken", None) == {"status"}


def test_samples_are_points_of_time_minimum_mean_and_maximum(admin: Caller, server: dict[str, Any]) -> None:
    sensors = admin.wait(f"components/{server['id']}/sensors/", lambda page: page["count"] > 5, "sensors are read")
    sensor = next(row for row in sensors["results"] if row["value"] is not None)
    path = f"components/{server['id']}/samples/?sensor={sensor['id']}"
    series = admin.wait(path, lambda found: found["points"], "a sample is kept")
    assert set(series) == {"sensor", "unit", "step", "points"}
    assert (series["sensor"], series["unit"]) == (sensor["id"], sensor["unit"])
    for at, least, mean, most in series["points"]:
        assert datetime.fromisoformat(at).tzinfo is not None
        if mean is not None:
            assert least <= mean <= most
    now = datetime.now(UTC)
    begin, end = (urllib.parse.quote((now + timedelta(hours=shift)).isoformat()) for shift in (-2, 1))
    wide = admin.get(f"{path}&from={begin}&to={end}&step=3600")
    assert wide["step"] >= 3600
    assert 1 <= len(wide["points"]) <= 4
    past = urllib.parse.quote((now - timedelta(days=2)).isoformat())
    before = urllib.parse.quote((now - timedelta(days=1)).isoformat())
    assert admin.get(f"{path}&from={past}&to={before}")["points"] == []
    for wrong, field in (("from=soon", "from"), ("to=soon", "to"), ("step=0", "step"), ("step=x", "step")):
        assert admin.errors("GET", f"{path}&{wrong}", None) == {field}
    everything = f"components/{server['id']}/samples/"
    assert admin.errors("GET", everything, None) == {"sensor"}
    assert admin.errors("GET", f"{everything}?sensor=987654", None) == {"sensor"}


def test_the_inventory_was_read_with_the_refresh(admin: Caller, server: dict[str, Any]) -> None:
    rows = admin.rows(f"components/{server['id']}/inventory/")
    assert {"system", "network"} <= {row["kind"] for row in rows}
    assert all(row["interface"] == server["interfaces"][0]["id"] for row in rows)
    page = admin.get(f"components/{server['id']}/inventory/?limit=1")
    assert (page["count"], len(page["results"])) == (len(rows), 1)


def test_a_device_without_an_event_log_has_an_empty_one(admin: Caller, server: dict[str, Any]) -> None:
    empty = {"count": 0, "next": None, "previous": None, "results": []}
    assert admin.get(f"components/{server['id']}/event-log/") == empty


def test_a_watched_component_says_when_it_was_seen(admin: Caller, server: dict[str, Any]) -> None:
    seen = admin.get(f"components/{server['id']}/")
    assert {cause["source"] for cause in seen["causes"]} <= {"alert"}
    assert datetime.fromisoformat(seen["last_seen_at"]) > datetime.now(UTC) - timedelta(hours=1)
    (interface,) = seen["interfaces"]
    assert interface["last_polled_at"]
    assert (interface["status"], interface["last_error"]) == ("normal", "")
    assert "fields" not in str(interface)


def test_parts_of_nothing_do_not_exist(admin: Caller) -> None:
    for part in ("sensors/", "samples/?sensor=1", "inventory/", "event-log/"):
        admin.get(f"components/987654/{part}", status=404)
