"""No request body has a key that nobody knows, whatever the resource or the action."""

from typing import Any

import pytest
from django.test import Client

from apps.access.models import AllowedAddress, Role, SignInRule
from apps.accounts.models import Directory, Team
from apps.alerts.models import AlertDefinition, EventSubscription
from apps.core.models import AuditEntry, Job
from apps.monitoring import layouts
from apps.monitoring.models import Sensor
from apps.monitoring.services import polling
from tests.description import description
from tests.factories import (
    make_component,
    make_credential,
    make_group,
    make_remote_batch,
    make_suspend_period,
    make_user,
)
from tests.monitoring.conftest import fake_device

pytestmark = pytest.mark.django_db
JSON = "application/json"


def writing() -> list[tuple[str, str]]:
    """Give every address of the API that takes a body, with its method."""
    paths = description()["paths"]
    return sorted((path, method) for path, methods in paths.items() for method in {"post", "patch"} & methods.keys())


@pytest.fixture
def api(client: Client) -> Client:
    """Give somebody who may do everything."""
    client.force_login(make_user("administrator"))
    return client


@pytest.fixture
def one_of_each() -> dict[str, Any]:
    """Make one row of everything that can be changed, and give its id by the beginning of its address."""
    layouts.forget()
    interface = fake_device(script="filling")
    polling.poll([interface.pk])
    return {
        "components": interface.component_id,
        "sensor_pk": Sensor.objects.get(key="storage.1").pk,
        "credentials": make_credential().pk,
        "groups": make_group().pk,
        "roles": Role.objects.create(name="some", permissions=["view"]).pk,
        "addresses": AllowedAddress.objects.create(network="198.51.100.1/32").pk,
        "users": make_user().pk,
        "sign-in-rules": SignInRule.objects.create(
            networks=["198.51.100.0/24"], role=Role.objects.get(name="viewer")
        ).pk,
        "teams": Team.objects.create(name="some").pk,
        "jobs": Job.objects.create(kind="check", state="running").pk,
        "options": "auto_logout",
        "remote-batches": make_remote_batch(interface.component).pk,
        "event-subscriptions": EventSubscription.objects.create(interface=interface, state="active", tests=True).pk,
        "suspend-periods": make_suspend_period(in_force=True).pk,
        "alert-definitions": AlertDefinition.objects.create(
            key="some", name="Some", trap_oid="1.3.6.1.4.1.99999.0.1", severity="warning", title="Something"
        ).pk,
        "directories": Directory.objects.create(name="some", servers=["ldap.example.test"]).pk,
        "interface": interface.pk,
        "index": 1,
    }


def address_of(path: str, ids: dict[str, Any]) -> str:
    """Fill the places of an address."""
    kind = path.split("/")[3]
    for place in ("sensor_pk", "interface", "index"):
        path = path.replace(f"{{{place}}}", str(ids[place]))
    return path.replace("{id}", str(ids.get(kind))).replace("{name}", str(ids.get(kind)))


def test_the_walk_finds_them() -> None:
    found = writing()
    assert len(found) >= 20
    assert ("/api/v1/components/{id}/sensors/{sensor_pk}/", "patch") in found
    assert ("/api/v1/components/{id}/check/", "post") in found


@pytest.mark.parametrize(("path", "method"), writing())
def test_an_unknown_key_is_named_and_nothing_is_done(api: Client, one_of_each: Any, path: str, method: str) -> None:
    answer = getattr(api, method)(address_of(path, one_of_each), {"colour": 1}, JSON)
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"]["colour"] == ["There is no such field."]
    assert not AuditEntry.objects.exists()
    assert Job.objects.count() == 1


def test_keys_inside_are_looked_at_too(api: Client, one_of_each: Any) -> None:
    sensor = address_of("/api/v1/components/{id}/sensors/{sensor_pk}/", one_of_each)
    answer = api.patch(sensor, {"limits": {"nope": 1, "upper_warning": 5}, "upper_warning": 1}, JSON)
    assert set(answer.json()["errors"]) == {"limits.nope", "upper_warning"}
    answer = api.patch(sensor, {"limits": {"source": "device", "upper_warning": 5}, "name": "read only"}, JSON)
    assert answer.status_code == 200, answer.content
    body = {"name": "x", "interfaces": [{"driver": "snmp_agent", "address": "192.0.2.1", "parameters": {"nope": 1}}]}
    assert set(api.post("/api/v1/components/", body, JSON).json()["errors"]) == {"interfaces"}
    body = {"name": "x", "kind": "snmp-community", "fields": {"version": "2c", "community": "x", "nope": 1}}
    assert api.post("/api/v1/credentials/", body, JSON).status_code == 400


def test_an_order_without_a_body_is_taken_in_every_form(api: Client) -> None:
    url = f"/api/v1/components/{make_component().pk}/check/"
    assert api.post(url).status_code == 202
    assert api.post(url, {}, JSON).status_code == 202
    assert api.generic("POST", url, b"", JSON).status_code == 202
