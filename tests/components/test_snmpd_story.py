"""From registration to a normal status over the API, against a real agent; and what a check says of each mistake."""

import pytest

from apps.components import contact, tasks
from apps.components.models import ManagementInterface
from tests.peers import AUTH_PASSWORD, V3_LOGIN, Snmpd

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("snmpd")]


def credential(api, kind: str, **fields: str) -> int:
    body = {"name": f"{kind} {fields}"[:90], "kind": kind, "fields": fields}
    return api.post("/api/v1/credentials/", body, format="json").json()["id"]


def registered(api, snmpd: Snmpd, login: int) -> dict:
    interface = {"driver": "snmp_agent", "address": "127.0.0.1", "port": snmpd.port, "credential": login}
    response = api.post("/api/v1/components/", {"name": "agent", "interfaces": [interface]}, format="json")
    assert response.status_code == 201, response.content
    return response.json()


def step_of(api, component: dict, verb: str) -> dict:
    """Start a check or refresh over the API, let the worker's task run it here, and read the one step."""
    answer = api.post(f"/api/v1/components/{component['id']}/{verb}/").json()
    getattr(tasks, f"run_{verb}").run(answer["job"])
    job = api.get(answer["url"]).json()
    assert job["finished"] == job["total"] == 1
    (step,) = api.get(job["steps_url"]).json()["results"]
    return step


def test_a_server_is_registered_checked_refreshed_and_seen(api, queued, snmpd):
    component = registered(api, snmpd, credential(api, "snmp-v3", **V3_LOGIN))
    assert [cause["text"] for cause in component["causes"]] == ["Not polled yet."]

    step = step_of(api, component, "check")
    assert (step["state"], step["stage"], step["code"]) == ("done", "", "")
    assert step["interface"] == component["interfaces"][0]["id"]

    step = step_of(api, component, "refresh")
    assert (step["state"], step["message"]) == ("done", "Values and inventory were read.")
    seen = api.get(f"/api/v1/components/{component['id']}/").json()
    assert not [cause for cause in seen["causes"] if cause["source"] in {"registration", "poll"}]
    assert seen["status"] != "unknown"
    assert (seen["interfaces"][0]["last_error"], seen["interfaces"][0]["status"]) == ("", seen["status"])
    assert seen["interfaces"][0]["last_polled_at"] is not None
    assert seen["last_seen_at"] is not None
    kinds = {item["kind"] for item in api.get(f"/api/v1/components/{component['id']}/inventory/").json()["results"]}
    assert {"system", "storage", "network"} <= kinds
    assert ManagementInterface.objects.get().identity["name"]


@pytest.mark.parametrize(
    ("kind", "fields", "code", "words"),
    [
        ("snmp-community", {"community": "wrong"}, "unreachable", "no answer: address, community or privacy key"),
        ("snmp-v3", {**V3_LOGIN, "username": "nobody"}, "authentication_failed", ""),
        ("snmp-v3", {**V3_LOGIN, "auth_password": "wrong-password"}, "authentication_failed", ""),
        ("snmp-v3", {**V3_LOGIN, "priv_password": "wrong-password"}, "unreachable", ""),
    ],
)
def test_each_wrong_login_fails_at_sign_in(api, queued, snmpd, kind, fields, code, words):
    component = registered(api, snmpd, credential(api, kind, **fields))
    step = step_of(api, component, "check")
    assert (step["state"], step["stage"], step["code"]) == ("failed", "sign-in", code)
    assert words in step["message"].lower()
    assert step["remedy"]
    shown = api.get(f"/api/v1/components/{component['id']}/").json()["interfaces"][0]
    assert (shown["last_error"], shown["status"]) == (step["message"], "unknown")
    assert "wrong-password" not in str(step) + str(shown)


def test_after_a_refusal_only_a_check_or_a_new_credential_asks_again(api, queued, snmpd):
    login = credential(api, "snmp-v3", **{**V3_LOGIN, "auth_password": "wrong-password"})
    component = registered(api, snmpd, login)
    interface = component["interfaces"][0]["id"]
    assert step_of(api, component, "check")["code"] == "authentication_failed"
    assert step_of(api, component, "refresh")["code"] == "authentication_failed"
    assert sum(contact.log_ons.values()) == contact.log_ons[interface, contact.CHECK] == 1
    right = {"fields": {"auth_password": AUTH_PASSWORD}}
    assert api.patch(f"/api/v1/credentials/{login}/", right, format="json").status_code == 200
    assert step_of(api, component, "refresh")["state"] == "done"
