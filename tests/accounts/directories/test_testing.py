"""The test of a directory walks the steps of a sign-in and keeps nothing, on the page, by API and by command."""

import io
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from apps.access.models import Grant
from apps.accounts.models import Directory, DirectoryGroup, User
from apps.accounts.services.directories import configuring, testing
from apps.core.models import AuditEntry
from tests.accounts.directories.conftest import make_directory
from tests.certificates import make_authority
from tests.directory_peers import PEOPLE, Slapd, dn, free_tcp_port
from tests.factories import PASSWORD, make_user, root_group

pytestmark = pytest.mark.django_db
PASSWORD_OF_BOB = PEOPLE["bob"][3]


@pytest.fixture
def admin(client: Client) -> Client:
    """Somebody who manages access."""
    client.force_login(make_user("administrator", username="root"), backend="django.contrib.auth.backends.ModelBackend")
    return client


def stages(report: testing.Report) -> list[tuple[str, str]]:
    """Each step and how it ended."""
    return [(step.stage.value, step.state) for step in report.steps]


def test_every_step_of_a_sign_in_is_told(openldap, slapd):
    report = testing.test(openldap, "bob", PASSWORD_OF_BOB)
    assert stages(report) == [
        *(("connect", "done"), ("tls", "done"), ("bind", "done"), ("search", "done"), ("password", "done")),
        *(("account", "done"), ("groups", "done"), ("mapping", "done")),
    ]
    told = {step.stage.value: (str(step.text), step.words) for step in report.steps}
    assert told["connect"][0] == f"ldaps://127.0.0.1:{slapd.ldaps_port} → 127.0.0.1"
    assert told["tls"][0].startswith("TLSv1.3, certificate localhost, 127.0.0.1 ← Example CA, 20")
    assert told["search"] == (f"Found {dn('bob')}", "(&(objectClass=inetOrgPerson)(uid=bob))")
    assert told["groups"] == ("3 groups", "operators · staff · tokyo")
    assert report.lets_in
    assert str(report.verdict) == "bob may sign in."
    assert set(report.holds) == {f"Viewer · {root_group()}", "Operator · Tokyo"}
    assert not User.objects.filter(username="bob").exists()


def test_without_a_password_it_is_not_tried(openldap):
    report = testing.test(openldap, "bob", None)
    assert "password" not in dict(stages(report))
    assert str(report.verdict) == "bob may sign in with the right password."


@pytest.mark.parametrize(
    ("name", "password", "last", "verdict"),
    [
        ("bob", "wrong", ("password", "failed"), "The password is wrong."),
        ("nobody", None, ("search", "failed"), "The directory knows nobody of this name."),
        ("eve", None, ("mapping", "failed"), "None of the groups of this account holds a role here."),
    ],
)
def test_where_it_ends_and_why(openldap, name, password, last, verdict):
    report = testing.test(openldap, name, password)
    assert stages(report)[-1] == last
    assert not report.lets_in
    assert str(report.verdict) == verdict


def test_an_account_that_is_in_the_way_is_told(openldap):
    make_user("viewer", username="Bob")
    report = testing.test(openldap, "bob", PASSWORD_OF_BOB)
    assert not report.lets_in
    assert str(report.steps[-1].text) == "The user “Bob” of this portal is not this entry, and is never taken over."


def test_every_server_is_tried_also_those_that_are_not_needed(slapd):
    dead = f"127.0.0.1:{free_tcp_port()}"
    good = f"127.0.0.1:{slapd.ldaps_port}"
    directory = make_directory(slapd.fields(servers=[dead, good, f"127.0.0.2:{free_tcp_port()}"], let_in_unmapped=True))
    report = testing.test(directory, "bob", None)
    assert report.lets_in
    connects = [(step.server, step.state) for step in report.steps if step.stage == "connect"]
    assert connects == [(dead, "failed"), (good, "done"), (directory.servers[2], "failed")]


def form_of(slapd: Slapd, **more: Any) -> dict[str, Any]:
    """What the page sends for a directory."""
    fields = slapd.fields(**more)
    made = configuring.draft(fields)
    sent = {name: getattr(made, name) for name in configuring.CHANGEABLE}
    sent |= {"servers": ", ".join(made.servers), "bind_password": fields["bind_password"]}
    return {name: value for name, value in sent.items() if value is not False and value is not None}


