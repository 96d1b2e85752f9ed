"""The list of the audit, its drawer and files: who sees which entries, found how, and in which words."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from apps.access.models import Grant, Role
from apps.accounts.models import User
from apps.components.services import registration
from apps.core import audit, jobs
from apps.core.actors import COMMAND, SYSTEM, Actor, ActorKind
from apps.core.audit import listing
from apps.core.audit.differences import differences
from apps.core.models import AuditEntry, Outcome
from apps.core.phrases import Phrase
from apps.groups.models import Group
from tests.factories import make_component, make_group, make_user

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, 12, tzinfo=UTC)


def auditor(group: Group | None = None, **fields: Any) -> User:
    """Make somebody who may read the audit there."""
    user = make_user(None, **fields)
    role = Role.objects.get_or_create(name="auditor", defaults={"permissions": ["view", "audit"]})[0]
    Grant.objects.create(user=user, role=role, group=group or Group.objects.get(parent=None))
    return user


def record(action: str, name: str, minutes: int = 0, **facts: Any) -> AuditEntry:
    """Have something been done so many minutes after the start."""
    actor = facts.pop("actor", SYSTEM)
    made = audit.record(actor, action, name=name, **facts)
    assert made is not None
    QuerySet(AuditEntry).filter(pk=made.pk).update(at=START + timedelta(minutes=minutes))
    return made


def names(user: User, before: int | None = None, size: int = 50, **wanted: Any) -> list[str]:
    return [one.object_name for one in listing.stretch(user, wanted, before, size).entries]


class TestScope:
    """Who may read the audit of a subtree sees what concerned it, as on that day."""

    def test_a_group_sees_its_own_and_whatever_left_or_came(self):
        tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
        rack = make_group("Rack 1", tokyo)
        web = registration.register(registration.NewComponent("web", group=rack), SYSTEM)
        registration.register(registration.NewComponent("db", group=osaka), SYSTEM)
        registration.change(web, {"alias": "front"}, SYSTEM)
        registration.move([web], osaka, SYSTEM)
        web.refresh_from_db()
        registration.change(web, {"alias": "hidden"}, SYSTEM)
        audit.record(SYSTEM, "role.create", name="fleet only")
        in_tokyo, in_osaka = auditor(tokyo), auditor(osaka)

        def seen(user: User) -> list[tuple[str, str]]:
            return [(one.action, one.object_name) for one in listing.stretch(user, {}, None, 50).entries]

        assert seen(in_tokyo) == [
            ("component.change", "web"),  # it left
            ("component.change", "web"),
            ("component.register", "web"),
        ]
        assert seen(in_osaka)[:2] == [("component.change", "web"), ("component.change", "web")]
        assert seen(in_osaka)[2:] == [("component.register", "db")]
        assert len(seen(auditor())) == 6
        assert seen(make_user("viewer", tokyo)) == []
        moved = AuditEntry.objects.get(former_group__isnull=False)
        assert (moved.former_group, moved.group) == (rack.pk, osaka.pk)

    def test_a_job_belongs_to_the_lowest_group_that_holds_its_targets(self):
        tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
        one, two = make_group("Rack 1", tokyo), make_group("Rack 2", tokyo)

        def group_of(*groups: Group | None) -> int | None:
            steps = [jobs.NewStep("x", group=group.pk if group else None) for group in groups]
            job = jobs.create("check", Phrase("Check"), steps, SYSTEM)
            entry = AuditEntry.objects.get(object_type="core.job", object_id=str(job.pk))
            return entry.group

        assert group_of(one, one) == one.pk
        assert group_of(one, two) == group_of(one, tokyo) == tokyo.pk
        assert group_of(one, osaka) == Group.objects.get(parent=None).pk
        assert group_of(one, None) is None

    def test_nobody_else_gets_the_page_an_entry_or_a_file(self, client: Client):
        tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
        foreign = record("component.change", "osaka-01", group=osaka.pk)
        own = record("component.change", "tokyo-01", group=tokyo.pk)
        client.force_login(make_user("operator"))
        for path in ("", f"{own.pk}/", "chain/", "export/"):
            assert client.get(f"/audit/{path}").status_code == 403
        client.force_login(auditor(tokyo))
        assert client.get(f"/audit/{own.pk}/").status_code == 200
        assert client.get(f"/audit/{foreign.pk}/").status_code == 404
        assert client.post("/audit/verify/").status_code == 403
        page = client.get("/audit/?q=component").content.decode()
        assert "tokyo-01" in page
        assert "osaka-01" not in page
        told = b"".join(client.get("/audit/export/?format=jsonl")).decode()
        assert "tokyo-01" in told
        assert "osaka-01" not in told

    def test_many_entries_of_few_groups_are_found_in_windows(self, monkeypatch):
        monkeypatch.setattr(listing, "FEW", 3)
        monkeypatch.setattr(listing, "SEARCHED", 4)
        tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
        for number in range(10):
            record("test.act", f"own {number}", number, group=tokyo.pk if number % 5 == 0 or number == 9 else osaka.pk)
        user, found, before, pieces = auditor(tokyo), [], None, 0
        while True:
            piece = listing.stretch(user, {}, before, 50)
            found += [one.object_name for one in piece.entries]
            pieces += 1
            if piece.older is None:
                break
            before = piece.older
        assert found == ["own 9", "own 5", "own 0"]
        assert pieces == 3
        monkeypatch.setattr(listing, "FEW", 10)
        assert names(user) == ["own 9", "own 5", "own 0"]


class TestFilters:
    """Every filter is in the address, alone and with others."""

    @pytest.fixture(autouse=True)
    def _entries(self):
        self.user = auditor(username="boss")
        person = Actor(ActorKind.USER, "alice", self.user, "192.0.2.1", "POST /x/")
        token = Actor(ActorKind.TOKEN, "boss (script)", self.user, "2001:db8::1")
        other = Actor(ActorKind.USER, "alice", None, "192.0.2.1")
        self.web = make_component("web-01")
        record("component.change", "web-01", 0, actor=token, after={"alias": "正面"}, before={"alias": "front"})
        record("option.set", "auto_logout", 1, actor=COMMAND, after={"value": 20}, before={"value": 30})
        record("session.sign_in", "alice", 2, actor=other, outcome=Outcome.REFUSED)
        record("session.sign_out", "alice", 3, actor=person)
        record("alert.export", "severity=critical", 4, actor=other)
        made = audit.record(SYSTEM, "component.remove", self.web, before={"name": "web-01"})
        QuerySet(AuditEntry).filter(pk=made.pk).update(at=START + timedelta(minutes=5))

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", "remove export sign_out sign_in set change"),
            ("who=boss", "sign_out change"),
            ("who=alice", "export sign_in"),
            ("kind=token", "change"),
            ("kind=command&kind=token", "set change"),
            ("family=session", "sign_out sign_in"),
            ("action=session.sign_in", "sign_in"),
            ("outcome=refused", "sign_in"),
            ("outcome=refused&outcome=success", "remove export sign_out sign_in set change"),
            ("address=192.0.2.1", "export sign_out sign_in"),
            ("address=2001:0db8:0::1", "change"),
            ("address=nonsense", "remove export sign_out sign_in set change"),
            ("object_type=components.component", "remove"),
            ("from=2026-11-20T12:02:00Z&to=2026-11-20T12:04:00Z", "sign_out sign_in"),
            ("q=web-01", "remove change"),
            ("q=FRONT", "change"),
            ("q=正面", "change"),
            ("q=Problem", ""),
            ("q=exported", "export"),
            ("q=alice+refused", ""),
            ("family=session&outcome=refused&address=192.0.2.1", "sign_in"),
            ("who=boss&q=script", "change"),
        ],
    )
    def test_filters_of_the_page(self, client: Client, query: str, found: str):
        client.force_login(self.user)
        rows = client.get(f"/audit/?{query}").context["rows"]
        assert [row["entry"].action.partition(".")[2] for row in rows] == found.split()

    def test_an_object_is_found_by_kind_and_number(self):
        wanted = {"object_type": "components.component", "object_id": str(self.web.pk)}
        assert names(self.user, **wanted) == ["web-01"]

    def test_words_are_looked_for_in_the_language_of_the_reader(self):
        with translation.override("ja"):
            assert names(self.user, q="エクスポート") == ["severity=critical"]

    def test_pages_follow_each_other_by_place(self):
        before, found = None, []
        while True:
            piece = listing.stretch(self.user, {}, before, 4)
            found.append([one.action.partition(".")[2] for one in piece.entries])
            if piece.older is None:
                break
            before = piece.older
            record("test.new", "new", 60)  # what comes meanwhile moves nothing
        assert found == [["remove", "export", "sign_out", "sign_in"], ["set", "change"]]
        assert listing.stretch(self.user, {}, 10**9, 4).entries == []

    def test_equal_times_are_neither_lost_nor_doubled(self):
        QuerySet(AuditEntry).update(at=START)
        before, found = None, []
        while True:
            piece = listing.stretch(self.user, {"q": "e"}, before, 2)
            found += [one.pk for one in piece.entries]
            if piece.older is None:
                break
            before = piece.older
        assert found == sorted((one.pk for one in AuditEntry.objects.all()), reverse=True)

    def test_a_search_says_how_far_it_came_and_goes_on_there(self, client: Client, monkeypatch):
        monkeypatch.setattr(listing, "SEARCHED", 3)
        client.force_login(self.user)
        page = client.get("/audit/?q=auto_logout")
        assert page.context["rows"] == []
        assert page.context["searched_to"] == START + timedelta(minutes=3)
        assert "Search further back" in page.content.decode()
        page = client.get(f"/audit/?{page.context['older']}")
        assert [row["entry"].object_name for row in page.context["rows"]] == ["auto_logout"]

    def test_one_page_costs_the_same_however_many_rows(self, client: Client):
        client.force_login(self.user)

        def cost() -> int:
            with CaptureQueriesContext(connection) as statements:
                assert client.get("/audit/").status_code == 200
            return len([one for one in statements if one["sql"].startswith("SELECT") and "session" not in one["sql"]])

        client.get("/audit/")
        few = cost()
        for number in range(60):
            record("test.act", f"act {number}")
        assert (few, cost()) == (few, few)
        assert few < 12


class TestDrawer:
    """One entry: what changed, of what, by whom, and its place in the chain."""

    def test_nested_values_are_laid_open_and_lists_say_what_came_and_went(self):
        way = {"id": 7, "driver": "snmp_agent", "address": "192.0.2.1", "port": 161}
        before = {"alias": "", "alert_addresses": ["192.0.2.8", "192.0.2.9"], "interfaces": [way], "unmanaged": False}
        after = {
            "alias": "front",
            "alert_addresses": ["192.0.2.9", "192.0.2.10"],
            "interfaces": [{**way, "address": "192.0.2.2"}, {"id": 8, "driver": "ping"}],
            "unmanaged": True,
            "password": audit.CHANGED,
        }
        found = [(one.label, list(one.before), list(one.after), one.same) for one in differences(before, after)]
        assert found == [
            ("Alias", ["–"], ["front"], 0),
            ("Further alert addresses", ["192.0.2.8"], ["192.0.2.10"], 1),
            ("Ways of managing #7 · Address", ["192.0.2.1"], ["192.0.2.2"], 0),
            ("Ways of managing #8 · id", [], ["8"], 0),
            ("Ways of managing #8 · Way of managing", [], ["ping"], 0),
            ("Not managed", ["No"], ["Yes"], 0),
            ("Password", [], ["changed"], 0),
        ]

    def test_a_long_list_is_folded(self, client: Client):
        user = auditor()
        one = record(
            "alert-definition.import", "x", before={"keys": []}, after={"keys": [f"key{n}" for n in range(60)]}
        )
        client.force_login(user)
        page = client.get(f"/audit/{one.pk}/", headers={"HX-Request": "true"}).content.decode()
        assert page.count("<ins>") == 60
        assert "40 more" in page

    def test_the_object_and_the_user_are_linked_where_the_reader_may_see_them(self, client: Client):
        tokyo = make_group("Tokyo")
        actor_user = make_user("administrator", username="boss")
        actor = Actor(ActorKind.USER, "boss", actor_user, "192.0.2.1", "POST /components/add/")
        web = registration.register(registration.NewComponent("web-01", group=tokyo), actor)
        entry = AuditEntry.objects.get(action="component.register")
        client.force_login(auditor(tokyo))
        page = client.get(f"/audit/{entry.pk}/").content.decode()
        assert f'href="/components/{web.pk}/"' in page
        assert f"/access/users/{actor_user.pk}/" not in page
        assert "POST /components/add/" in page
        client.force_login(actor_user)
        page = client.get(f"/audit/{entry.pk}/").content.decode()
        assert f"/access/users/{actor_user.pk}/" in page
        registration.remove([web], actor)
        assert f'href="/components/{web.pk}/"' not in client.get(f"/audit/{entry.pk}/").content.decode()

    def test_what_people_wrote_is_escaped(self, client: Client):
        client.force_login(auditor())
        one = record("test.act", "<script>alert(1)</script>", after={"<b>": "</td><script>"})
        page = client.get(f"/audit/{one.pk}/").content.decode()
        assert "<script>alert" not in page
        assert "</td><script>" not in page


class TestFiles:
    """All that match, as files; the export is audited itself."""

    def test_a_spreadsheet_runs_nothing_and_times_name_their_zones(self, client: Client):
        user = auditor(username="boss", time_zone="Asia/Tokyo")
        client.force_login(user)
        record("component.change", "=cmd|' /C calc'!A0", 0, before={"alias": "x"}, after={"alias": "@SUM(1)"})
        record("component.change", "plain", 1)
        answer = client.get("/audit/export/?format=csv&family=component")
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
        assert [row["Object"] for row in rows] == ["plain", "'=cmd|' /C calc'!A0"]
        assert rows[1]["Time (UTC)"] == "2026-11-20T12:00:00+00:00"
        assert rows[1]["Time (Asia/Tokyo)"] == "2026-11-20T21:00:00+09:00"
        assert json.loads(rows[1]["After"]) == {"alias": "@SUM(1)"}
        taken = AuditEntry.objects.get(action="audit.export")
        assert (taken.actor_name, taken.after) == ("boss", {"format": "csv", "filter": "family=component"})

    def test_json_lines_hold_all_that_the_digest_covers(self, client: Client):
        client.force_login(auditor())
        for number in range(5):
            record("test.act", f"act {number}", number)
        answer = client.get("/audit/export/?format=jsonl&q=act")
        rows = [json.loads(line) for line in b"".join(answer).decode().splitlines()]
        assert [row["object_name"] for row in rows] == ["q=act", *(f"act {n}" for n in range(4, -1, -1))]
        assert rows[1]["at"] == "2026-11-20T12:04:00+00:00"
        assert client.get("/audit/export/?format=xml").status_code == 404


def test_the_timeline_of_a_component_shows_it_to_whoever_may_read_the_audit_there(client: Client):
    tokyo = make_group("Tokyo")
    web = registration.register(registration.NewComponent("web-01", group=tokyo), SYSTEM)
    client.force_login(auditor(tokyo))
    page = client.get(f"/components/{web.pk}/?tab=events").content.decode()
    assert f"/audit/?object_type=components.component&amp;object_id={web.pk}" in page
    assert "Component registered" in page
    client.force_login(make_user("viewer", tokyo))
    assert "/audit/" not in client.get(f"/components/{web.pk}/?tab=events").content.decode()
