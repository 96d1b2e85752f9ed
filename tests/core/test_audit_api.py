"""The resource of the audit: who sees what, filters by name, pages by place, files, and the chain."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.core import audit
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.audit import listing, sealing
from apps.core.models import AuditChain, AuditEntry, Outcome
from apps.core.tasks import check_audit
from tests.core.test_audit_list import auditor
from tests.factories import make_group, make_user

pytestmark = pytest.mark.django_db
URL = "/api/v1/audit/"


def api(user: User) -> APIClient:
    client = APIClient(REMOTE_ADDR="127.0.0.1")
    client.force_authenticate(user)
    return client


@pytest.fixture
def admin() -> APIClient:
    return api(make_user("administrator", username="boss"))


def record(number: int, **facts: object) -> None:
    for n in range(number):
        audit.record(SYSTEM, "test.act", name=f"act {n}", **facts)


def listed(client: APIClient, query: str = "") -> list[str]:
    answer = client.get(f"{URL}?{query}")
    assert answer.status_code == 200, answer.content
    return [row["object_name"] for row in answer.json()["results"]]


def test_an_entry_has_exactly_the_agreed_shape(admin):
    tokyo = make_group("Tokyo")
    user = make_user(None, username="alice")
    actor = Actor(ActorKind.TOKEN, "alice (script)", user, "2001:db8::1", "PATCH /api/v1/groups/2/")
    audit.record(actor, "group.change", tokyo, before={"name": "Edo", "description": ""}, after={"name": "Tokyo"})
    sealing.seal()
    row = AuditEntry.objects.get()
    answer = admin.get(f"{URL}{row.pk}/")
    body = answer.json()
    assert answer["ETag"]
    assert body.pop("at").endswith("Z")
    assert body == {
        "id": row.pk,
        "actor_kind": "token",
        "actor_name": "alice (script)",
        "login": "alice",
        "user": user.pk,
        "address": "2001:db8::1",
        "request": "PATCH /api/v1/groups/2/",
        "action": "group.change",
        "object_type": "groups.group",
        "object_id": str(tokyo.pk),
        "object_name": "Tokyo",
        "group": tokyo.pk,
        "former_group": None,
        "before": {"name": "Edo", "description": ""},
        "after": {"name": "Tokyo"},
        "outcome": "success",
        "form": 2,
        "sequence": 1,
        "digest": row.digest,
    }
    assert admin.patch(f"{URL}{row.pk}/", {"action": "x"}, format="json").status_code == 405
    assert admin.delete(f"{URL}{row.pk}/").status_code == 405


def test_it_is_walked_by_place_and_new_ones_move_nothing(admin):
    record(5)
    first = admin.get(f"{URL}?limit=2").json()
    assert ([row["object_name"] for row in first["results"]], first["count"]) == (["act 4", "act 3"], 5)
    assert (first["previous"], "before=" in first["next"]) == (None, True)
    record(3)
    second = admin.get(first["next"]).json()
    assert [row["object_name"] for row in second["results"]] == ["act 2", "act 1"]
    third = admin.get(second["next"]).json()
    assert ([row["object_name"] for row in third["results"]], third["next"]) == (["act 0"], None)
    by_page = admin.get(f"{URL}?limit=3&page=2").json()
    assert [row["object_name"] for row in by_page["results"]] == ["act 4", "act 3", "act 2"]
    assert ("page=3" in by_page["next"], by_page["previous"]) == (True, f"http://testserver{URL}?limit=3")


def test_filters_are_named_as_the_fields(admin):
    tokyo = make_group("Tokyo")
    record(1, group=tokyo.pk)
    audit.record(
        Actor(ActorKind.USER, "eve", None, "192.0.2.7"), "session.sign_in", name="eve", outcome=Outcome.REFUSED
    )
    audit.record(SYSTEM, "option.set", name="auto_logout", before={"value": 30}, after={"value": 20})
    sealing.seal()
    pk = AuditEntry.objects.get(object_name="eve").pk
    for query, found in {
        "login=eve": ["eve"],
        "address=192.0.2.7&outcome=refused": ["eve"],
        "outcome=refused&outcome=success": ["auto_logout", "eve", "act 0"],
        "family=session": ["eve"],
        "action=option.set": ["auto_logout"],
        "actor_kind=system": ["auto_logout", "act 0"],
        "actor_name=portal&object_name=auto_logout": ["auto_logout"],
        f"group={tokyo.pk}": ["act 0"],
        f"id={pk}": ["eve"],
        "sequence=3": ["auto_logout"],
        "q=auto+set": ["auto_logout"],
        "q=20": ["auto_logout"],
        "at_after=2100-01-01T00:00:00Z": [],
        "at_before=2100-01-01T00:00:00Z&login=eve": ["eve"],
    }.items():
        assert listed(admin, query) == found, query
    for query in ("colour=red", "address=x", "outcome=x", "at_after=x", "before=x", "before=0", "q=%00"):
        assert list(admin.get(f"{URL}?{query}").json()["errors"]) == [query.partition("=")[0]], query


def test_an_answer_looks_through_so_many_and_goes_on(admin, monkeypatch):
    monkeypatch.setattr(listing, "SEARCHED", 3)
    audit.record(SYSTEM, "test.act", name="needle")
    record(7)
    found, url, answers = [], f"{URL}?q=needle", 0
    while url:
        body = admin.get(url).json()
        found += [row["object_name"] for row in body["results"]]
        url, answers = body["next"], answers + 1
    assert (found, answers) == (["needle"], 3)


def test_a_group_sees_its_own_and_the_chain_is_walked_for_those_who_see_all(admin):
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    record(1, group=tokyo.pk)
    record(1, group=osaka.pk)
    own, foreign = AuditEntry.objects.order_by("pk")
    some = api(auditor(tokyo))
    assert some.get(URL).json()["count"] == 1
    assert some.get(f"{URL}{own.pk}/").status_code == 200
    assert some.get(f"{URL}{foreign.pk}/").status_code == 404
    assert some.get(f"{URL}?id={foreign.pk}").json()["results"] == []
    assert [json.loads(line)["id"] for line in b"".join(some.get(f"{URL}export/")).splitlines()] == [own.pk]
    assert some.post(f"{URL}verify/").status_code == 403
    for client in (api(make_user("operator")), api(make_user("viewer", tokyo))):
        for path in ("", f"{own.pk}/", "export/", "chain/"):
            assert client.get(f"{URL}{path}").status_code == 403


def test_files(admin):
    for name in ("=1+1", "plain"):
        audit.record(SYSTEM, "test.act", name=name, after={"a": "日本"})
    sealing.seal()
    answer = admin.get(f"{URL}export/?q=act", headers={"Accept": "application/jsonl"})
    assert answer["Content-Type"] == "application/jsonl"
    assert answer["Content-Disposition"].endswith('.jsonl"')
    rows = [json.loads(line) for line in b"".join(answer).splitlines()]
    assert [row["object_name"] for row in rows] == ["q=act", "plain", "=1+1"]  # the first is that it was taken
    assert rows[1]["after"] == {"a": "日本"}
    answer = admin.get(f"{URL}export/?file=csv&action=test.act", headers={"Accept": "text/csv"})
    table = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert [row[12] for row in table] == ["Object", "plain", "'=1+1"]
    taken = AuditEntry.objects.filter(action="audit.export").order_by("pk")
    assert [one.after for one in taken] == [
        {"format": "jsonl", "filter": "q=act"},
        {"format": "csv", "filter": "action=test.act"},
    ]
    assert list(admin.get(f"{URL}export/?file=xml").json()["errors"]) == ["file"]
    assert list(admin.get(f"{URL}export/?colour=red").json()["errors"]) == ["colour"]
    assert list(admin.get(f"{URL}export/?outcome=red").json()["errors"]) == ["outcome"]
    assert AuditEntry.objects.filter(action="audit.export").count() == 2


def test_the_chain(admin):
    record(3)
    sealing.seal()
    assert admin.get(f"{URL}chain/").json() == {
        "state": "unchecked",
        "entries": 3,
        "checked_at": None,
        "broken_at": None,
        "why": "",
        "percent": None,
    }
    check_audit()
    told = admin.get(f"{URL}chain/").json()
    assert (told["state"], told["entries"]) == ("intact", 3)
    QuerySet(AuditEntry).filter(sequence=2).update(actor_name="eve")
    AuditChain.objects.update(walked_at=timezone.now() - timedelta(days=2))
    answer = admin.post(f"{URL}verify/")
    assert (answer.status_code, answer.json()["percent"]) == (202, 0)
    check_audit()
    told = admin.get(f"{URL}chain/").json()
    assert (told["state"], told["broken_at"], told["why"], told["percent"]) == ("broken", 2, "changed", None)
