"""The pages of incidents: which there are, what happened to one, and how somebody takes note of it for a time."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from apps.alerts import tasks
from apps.alerts.models import Alert, AlertDefinition, Incident
from apps.alerts.services import Arrival, ingest
from apps.components.models import Component
from apps.core.models import AuditEntry
from apps.groups.models import Group
from tests.factories import make_component, make_group, make_user
from tests.statements import statements_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("definitions")]

LIST = "/incidents/"
HTMX = {"HTTP_HX_REQUEST": "true"}
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACKNOWLEDGE, CLOSE = "/alerts/acknowledge/", "/alerts/close/"


def signed_in(role: str | None = "operator", group: Group | None = None, **about: Any) -> Client:
    client = Client(REMOTE_ADDR="127.0.0.1")
    client.force_login(make_user(role, group, **about))
    return client


@pytest.fixture
def operator() -> Client:
    return signed_in(username="mori", time_zone="Asia/Tokyo")


def arrive(key: str, component: Component | None = None, at: datetime = NOON, **more: Any) -> Alert:
    definition = AlertDefinition.objects.get(key=key)
    (alert,) = ingest([Arrival("snmp-trap", at, definition, component, **more)])
    return alert


def problem(component: Component | None = None, hour: int = 0, key: str = "linkDown", **more: Any) -> Incident:
    alert = arrive(key, component or make_component(), NOON + timedelta(hours=hour), **more)
    assert alert.incident is not None
    return alert.incident


def rows_of(answer: Any) -> list[int]:
    return [row.incident.pk for row in answer.context["page"].rows]


def text_of(answer: Any) -> str:
    """Give what stands on a page, in one line."""
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


class TestList:
    """Each problem once, the last heard of first."""

    def test_the_tabs_hold_open_acknowledged_and_ended_ones(self, operator):
        early, late, noted, ended = (problem(hour=hour) for hour in (1, 3, 2, 4))
        operator.post(ACKNOWLEDGE, {"incident": noted.pk, "note": "cable ordered"})
        operator.post(CLOSE, {"incident": ended.pk})
        answer = operator.get(LIST)
        assert rows_of(answer) == [late.pk, early.pk]
        assert [(tab.value, tab.count, tab.current) for tab in answer.context["tabs"]] == [
            ("open", 2, True),
            ("acknowledged", 1, False),
            ("closed", None, False),
        ]
        arrive("linkDown", early.component, NOON + timedelta(hours=5))
        assert rows_of(operator.get(LIST)) == [early.pk, late.pk]
        acknowledged = operator.get(LIST, {"show": "acknowledged"})
        assert rows_of(acknowledged) == [noted.pk]
        for text in ("cable ordered", "mori", "until it ends"):
            assert text in text_of(acknowledged)
        closed = operator.get(LIST, {"show": "closed"})
        assert rows_of(closed) == [ended.pk]
        assert "mori" in text_of(closed)

    def test_each_filter_alone(self, operator):
        ours = make_group("Tokyo")
        web, db = make_component("web-01", make_group("Rack 1", ours)), make_component("db-01")
        first = problem(web, 1, object="eth7", params={"object": "eth7"}, address="192.0.2.1")
        second = problem(db, 2, "authenticationFailure", address="192.0.2.2")
        lost = problem(db, 3, "portal.access-lost", object="192.0.2.2")

        def found(**filters: Any) -> list[int]:
            answer = operator.get(LIST, filters)
            assert answer.status_code == 200
            return rows_of(answer)

        assert found() == [lost.pk, second.pk, first.pk]
        assert found(severity="critical") == [lost.pk]
        assert found(severity=["warning", "critical"]) == [lost.pk, second.pk, first.pk]
        assert found(alert_type="Portal") == [lost.pk]
        assert found(component=db.pk) == [lost.pk, second.pk]
        assert found(group=ours.pk) == [first.pk]
        assert found(address="192.0.2.1") == [first.pk]
        assert found(incident=second.pk) == [second.pk]
        assert found(q="eth7") == [first.pk]
        assert found(q="web") == [first.pk]
        assert found(**{"from": "2026-11-20T23:00"}) == [lost.pk, second.pk]  # of the reader's zone: 14:00 UTC
        assert found(to="2026-11-20T23:00") == [first.pk]
        assert found(show="closed") == []
        ignored = {"severity": "worst", "component": "x", "group": 999999, "address": "y", "from": "z", "show": "w"}
        assert found(**ignored, period="ever", incident=0, before=-1, at="never", since="x") == found()
        with time_machine.travel(NOON + timedelta(hours=3, minutes=30), tick=False):
            assert found(period="1h") == [lost.pk]

    def test_it_is_walked_both_ways_while_problems_are_heard_of_at_the_same_moment(self, operator):
        ids = [problem().pk for _ in range(55)][::-1]  # all of them at noon
        first = operator.get(LIST)
        assert rows_of(first) == ids[:50]
        older = re.search(r'rel="next" href="([^"]+)"', first.content.decode())
        assert older is not None
        new = problem(hour=1)
        second = operator.get(older[1].replace("&amp;", "&"))
        assert rows_of(second) == ids[50:]
        newest = re.search(r'class="btn sm" href="([^"]+)"', second.content.decode())
        assert newest is not None
        assert rows_of(operator.get(newest[1])) == [new.pk, *ids[:49]]

    def test_it_costs_the_same_for_one_and_for_fifty(self, operator):
        problem()
        one = statements_of(lambda: operator.get(LIST))
        for _ in range(30):
            problem()
        assert statements_of(lambda: operator.get(LIST)) == one

    def test_what_is_in_another_group_does_not_exist(self):
        ours = make_group()
        mine = problem(make_component(group=ours))
        theirs = problem(make_component(group=make_group()))
        unassigned = problem_of_nobody()
        client = signed_in("operator", ours)
        answer = client.get(LIST)
        assert (rows_of(answer), answer.context["tabs"][0].count) == ([mine.pk], 1)
        assert client.get(f"/incidents/{mine.pk}/").status_code == 200
        for hidden in (theirs, unassigned):
            assert client.get(f"/incidents/{hidden.pk}/").status_code == 404
            assert client.get(f"/incidents/{hidden.pk}/", **HTMX).status_code == 404
            assert client.get(ACKNOWLEDGE, {"incident": hidden.pk}).status_code == 404
            assert client.post(ACKNOWLEDGE, {"incident": [mine.pk, hidden.pk]}).status_code == 404
        assert set(Incident.objects.values_list("state", flat=True)) == {"open"}
        assert Client(REMOTE_ADDR="127.0.0.1").get(f"/incidents/{mine.pk}/")["Location"].startswith("/login/")


def problem_of_nobody() -> Incident:
    alert = arrive("linkDown", None, address="192.0.2.5")
    assert alert.incident is not None
    return alert.incident


class TestDetail:
    """What one problem is, and what happened to it."""

    def test_the_drawer_tells_its_history_and_the_page_has_the_list_behind_it(self, operator):
        web = make_component("web-01")
        with time_machine.travel(NOON, tick=False):
            found = problem(web, object="3", params={"object": "eth0"}, address="192.0.2.1")
        with time_machine.travel(NOON + timedelta(hours=1), tick=False):
            operator.post(ACKNOWLEDGE, {"incident": found.pk, "note": "cable\nordered", "until": "2026-11-21T09:00"})
            arrive("linkDown", web, NOON + timedelta(hours=2), object="3", params={"object": "eth0"})
            arrive("linkUp", web, NOON + timedelta(hours=3), object="3", params={"object": "eth0"})
            drawer = operator.get(f"/incidents/{found.pk}/", **HTMX)
            page = operator.get(f"/incidents/{found.pk}/")
        assert "<html" not in drawer.content.decode()
        assert 'data-close-url="/incidents/"' in page.content.decode()
        for answer in (drawer, page):
            text = text_of(answer)
            for said in (
                "Link of eth0 went down",
                "web-01",
                "192.0.2.1",
                "cable ordered",
                "mori",
                "Link of eth0 came up",
            ):
                assert said in text
        assert [(event.state, event.text, event.who) for event in drawer.context["history"]] == [
            ("normal", "Link of eth0 came up", ""),
            ("closed", "Closed", ""),
            ("warning", "Link of eth0 went down", ""),
            ("acknowledged", "Acknowledged", "mori"),
            ("warning", "Link of eth0 went down", ""),
        ]
        assert drawer.context["history"][3].until == datetime(2026, 11, 21, 0, 0, tzinfo=UTC)  # nine in Tokyo
        assert "drawer-acknowledge" not in drawer.content.decode()  # it has ended
        assert f'href="/alerts/?show=all&amp;incident={found.pk}"' in drawer.content.decode()

    def test_a_viewer_reads_it_and_cannot_act(self):
        found = problem()
        viewer = signed_in("viewer")
        assert "drawer-acknowledge" not in viewer.get(f"/incidents/{found.pk}/").content.decode()
        assert 'name="incident"' not in viewer.get(LIST).content.decode()
        assert viewer.get(ACKNOWLEDGE, {"incident": found.pk}).status_code == 403
        assert viewer.post(CLOSE, {"incident": found.pk}).status_code == 403
        assert Incident.objects.get().state == "open"

    def test_what_its_definition_or_component_was_called_is_still_told(self, operator):
        web = make_component("web-01")
        found = problem(web)
        web.delete()
        assert "web-01" in text_of(operator.get(f"/incidents/{found.pk}/", **HTMX))


class TestAcknowledge:
    """Somebody takes note, says why, and until when."""

    def test_from_the_dialog_to_the_end_of_the_time(self, operator):
        with time_machine.travel(NOON, tick=False):
            found = problem(hour=-1)
            dialog = operator.get(ACKNOWLEDGE, {"incident": found.pk}, **HTMX)
            assert 'name="note"' in dialog.content.decode()
            assert f'value="{found.pk}"' in dialog.content.decode()
            body = {"incident": found.pk, "note": "cable ordered", "until": "2026-11-21T09:00", "next": LIST}
            done = operator.post(ACKNOWLEDGE, body)
            assert (done.status_code, done["Location"]) == (302, LIST)
        found.refresh_from_db()
        assert (found.state, found.note, found.acknowledged_by_name) == ("acknowledged", "cable ordered", "mori")
        assert (found.acknowledged_at, found.acknowledged_until) == (NOON, datetime(2026, 11, 21, tzinfo=UTC))
        assert AuditEntry.objects.get(action="incident.acknowledge").after == {
            "state": "acknowledged",
            "note": "cable ordered",
            "until": "2026-11-21T00:00:00+00:00",
        }

        with time_machine.travel(datetime(2026, 11, 20, 23, 59, tzinfo=UTC), tick=False):
            other = signed_in()  # who was away for so long has been signed out
            tasks.reopen_overdue()
            assert rows_of(other.get(LIST, {"show": "acknowledged"})) == [found.pk]
        with time_machine.travel(datetime(2026, 11, 21, 0, 0, tzinfo=UTC), tick=False):
            tasks.reopen_overdue()
            assert rows_of(other.get(LIST)) == [found.pk]
            assert rows_of(other.get(LIST, {"show": "acknowledged"})) == []
            history = other.get(f"/incidents/{found.pk}/", **HTMX).context["history"]
        assert [event.text for event in history][:2] == [
            "Open again: the time of the acknowledgement is over",
            "Acknowledged",
        ]
        found.refresh_from_db()
        assert (found.state, found.acknowledged_until) == ("open", None)
        assert AuditEntry.objects.get(action="incident.reopen").before["until"] == "2026-11-21T00:00:00+00:00"

    def test_more_than_one_turn_holds_come_back(self, operator, monkeypatch):
        monkeypatch.setattr("apps.alerts.services.incidents.IN_A_TURN", 2)
        with time_machine.travel(NOON, tick=False):
            ids = [problem().pk for _ in range(5)]
            operator.post(ACKNOWLEDGE, {"incident": ids, "until": "2026-11-20T22:00"})
            assert Incident.objects.filter(state="acknowledged").count() == 5
        with time_machine.travel(NOON + timedelta(hours=2), tick=False):
            tasks.reopen_overdue()
        assert set(Incident.objects.values_list("state", flat=True)) == {"open"}

    def test_what_somebody_else_closed_meanwhile_stays_closed(self, operator):
        found, other = problem(), problem()
        signed_in().post(CLOSE, {"incident": found.pk})
        answer = operator.post(ACKNOWLEDGE, {"incident": [found.pk, other.pk], "note": "x"}, follow=True)
        assert "1 problem acknowledged." in text_of(answer)
        assert dict(Incident.objects.values_list("pk", "state")) == {found.pk: "closed", other.pk: "acknowledged"}

    def test_all_that_a_filter_shows_are_taken_at_once_up_to_a_number(self, operator, monkeypatch):
        ids = [problem(hour=hour).pk for hour in range(4)]
        quiet = problem(key="portal.access-lost").pk
        dialog = operator.get(ACKNOWLEDGE, {"scope": "filter", "filter": "severity=warning"}, **HTMX)
        assert [one.pk for one in dialog.context["chosen"]] == ids[::-1]
        assert quiet not in {one.pk for one in dialog.context["chosen"]}
        monkeypatch.setattr("apps.alerts.listing.incidents.AT_ONCE", 3)
        dialog = operator.get(ACKNOWLEDGE, {"scope": "filter", "filter": "severity=warning"}, **HTMX)
        assert [one.pk for one in dialog.context["chosen"]] == ids[:0:-1]
        assert operator.get(ACKNOWLEDGE, {"incident": ids}).status_code == 404
        assert operator.get(ACKNOWLEDGE, {"scope": "filter", "filter": "q=nowhere"}).status_code == 404

    @pytest.mark.parametrize("incident", ["", "x", "0", "9" * 30, "999999"])
    def test_what_names_no_problem_is_404(self, operator, incident):
        problem()
        assert operator.post(reverse("alerts:acknowledge"), {"incident": incident}).status_code == 404
        assert Incident.objects.get().state == "open"

    def test_a_note_that_is_too_long_is_refused_and_kept(self, operator):
        found = problem()
        answer = operator.post(ACKNOWLEDGE, {"incident": found.pk, "note": "x" * 2001}, **HTMX)
        assert answer.status_code == 400
        assert "x" * 2001 in answer.content.decode()
        found.refresh_from_db()
        assert found.state == "open"
