"""Every change is audited, in the transaction that makes it: a story through each resource of the API that changes.

A new resource is told here, or hands its actor to a verb; a new verb that writes hands its actor to the audit.
"""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils import translation

from apps.accounts.models import User
from apps.alerts.models import Incident
from apps.alerts.services import catalogue, raise_alert
from apps.core import audit_words
from apps.core.models import AuditEntry
from apps.groups.models import Group
from apps.monitoring.models import Sensor
from apps.monitoring.services import polling
from apps.system import control
from apps.system.tls import services as tls
from tests.core.audited_verbs import audited, recorded_actions, verbs
from tests.factories import PASSWORD, make_user, root_group, ship_definitions
from tests.monitoring.conftest import fake_device

pytestmark = pytest.mark.django_db
API = "/api/v1/"
# They look, and change nothing.
ONLY_LOOKS = {("alert-definition-preview", "post"), ("audit-verify", "post")}
# What requests write besides: who is signed in, and what a process remembers.
BESIDES = re.compile(r'"(accounts_session|accounts_user|accounts_lockout|access_apitoken)"')
SECRETS = ("Sesame-open-1", "first-community", "second-community", PASSWORD, "new horse battery", "private-list")
FAN = {
    "name": "Fan",
    "trap_oid": "1.3.6.1.4.1.99999.0.7",
    "severity": "critical",
    "title": "Fan failed",
}


def writing_routes() -> set[tuple[str, str]]:
    """Give name and method of everything in the API that may change something."""
    return {
        (str(one.name), method)
        for one in _patterns(get_resolver("esm.urls"))
        for method in getattr(one.callback, "actions", None) or {}
        if method in {"post", "put", "patch", "delete"}
    }


def _hands_on(name: str, method: str) -> bool:
    """Say whether a resource that is not told of below hands its actor to the verbs, which the other test looks at."""
    views = [one.callback for one in _patterns(get_resolver("esm.urls")) if one.name == name]
    classes = [view.cls for view in views if method in getattr(view, "actions", {})]
    own = [base for one in classes for base in one.__mro__ if base.__module__ == one.__module__]
    return any("self.actor" in inspect.getsource(base) for base in own)


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from _patterns(one)
        else:
            yield one


