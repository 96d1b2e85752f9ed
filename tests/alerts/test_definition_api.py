"""The API of alert definitions, as a program meets it."""

import pytest
from rest_framework.test import APIClient

from apps.alerts.models import AlertDefinition
from apps.alerts.services import definitions
from apps.core.actors import SYSTEM
from apps.core.models import Job
from tests.alerts.test_definitions import FAN, LINK_DOWN, arrive, binding
from tests.factories import make_group, make_user
from tests.statements import statements_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("definitions")]

URL = "/api/v1/alert-definitions/"


def client_of(role: str = "administrator", group=None) -> APIClient:
    client = APIClient(REMOTE_ADDR="127.0.0.1")
    client.force_authenticate(make_user(role, group))
    return client


@pytest.fixture
def admin() -> APIClient:
    return client_of()


def test_a_definition_has_exactly_the_agreed_shape(admin):
    made = admin.post(URL, FAN, format="json")
    assert made.status_code == 201
    body = made.json()
    changed_at = body.pop("changed_at")
    assert body == {
        "id": AlertDefinition.objects.get(key="own.fan").pk,
        "key": "own.fan",
        "name": "Fan",
        "family": "",
        "trap_oid": "1.3.6.1.4.1.99999.0.7",
        "also": [],
        "prefix": False,
        "enterprise": "",
        "severity": "critical",
        "severity_by": {},
        "alert_type": "SNMP Trap",
        "title": "Fan %(fan)s failed",
        "detail": "",
        "remedy": "",
        "bindings": {"fan": "1.3.6.1.4.1.99999.2.1"},
        "words": {},
        "object": "fan",
        "object_kind": "",
        "clears": [],
        "counts": True,
        "enabled": True,
        "own": True,
        "changed": [],
    }
    assert changed_at.endswith("Z")
    assert made["Location"] == f"{URL}{body['id']}/"
    assert made["ETag"]


def test_it_is_listed_filtered_and_searched(admin):
    assert admin.get(URL).json()["count"] == AlertDefinition.objects.count() >= 310
    assert [row["key"] for row in admin.get(URL, {"q": "upsalarm"}).json()["results"]] == []
    assert [row["key"] for row in admin.get(URL, {"key": "linkDown"}).json()["results"]] == ["linkDown"]
    definitions.create(FAN, SYSTEM)
    assert [row["key"] for row in admin.get(URL, {"own": "true"}).json()["results"]] == ["own.fan"]
    assert admin.get(URL, {"family": "UPS"}).json()["count"] == 4
    assert admin.get(URL, {"maker": "x"}).status_code == 400
    few = statements_of(lambda: admin.get(URL, {"limit": 1}))
    assert statements_of(lambda: admin.get(URL, {"limit": 60})) == few


def test_it_is_changed_restored_and_removed(admin):
    pk = AlertDefinition.objects.get(key="linkDown").pk
    found = admin.get(f"{URL}{pk}/")
    fresh = {"HTTP_IF_MATCH": found["ETag"], "format": "json"}
    changed = admin.patch(f"{URL}{pk}/", {"severity": "critical", "enabled": True}, **fresh)
    assert (changed.status_code, changed.json()["changed"]) == (200, ["severity"])
    stale = admin.patch(f"{URL}{pk}/", {"severity": "warning"}, **fresh)
    assert stale.status_code == 412
    assert admin.delete(f"{URL}{pk}/").status_code == 409
    assert admin.post(f"{URL}{pk}/restore/").json()["changed"] == []
    made = definitions.create(FAN, SYSTEM)
    assert admin.post(f"{URL}{made.pk}/restore/").status_code == 409
    assert admin.delete(f"{URL}{made.pk}/").status_code == 204


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({"colour": "red"}, "colour", "There is no such field."),
        ({"severity": "bad"}, "severity", '"bad" is not a valid choice.'),
        ({"trap_oid": "x"}, "trap_oid", "x is not an object identifier."),
        ({"bindings": [1]}, "bindings", "This must be a mapping."),
        ({"severity_by": {"binding": "fan", "values": {"1": "bad"}}}, "severity_by", "There is no severity bad."),
        ({"prefix": "true"}, "prefix", "Must be a valid boolean."),
        ({"title": ""}, "title", "This field may not be blank."),
        ({"clears": ["own.nothing"]}, "clears", "There is no definition own.nothing."),
    ],
)
def test_faults_name_their_field_and_nothing_is_made(admin, sent, field, said):
    answer = admin.post(URL, {**FAN, **sent}, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][field] == [said]
    assert not AlertDefinition.objects.own().exists()