def test_the_page_makes_tests_and_maps_a_directory(slapd, admin, tokyo):
    sent = form_of(slapd)
    sent.pop("ca_certificate")
    file = SimpleUploadedFile("ca.der", slapd.authority.der)
    # before it is kept
    answer = admin.post("/access/directories/test/", sent | {"ca_file": file, "test_username": "bob"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "None of the groups of this account holds a role here." in page
    assert not Directory.objects.exists()
    # then kept
    file.seek(0)
    answer = admin.post("/access/directories/new/", sent | {"ca_file": file})
    directory = Directory.objects.get()
    assert answer["Location"] == f"/access/directories/{directory.pk}/"
    assert directory.ca_certificate == slapd.authority.pem
    assert directory.bind_password == sent["bind_password"]
    # a group, found by its name in the directory
    url = f"/access/directories/{directory.pk}/"
    role = {"what": "grant", "grant-role": Grant.objects.get(user__username="root").role_id, "grant-group": tokyo.pk}
    answer = admin.post(url, role | {"grant-dn": "OPERATORS"})
    assert answer["Location"] == url
    row = DirectoryGroup.objects.get()
    assert (row.dn, row.name) == (dn("operators"), "operators")
    assert Grant.objects.get(directory_group=row).group == tokyo
    answer = admin.post(url, role | {"grant-dn": "no such group"})
    assert answer.status_code == 400
    assert "The directory has no group “no such group”." in answer.content.decode()
    # tested as it is kept, with the password that nobody typed again
    kept = {name: value for name, value in sent.items() if name != "bind_password"}
    kept |= {"ca_certificate": directory.ca_certificate, "test_username": "bob", "test_password": PASSWORD_OF_BOB}
    page = admin.post(f"{url}test/", kept).content.decode()
    assert "bob may sign in." in page
    assert "Administrator · Tokyo" in page
    assert PASSWORD_OF_BOB not in page
    # with a server that it was not entered for, the password is asked for again
    page = admin.post(f"{url}test/", kept | {"servers": "evil.example.test"}).content.decode()
    assert "Enter the password again" in page
    told = AuditEntry.objects.filter(action="directory.test").values_list("object_name", "after")
    assert list(told)[::-1] == [
        ("OpenLDAP", {"user": "bob", "lets_in": False}),
        ("OpenLDAP", {"user": "bob", "lets_in": True}),
    ]
    page = admin.get(url).content.decode()
    assert "search-Passw0rd" not in page
    assert "Example CA" in page
    assert "operators" in page
    assert admin.get("/access/directories/").content.decode().count("OpenLDAP") == 1
    answer = admin.post(f"/access/grants/{Grant.objects.get(directory_group=row).pk}/remove/")
    assert answer["Location"] == url
    assert admin.post(f"/access/directory-groups/{row.pk}/remove/")["Location"] == url
    assert not DirectoryGroup.objects.exists()


def test_a_wrong_file_loses_nothing_else(slapd, admin):
    sent = form_of(slapd) | {"ca_file": SimpleUploadedFile("ca.pem", make_authority(ca=False).pem.encode())}
    answer = admin.post("/access/directories/new/", sent)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "is not that of an authority" in page
    assert f"127.0.0.1:{slapd.ldaps_port}" in page
    assert "search-Passw0rd" not in page
    assert not Directory.objects.exists()


def test_the_page_orders_and_removes(slapd, admin):
    first, second = make_directory(slapd.fields(name="One")), make_directory(slapd.fields(name="Two"))
    admin.post(f"/access/directories/{second.pk}/move/", {"to": "up"})
    assert [row.name for row in Directory.objects.all()] == ["Two", "One"]
    admin.post(f"/access/directories/{first.pk}/remove/")
    assert [row.name for row in Directory.objects.all()] == ["Two"]


def test_the_pages_are_for_those_who_manage_access(openldap, client):
    client.force_login(make_user("operator"), backend="django.contrib.auth.backends.ModelBackend")
    for path in ("", "new/", f"{openldap.pk}/"):
        assert client.get(f"/access/directories/{path}").status_code == 403
    for path in ("test/", f"{openldap.pk}/test/", f"{openldap.pk}/move/", f"{openldap.pk}/remove/"):
        assert client.post(f"/access/directories/{path}").status_code == 403
    assert Directory.objects.get() == openldap


class TestApi:
    """The same by the API."""

    def call(self, client: Client, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """Send one request; give the body."""
        answer = client.generic(method.upper(), f"/api/v1/{path}", json.dumps(body or {}), "application/json")
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None

    def test_made_tested_mapped_changed_and_removed(self, slapd, admin, tokyo):
        made = self.call(admin, "post", "directories/", slapd.fields(), 201)
        assert "bind_password" not in made
        assert made["authorities"][0]["subject"] == "Example CA"
        assert (made["position"], made["users"], made["fault"], made["enabled"]) == (1, 0, "", True)
        url = f"directories/{made['id']}/"
        group = self.call(admin, "post", "directory-groups/", {"directory": made["id"], "name": "staff"}, 201)
        assert group == {"id": group["id"], "directory": made["id"], "dn": dn("staff"), "name": "staff", "members": 0}
        role = Grant.objects.get(user__username="root").role_id
        grant = {"directory_group": group["id"], "role": role, "group": tokyo.pk}
        held = self.call(admin, "post", "grants/", grant, 201)
        assert (held["directory_group"], held["user"], held["team"]) == (group["id"], None, None)
        report = self.call(admin, "post", f"{url}test/", {"username": "carol", "password": PEOPLE["carol"][3]})
        assert report["lets_in"]
        assert report["holds"] == ["Administrator · Tokyo"]
        assert [step["stage"] for step in report["steps"]][:3] == ["connect", "tls", "bind"]
        assert set(report["steps"][0]) == {"stage", "state", "server", "milliseconds", "text", "words"}
        assert PEOPLE["carol"][3] not in json.dumps(report)
        report = self.call(admin, "post", "directories/test/", slapd.by_starttls(name="Draft", username="carol"))
        assert (report["lets_in"], report["verdict"]) == (
            False,
            "None of the groups of this account holds a role here.",
        )
        changed = self.call(admin, "patch", url, {"enabled": False, "position": 1})
        assert changed["enabled"] is False
        refused = self.call(admin, "patch", url, {"servers": ["evil.example.test"]}, 400)
        assert list(refused["errors"]) == ["bind_password"]
        assert self.call(admin, "post", "directories/", {"nmae": "x"}, 400)["errors"]["nmae"]
        missing = self.call(admin, "post", "directory-groups/", {"directory": made["id"], "name": "none"}, 400)
        assert list(missing["errors"]) == ["name"]
        self.call(admin, "delete", url, status=204)
        assert not Grant.objects.filter(directory_group__isnull=False).exists()

    def test_it_is_for_those_who_manage_access(self, openldap, client):
        client.force_login(make_user("operator"), backend="django.contrib.auth.backends.ModelBackend")
        for path in ("directories/", f"directories/{openldap.pk}/", "directory-groups/"):
            self.call(client, "get", path, status=403)
        for path in ("directories/test/", f"directories/{openldap.pk}/test/", "directories/"):
            self.call(client, "post", path, {"username": "bob"}, 403)


class TestCommand:
    """The same on the command line."""

    def test_each_step_is_a_line_and_the_verdict_the_last(self, openldap, monkeypatch):
        out = io.StringIO()
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD_OF_BOB}\n"))
        call_command("directory", "test", "openldap", "bob", "--password", stdout=out)
        lines = out.getvalue().splitlines()
        assert len(lines) == 9
        assert lines[-1] == "bob may sign in."
        assert PASSWORD_OF_BOB not in out.getvalue()

    def test_a_refusal_is_an_error(self, openldap):
        with pytest.raises(CommandError, match="None of the groups"):
            call_command("directory", "test", "OpenLDAP", "eve", stdout=io.StringIO())
        with pytest.raises(CommandError, match="There is no directory 'X'"):
            call_command("directory", "test", "X", "eve")

    def test_the_list(self, openldap, slapd):
        out = io.StringIO()
        call_command("directory", "list", stdout=out)
        assert out.getvalue() == f"1. OpenLDAP (ldap, in use): 127.0.0.1:{slapd.ldaps_port}\n"


def test_the_local_password_of_a_directory_user_is_nobodys_to_set(openldap, admin):
    from tests.accounts.directories.test_signing_in import sign_in

    bob = sign_in("bob", PASSWORD_OF_BOB)
    page = admin.get(f"/access/users/{bob.pk}/").content.decode()
    assert "OpenLDAP" in page
    assert "Set password" not in page
    answer = admin.post(
        f"/access/users/{bob.pk}/",
        {"what": "password", "password-password": PASSWORD, "password-must_change_password": "on"},
    )
    assert answer.status_code == 400
    bob.refresh_from_db()
    assert not bob.has_usable_password()
    body = {"first_name": "Robert"}
    answer = admin.patch(f"/api/v1/users/{bob.pk}/", json.dumps(body), content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"first_name": ["This comes from the directory OpenLDAP."]}
    answer = admin.patch(f"/api/v1/users/{bob.pk}/", json.dumps({"is_active": False}), content_type="application/json")
    assert answer.status_code == 200
    assert sign_in("bob", PASSWORD_OF_BOB) is None