class Story:
    """Asks the API, and holds what was written against what was audited."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.covered: set[tuple[str, str]] = set()
        self.faults: list[str] = []  # entries that are missing, and what was written without one

    def __call__(self, method: str, path: str, body: Any = None, *, acts: str, expected: int = 0) -> Any:
        """Ask; ``acts`` are the words of the entries that must have been made."""
        last = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        match = resolve(API + path)
        self.covered.add((str(match.url_name), method))
        with CaptureQueriesContext(connection) as statements:
            answer = getattr(self.client, method)(API + path, json.dumps(body or {}), content_type="application/json")
        assert answer.status_code == expected or answer.status_code in {200, 201, 202, 204}, (path, answer.content)
        made = AuditEntry.objects.filter(pk__gt=last).order_by("pk")
        if (told := [one.action for one in made]) != acts.split():
            self.faults.append(f"{method} {path}: {told} and not {acts}")
        for one in made:
            assert (one.outcome, one.address) == ("success", "127.0.0.1")
        self.faults += [f"{method} {path}: {sql}" for sql in written_alone(statements)]
        return answer.json() if answer.content else None


def written_alone(statements: CaptureQueriesContext) -> list[str]:
    """Give what was written in no transaction that holds an entry of the audit, too."""
    alone: list[str] = []
    part: list[str] = []
    open_ones: list[str] = []
    for sql in (one["sql"] for one in statements):
        if sql.startswith("SAVEPOINT"):
            open_ones.append(sql.split()[1])
        elif sql.startswith(("RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")):
            if open_ones:
                open_ones.pop()
            if not open_ones:
                alone += _unaudited(part)
                part = []
        elif sql.startswith(("INSERT", "UPDATE", "DELETE")) and not BESIDES.search(sql):
            if open_ones:
                part.append(sql)
            else:
                alone.append(sql)
    return alone + _unaudited(part)


def _unaudited(part: list[str]) -> list[str]:
    return [] if any("core_auditentry" in sql for sql in part) else [sql[:200] for sql in part]


@pytest.fixture
def story(client: Client) -> Story:
    """Give the administrator."""
    client.force_login(make_user("administrator", username="boss"))
    return Story(client)


def test_every_resource_that_changes_something_audits_it_in_the_same_transaction(story: Story, settings: Any) -> None:
    ship_definitions()
    catalogue.forget()
    root = root_group().pk
    _people(story, root)
    _fleet(story, root)
    _alerts(story)
    _portal(story)
    assert story.faults == []
    untold = {name for name, method in writing_routes() - story.covered - ONLY_LOOKS if not _hands_on(name, method)}
    assert untold == set()
    told = json.dumps(list(AuditEntry.objects.values()), default=str)
    for secret in SECRETS:
        assert secret not in told
    assert AuditEntry.objects.filter(after__password="(changed)").exists()


def _people(story: Story, root: int) -> None:
    body = {"username": "alice", "password": "Sesame-open-1", "must_change_password": False}
    alice = story("post", "users/", body, acts="user.create")["id"]
    story("patch", f"users/{alice}/", {"email": "alice@example.co.jp"}, acts="user.change")
    fresh = {"password": "new horse battery", "must_change_password": False}
    story("patch", f"users/{alice}/", fresh, acts="user.change user.password")
    role = story("post", "roles/", {"name": "reader", "permissions": ["view"]}, acts="role.create")["id"]
    story("patch", f"roles/{role}/", {"permissions": ["view", "audit"]}, acts="role.change")
    grant = story("post", "grants/", {"user": alice, "role": role, "group": root}, acts="grant.create")["id"]
    sent = {"username": "alice", "password": "new horse battery", "name": "script"}
    team = story("post", "teams/", {"name": "Night", "members": [alice]}, acts="team.create")["id"]
    story("patch", f"teams/{team}/", {"note": "on call"}, acts="team.change")
    story("delete", f"teams/{team}/", acts="team.remove")
    nobody = Story(Client())
    token = nobody("post", "tokens/", sent, acts="token.create")
    secret = token["token"]
    nobody.client.force_login(User.objects.get(pk=alice))
    nobody("delete", f"tokens/{token['id']}/", acts="token.remove")
    story.covered |= nobody.covered
    story.faults += nobody.faults
    assert secret not in json.dumps(list(AuditEntry.objects.values()), default=str)
    story("delete", f"grants/{grant}/", acts="grant.remove")
    _directory(story, role, root)
    story("delete", f"roles/{role}/", acts="role.remove")
    story("delete", f"users/{alice}/", acts="user.remove")
    address = story("post", "addresses/", {"network": "192.0.2.0/24", "note": "office"}, acts="address.allow")["id"]
    story("patch", f"addresses/{address}/", {"note": "branch"}, acts="address.describe")
    story("delete", f"addresses/{address}/", acts="address.disallow")


def _directory(story: Story, role: int, root: int) -> None:
    server = {"servers": ["127.0.0.1:1"], "search_base": "dc=example,dc=test", "bind_dn": "cn=x,dc=example,dc=test"}
    sent = {"name": "EXAMPLE", "bind_password": "Sesame-open-1", **server}
    made = story("post", "directories/", sent, acts="directory.create")["id"]
    story("patch", f"directories/{made}/", {"answer_timeout": 5}, acts="directory.change")
    story("post", f"directories/{made}/test/", {"username": "alice"}, acts="directory.test")
    story("post", "directories/test/", {**sent, "name": "Draft", "username": "alice"}, acts="directory.test")
    known = {"directory": made, "dn": "cn=ops,dc=example,dc=test"}
    group = story("post", "directory-groups/", known, acts="directory-group.add")["id"]
    held = {"directory_group": group, "role": role, "group": root}
    story("post", "grants/", held, acts="grant.create")
    story("delete", f"directory-groups/{group}/", acts="directory-group.remove")
    story("delete", f"directories/{made}/", acts="directory.change directory.remove")


def _fleet(story: Story, root: int) -> None:
    group = story("post", "groups/", {"name": "Tokyo", "parent": root}, acts="group.create")["id"]
    story("patch", f"groups/{group}/", {"description": "third floor"}, acts="group.change")
    fields = {"version": "2c", "community": "first-community"}
    sent = {"name": "login", "kind": "snmp-community", "group": group, "fields": fields}
    login = story("post", "credentials/", sent, acts="credential.create")["id"]
    story("patch", f"credentials/{login}/", {"fields": {"community": "second-community"}}, acts="credential.change")
    way = {"driver": "snmp_agent", "address": "192.0.2.1", "credential": login}
    one = story("post", "components/", {"name": "a", "group": group, "interfaces": [way]}, acts="component.register")[
        "id"
    ]
    two = story("post", "components/", {"name": "b", "group": group}, acts="component.register")["id"]
    story("patch", f"components/{one}/", {"alias": "front", "group": root}, acts="component.change")
    moved = AuditEntry.objects.get(action="component.change")
    assert (moved.former_group, moved.group) == (group, root)
    job = story("post", f"components/{one}/check/", acts="job.check")["job"]
    story("post", f"jobs/{job}/cancel/", acts="job.cancel")
    story("post", f"components/{one}/refresh/", acts="job.refresh")
    story("post", f"components/{one}/join/", {"with": two}, acts="component.join")
    plan = {"name": "Backup", "starts_at": "2036-11-20T22:00", "ends_at": "2036-11-21T06:00"}
    period = story("post", "suspend-periods/", {"component": one, **plan}, acts="suspend-period.create")["id"]
    begun = {"starts_at": "2026-01-01T00:00", "ends_at": "2030-11-21T06:00"}
    story("patch", f"suspend-periods/{period}/", begun, acts="suspend-period.change")
    story("post", f"suspend-periods/{period}/end/", acts="suspend-period.end")
    story("delete", f"suspend-periods/{period}/", acts="suspend-period.remove")
    story("delete", f"components/{one}/", acts="component.remove")
    story("delete", f"credentials/{login}/", acts="credential.remove")
    story("delete", f"groups/{group}/", acts="group.remove")
    device = fake_device(script="unplugged", ports=3)
    polling.poll([device.pk])
    at = f"components/{device.component_id}/"
    sensor = Sensor.objects.filter(interface=device).order_by("pk").first()
    story("patch", f"{at}sensors/{sensor.pk}/", {"limits": {"upper_warning": 80}}, acts="sensor.limits")
    story("patch", f"{at}ports/{device.pk}/2/", {"excluded": True}, acts="component.exclude_ports")
    port = {"component": device.component_id, "mac_address": "AA-BB-CC-DD-EE-FF"}
    excluded = story("post", "excluded-ports/", port, acts="component.exclude_ports")["id"]
    story("delete", f"excluded-ports/{excluded}/", acts="component.exclude_ports")
    file = {"text": f"{device.component.name}=11:22:33:44:55:66\n"}
    story("post", "excluded-ports/import/", file, acts="component.exclude_ports")


def _alerts(story: Story) -> None:
    for number in (1, 2):
        raise_alert("portal.access-lost", component=fake_device(f"192.0.2.{number}").component)
    one, two = Incident.objects.filter(state="open").order_by("-pk").values_list("pk", flat=True)[:2]
    story("post", "incidents/acknowledge/", {"ids": [one, two]}, acts="incident.acknowledge incident.acknowledge")
    story("post", "incidents/close/", {"ids": [one]}, acts="incident.close")
    fan = story("post", "alert-definitions/", FAN, acts="alert-definition.create")["id"]
    story("patch", f"alert-definitions/{fan}/", {"severity": "warning"}, acts="alert-definition.change")
    story("post", f"alert-definitions/{fan}/apply/", acts="job.reapply-definition")
    story("delete", f"alert-definitions/{fan}/", acts="alert-definition.remove")
    shipped = story.client.get(f"{API}alert-definitions/?key=linkDown").json()["results"][0]["id"]
    story("patch", f"alert-definitions/{shipped}/", {"severity": "critical"}, acts="alert-definition.change")
    story("post", f"alert-definitions/{shipped}/restore/", acts="alert-definition.change")
    text = "definitions: {own.new: {name: New, trap_oid: 1.3.6.1.4.1.99999.0.8, severity: warning, title: New}}"
    story("post", "alert-definitions/import/", {"text": text, "take": True}, acts="alert-definition.import")


def _portal(story: Story) -> None:
    story("patch", "options/auto_logout/", {"value": 45}, acts="option.set")
    story("post", "options/auto_logout/reset/", {}, acts="option.reset")
    story("patch", "options/trap_communities/", {"value": ["private-list"]}, acts="option.set")
    story("post", "support-bundles/", acts="job.support-bundle")
    with pytest.MonkeyPatch.context() as patched:  # a supervisor that does what it is told
        said = {"pid": 1, "since": 1.0, "ports": {}, "open": [], "processes": [], "ordered": ["web"]}
        web = {"name": "web", "state": "running", "pid": 2, "started_at": 1.0, "restarts": 0}
        patched.setattr(control, "ask", lambda *order, **about: {**said, "processes": [web]})
        story("post", "processes/restart/", acts="portal.restart")
        story("post", "processes/web/restart/", acts="portal.restart")
    wish = {"names": ["portal.example.net"]}
    story("post", "certificate/", wish, acts="certificate.authority certificate.create")
    story("post", "certificate/renew/", acts="certificate.renew")
    story("post", "certificate/request/", wish, acts="certificate.request")
    story("delete", "certificate/request/", acts="certificate.request-remove")
    made = tls.current()
    story("post", "certificate/import/", {"pem": made.key["pem"] + made.chain}, acts="certificate.import")
    assert "PRIVATE KEY" not in json.dumps(list(AuditEntry.objects.values()), default=str)


def test_every_verb_that_writes_and_is_told_who_acts_ends_in_the_audit() -> None:
    found = verbs()
    assert len(found) > 80
    known = audited(found)
    told = [one for one in found if one.writes and not one.name.startswith("_") and "core/audit/" not in one.place]
    silent = [f"{one.place}: {one.name}" for one in told if one.name not in known]
    assert silent == []


def test_every_act_has_words_in_both_languages() -> None:
    words = audit_words.act_words()
    missing = sorted({f"{act} ({place})" for act, place in recorded_actions() if act not in words})
    assert missing == []
    assert sorted({act.partition(".")[0] for act in words} - audit_words.family_words().keys()) == []
    with translation.override("ja"):
        assert [act for act, label in words.items() if str(label).isascii()] == []


def test_a_group_that_is_made_and_taken_back_leaves_no_entry(story: Story) -> None:
    with transaction.atomic():
        story("post", "groups/", {"name": "Osaka"}, acts="group.create")
        transaction.set_rollback(True)
    assert not Group.objects.filter(name="Osaka").exists()
    assert not AuditEntry.objects.exists()