def test_a_preview_changes_nothing(admin):
    arrive(LINK_DOWN, binding("1.3.6.1.2.1.2.2.1.1.4", 4))
    pk = AlertDefinition.objects.get(key="linkDown").pk
    before = list(AlertDefinition.objects.values())
    answer = admin.post(f"{URL}preview/", {"id": pk, "severity": "critical"}, format="json")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["looked_at"], body["complete"], len(body["days"])) == (1, True, 8)
    assert body["figures"] == [
        {"what": "alerts", "before": 1, "after": 1},
        {"what": "critical", "before": 0, "after": 1},
        {"what": "warning", "before": 1, "after": 0},
        {"what": "problems", "before": 1, "after": 1},
    ]
    assert (body["examples"][0]["was"], body["examples"][0]["becomes"]) == ("warning", "critical")
    assert admin.post(f"{URL}preview/", FAN, format="json").json()["looked_at"] == 0
    assert admin.post(f"{URL}preview/", {"id": 10**6}, format="json").status_code == 400
    assert admin.post(f"{URL}preview/", {"severity": "critical"}, format="json").status_code == 400
    assert list(AlertDefinition.objects.values()) == before


def test_a_file_is_looked_at_taken_and_given_back(admin):
    text = "definitions: {x.fan: {name: Fan, trap_oid: 1.3.6.1.6.3.1.1.5.3, severity: warning, title: Fan}}"
    looked = admin.post(f"{URL}import/", {"text": text}, format="json").json()
    assert looked == {
        "taken": False,
        "new": 1,
        "changed": 0,
        "same": 0,
        "entries": [{"key": "own.x.fan", "name": "Fan", "outcome": "new", "fields": [], "doubles": ["linkDown"]}],
    }
    assert not AlertDefinition.objects.own().exists()
    assert admin.post(f"{URL}import/", {"text": text, "take": True}, format="json").json()["taken"] is True
    own = admin.get(f"{URL}export/", {"own": "true"})
    assert own["Content-Type"].startswith("application/yaml")
    again = admin.post(f"{URL}import/", {"text": own.content.decode()}, format="json").json()
    assert (again["same"], again["new"]) == (1, 0)
    assert admin.post(f"{URL}import/", {"text": "x"}, format="json").json()["errors"]["text"]
    assert admin.get(f"{URL}export/", {"which": "own"}).json()["errors"] == {"which": ["There is no such parameter."]}


def test_applying_to_the_past_is_a_job(admin, monkeypatch):
    monkeypatch.setattr("apps.alerts.tasks.run_reapply.apply_async", lambda *args, **options: None)
    pk = AlertDefinition.objects.get(key="linkDown").pk
    answer = admin.post(f"{URL}{pk}/apply/")
    assert (answer.status_code, answer.json()["job"]) == (202, Job.objects.get().pk)


def test_reading_is_for_everybody_writing_for_who_may_over_the_whole_fleet():
    tokyo = make_group("Tokyo")
    pk = AlertDefinition.objects.get(key="linkDown").pk
    for client in (client_of("viewer", tokyo), client_of("operator"), client_of("administrator", tokyo)):
        assert client.get(f"{URL}{pk}/").status_code == 200
        assert client.get(f"{URL}export/").status_code == 200
        assert client.post(f"{URL}preview/", FAN, format="json").status_code == 200
        assert client.post(URL, FAN, format="json").status_code == 403
        assert client.patch(f"{URL}{pk}/", {"severity": "critical"}, format="json").status_code == 403
        assert client.post(f"{URL}{pk}/apply/").status_code == 403
        assert client.post(f"{URL}import/", {"text": "x"}, format="json").status_code == 403
    assert client_of(None).get(URL).status_code == 403  # type: ignore[arg-type]
    assert not AlertDefinition.objects.own().exists()
