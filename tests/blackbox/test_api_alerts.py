"""Alerts and incidents over the API, made by genuine traps."""

import itertools
import subprocess
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.blackbox.client import Caller
from tests.e2e.portal import Portal
from tests.peers import program

ALERT = {
    *("id", "received_at", "occurred_at", "severity", "source", "alert_type", "title", "detail", "component"),
    *("component_name", "address", "incident", "quiet", "raw"),
}
LINK_DOWN, LINK_UP = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.4"
UNHEARD = "1.3.6.1.4.1.99999.0.1"
_ports = itertools.count(70)

Send = Callable[..., None]


@pytest.fixture
def send(portal: Portal) -> Send:
    """Sends a trap of version 2c about a network port."""

    def send(trap: str, index: int) -> None:
        where = ["-v2c", "-c", "public", f"127.0.0.1:{portal.trap_port}", "", trap]
        bindings = [f"1.3.6.1.2.1.2.2.1.1.{index}", "i", str(index)]
        subprocess.run([program("snmptrap", "snmp"), *where, *bindings], check=True, timeout=20)

    return send


def opened(admin: Caller, send: Send, server: dict[str, Any]) -> dict[str, Any]:
    """Send a linkDown of a port of its own; give the alert."""
    newest = max((row["id"] for row in admin.rows("alerts/?unmatched=all&limit=1")), default=0)
    send(LINK_DOWN, next(_ports))

    def arrived(page: Any) -> list[Any]:
        return [row for row in page["results"] if row["id"] > newest]

    return dict(arrived(admin.wait("alerts/", arrived, "the trap is an alert"))[0])


def test_a_trap_becomes_an_alert_of_the_component(admin: Caller, send: Send, server: dict[str, Any]) -> None:
    alert = opened(admin, send, server)
    assert set(alert) == ALERT
    assert (alert["component"], alert["component_name"]) == (server["id"], "real-server")
    assert alert["address"] == "127.0.0.1"
    assert alert["severity"] in {"critical", "warning"}
    assert alert["title"]
    assert alert["incident"]
    assert alert["raw"]
    assert abs(datetime.fromisoformat(alert["received_at"]) - datetime.now(UTC)) < timedelta(minutes=2)
    assert admin.get(f"alerts/{alert['id']}/") == alert
    for wanted in (
        f"severity={alert['severity']}",
        f"component={server['id']}",
        f"source={alert['source']}",
        f"alert_type={urllib.parse.quote(alert['alert_type'])}",
        f"severity={alert['severity']}&component={server['id']}&unmatched=false",
    ):
        assert alert in admin.rows(f"alerts/?{wanted}"), wanted
    for other in ("severity=information", "component=987654", "source=portal", "alert_type=nothing", "unmatched=true"):
        assert alert not in admin.rows(f"alerts/?{other}"), other
    status = admin.wait(f"components/{server['id']}/", lambda one: one["causes"], "the alert is a cause")
    assert status["status"] == alert["severity"]


def test_the_list_is_walked_back_by_id(admin: Caller, send: Send, server: dict[str, Any]) -> None:
    made = [opened(admin, send, server)["id"] for _ in range(3)]
    after = admin.get(f"alerts/{made[0]}/")["received_at"]
    newer = admin.rows(f"alerts/?received_after={urllib.parse.quote(after)}")
    assert {made[1], made[2]} <= {row["id"] for row in newer}
    assert made[0] not in {row["id"] for row in newer}
    before = [row["id"] for row in admin.rows(f"alerts/?before={made[2]}&limit=2")]
    assert before == [made[1], made[0]]
    page = admin.get("alerts/?limit=1")
    opened(admin, send, server)  # something new moves nothing
    following = admin.get(page["next"].removeprefix(admin.url))
    assert following["results"][0]["id"] < page["results"][0]["id"]
    assert page["results"][0]["id"] == made[2]
    for wrong, field in (("before=x", "before"), ("before=0", "before"), ("severity=bad", "severity")):
        assert admin.errors("GET", f"alerts/?{wrong}", None) == {field}
    for wrong, field in (("received_after=soon", "received_after"), ("unmatched=perhaps", "unmatched")):
        assert admin.errors("GET", f"alerts/?{wrong}", None) == {field}


def test_unknown_traps_are_kept_apart(admin: Caller, send: Send, server: dict[str, Any]) -> None:
    before = admin.get("alerts/?unmatched=true")["count"]
    send(UNHEARD, 1)
    unknown = admin.wait("alerts/?unmatched=true", lambda page: page["count"] == before + 1, "it is kept")["results"][0]
    assert set(unknown) == ALERT
    assert unknown["incident"] is None
    assert UNHEARD in str(unknown["raw"])
    assert unknown["id"] not in {row["id"] for row in admin.rows("alerts/?unmatched=false")}
    assert unknown["id"] not in {row["id"] for row in admin.rows("alerts/")}
    assert unknown["id"] in {row["id"] for row in admin.rows("alerts/?unmatched=all")}


def test_incidents_are_acknowledged_and_closed(admin: Caller, send: Send, server: dict[str, Any]) -> None:
    first, second = opened(admin, send, server)["incident"], opened(admin, send, server)["incident"]
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    admin.post("incidents/acknowledge/", {"ids": [first, second], "note": "known", "until": until}, status=200)
    for pk in (first, second):
        incident = admin.get(f"incidents/{pk}/")
        assert (incident["state"], incident["note"], incident["acknowledged_by"]) == ("acknowledged", "known", "admin")
    assert {first, second} <= {row["id"] for row in admin.rows("incidents/?state=acknowledged")}
    admin.post("incidents/close/", {"ids": [first]}, status=200)
    assert admin.get(f"incidents/{first}/")["state"] == "closed"
    assert admin.get(f"incidents/{second}/")["state"] == "acknowledged"
    for body, field in (
        ({}, "ids"),
        ({"ids": []}, "ids"),
        ({"ids": ["x"]}, "ids"),
        ({"ids": [987654]}, "ids"),
        ({"ids": [second], "until": "2001-01-01T00:00:00Z"}, "until"),
        ({"ids": [second], "until": "soon"}, "until"),
        ({"ids": [second], "note": "x" * 100_000}, "note"),
    ):
        names = admin.errors("POST", "incidents/acknowledge/", body)
        assert {name.split(".")[0] for name in names} == {field}, body
    assert admin.errors("POST", "incidents/close/", {"ids": [second, 987654]}) == {"ids"}
    assert admin.get(f"incidents/{second}/")["state"] == "acknowledged"


def test_the_partner_ends_the_incident_and_repeats_are_counted(
    admin: Caller, send: Send, server: dict[str, Any]
) -> None:
    alert = opened(admin, send, server)
    index = int(str(next(one["value"] for one in alert["raw"]["bindings"] if one["oid"].startswith("1.3.6.1.2.1.2"))))
    path = f"incidents/{alert['incident']}/"
    send(LINK_DOWN, index)
    admin.wait(path, lambda one: one["count"] == 2, "the repetition is counted")
    send(LINK_UP, index)
    admin.wait(path, lambda one: one["state"] == "closed", "linkUp ended it")


def test_alerts_cannot_be_written(admin: Caller, send: Send, server: dict[str, Any]) -> None:
    alert = opened(admin, send, server)
    admin.post("alerts/", {"title": "made up"}, status=405)
    admin.patch(f"alerts/{alert['id']}/", {"title": "made up"}, status=405)
    admin.delete(f"alerts/{alert['id']}/", status=405)
    admin.get("alerts/987654/", status=404)
    admin.get("incidents/987654/", status=404)
