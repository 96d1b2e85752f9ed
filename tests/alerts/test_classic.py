"""Classic mode shows alerts to whom they are visible, and changes definitions by the services."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.alerts.models import AlertDefinition
from apps.alerts.services import Arrival, catalogue, ingest
from apps.alerts.services.checking import KINDS
from apps.core.classic import FirstPages
from apps.core.models import AuditEntry
from tests.factories import make_component, make_group, make_user

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("definitions"),
    pytest.mark.urls("esm.classic_urls"),
]


def signed_in(role: str, group=None, **about: str) -> Client:
    client = Client(REMOTE_ADDR="127.0.0.1")
    client.force_login(make_user(role, group, is_staff=True, **about))
    return client


def test_alerts_of_another_group_are_not_listed_and_none_can_be_changed():
    ours = make_group()
    down = AlertDefinition.objects.get(key="linkDown")
    mine, other = ingest(
        [
            Arrival("snmp-trap", timezone.now(), down, make_component("web-01", group=ours)),
            Arrival("snmp-trap", timezone.now(), down, make_component("db-01", group=make_group())),
        ]
    )
    client = signed_in("viewer", ours)
    page = client.get(reverse("admin:alerts_alert_changelist")).content.decode()
    assert "web-01" in page
    assert "db-01" not in page
    assert client.get(reverse("admin:alerts_incident_changelist")).status_code == 200
    assert client.get(reverse("admin:alerts_alert_change", args=[mine.pk])).status_code == 200
    assert client.get(reverse("admin:alerts_alert_change", args=[other.pk])).status_code in {302, 403, 404}
    assert client.get(reverse("admin:alerts_alert_add")).status_code == 403
    assert client.post(reverse("admin:alerts_alert_delete", args=[mine.pk]), {"post": "yes"}).status_code == 403


def sent(definition: AlertDefinition | None = None, **changed: object) -> dict[str, object]:
    """Give what the form of a definition sends."""
    found = definition or AlertDefinition()
    fields = {name: getattr(found, name) for name in KINDS}
    shown = {name: json.dumps(value) if isinstance(value, list | dict) else value for name, value in fields.items()}
    boxes = {name for name, kind in KINDS.items() if kind is bool}
    return {name: value for name, value in {**shown, **changed}.items() if name not in boxes or value}


def test_an_administrator_switches_a_definition_off_and_the_audit_keeps_it():
    definition = AlertDefinition.objects.get(key="linkDown")
    url = reverse("admin:alerts_alertdefinition_change", args=[definition.pk])
    assert signed_in("operator").post(url, sent(definition, enabled=False)).status_code == 403
    assert catalogue.current().match(definition.trap_oid) == definition
    answer = signed_in("administrator").post(url, sent(definition, enabled=False))
    assert answer.status_code == 302
    definition.refresh_from_db()
    assert (definition.enabled, definition.changes) == (False, ["enabled"])
    assert catalogue.current().match(definition.trap_oid) is None
    entry = AuditEntry.objects.get(action="alert-definition.change")
    assert (entry.before, entry.after) == ({"enabled": True}, {"enabled": False})


def test_classic_mode_makes_changes_and_removes_definitions_by_the_services():
    client = signed_in("administrator")
    add = reverse("admin:alerts_alertdefinition_add")
    assert client.get(add).status_code == 200
    wrong = sent(name="Door", severity="warning", title="Door %(door)s", trap_oid="1.3.6.1.4.1.99999.0.1")
    answer = client.post(add, wrong, follow=True)
    assert "Nothing fills the place door" in answer.content.decode()
    assert not AlertDefinition.objects.own().exists()
    right = {**wrong, "bindings": '{"door": "1.3.6.1.4.1.99999.1"}', "words": "", "also": ""}
    assert client.post(add, right).status_code == 302
    own = AlertDefinition.objects.own().get()
    assert (own.key, own.bindings, own.words, own.also) == ("own.door", {"door": "1.3.6.1.4.1.99999.1"}, {}, [])
    change = reverse("admin:alerts_alertdefinition_change", args=[own.pk])
    assert client.post(change, sent(own, severity="critical")).status_code == 302
    own.refresh_from_db()
    assert own.severity == "critical"
    entry = AuditEntry.objects.filter(action="alert-definition.change").latest("pk")
    assert (entry.before, entry.after) == ({"severity": "warning"}, {"severity": "critical"})
    shipped = AlertDefinition.objects.get(key="linkDown")
    gone = reverse("admin:alerts_alertdefinition_delete", args=[shipped.pk])
    assert client.post(gone, {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [shipped.pk], "post": "yes"}
    assert client.post(reverse("admin:alerts_alertdefinition_changelist"), chosen).status_code == 403
    assert AlertDefinition.objects.filter(key="linkDown").exists()
    gone = reverse("admin:alerts_alertdefinition_delete", args=[own.pk])
    assert client.post(gone, {"post": "yes"}).status_code == 302
    assert not AlertDefinition.objects.own().exists()
    assert AuditEntry.objects.filter(action="alert-definition.remove").exists()


def test_a_list_of_a_million_is_not_counted(monkeypatch):
    monkeypatch.setattr(FirstPages, "MOST", 3)
    web = make_component("web-01")
    for key in ("linkDown", "coldStart", "coldStart", "coldStart", "portal.access-lost"):
        ingest([Arrival("snmp-trap", timezone.now(), AlertDefinition.objects.get(key=key), web)])
    client = signed_in("viewer")
    address = reverse("admin:alerts_alert_changelist")
    with CaptureQueriesContext(connection) as asked:
        page = client.get(address)
    assert "3+ alerts" in " ".join(page.content.decode().split())
    counts = [query["sql"] for query in asked if "COUNT(" in query["sql"] and "alerts_alert" in query["sql"]]
    assert counts
    assert all("LIMIT 3" in statement for statement in counts)
    assert not [query for query in asked if "DISTINCT" in query["sql"] and "alerts_alert" in query["sql"]]

    found = client.get(address, {"alert_type": "Portal"})
    assert "1 alert" in " ".join(found.content.decode().split())
    assert [str(row.title) for row in found.context["cl"].result_list] == ["web-01 does not answer"]
    japanese = signed_in("viewer", language="ja")
    assert "SNMP トラップ" in japanese.get(address).content.decode()
