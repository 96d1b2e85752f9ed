"""Lists are filtered by their fields; a filter that is unknown or has a bad value is named, never passed over."""

from typing import Any

import pytest
from django.test import Client

from apps.core.models import Job
from tests.description import description
from tests.factories import make_component, make_group, make_interface, make_user

pytestmark = pytest.mark.django_db

PLAIN = {
    "components": "id name alias category group include_subgroups parent slot address addresses uuid serial_number"
    " manufacturer model status suspended driver credential",
    "credentials": "id name kind group",
    "groups": "id name parent description",
    "jobs": "id kind state created_by",
    "jobs/{id}/steps": "id component interface target state stage code",
    "alerts": "id severity component source alert_type received_after unmatched incident state component_name address"
    " quiet before group received_before",
    "incidents": "id state severity component component_name address definition object acknowledged_by closed_by before"
    " group",
    "users": "id username email first_name last_name is_active must_change_password directory",
    "roles": "id name built_in needs_second_factor",
    "lock-outs": "id kind name",
    "grants": "id user team directory_group role group",
    "directories": "id name kind enabled",
    "directory-groups": "id directory name dn",
    "addresses": "id network note",
    "tokens": "id name prefix read_only user",
    "audit": "id actor_kind actor_name login address action family object_type object_id object_name group outcome"
    " sequence at_after at_before before",
    "options": "name",
    "suspend-periods": "id name component group include_inherited enabled in_force time_zone repeat created_by from to",
    "drivers": "name category",
    "support-bundles": "",
    "consoles": "id component state",
    "components/{id}/sensors": "name kind status interface stale",
    "components/{id}/ports": "name state interface excluded",
    "components/{id}/inventory": "id interface kind key name status",
    "components/{id}/event-log": "severity interface cleared from to",
}
BAD = [
    *[("components", name, "x") for name in ("id", "group", "parent", "uuid", "credential", "category", "status")],
    *[("components", name, "perhaps") for name in ("suspended", "include_subgroups")],
    *[("users", name, "perhaps") for name in ("is_active", "must_change_password")],
    *[("credentials", name, "x") for name in ("id", "kind", "group")],
    *[("jobs", name, "x") for name in ("id", "state")],
    *[("jobs/{id}/steps", name, "x") for name in ("component", "interface", "state", "stage", "code")],
    *[("alerts", name, "x") for name in ("severity", "state", "component", "address", "quiet", "unmatched", "before")],
    *[("incidents", name, "x") for name in ("severity", "state", "component", "address")],
    *[("audit", name, "x") for name in ("actor_kind", "address", "outcome", "sequence", "at_after", "before")],
    *[("consoles", name, "x") for name in ("component", "state")],
    *[("roles", "built_in", "1x"), ("tokens", "read_only", "x"), ("groups", "parent", "x"), ("grants", "user", "x")],
    *[
        ("drivers", "category", "x"),
        ("components/{id}/ports", "state", "x"),
        ("components/{id}/ports", "interface", "x"),
    ],
    *[("components/{id}/event-log", name, "x") for name in ("severity", "interface", "cleared", "from", "to")],
    *[("suspend-periods", name, "x") for name in ("id", "component", "group", "repeat", "enabled", "from", "to")],
    *[("components/{id}/sensors", name, "x") for name in ("kind", "status", "interface", "stale")],
]


@pytest.fixture
def api(client: Client) -> Client:
    """Give somebody who may see everything."""
    client.force_login(make_user("administrator"))
    return client


@pytest.fixture
def ids() -> dict[str, int]:
    """Give a component and a job."""
    return {"components": make_component("web-01").pk, "jobs": Job.objects.create(kind="check").pk}


def address_of(path: str, ids: dict[str, int]) -> str:
    return f"/api/v1/{path.format(id=ids.get(path.split('/')[0]))}/"


@pytest.mark.one_database
@pytest.mark.parametrize("path", PLAIN)
def test_an_unknown_parameter_is_named_with_those_that_are_known(api: Client, ids: Any, path: str) -> None:
    answer = api.get(address_of(path, ids), {"colour": "red", "limit": "5", "q": "x", "format": "json"})
    assert answer.status_code == 400, answer.content
    errors = answer.json()["errors"]
    assert list(errors) == ["colour"]
    known = errors["colour"][0].split(": ", 1)[1].rstrip(".").split(", ")
    assert set(known) == {"page", "limit", "q", "format", *PLAIN[path].split()}


@pytest.mark.parametrize("path", PLAIN)
def test_every_filter_is_described_and_taken(api: Client, ids: Any, path: str) -> None:
    assert api.get(address_of(path, ids), {"page": 1, "limit": 5, "q": "x", "format": "json"}).status_code == 200
    parameters = description()["paths"][f"/api/v1/{path}/"]["get"]["parameters"]
    described = {one["name"] for one in parameters if one["in"] == "query"}
    assert described == {"page", "limit", "q", *PLAIN[path].split()}


@pytest.mark.one_database
@pytest.mark.parametrize(("path", "name", "value"), BAD)
def test_a_bad_value_is_named(api: Client, ids: Any, path: str, name: str, value: str) -> None:
    answer = api.get(address_of(path, ids), {name: value})
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["errors"]) == [name]


def test_the_plain_fields_of_components_find_them(api: Client) -> None:
    group = make_group("Tokyo")
    fields = {"alias": "Front", "serial_number": "S1", "manufacturer": "ACME", "model": "X1", "slot": "3"}
    parent = make_component("enclosure")
    one = make_component("web-01", group, parent=parent, suspended=True, status="critical", **fields)
    make_interface(one, driver="snmp_agent", address="192.0.2.7")
    wanted: dict[str, Any] = {**fields, "name": "web-01", "group": group.pk, "parent": parent.pk, "suspended": "true"}
    wanted |= {"status": "critical", "driver": "snmp_agent", "address": "192.0.2.7", "addresses": "192.0.2.7"}
    for name, value in wanted.items():
        found = api.get("/api/v1/components/", {name: value}).json()["results"]
        assert [row["id"] for row in found] == [one.pk], name
    found = api.get("/api/v1/components/", {"suspended": "False"}).json()["results"]
    assert [row["id"] for row in found] == [parent.pk]


def test_what_one_may_not_see_is_not_there_whatever_is_asked_about_it(client: Client) -> None:
    hidden = make_component("hidden", make_group("Elsewhere"))
    client.force_login(make_user("viewer", make_group("Here")))
    for part in ("sensors", "ports", "inventory", "event-log", "samples"):
        assert client.get(f"/api/v1/components/{hidden.pk}/{part}/?colour=red").status_code == 404, part


def test_samples_know_their_parameters(api: Client, ids: Any) -> None:
    answer = api.get(address_of("components/{id}/samples", ids), {"sensor": 1, "stepp": 5})
    assert list(answer.json()["errors"]) == ["stepp"]
