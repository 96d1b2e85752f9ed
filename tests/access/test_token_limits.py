"""A token never does more than its user may at that moment, and no more than its limits leave."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client

from apps.access.models import ApiToken, Grant, Role
from apps.access.services import tokens
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.audit import refusals
from apps.core.models import AuditEntry, Job, JobStep
from tests.factories import PASSWORD, make_component, make_group, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forget():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def anna():
    return make_user("administrator", username="anna")


@pytest.fixture
def tokyo():
    return make_group("Tokyo")


def api(user, **limits) -> Client:
    secret = tokens.create(user, "script", SYSTEM, limits=tokens.Limits(**limits)).secret
    return Client(headers={"Authorization": f"Bearer {secret}"})


def names(client: Client, resource: str = "components/") -> list[str]:
    answer = client.get(f"/api/v1/{resource}")
    assert answer.status_code == 200, answer.content
    return sorted(row["name"] for row in answer.json()["results"])


def test_groups_limit_lists_counts_and_acts(anna, tokyo):
    rack = make_group("Rack 1", tokyo)
    here, below, elsewhere = make_component("t", tokyo), make_component("r", rack), make_component("o")
    client = api(anna, groups=[tokyo.pk])
    assert names(client) == ["r", "t"]
    assert names(client, "groups/") == ["Rack 1", "Tokyo"]
    assert client.get(f"/api/v1/components/{elsewhere.pk}/").status_code == 404
    changed = {"alias": "mine"}
    for one, status in ((here, 200), (below, 200), (elsewhere, 404)):
        answer = client.patch(f"/api/v1/components/{one.pk}/", changed, content_type="application/json")
        assert answer.status_code == status
    for resource in ("users/", "options/", "roles/"):  # these need the whole
        assert client.get(f"/api/v1/{resource}").status_code == 403


def test_permissions_limit_what_is_done(anna, tokyo):
    component = make_component("t", tokyo)
    client = api(anna, permissions=["view", "check"])
    assert names(client) == ["t"]
    assert client.delete(f"/api/v1/components/{component.pk}/").status_code == 403
    assert client.get("/api/v1/users/").status_code == 403
    assert client.post(f"/api/v1/components/{component.pk}/check/").status_code == 202
    blind = api(anna, permissions=["check"])
    assert names(blind) == []


def test_roles_limit_where_and_what(tokyo):
    user = make_user("operator", tokyo)
    osaka, reader = make_group("Osaka"), Role.objects.get(name="viewer")
    Grant.objects.create(user=user, role=reader, group=osaka)
    here, there = make_component("t", tokyo), make_component("o", osaka)
    assert names(api(user)) == ["o", "t"]
    client = api(user, roles=[reader.pk])
    assert names(client) == ["o"]
    assert client.post(f"/api/v1/components/{here.pk}/check/").status_code == 404
    assert client.post(f"/api/v1/components/{there.pk}/check/").status_code == 403
    operating = api(user, roles=[Role.objects.get(name="operator").pk])
    assert names(operating) == ["t"]
    assert operating.post(f"/api/v1/components/{here.pk}/check/").status_code == 202


def test_a_role_that_was_taken_away_opens_nothing(anna, tokyo):
    make_component("t", tokyo)
    role = Role.objects.create(name="Night watch", permissions=["view"])
    grant = Grant.objects.create(user=anna, role=role, group=tokyo)
    client = api(anna, roles=[role.pk])
    assert names(client) == ["t"]
    grant.delete()
    role.delete()
    assert names(client) == []


def test_only_roles_that_are_held_are_taken(anna):
    role = Role.objects.get(name="viewer")
    with pytest.raises(ValidationError, match="This role is not held"):
        tokens.create(anna, "script", SYSTEM, limits=tokens.Limits(roles=[role.pk]))
    body = {"username": "anna", "password": PASSWORD, "name": "script", "roles": [role.pk]}
    answer = Client().post("/api/v1/tokens/", body, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["roles"])
    chief = Role.objects.get(name="administrator")
    answer = Client().post("/api/v1/tokens/", {**body, "roles": [chief.pk]}, content_type="application/json")
    assert (answer.status_code, ApiToken.objects.get().roles) == (201, [chief.pk])
    made = AuditEntry.objects.filter(action="token.create", outcome="success").latest("pk")
    assert made.after["roles"] == [chief.pk]


def test_the_page_offers_the_roles_that_one_holds_and_names_them(tokyo):
    user = make_user("operator", tokyo, username="otto")
    client = Client()
    client.force_login(user)
    page = client.get("/access/tokens/").content.decode()
    operator, viewer = (Role.objects.get(name=name) for name in ("operator", "viewer"))
    assert (f'value="{operator.pk}"' in page, "Only by these roles" in page) == (True, True)
    sent = {"name": "script", "days": 30, "roles": [viewer.pk]}
    assert client.post("/access/tokens/", sent).status_code == 400
    assert client.post("/access/tokens/", {**sent, "roles": [operator.pk]}).status_code == 200
    assert ApiToken.objects.get().roles == [operator.pk]
    row = client.get("/access/tokens/").content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    assert re.search(r'<span class="pill"><svg.*?</svg>Operator</span>', row, re.DOTALL)


def test_a_token_follows_its_user(anna, tokyo):
    make_component("t", tokyo)
    user = make_user("viewer", tokyo)
    client = api(user)
    assert names(client) == ["t"]
    Grant.objects.filter(user=user).delete()
    assert names(client) == []


def test_a_group_that_was_removed_opens_nothing(anna, tokyo):
    make_component("o")
    client = api(anna, groups=[tokyo.pk])
    tokyo.delete()
    assert names(client) == []


def test_a_limited_token_does_not_see_its_users_jobs_elsewhere(anna, tokyo):
    elsewhere = make_group("Osaka")
    for group in (tokyo, elsewhere):
        job = Job.objects.create(kind="check", created_by=anna, created_by_name="anna", state="done")
        JobStep.objects.create(job=job, target=str(group), group=group.pk, state="done")
    assert api(anna).get("/api/v1/jobs/").json()["count"] == 2
    seen = api(anna, groups=[tokyo.pk]).get("/api/v1/jobs/").json()
    assert seen["count"] == 1
    steps = api(anna, groups=[tokyo.pk]).get(f"/api/v1/jobs/{seen['results'][0]['id']}/steps/").json()
    assert [row["target"] for row in steps["results"]] == ["Tokyo"]


def test_a_limited_token_neither_sees_nor_removes_tokens(anna, tokyo):
    other = tokens.create(anna, "other", SYSTEM).token
    client = api(anna, groups=[tokyo.pk])
    assert client.get("/api/v1/tokens/").json()["count"] == 0
    assert client.delete(f"/api/v1/tokens/{other.pk}/").status_code == 404
    assert ApiToken.objects.filter(pk=other.pk).exists()


def test_nobody_gives_away_more_than_his_token_leaves(anna, tokyo):
    vera = make_user(None)
    client = api(anna, permissions=["view", "access"])
    role = client.get("/api/v1/roles/?name=operator").json()["results"][0]["id"]
    body = {"user": vera.pk, "role": role, "group": tokyo.pk}
    answer = client.post("/api/v1/grants/", body, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["role"])
    assert not vera.grants.exists()


@pytest.mark.parametrize(
    ("networks", "address", "status"),
    [
        (["192.0.2.0/24"], "192.0.2.9", 200),
        (["192.0.2.0/24"], "::ffff:192.0.2.9", 200),
        (["::ffff:192.0.2.0/120"], "192.0.2.9", 200),
        (["192.0.2.0/24"], "198.51.100.1", 403),
        (["2001:db8::/64"], "2001:db8::9", 200),
        (["2001:db8::/64"], "2001:db8:1::9", 403),
        (["192.0.2.0/24"], "127.0.0.1", 403),
        ([], "198.51.100.1", 200),
    ],
)
def test_a_token_is_used_from_its_networks_alone(anna, networks, address, status):
    from apps.access.models import AllowedAddress
    from apps.access.services import addresses

    AllowedAddress.objects.bulk_create([AllowedAddress(network="0.0.0.0/0"), AllowedAddress(network="::/0")])
    addresses.forget()
    client = api(anna, networks=networks)
    assert client.get("/api/v1/jobs/", REMOTE_ADDR=address).status_code == status
    token = ApiToken.objects.get()
    assert (token.last_used_from is not None) == (status == 200)
    assert AuditEntry.objects.filter(action="token.use", outcome="refused").exists() == (status == 403)
    spoofed = client.get("/api/v1/jobs/", REMOTE_ADDR="198.51.100.1", headers={"X-Forwarded-For": "192.0.2.9"})
    assert spoofed.status_code == (403 if networks else 200)
    addresses.forget()


def test_forged_tokens_are_written_down_and_not_without_end(anna):
    for number in range(refusals.ALONE + 5):
        answer = Client(headers={"Authorization": f"Bearer forged-{number}"}).get("/api/v1/jobs/")
        assert answer.status_code == 401
    entries = AuditEntry.objects.filter(action="token.use")
    assert entries.count() == refusals.ALONE
    assert {(one.outcome, one.actor_name, one.address) for one in entries} == {("refused", "", "127.0.0.1")}
    assert "forged" not in str(entries.values())


def test_an_expired_token_is_named_in_the_audit_and_pruned_later(anna):
    made = tokens.create(anna, "script", SYSTEM)
    with time_machine.travel(made.token.expires_at + timedelta(days=1)):
        assert Client(headers={"Authorization": f"Bearer {made.secret}"}).get("/api/v1/jobs/").status_code == 401
        entry = AuditEntry.objects.get(action="token.use")
        assert (entry.actor_name, entry.login) == (f"anna ({made.token})", "anna")
        assert made.secret not in str(AuditEntry.objects.values())
        assert tokens.remove_expired() == 0
    with time_machine.travel(made.token.expires_at + timedelta(days=31)):
        assert tokens.remove_expired() == 1
    assert not ApiToken.objects.exists()
    assert AuditEntry.objects.get(action="token.remove").before["user"] == "anna"


def test_limits_are_sent_when_a_token_is_made(anna, tokyo, client):
    body = {"username": "anna", "password": PASSWORD, "name": "script"}
    limits = {"permissions": ["view"], "groups": [tokyo.pk], "networks": ["192.0.2.0/24", "127.0.0.0/8"]}
    made = client.post("/api/v1/tokens/", {**body, **limits, "read_only": True}, content_type="application/json")
    assert made.status_code == 201
    own = {"Authorization": f"Bearer {made.json()['token']}"}
    token = ApiToken.objects.get()
    assert (token.permissions, token.groups, token.networks, token.read_only) == (*limits.values(), True)
    assert client.get("/api/v1/groups/", headers=own).json()["count"] == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"permissions": ["fly"]}, "permissions.0"),
        ({"permissions": "view"}, "permissions"),
        ({"groups": [10**6]}, "groups"),
        ({"groups": ["x"]}, "groups"),
        ({"networks": ["everywhere"]}, "networks"),
        ({"networks": ["192.0.2.1/24"]}, "networks"),
        ({"scope": "all"}, "scope"),
    ],
)
def test_bad_limits_are_named(anna, client, wrong, field):
    body = {"username": "anna", "password": PASSWORD, "name": "script", **wrong}
    answer = client.post("/api/v1/tokens/", body, content_type="application/json")
    assert (answer.status_code, [name.partition(".")[0] for name in answer.json()["errors"]]) == (
        400,
        [field.partition(".")[0]],
    )
    assert not ApiToken.objects.exists()


def test_the_page_makes_limited_ones_and_administrators_revoke_all(anna, tokyo, client):
    vera = make_user("viewer", tokyo, username="vera")
    client.force_login(vera)
    sent = {"name": "script", "days": "30", "groups": [tokyo.pk], "permissions": ["view"], "networks": "192.0.2.7, ::1"}
    assert client.post("/access/tokens/", sent).context["made"] is not None
    token = ApiToken.objects.get()
    assert (token.groups, token.permissions, token.networks) == ([tokyo.pk], ["view"], ["192.0.2.7", "::1"])
    assert "Tokyo" in client.get("/access/tokens/").content.decode()
    for wrong in ({"groups": ["999999"]}, {"permissions": ["fly"]}, {"networks": "everywhere"}):
        answer = client.post("/access/tokens/", {**sent, **wrong})
        assert (answer.status_code, list(answer.context["form"].errors)) == (400, list(wrong))
    assert client.get("/access/tokens/all/").status_code == 403
    client.force_login(anna)
    assert "vera" in client.get("/access/tokens/all/?q=vera").content.decode()
    assert "vera" not in client.get("/access/tokens/all/?q=otto").content.decode()
    assert client.post(f"/access/tokens/{token.pk}/remove/")["Location"] == "/access/tokens/all/"
    entry = AuditEntry.objects.get(action="token.remove")
    assert (entry.actor_name, entry.before["user"]) == ("anna", "vera")


def test_metrics_need_a_token_that_sees_the_whole(anna, tokyo):
    from apps.access.models import AllowedAddress
    from apps.access.services import addresses

    AllowedAddress.objects.create(network="192.0.2.0/24")
    addresses.forget()
    for client, status in (
        (api(anna), 200),
        (api(anna, groups=[tokyo.pk]), 401),
        (api(make_user("viewer", tokyo)), 401),
        (api(anna, networks=["198.51.100.0/24"]), 401),
        (Client(), 401),
    ):
        assert client.get("/metrics", REMOTE_ADDR="192.0.2.5").status_code == status
    addresses.forget()


def test_the_actor_of_a_token_is_limited_as_it_is(anna):
    token = tokens.create(anna, "script", SYSTEM, limits=tokens.Limits(permissions=["view"])).token
    assert Actor(ActorKind.TOKEN, "x", anna).short_name == "anna"
    assert token.is_limited
