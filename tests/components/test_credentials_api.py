"""The resource of credentials: written, never read, and gone only when nobody uses them."""

import io
import json

import pytest
from django.core.management import call_command
from django.db import connection

from apps.components.models import Credential, CredentialVersion
from apps.core.models import AuditEntry
from tests.factories import make_component, make_credential, make_group, make_interface, make_user, root_group

pytestmark = pytest.mark.django_db

URL = "/api/v1/credentials/"
COMMUNITY = {"version": "2c", "community": "hunter2-community"}
V3 = {
    "username": "watcher",
    "auth_protocol": "SHA-256",
    "auth_password": "hunter2-auth",
    "priv_protocol": "AES-128",
    "priv_password": "hunter2-priv",
    "context": "",
}
KEY = {
    "username": "root",
    "private_key": "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY-----",
}


def post(api, **body):
    body = {"name": "Login", "kind": "snmp-community", "fields": COMMUNITY, **body}
    return api.post(URL, json.dumps(body), content_type="application/json")


def refused(response, field):
    assert response.status_code == 400, response.content
    assert list(response.json()["errors"]) == [field]
    return " ".join(response.json()["errors"][field])


@pytest.mark.parametrize(
    ("kind", "fields", "stored"),
    [
        ("snmp-community", COMMUNITY, COMMUNITY),
        ("snmp-community", {"community": "c", "version": "1"}, {"version": "1", "community": "c"}),
        ("snmp-v3", V3, V3),
        (
            "snmp-v3",
            {"username": "open"},
            {**dict.fromkeys(V3, ""), "username": "open", "auth_protocol": "none", "priv_protocol": "none"},
        ),
        ("password", {"username": "admin", "password": " hunter2 "}, {"username": "admin", "password": " hunter2 "}),
        ("ssh-key", KEY, {**KEY, "passphrase": ""}),
    ],
)
def test_each_kind_is_kept_and_never_given_back(api, kind, fields, stored):
    response = post(api, kind=kind, fields=fields)
    assert response.status_code == 201, response.content
    made = response.json()
    assert made == {"id": made["id"], "name": "Login", "kind": kind, "group": root_group().pk}
    assert api.get(f"{URL}{made['id']}/").json() == made
    assert api.get(URL).json()["results"] == [made]
    assert CredentialVersion.objects.get().fields == stored


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("name", value) for value in (None, "", 5, [], "x" * 101)],
        *[("kind", value) for value in (None, "", "nothing", 5, [])],
        *[("group", value) for value in (None, "1", 999_999, 10**30, True)],
        *[("fields", value) for value in (None, "", [], 5, {})],
        ("colour", "red"),
    ],
)
def test_each_bad_value_is_refused_by_name(api, field, value):
    refused(post(api, **{field: value}), field)
    assert not Credential.objects.exists()


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("kind", "fields", "named"),
    [
        ("snmp-community", {**COMMUNITY, "version": "3"}, "version"),
        ("snmp-community", {**COMMUNITY, "version": 2}, "version"),
        ("snmp-community", {**COMMUNITY, "community": ""}, "community"),
        ("snmp-community", {**COMMUNITY, "community": None}, "community"),
        ("snmp-community", {**COMMUNITY, "community": "x" * 256}, "community"),
        ("snmp-community", {**COMMUNITY, "community": "a\0b"}, "community"),
        ("snmp-community", {**COMMUNITY, "community": "\ud800"}, "community"),
        ("snmp-community", {**COMMUNITY, "password": "x"}, "password"),
        ("snmp-v3", {**V3, "username": ""}, "username"),
        ("snmp-v3", {**V3, "username": "x" * 33}, "username"),
        ("snmp-v3", {**V3, "auth_protocol": "MD4"}, "auth_protocol"),
        ("snmp-v3", {**V3, "auth_protocol": "none"}, "auth_protocol"),
        ("snmp-v3", {**V3, "auth_password": "short"}, "auth_password"),
        ("snmp-v3", {**V3, "priv_protocol": "ROT13"}, "priv_protocol"),
        ("snmp-v3", {**V3, "priv_password": ""}, "priv_password"),
        ("password", {"username": "admin"}, "password"),
        ("password", {"password": "x"}, "username"),
        ("ssh-key", {"username": "root", "private_key": "hunter2"}, "private_key"),
        ("ssh-key", {**KEY, "passphrase": 5}, "passphrase"),
    ],
)
def test_each_bad_field_is_named_without_its_value(api, kind, fields, named):
    response = post(api, kind=kind, fields=fields)
    assert f"{named}: " in refused(response, "fields")
    assert "hunter2" not in response.content.decode()
    assert not Credential.objects.exists()


