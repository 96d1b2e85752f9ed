"""What holds for every address of the portal: nothing for nobody, and lists that cost the same however long."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, clear_url_caches, get_resolver, set_urlconf
from django.utils import timezone

from apps.access.models import AllowedAddress, ApiToken, Grant, Role
from apps.accounts.models import Directory, DirectoryGroup, LockOut, Team, User
from apps.alerts.services import catalogue, definitions, raise_alert
from apps.control.models import RemoteBatchRun
from apps.core.actors import Actor, ActorKind
from apps.core.models import Job, JobStep
from apps.groups.models import Group
from tests.factories import (
    make_component,
    make_credential,
    make_group,
    make_interface,
    make_remote_batch,
    make_suspend_period,
    make_user,
    ship_definitions,
)
from tests.statements import lasting_memories

pytestmark = pytest.mark.django_db

# Open by design: signing in, its language, health (which look at who asks by themselves), and the certificate that a
# browser needs before it can sign in.
OPEN = {"login/", "login/code/", "esmpro/Login/index", "preferences/language/", "healthz", "readyz", "metrics"}
OPEN |= {"https/trust/", "https/authority.pem", "https/authority.crt"}
OPEN_TO_POST = {"api/v1/tokens/"}
EXAMPLES = {"int": "1", "str": "x", "slug": "x", "path": "x", "uuid": "00000000-0000-4000-8000-000000000001"}


def patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every address of a tree of patterns, with the converters of its places."""
    for one in resolver.url_patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from patterns(one, route)
        elif isinstance(one, URLPattern):
            yield route, dict(one.pattern.converters)


def addresses(urlconf: str) -> list[str]:
    """Give one address for every pattern, its places filled."""
    found = []
    for route, _converters in patterns(get_resolver(urlconf)):
        path = route
        for kind, example in EXAMPLES.items():
            while f"<{kind}:" in path:
                start = path.index(f"<{kind}:")
                path = path[:start] + example + path[path.index(">", start) + 1 :]
        found.append(path)
    return sorted(set(found))


MAIN = addresses("esm.urls")
CLASSIC = [path for path in addresses("esm.classic_urls") if not any(sign in path for sign in "<(?^$\\")]


def test_the_walk_finds_the_portal() -> None:
    assert len(MAIN) > 80
    assert {"components/", "alerts/", "api/v1/components/", "api/v1/components/1/sensors/"} <= set(MAIN)
    assert len(CLASSIC) > 40
    assert not [path for path in MAIN if "<" in path]


@pytest.mark.parametrize("method", ["get", "post", "patch", "put", "delete", "head"])
def test_nobody_gets_nothing_from_any_address(client: Client, method: str) -> None:
    secret = make_component("the-hidden-one")
    make_interface(secret, credential=make_credential(name="the-hidden-login"))
    for path in MAIN:
        if path in OPEN or (path in OPEN_TO_POST and method == "post"):
            continue
        answer = getattr(client, method)(f"/{path}")
        assert answer.status_code in {302, 401, 403, 404, 405}, (method, path, answer.status_code)
        if answer.status_code == 302:
            assert answer["Location"].startswith("/login/"), path
        if path.startswith("api/"):
            assert answer.status_code in {401, 403}, (method, path, answer.status_code)
            assert answer["Content-Type"] == "application/problem+json", path
        assert b"the-hidden" not in answer.content, path


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_gets_nothing_from_classic_mode(client: Client, settings, method: str) -> None:
    settings.ROOT_URLCONF = settings.CLASSIC_URLCONF
    clear_url_caches()
    set_urlconf(None)
    try:
        make_component("the-hidden-one")
        for path in CLASSIC:
            if path in OPEN or path.startswith("login"):
                continue
            answer = getattr(client, method)(f"/{path}")
            assert answer.status_code in {302, 401, 403, 404, 405}, (path, answer.status_code)
            assert b"the-hidden" not in answer.content, path
            if answer.status_code == 302:
                assert "/login/" in answer["Location"], path
    finally:
        clear_url_caches()


