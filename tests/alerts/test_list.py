"""The list of alerts: each filter alone, what came since it was read, and how it is walked both ways."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from apps.alerts.listing import walking, words
from apps.alerts.models import Alert
from apps.alerts.services import Arrival, acknowledge, catalogue, close, ingest
from apps.components.models import Component
from apps.core.actors import SYSTEM
from tests.factories import make_component, make_group, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("definitions")]

LIST, NEWS, API = "/alerts/", "/alerts/news/", "/api/v1/alerts/"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def came(key: str | None, component: Component | None = None, at: datetime = NOON, **more: Any) -> Alert:
    definition = catalogue.current().by_key[key] if key else None
    (alert,) = ingest([Arrival(more.pop("source", "snmp-trap"), at, definition, component, **more)])
    return alert


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def rows_of(answer: Any) -> list[int]:
    assert answer.status_code == 200
    return [row.alert.pk for row in answer.context["page"].rows]


@pytest.fixture
def client() -> Client:
    client = Client(REMOTE_ADDR="127.0.0.1")
    client.force_login(make_user("operator", time_zone="Asia/Tokyo"))
    return client


@pytest.fixture
def program() -> APIClient:
    program = APIClient(REMOTE_ADDR="127.0.0.1")
    program.force_authenticate(make_user("viewer"))
    return program


class TestFilters:
    """What stands in the address is what is shown."""

    @pytest.fixture
    def fleet(self) -> dict[str, Any]:
        tokyo = make_group("Tokyo")
        web, db = make_component("web-01", make_group("Rack 1", tokyo)), make_component("db-01", suspended=True)
        alerts = {
            "down": came("linkDown", web, at(1), object="3", params={"object": "eth3"}, address="192.0.2.1"),
            "lost": came("portal.access-lost", web, at(2), object="192.0.2.1", source="portal"),
            "cold": came("coldStart", db, at(3), address="2001:db8::7"),
            "auth": came("authenticationFailure", db, at(4), address="2001:db8::7"),
            "gone": came("linkDown", web, at(5), object="9", params={"object": "eth9"}, address="192.0.2.1"),
            "unknown": came(None, address="192.0.2.66", at=at(6), trap_oid="1.3.6.1.4.1.9.9"),
        }
        acknowledge([alerts["auth"].incident], SYSTEM, "it is me")
        close([alerts["gone"].incident], SYSTEM)
        return {"tokyo": tokyo, "web": web, "db": db, **alerts}

    def test_each_alone(self, client, fleet):
        names = {alert.pk: name for name, alert in fleet.items() if isinstance(alert, Alert)}

        def found(**filters: Any) -> str:
            return " ".join(names[pk] for pk in rows_of(client.get(LIST, {"show": "all", **filters})))

        assert found() == "gone auth cold lost down"
        assert found(show="open") == "lost down"
        assert found(show="acknowledged") == "auth"
        assert found(show="unmatched") == "unknown"
        assert found(severity="information") == "cold"
        assert found(severity=["information", "critical"]) == "cold lost"
        assert found(alert_type="Portal") == "lost"
        assert found(source="portal") == "lost"
        assert found(source=["portal", "snmp-trap"]) == "gone auth cold lost down"
        assert found(state="open") == "lost down"
        assert found(state=["acknowledged", "closed"]) == "gone auth"
        assert found(state="none") == "cold"
        assert found(state=["none", "closed"]) == "gone cold"
        assert found(quiet="suspended") == "auth cold"
        assert found(group=fleet["tokyo"].pk) == "gone lost down"
        assert found(component=fleet["db"].pk) == "auth cold"
        assert found(incident=fleet["down"].incident_id) == "down"
        assert found(address="192.0.2.1") == "gone down"
        assert found(address="2001:0db8:0000::7") == "auth cold"
        assert found(**{"from": "2026-11-21T00:00"}) == "gone auth cold"  # 15:00 in universal time
        assert found(to="2026-11-21T00:00") == "lost down"
        assert found(**{"from": "2026-11-20T13:00:00+00:00", "to": "2026-11-20T14:00:00+00:00"}) == "down"
        assert found(q="eth9") == "gone"
        assert found(q="link web") == "gone down"
        assert found(show="open", severity="warning") == "down"
        assert found(show="open", quiet="suspended") == ""
        assert found(show="acknowledged", quiet="suspended") == "auth"
        assert found(show="open", source="portal") == "lost"
        with time_machine.travel(at(5.5), tick=False):
            assert found(period="1h") == "gone"
            assert found(period="24h") == "gone auth cold lost down"

    @pytest.mark.parametrize(
        "filters",
        [
            {"severity": "worst"},
            {"source": "x" * 21},
            {"state": "maybe"},
            {"quiet": "loud"},
            {"group": "999999999"},
            {"group": "x"},
            {"component": "0"},
            {"component": "9" * 30},
            {"incident": "-1"},
            {"address": "300.1.1.1"},
            {"period": "5y"},
            {"from": "tomorrow", "to": "0001-01-01T00:00"},
            {"from": "9999-12-31T23:59"},
            {"q": "x" * 201},
            {"q": "\x00"},
            {"before": "z", "since": "z"},
        ],
        ids=lambda filters: "-".join(filters),
    )
    def test_what_is_not_valid_is_left_out_and_breaks_nothing(self, client, filters):
        alert = came("coldStart", make_component())
        answer = client.get(LIST, {"show": "all", **filters})
        assert rows_of(answer) == [alert.pk]
        assert answer.context["chips"] == [] or filters == {"q": "\x00"}

    def test_each_in_force_is_a_chip_that_takes_it_away_alone(self, client, fleet):
        wanted = {
            "show": "all",
            "severity": ["warning", "critical"],
            "group": fleet["tokyo"].pk,
            "component": fleet["web"].pk,
            "address": "192.0.2.1",
            "from": "2026-11-20T22:00",
            "q": "eth3",
            "before": "999999",
        }
        chips = client.get(LIST, wanted).context["chips"]
        assert [chip.label for chip in chips] == [
            "Words: eth3",
            "Warning",
            "Critical",
            "Component: web-01",
            "Group: Tokyo",
            "Address: 192.0.2.1",
            "From 2026-11-20 22:00",
        ]
        without = dict(zip([chip.label for chip in chips], [chip.query for chip in chips], strict=True))
        assert "severity=critical" in without["Warning"]
        assert "severity=warning" not in without["Warning"]
        assert "before" not in without["Warning"]
        assert "q=" not in without["Words: eth3"]
        assert "group=" in without["Words: eth3"]

    def test_what_one_may_not_see_is_called_by_no_name(self):
        ours, theirs = make_group("Ours"), make_group("Theirs")
        secret = make_component("secret-01", theirs)
        came("coldStart", secret)
        client = Client(REMOTE_ADDR="127.0.0.1")
        client.force_login(make_user("operator", ours))
        answer = client.get(LIST, {"show": "all", "component": secret.pk, "group": theirs.pk, "q": "secret"})
        page = answer.content.decode()
        assert rows_of(answer) == []
        assert "secret-01" not in page
        assert "Theirs" not in page


class TestNews:
    """A list whose reader is further down stands still and is told how much is new."""

    def test_it_counts_what_came_since_the_list_was_read_and_gives_no_rows(self, client):
        web = make_component("web-01")
        came("linkDown", web, object="1")
        since = client.get(LIST).context["page"].since.isoformat()
        assert client.get(NEWS, {"since": since}).context["number"] == 0
        for number in (2, 3):
            came("linkDown", web, at(number), object=str(number))
        came("coldStart", web, at(4))  # no problem: it belongs to another tab
        answer = client.get(NEWS, {"since": since})
        part = answer.content.decode()
        assert "2 new" in part
        assert 'hx-get="/alerts/?"' in part
        assert 'id="alert-tab-open"' in part  # the tabs count along
        assert '<tr id="alert-' not in part
        assert client.get(NEWS, {"since": since, "show": "all"}).context["number"] == 3

    def test_a_problem_that_is_repeated_is_new_once(self, client):
        web = make_component("web-01")
        came("linkDown", web, object="1")
        since = client.get(LIST).context["page"].since.isoformat()
        for hour in (1, 2, 3):
            came("linkDown", web, at(hour), object="1")
        assert client.get(NEWS, {"since": since}).context["number"] == 1

    def test_the_filters_hold_for_what_is_new_too(self, client):
        web, db = make_component("web-01"), make_component("db-01")
        came("linkDown", web)
        came("linkDown", db, at(1))
        came("portal.access-lost", db, at(2))
        about = {"since": NOON.isoformat(), "show": "all"}
        assert client.get(NEWS, about).context["number"] == 2
        assert client.get(NEWS, {**about, "component": db.pk, "severity": "critical"}).context["number"] == 1
        assert client.get(NEWS, {**about, "q": "link"}).context["number"] == 1
        assert "show=all&amp;component=" in client.get(NEWS, {**about, "component": db.pk}).content.decode()

    def test_a_page_of_older_ones_stands_still(self, client):
        web = make_component("web-01")
        ids = [came("coldStart", web).pk for _ in range(52)]
        older = client.get(LIST, {"show": "all", "before": ids[2]})
        assert older.context["page"].since is None
        assert 'id="alert-since" name="since" value=""' in older.content.decode()
        assert client.get(NEWS, {"show": "all", "since": ""}).status_code == 204
        assert client.get(NEWS, {"show": "all", "since": "yesterday"}).status_code == 204

    def test_more_than_a_hundred_are_not_counted(self, client, monkeypatch):
        monkeypatch.setattr("apps.alerts.listing.alerts.NEWS", 3)
        web = make_component("web-01")
        for hour in range(1, 6):
            came("coldStart", web, at(hour))
        answer = client.get(NEWS, {"show": "all", "since": NOON.isoformat()})
        assert answer.context["number"] == 3
        assert "3 or more new" in answer.content.decode()

    def test_what_others_see_is_no_news(self):
        ours = make_group()
        came("linkDown", make_component(group=ours), at(1))
        came("linkDown", make_component(group=make_group()), at(1))
        client = Client(REMOTE_ADDR="127.0.0.1")
        client.force_login(make_user("viewer", ours))
        for path in (NEWS, "/incidents/news/"):
            answer = client.get(path, {"since": NOON.isoformat()})
            assert (answer.context["number"], answer.context["tabs"][0].count) == (1, 1)

    def test_incidents_have_news_too(self, client):
        web = make_component("web-01")
        came("linkDown", web, object="1")
        since = client.get("/incidents/").context["page"].since.isoformat()
        came("linkDown", web, at(1), object="1")
        came("linkDown", web, at(2), object="2")
        part = client.get("/incidents/news/", {"since": since}).content.decode()
        assert "2 new" in part
        assert 'hx-target="#incident-list"' in part
        assert '<tr id="incident-' not in part
        assert client.get("/incidents/news/").status_code == 204

    def test_the_list_that_is_read_anew_takes_the_news_away(self, client):
        part = client.get(LIST, HTTP_HX_REQUEST="true").content.decode()
        assert '<div id="alert-news" hx-swap-oob="innerHTML"></div>' in part
        page = client.get(LIST).content.decode()
        assert 'hx-get="/alerts/news/?"' in page
        assert 'hx-include="#alert-since"' in page
        assert 'data-news-of="alert-list"' in page


class TestWalking:
    """Piece by piece by the place of the last one: nothing is left out or told twice, also in equal moments."""

    def links(self, page: str) -> dict[str, str]:
        found = re.findall(r'<a class="btn sm"(?: rel="(next)")? href="([^"]+)"', page)
        return {rel or "newest": href.replace("&amp;", "&") for rel, href in found}

    def pieces(self, client: Client, address: str) -> Iterator[list[int]]:
        while address:
            answer = client.get(address)
            yield rows_of(answer)
            address = self.links(answer.content.decode()).get("next", "")

    def test_a_page_at_a_time_and_back_to_the_newest(self, client, monkeypatch):
        monkeypatch.setattr("apps.alerts.listing.alerts.PER_PAGE", 4)
        monkeypatch.setattr("apps.alerts.listing.alerts.page_of.__defaults__", (4,))
        web = make_component("web-01")
        # ten in the same moment, and three that came before them but were stored after them
        same = [came("coldStart", web).pk for _ in range(10)]
        earlier = [came("coldStart", web, at(-hour)).pk for hour in (1, 1, 2)]
        expected = [*same[::-1], earlier[1], earlier[0], earlier[2]]
        pieces = list(self.pieces(client, f"{LIST}?show=all"))
        assert [len(piece) for piece in pieces] == [4, 4, 4, 1]
        assert [pk for piece in pieces for pk in piece] == expected

        second = client.get(f"{LIST}?show=all&before={expected[3]}")
        new = came("coldStart", web, at(1)).pk
        again = client.get(f"{LIST}?show=all&before={expected[3]}")
        assert rows_of(again) == rows_of(second) == expected[4:8]  # what is new moves nothing
        newest = self.links(again.content.decode())["newest"]
        assert rows_of(client.get(newest)) == [new, *expected[:3]]

    def test_folded_problems_of_the_same_moment(self, client, monkeypatch):
        monkeypatch.setattr("apps.alerts.listing.alerts.page_of.__defaults__", (4,))
        web = make_component("web-01")
        latest = []
        for port in range(10):
            came("linkDown", web, object=str(port))
            latest.append(came("linkDown", web, object=str(port)).pk)
        pieces = list(self.pieces(client, LIST))
        assert [len(piece) for piece in pieces] == [4, 4, 2]
        assert [pk for piece in pieces for pk in piece] == latest[::-1]

    def test_a_page_begins_where_an_alert_stood_that_is_gone(self, client, program):
        web = make_component("web-01")
        ids = [came("coldStart", web, at(number)).pk for number in range(6)]
        Alert.objects.filter(pk=ids[3]).delete()
        assert rows_of(client.get(LIST, {"show": "all", "before": ids[3]})) == ids[2::-1]
        assert rows_of(client.get(LIST, {"show": "all", "before": ids[0]})) == []
        assert rows_of(client.get(LIST, {"show": "all", "before": 1 << 62})) == [*reversed(ids[4:]), *reversed(ids[:3])]

    def test_a_program_walks_the_same_in_pieces_and_by_pages(self, program):
        web = make_component("web-01")
        same = [came("coldStart", web).pk for _ in range(7)]
        earlier = [came("coldStart", web, at(-1)).pk for _ in range(2)]
        expected = [*same[::-1], *earlier[::-1]]
        by_id, address = [], f"{API}?limit=2"
        while address:
            answer = program.get(address).json()
            by_id.append([row["id"] for row in answer["results"]])
            assert answer["count"] == 9
            assert answer["previous"] is None
            address = answer["next"]
        assert [pk for piece in by_id for pk in piece] == expected
        assert [len(piece) for piece in by_id] == [2, 2, 2, 2, 1]

        forth, address = [], f"{API}?limit=4&page=1"
        while address:
            answer = program.get(address).json()
            forth.append([row["id"] for row in answer["results"]])
            last, address = answer, answer["next"]
        assert [pk for piece in forth for pk in piece] == expected
        back, address = [[row["id"] for row in last["results"]]], last["previous"]
        while address:
            answer = program.get(address).json()
            back.insert(0, [row["id"] for row in answer["results"]])
            address = answer["previous"]
        assert back == forth
        incidents = [came("linkDown", web, object=str(port)).incident_id for port in range(5)]
        answer = program.get("/api/v1/incidents/?limit=2").json()
        seen = [row["id"] for row in answer["results"]]
        while answer["next"]:
            answer = program.get(answer["next"]).json()
            seen += [row["id"] for row in answer["results"]]
        assert seen == incidents[::-1]

    def test_a_search_looks_at_so_many_and_goes_on_from_there(self, client, program, monkeypatch):
        monkeypatch.setattr(words, "SEARCHED", 5)
        web = make_component("web-01")
        rare = came("linkDown", web, params={"object": "eth7"}).pk  # all of them in the same moment
        for _ in range(7):
            came("coldStart", web)
        first = client.get(LIST, {"show": "all", "q": "eth7"})
        assert rows_of(first) == []
        assert "Nothing was found so far" in first.content.decode()
        assert "Search further back" in first.content.decode()
        second = client.get(self.links(first.content.decode())["next"])
        assert rows_of(second) == [rare]
        assert "next" not in self.links(second.content.decode())
        found, address = [], f"{API}?q=eth7"
        while address:
            answer = program.get(address).json()
            found += [row["id"] for row in answer["results"]]
            address = answer["next"]
        assert found == [rare]

    def test_all_of_a_list_is_read_in_pieces(self):
        web = make_component("web-01")
        ids = [came("coldStart", web).pk for _ in range(7)]
        pieces = walking.all_of(lambda before, size: walking.alerts_of(Alert.objects.all(), "", before, size), 3)
        assert [[alert.pk for alert in piece] for piece in pieces] == [ids[6:3:-1], ids[3:0:-1], ids[:1]]


class TestCounts:
    """What the menu and the tabs count is what one may see."""

    @pytest.fixture
    def halves(self) -> dict[str, Any]:
        tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
        ours, theirs = make_component("web-01", make_group("Rack 1", tokyo)), make_component("db-01", osaka)
        came("linkDown", ours, at(1), object="3", params={"object": "eth3"}, address="192.0.2.1")
        acknowledged = came("authenticationFailure", ours, at(2), address="192.0.2.1")
        acknowledge([acknowledged.incident], SYSTEM, "it is me")
        came("linkDown", theirs, at(3), object="4", params={"object": "eth4"}, address="192.0.2.2")
        came("portal.access-lost", theirs, at(4), object="192.0.2.2", source="portal")
        came("linkDown", None, at(5), object="5", params={"object": "eth5"}, address="192.0.2.66")
        return {"tokyo": tokyo, "osaka": osaka}

    @pytest.mark.parametrize(
        ("group", "waiting", "acknowledged"), [("tokyo", 1, 1), ("osaka", 2, 0), ("elsewhere", 0, 0), (None, 4, 1)]
    )
    def test_each_sees_his_own(self, halves, group, waiting, acknowledged):
        where = {**halves, "elsewhere": make_group("Nagoya"), None: None}[group]
        client = Client(REMOTE_ADDR="127.0.0.1")
        client.force_login(make_user("operator", where))
        answer = client.get(LIST)
        tabs = {tab.value: tab.count for tab in answer.context["tabs"]}
        assert (tabs["open"], tabs["acknowledged"]) == (waiting, acknowledged)
        assert sum(answer.context["shell"].alerts.values()) == waiting
