"""Classic mode shows alerts to whom they are visible, and switches definitions."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.alerts.models import AlertDefinition
from apps.alerts.services import Arrival, catalogue, ingest
from apps.core.models import AuditEntry
from tests.factories import make_component, make_group, make_user

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("definitions"),
    pytest.mark.urls("esm.classic_urls"),
]


def signed_in(role: str, group=None) -> Client:
    client = Client(REMOTE_ADDR="127.0.0.1")
    client.force_login(make_user(role, group, is_staff=True))
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


def test_an_administrator_switches_a_definition_off_and_the_audit_keeps_it():
    definition = AlertDefinition.objects.get(key="linkDown")
    url = reverse("admin:alerts_alertdefinition_change", args=[definition.pk])
    assert signed_in("operator").post(url, {}).status_code == 403
    assert catalogue.current().match(definition.trap_oid) == definition
    answer = signed_in("administrator").post(url, {})  # the box is not ticked
    assert answer.status_code == 302
    definition.refresh_from_db()
    assert (definition.enabled, definition.title) == (False, "Link of %(object)s went down")
    assert catalogue.current().match(definition.trap_oid) is None
    entry = AuditEntry.objects.get(action="alert-definition.change")
    assert (entry.before, entry.after) == ({"enabled": True}, {"enabled": False})