PAGES = [
    *(
        "/",
        "/components/",
        "/components/?status=critical",
        "/components/credentials/",
        "/groups/",
        "/alerts/",
        "/alerts/reception/",
        "/alerts/?show=all",
        "/incidents/",
        "/incidents/?show=closed",
        "/alert-definitions/",
        "/jobs/",
    ),
    *("/audit/", "/audit/?q=row&family=component"),
    *("/access/", "/access/teams/", "/access/roles/", "/access/addresses/", "/access/lock-outs/", "/access/tokens/"),
    *("/schedules/", "/schedules/?view=month", "/schedules/?view=agenda", "/schedules/suspend-periods/"),
    *("/schedules/remote-batches/", "/schedules/remote-batches/?show=all"),
]
RESOURCES = [
    *("components/", "components/?q=row", "credentials/", "groups/", "drivers/", "jobs/", "alerts/", "incidents/"),
    "lock-outs/",
    *("alerts/?unmatched=all", "users/", "teams/", "roles/", "grants/", "tokens/", "audit/", "options/", "addresses/"),
    "audit/?q=row",
    *("support-bundles/", "capacity/", "capacity/history/", "suspend-periods/", "suspend-periods/occurrences/"),
    *("remote-batches/", "remote-batches/?q=row"),
    *("alert-definitions/", "reception/", "sessions/", "directories/", "directory-groups/"),
]
_numbers = itertools.count(1)


def add_rows(count: int, user: Any) -> None:
    """Make a number of everything that is listed somewhere, each with something hanging on it."""
    actor = Actor(ActorKind.USER, user.username, user)
    for _ in range(count):
        number = next(_numbers)
        group = make_group(f"Row {number}")
        component = make_component(f"row {number}", group)
        interface = make_interface(component, credential=make_credential(group=group, name=f"row {number}"))
        raise_alert("portal.access-lost", component=component)
        trap = {"name": f"Row {number}", "trap_oid": f"1.3.6.1.4.1.99999.0.{number}"}
        definitions.create({**trap, "severity": "warning", "title": "Row"}, actor)
        make_suspend_period(component)
        make_suspend_period(group=group)
        batch = make_remote_batch(component, name=f"row {number}", group=group, owner=user)
        RemoteBatchRun.objects.create(batch=batch, planned_at=timezone.now(), state="missed")
        team = Team.objects.create(name=f"row {number}")
        team.members.add(make_user("operator", group))
        Grant.objects.create(team=team, role=Role.objects.get(name="viewer"), group=group)
        Role.objects.create(name=f"row {number}", permissions=["view"])
        make_directory_group(number, component.group)
        LockOut.objects.create(kind="account", name=f"row {number}", failures=1, last_failed_at=timezone.now())
        AllowedAddress.objects.create(network=f"198.51.{number // 250}.{number % 250}/32", note="row")
        ApiToken.objects.create(
            user=user,
            name=f"row {number}",
            prefix=f"{number:08}",
            digest=f"{number:064}",
            expires_at="2100-01-01T00:00Z",
        )
        job = Job.objects.create(kind="check", created_by=user, created_by_name=actor.name, state="done")
        JobStep.objects.create(
            job=job, target="row", component=component.pk, interface=interface.pk, group=group.pk, state="done"
        )


def make_directory_group(number: int, group: Group) -> None:
    """Make a directory with a group that holds something, and one account."""
    directory = Directory.objects.create(name=f"row {number}", servers=["ldap.example.test"], position=number)
    known = DirectoryGroup.objects.create(
        directory=directory, dn=f"cn=row {number}", key=f"cn=row {number}", name="row"
    )
    Grant.objects.create(directory_group=known, role=Role.objects.get(name="viewer"), group=group)
    member = User.objects.create(username=f"directory-row-{number}", directory=directory, entry_id=str(number))
    known.members.add(member)


def cost(client: Client, path: str) -> int:
    """Count what one answer reads, once the process remembers what it keeps."""
    with lasting_memories():
        client.get(path)
        with CaptureQueriesContext(connection) as statements:
            answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    reading = [one["sql"] for one in statements if one["sql"].startswith("SELECT")]
    return len([sql for sql in reading if "accounts_session" not in sql])


@pytest.mark.one_database
def test_lists_of_twenty_cost_what_a_list_of_two_costs(client: Client) -> None:
    ship_definitions()
    user = make_user("administrator", username="boss")
    client.force_login(user)
    everywhere = [*PAGES, *(f"/api/v1/{name}" for name in RESOURCES)]
    add_rows(2, user)
    few = {path: cost(client, path) for path in everywhere}
    add_rows(18, user)
    many = {path: cost(client, path) for path in everywhere}
    catalogue.forget()
    grown = {path: (few[path], many[path]) for path in everywhere if many[path] > few[path]}
    assert grown == {}
    assert max(many.values()) < 60, many
