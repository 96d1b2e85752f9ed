"""The API of alerts and incidents, as a program meets it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.access.models import Grant, Role
from apps.alerts.models import Alert, AlertDefinition, Incident
from apps.alerts.services import Arrival, ingest, reinterpret
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry
from tests.factories import make_component, make_group, make_user
from tests.statements import statements_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("definitions")]


def client_of(user) -> APIClient:
    client = APIClient(REMOTE_ADDR="127.0.0.1")
    client.force_authenticate(user)
    return client


@pytest.fixture
def operator():
    return client_of(make_user("operator"))


def arrive(key: str | None, component=None, **more) -> Alert:
    definition = AlertDefinition.objects.get(key=key) if key else None
    (alert,) = ingest([Arrival("snmp-trap", timezone.now(), definition, component, **more)])
    return alert


def test_an_alert_has_exactly_the_agreed_shape(operator):
    component = make_component("web-01")
    alert = arrive(
        "linkDown",
        component,
        address="192.0.2.1",
        object="3",
        params={"object": "eth0"},
        version="2c",
        trap_oid="1.3.6.1.6.3.1.1.5.3",
        request_id=5,
        bindings=({"oid": "1.3.6.1.2.1.2.2.1.1.3", "type": "Integer", "value": "3"},),
        datagram=b"\x30\x02",
    )
    answer = operator.get(f"/api/v1/alerts/{alert.pk}/")
    assert answer.status_code == 200
    assert answer.json() == {
        "id": alert.pk,
        "received_at": alert.received_at.isoformat().replace("+00:00", "Z"),
        "occurred_at": None,
        "severity": "warning",
        "source": "snmp-trap",
        "alert_type": "SNMP Trap",
        "title": "Link of eth0 went down",
        "detail": "The network port eth0 lost its link (linkDown).",
        "component": component.pk,
        "component_name": "web-01",
        "address": "192.0.2.1",
        "incident": alert.incident_id,
        "quiet": "",
        "raw": {
            "version": "2c",
            "trap_oid": "1.3.6.1.6.3.1.1.5.3",
            "request_id": 5,
            "bindings": [{"oid": "1.3.6.1.2.1.2.2.1.1.3", "type": "Integer", "value": "3"}],
            "datagram": "3002",
            "event": None,
            "candidates": [],
        },
    }


def test_the_list_is_walked_by_id_while_new_alerts_come_in(operator):
    component = make_component()
    first = [arrive("coldStart", component).pk for _ in range(25)][::-1]
    answer = operator.get("/api/v1/alerts/?limit=10").json()
    seen = [row["id"] for row in answer["results"]]
    assert answer["count"] == 25
    while answer["next"]:
        arrive("coldStart", component)
        answer = operator.get(answer["next"]).json()
        seen += [row["id"] for row in answer["results"]]
    assert seen == first
    assert [row["id"] for row in operator.get(f"/api/v1/alerts/?before={first[4]}&limit=2").json()["results"]] == first[
        5:7
    ]
    assert [row["id"] for row in operator.get("/api/v1/alerts/?page=2&limit=20").json()["results"]] == first[-7:]


def test_filters_are_named_as_the_fields_and_unmatched_is_false_by_default(operator):
    component = make_component()
    down = arrive("linkDown", component)
    cold = arrive("coldStart", component)
    lost = arrive("portal.access-lost", component)
    unknown = arrive(None, address="192.0.2.66", trap_oid="1.3.6.1.4.1.9.9")
    other = arrive("linkDown", make_component())

    def ids(query: str) -> list[int]:
        answer = operator.get(f"/api/v1/alerts/?{query}")
        assert answer.status_code == 200, answer.json()
        return sorted(row["id"] for row in answer.json()["results"])

    assert ids("") == [down.pk, cold.pk, lost.pk, other.pk]
    assert ids("unmatched=false") == ids("")
    assert ids("unmatched=true") == [unknown.pk]
    assert ids("unmatched=all") == sorted([*ids(""), unknown.pk])
    assert ids("severity=warning") == [down.pk, other.pk]
    assert ids("severity=warning&severity=information") == [down.pk, cold.pk, other.pk]
    assert ids(f"component={component.pk}") == [down.pk, cold.pk, lost.pk]
    assert ids("alert_type=Portal") == [lost.pk]
    assert ids("source=snmp-trap&severity=critical") == [lost.pk]
    assert ids("source=mail") == []
    assert ids(f"received_after={cold.received_at.isoformat().replace('+00:00', 'Z')}") == [lost.pk, other.pk]
    assert ids("unmatched=all&q=192.0.2.66") == [unknown.pk]


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("severity=bad", "severity"),
        ("component=x", "component"),
        ("received_after=yesterday", "received_after"),
        ("before=x", "before"),
        ("before=0", "before"),
        ("unmatched=maybe", "unmatched"),
        ("limit=1001", "limit"),
    ],
)
def test_a_bad_filter_is_named(operator, query, field):
    answer = operator.get(f"/api/v1/alerts/?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_alerts_cannot_be_written(operator):
    alert = arrive("coldStart", make_component())
    assert operator.post("/api/v1/alerts/", {}, format="json").status_code == 405
    assert operator.patch(f"/api/v1/alerts/{alert.pk}/", {"severity": "normal"}, format="json").status_code == 405
    assert operator.delete(f"/api/v1/alerts/{alert.pk}/").status_code == 405


def test_acknowledging_keeps_the_note_and_the_time(operator):
    incident = arrive("linkDown", make_component()).incident
    until = timezone.now() + timedelta(hours=2)
    body = {"ids": [incident.pk], "note": "cable ordered", "until": until.isoformat()}
    answer = operator.post("/api/v1/incidents/acknowledge/", body, format="json")
    assert answer.status_code == 200
    (row,) = answer.json()["results"]
    assert (row["state"], row["note"], row["definition"]) == ("acknowledged", "cable ordered", "linkDown")
    assert Incident.objects.get().acknowledged_until == until
    assert AuditEntry.objects.filter(action="incident.acknowledge").count() == 1

    assert operator.post("/api/v1/incidents/close/", {"ids": [incident.pk]}, format="json").status_code == 200
    assert operator.get("/api/v1/incidents/?state=closed").json()["count"] == 1
    assert operator.get("/api/v1/incidents/?state=open&state=acknowledged").json()["count"] == 0


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ids": []}, "ids"),
        ({"ids": None}, "ids"),
        ({"ids": ["x"]}, "ids"),
        ({"ids": [999999]}, "ids"),
        ({"until": "2001-01-01T00:00:00Z"}, "until"),
        ({"until": "soon"}, "until"),
        ({"note": ["x"]}, "note"),
        ({"note": "x" * 2001}, "note"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_acknowledged(operator, change, field):
    incident = arrive("linkDown", make_component()).incident
    body = {"ids": [incident.pk], **change}
    answer = operator.post("/api/v1/incidents/acknowledge/", body, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    incident.refresh_from_db()
    assert incident.state == "open"


def test_what_is_in_another_group_does_not_exist(operator):
    ours, theirs = make_group(), make_group()
    mine = arrive("linkDown", make_component(group=ours))
    other = arrive("linkDown", make_component(group=theirs))
    unassigned = arrive("linkDown", None, address="192.0.2.5")
    client = client_of(make_user("operator", ours))

    assert [row["id"] for row in client.get("/api/v1/alerts/?unmatched=all").json()["results"]] == [mine.pk]
    assert client.get(f"/api/v1/alerts/{other.pk}/").status_code == 404
    assert client.get(f"/api/v1/alerts/{unassigned.pk}/").status_code == 404
    assert client.get(f"/api/v1/incidents/{other.incident_id}/").status_code == 404
    body = {"ids": [mine.incident_id, other.incident_id]}
    answer = client.post("/api/v1/incidents/acknowledge/", body, format="json")
    assert answer.status_code == 400
    assert str(other.incident_id) in answer.json()["errors"]["ids"][0]
    assert not Incident.objects.filter(state="acknowledged").exists()
    assert operator.get("/api/v1/alerts/").json()["count"] == 3


def test_a_viewer_may_look_but_not_acknowledge_or_close():
    incident = arrive("linkDown", make_component()).incident
    client = client_of(make_user("viewer"))
    assert client.get(f"/api/v1/incidents/{incident.pk}/").status_code == 200
    for verb in ("acknowledge", "close"):
        assert client.post(f"/api/v1/incidents/{verb}/", {"ids": [incident.pk]}, format="json").status_code == 403
    incident.refresh_from_db()
    assert incident.state == "open"


def test_who_may_act_in_one_group_is_refused_in_the_other_that_he_sees():
    ours, theirs = make_group(), make_group()
    mine, other = (arrive("linkDown", make_component(group=group)).incident for group in (ours, theirs))
    user = make_user("operator", ours)
    Grant.objects.create(user=user, role=Role.objects.get(name="viewer"), group=theirs)
    body = {"ids": [mine.pk, other.pk]}
    assert client_of(user).post("/api/v1/incidents/close/", body, format="json").status_code == 403
    assert set(Incident.objects.values_list("state", flat=True)) == {"open"}


def test_nobody_signed_in_gets_nothing():
    alert = arrive("linkDown", make_component())
    client = APIClient(REMOTE_ADDR="127.0.0.1")
    for path in ("alerts/", f"alerts/{alert.pk}/", "incidents/"):
        assert client.get(f"/api/v1/{path}").status_code == 401


def test_a_list_costs_the_same_for_one_row_and_for_sixty(operator):
    costs = []
    for number in (1, 59):
        for _ in range(number):
            arrive("linkDown", make_component())
        for path in ("alerts", "incidents"):
            costs.append(statements_of(lambda path=path: operator.get(f"/api/v1/{path}/")))
    assert costs[:2] == costs[2:]


def test_component_names_are_names_and_not_what_the_component_is_called_for_now(operator):
    component = make_component("web-01", alias="Front door")
    first, second = arrive("linkDown", component, object="1"), arrive("linkDown", None, object="2")
    reinterpret(second, SYSTEM, component=component, definition=second.definition)
    for kind in ("alerts", "incidents"):
        rows = operator.get(f"/api/v1/{kind}/?component={component.pk}").json()["results"]
        assert [row["component_name"] for row in rows] == ["web-01", "web-01"], kind
        assert operator.get(f"/api/v1/{kind}/?q=front").json()["count"] == 2
    assert first.where == first.incident.where == "Front door"


def test_pages_show_the_alias(client):
    client.force_login(make_user("operator"))
    arrive("linkDown", make_component("web-01", alias="Front door"), object="1")
    for path in ("/alerts/", f"/alerts/{Alert.objects.get().pk}/", "/", "/alerts/?q=front"):
        assert "Front door" in client.get(path).content.decode(), path
