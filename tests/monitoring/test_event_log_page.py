"""Event logs on the page of a component, as a file, and through the API."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from apps.components.models import Component, ManagementInterface
from apps.core import options
from apps.core.actors import SYSTEM
from apps.drivers.contract import Status
from apps.monitoring.models import LoggedEntry, LogPlace
from apps.monitoring.panels import event_log
from apps.monitoring.services import event_logs, log_entries, polling
from tests.factories import make_component, make_credential, make_group, make_interface, make_user
from tests.monitoring.conftest import fake_device
from tests.monitoring.test_event_logs import BORN, event, look

pytestmark = pytest.mark.django_db

Panel = event_log.EventLogs


@pytest.fixture
def machine() -> ManagementInterface:
    """A device with four entries of its log kept, of which a clearing took three."""
    interface = fake_device()
    polling.poll([interface.pk])
    power = "%(what)s: %(value)s %(unit)s (limit %(limit)s %(unit)s)"
    hot = {"what": "Warning: too high", "value": "86", "limit": "85", "unit": "°C"}
    entry = event(1, status=Status.WARNING, source="Temperature 3", text=power, params=hot, raw="0a0b0c")
    ended = event(2, source="Temperature 3", text="Ended", asserted=False)
    event_logs.keep([look(interface, entry, ended, cleared=True, filled=63.4)])
    return interface


@pytest.fixture
def panel(client) -> Callable[..., Panel]:
    client.force_login(make_user("viewer", username="viewer"))

    def get(component: Component, **query: Any) -> Panel:
        answer = client.get(component.get_absolute_url(), {"tab": "event-log", **query})
        assert answer.status_code == 200
        (view,) = answer.context["panels"]
        return view.content

    return get


def shown(found: Panel) -> list[tuple[str, str]]:
    return [(line.severity, str(line.row.text)) for line in found.lines]


HOT = ("warning", "Warning: too high: 86 °C (limit 85 °C)")
ENDED = ("normal", "Ended")
OLD = [
    ("information", "Power supply 1: presence detected"),
    ("information", "Fan 2: lower critical going high"),
    ("critical", "Fan 2: lower critical going low"),
]


def test_the_tab_shows_the_newest_first_with_how_full_the_log_is(panel, client, machine):
    found = panel(machine.component)
    assert sorted(shown(found)) == sorted([ENDED, HOT, *OLD])
    times = [line.row.placed_at for line in found.lines]
    assert times == sorted(times, reverse=True)
    (log,) = found.logs
    assert (log.share, log.number, log.stale, log.error) == (63, 2, False, None)
    text = client.get(f"{machine.component.get_absolute_url()}?tab=event-log").content.decode()
    assert "63\N{NO-BREAK SPACE}%" in text
    assert text.count("from before the log was cleared") == 3
    assert "0a0b0c" not in text  # what the device wrote is fetched by whoever wants it
    assert "order=clear_log" not in text  # a viewer clears nothing


def test_filters_narrow_the_list(panel, machine):
    component = machine.component
    assert shown(panel(component, severity=["warning", "normal"])) in ([ENDED, HOT], [HOT, ENDED])
    assert shown(panel(component, severity="information", cleared="no")) == []
    assert shown(panel(component, q="temperature 86")) == [HOT]
    assert shown(panel(component, q="presence")) == OLD[:1]
    assert len(shown(panel(component, cleared="no"))) == 2
    assert shown(panel(component, interface=machine.pk + 1)) == []
    assert len(shown(panel(component, until="2026-01-01"))) == 5
    assert shown(panel(component, until="2025-12-31")) == []
    assert len(shown(panel(component, interface="x", until="31.12.", severity="dreadful", before="nonsense"))) == 5


def test_a_search_finds_what_its_reader_sees(machine):
    with translation.override("ja"):
        entry = LoggedEntry.objects.get(key="3")
        assert log_entries.holds(entry, ["power"])
        hot = LoggedEntry.objects.get(status="warning")
        word = log_entries.source_of(hot)
        assert word == "温度 3"
        assert log_entries.holds(hot, ["温度"])


def test_the_list_is_walked_by_place_and_misses_and_doubles_nothing(panel, monkeypatch):
    interface = fake_device()
    entries = [event(number, at=BORN + timedelta(minutes=number // 3)) for number in range(23)]
    event_logs.keep([look(interface, *entries)])
    monkeypatch.setattr(event_log, "PER_PAGE", 5)
    monkeypatch.setattr(log_entries, "AT_ONCE", 3)
    seen: list[str] = []
    found = panel(interface.component)
    assert found.newest
    while True:
        seen += [line.row.key for line in found.lines]
        if found.older is None:
            break
        event_logs.keep([look(interface, event(100 + len(seen)))])  # what comes meanwhile moves nothing
        found = panel(interface.component, before=str(found.older))
    assert seen == [str(number) for number in range(22, -1, -1)]


def test_a_search_looks_at_so_many_and_goes_on_from_there(panel, monkeypatch):
    interface = fake_device()
    event_logs.keep([look(interface, event(1, text="needle"), *(event(number) for number in range(2, 12)))])
    monkeypatch.setattr(log_entries, "SEARCHED", 6)
    found = panel(interface.component, q="needle")
    assert shown(found) == []
    assert found.searched_to == BORN + timedelta(minutes=6)
    found = panel(interface.component, q="needle", before=str(found.older))
    assert shown(found) == [("information", "needle")]


def test_a_log_that_was_not_read_for_long_is_stale_and_says_why(panel, machine):
    LogPlace.objects.update(read_at=timezone.now() - timedelta(seconds=1900), error="192.0.2.9 keeps no log")
    (log,) = panel(machine.component).logs
    assert (log.stale, str(log.error)) == (True, "192.0.2.9 keeps no log")
    options.set_value("event_log_interval", 0, SYSTEM)
    (log,) = panel(machine.component).logs
    assert not log.stale


def test_a_component_whose_devices_keep_no_log_has_no_tab(client):
    interface = make_interface(make_component(), driver="alert_only", credential=None)
    client.force_login(make_user("viewer"))
    answer = client.get(f"{interface.component.get_absolute_url()}?tab=event-log")
    assert "event-log" not in [view.tab.name for view in answer.context["tabs"]]


def test_whoever_may_clear_the_log_is_offered_it_there(client, machine):
    client.force_login(make_user("administrator"))
    text = client.get(f"{machine.component.get_absolute_url()}?tab=event-log").content.decode()
    assert text.count(f"order=clear_log&amp;ids={machine.component_id}") == 4  # the menu and the tab, each twice


def test_one_entry_is_shown_with_what_the_device_wrote(client, machine):
    client.force_login(make_user("viewer"))
    entry = LoggedEntry.objects.get(status="warning")
    url = f"/components/{machine.component_id}/event-log/{entry.pk}/"
    page = client.get(url).content.decode()
    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "0a0b0c" in page
    assert "0a0b0c" in part
    assert "<html" in page
    assert "<html" not in part
    other = fake_device()
    assert client.get(f"/components/{other.component_id}/event-log/{entry.pk}/").status_code == 404
    client.force_login(make_user("viewer", make_group("elsewhere")))
    assert client.get(url).status_code == 404


def test_the_file_holds_what_is_filtered(client, machine):
    client.force_login(make_user("viewer"))
    answer = client.get(f"/components/{machine.component_id}/event-log.csv", {"severity": "warning"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Severity,Occurred,Read,Interface,Number in the device,Source,Event")
    assert "Warning: too high: 86 °C (limit 85 °C)" in lines[1]
    assert lines[1].endswith("0a0b0c")
    client.force_login(make_user("viewer", make_group("elsewhere")))
    assert client.get(f"/components/{machine.component_id}/event-log.csv").status_code == 404


def test_bad_entries_stand_in_the_line_of_events(client, machine):
    client.force_login(make_user("viewer"))
    answer = client.get(machine.component.get_absolute_url(), {"tab": "events", "kind": "event-log"})
    (view,) = answer.context["panels"]
    told = {(row.event.state, str(row.event.title), row.event.detail) for row in view.content.rows}
    assert told == {(*HOT, "Temperature 3"), (*OLD[2], "Fan 2")}


def test_pages_ask_the_database_equally_often_for_few_and_many(client, machine, django_assert_num_queries):
    client.force_login(make_user("viewer"))
    url = f"{machine.component.get_absolute_url()}?tab=event-log"
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(url)
    event_logs.keep([look(machine, *(event(number) for number in range(10, 70)))])
    with django_assert_num_queries(len(few)):
        client.get(url)


# --- the API -------------------------------------------------------------------------------------------------------


@pytest.fixture
def listed(client) -> Callable[..., dict[str, Any]]:
    client.force_login(make_user("viewer"))

    def get(component: Component, **query: Any) -> dict[str, Any]:
        answer = client.get(f"/api/v1/components/{component.pk}/event-log/", query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    return get


def test_the_api_lists_entries_with_all_they_have(listed, machine):
    page = listed(machine.component, severity="warning")
    entry = LoggedEntry.objects.get(status="warning")
    assert page == {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [
            {
                "id": entry.pk,
                "interface": machine.pk,
                "key": "1",
                "occurred_at": "2026-01-01T00:01:00Z",
                "read_at": page["results"][0]["read_at"],
                "severity": "warning",
                "asserted": True,
                "source": "Temperature 3",
                "text": "Warning: too high: 86 °C (limit 85 °C)",
                "cleared_at": None,
                "raw": "0a0b0c",
            }
        ],
    }


def test_the_api_narrows_searches_and_cuts_into_pages(listed, machine):
    component = machine.component

    def texts(**query: Any) -> list[str]:
        return sorted(row["text"] for row in listed(component, **query)["results"])

    assert texts(cleared="false") == ["Ended", HOT[1]]
    assert len(texts(cleared="true")) == 3
    assert texts(q="temperature limit") == [HOT[1]]
    assert texts(**{"from": "2026-01-01T00:03:00Z"}) == [OLD[0][1]]
    assert texts(to="2026-01-01T00:02:00Z", severity=["critical", "information"]) == [OLD[2][1]]
    assert texts(interface=machine.pk + 1) == []
    first, second = listed(component, limit=3), listed(component, limit=3, page=2)
    assert (first["count"], len(first["results"]), len(second["results"])) == (5, 3, 2)
    assert second["previous"].endswith("event-log/?limit=3")
    sought = listed(component, q="fan", limit=1, page=2)
    assert (sought["count"], [row["text"] for row in sought["results"]]) == (2, [OLD[2][1]])


def test_no_clock_is_no_time(listed):
    interface = make_interface(make_component(), driver="fake", credential=make_credential("password"))
    event_logs.keep([look(interface, event(1, at=None))])
    (row,) = listed(interface.component)["results"]
    assert row["occurred_at"] is None
    assert datetime.fromisoformat(row["read_at"]) <= datetime.now(UTC)