def test_fields_left_out_of_a_change_stay(api):
    made = post(api, kind="snmp-v3", fields=V3).json()
    response = api.patch(f"{URL}{made['id']}/", {"fields": {"auth_password": "hunter3-auth"}}, format="json")
    assert (response.status_code, response.json()) == (200, made)
    assert CredentialVersion.objects.get().fields == {**V3, "auth_password": "hunter3-auth"}
    assert Credential.objects.get().version == 2


def test_a_change_to_the_same_is_no_new_version(api):
    made = post(api).json()
    api.patch(f"{URL}{made['id']}/", {"name": "Other", "fields": COMMUNITY}, format="json")
    assert (Credential.objects.get().name, Credential.objects.get().version) == ("Other", 1)


@pytest.mark.one_database
@pytest.mark.parametrize("body", [{"kind": "password"}, {"fields": None}, {"fields": {"community": ""}}, {"name": ""}])
def test_a_bad_change_changes_nothing(api, body):
    made = post(api).json()
    refused(api.patch(f"{URL}{made['id']}/", body, format="json"), next(iter(body)))
    assert CredentialVersion.objects.get().fields == COMMUNITY
    assert Credential.objects.get().version == 1


def test_a_stale_version_changes_nothing(api):
    made = post(api).json()
    url = f"{URL}{made['id']}/"
    tag = api.get(url)["ETag"]
    new = {"fields": {"community": "other"}}
    assert api.patch(url, new, format="json", headers={"If-Match": tag}).status_code == 200
    assert api.patch(url, {"name": "x"}, format="json", headers={"If-Match": tag}).status_code == 412


def test_the_same_name_twice_in_a_group_is_refused(api):
    assert post(api).status_code == 201
    assert post(api).status_code == 400
    assert post(api, group=make_group().pk).status_code == 201


def test_what_is_in_use_is_not_removed_and_its_users_are_named(api):
    credential = make_credential()
    make_interface(make_component("web01"), credential=credential, address="192.0.2.1")
    response = api.delete(f"{URL}{credential.pk}/")
    assert response.status_code == 409
    assert response.json()["detail"] == "The credential is used by web01 (snmp_agent 192.0.2.1)."
    assert Credential.objects.filter(pk=credential.pk).exists()
    credential.interfaces.all().delete()
    assert api.delete(f"{URL}{credential.pk}/").status_code == 204
    assert not CredentialVersion.objects.exists()


def test_users_that_one_may_not_see_are_only_counted(client_of):
    mine, theirs = make_group("Mine"), make_group("Theirs")
    credential = make_credential(group=mine)
    make_interface(make_component("hidden", theirs), credential=credential)
    response = client_of(make_user("administrator", mine)).delete(f"{URL}{credential.pk}/")
    assert response.status_code == 409
    assert response.json()["detail"] == "The credential is used by 1 interfaces that you may not see."


def test_who_may(client_of):
    mine, theirs = make_group("Mine"), make_group("Theirs")
    hidden, seen = make_credential(group=theirs), make_credential(group=mine)
    administrator, viewer = client_of(make_user("administrator", mine)), client_of(make_user("viewer", mine))
    for client in (administrator, viewer):
        assert [one["id"] for one in client.get(URL).json()["results"]] == [seen.pk]
        assert client.get(f"{URL}{hidden.pk}/").status_code == 404
        assert client.delete(f"{URL}{hidden.pk}/").status_code == 404
    assert viewer.patch(f"{URL}{seen.pk}/", {"name": "x"}, format="json").status_code == 403
    assert viewer.delete(f"{URL}{seen.pk}/").status_code == 403
    assert post(viewer).status_code == 403
    made = post(administrator)
    assert (made.status_code, made.json()["group"]) == (201, mine.pk)
    refused(post(administrator, name="other", group=theirs.pk), "group")


def test_secrets_are_nowhere_in_the_clear(api, caplog):
    made = post(api, kind="snmp-v3", fields=V3).json()
    api.patch(f"{URL}{made['id']}/", {"fields": {"priv_password": "hunter4-priv"}}, format="json")
    audit = json.dumps(list(AuditEntry.objects.order_by("pk").values("action", "before", "after")))
    assert json.loads(audit)[1]["after"] == {"fields.priv_password": "(changed)"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT fields FROM components_credentialversion")
        stored = str(cursor.fetchall())
    assert stored.startswith("[('gAAAAA")
    version = CredentialVersion.objects.select_related("credential").get()
    shown = [
        audit,
        stored,
        caplog.text,
        repr(version),
        str(version),
        repr(version.credential),
        str(api.get(URL).json()),
    ]
    assert "hunter" not in "".join(shown)
    with pytest.raises(Exception, match="never serialised"):
        call_command("dumpdata", "components.credentialversion", stdout=io.StringIO())
