"""Who may do what where, and why: the answer names role, holder and group, and is what the resolver says."""

import pytest
from django.test import Client
from django.utils import timezone

from apps.access import rights
from apps.access.models import ApiToken, Grant, Role
from apps.access.rights import Rights
from apps.access.services import tokens
from apps.accounts.models import Team, User
from apps.core import scoping
from apps.core.actors import SYSTEM
from apps.groups.models import Group
from tests.factories import make_group, make_user, root_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def tree() -> dict[str, Group]:
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    return {"root": root_group(), "tokyo": tokyo, "rack": make_group("Rack 1", tokyo), "osaka": osaka}


@pytest.fixture
def otto(tree) -> User:
    """A viewer of everything by a team, an operator of Tokyo by himself, and administrator of its rack."""
    user = make_user("operator", tree["tokyo"], username="otto")
    Grant.objects.create(user=user, role=Role.objects.get(name="administrator"), group=tree["rack"])
    team = Team.objects.create(name="Night shift")
    team.members.add(user)
    Grant.objects.create(team=team, role=Role.objects.get(name="viewer"), group=tree["root"])
    return user


def told(reasons: rights.Reasons, word: str) -> list[tuple[str, str, str]]:
    return [(one.role.name, str(one.holder), str(one.group)) for one in reasons.get(word, ())]


def test_each_answer_names_role_holder_and_group(tree, otto):
    held = Rights(otto)
    rack = held.reasons(tree["rack"].pk)
    assert told(rack, "view") == [
        ("viewer", "Night shift", "All components"),
        ("operator", "otto", "Tokyo"),
        ("administrator", "otto", "Rack 1"),
    ]
    assert told(rack, "force") == [("operator", "otto", "Tokyo"), ("administrator", "otto", "Rack 1")]
    assert told(rack, "components") == [("administrator", "otto", "Rack 1")]
    assert told(rack, "access") == []  # over a part of the fleet it opens nothing
    assert list(held.reasons(tree["osaka"].pk)) == ["view"]


@pytest.mark.parametrize("limits", [None, {"permissions": ["view", "force"]}, {"groups": ["tokyo"]}, {"groups": []}])
@pytest.mark.parametrize("role", [None, "administrator"])
def test_it_says_what_the_resolver_says(tree, otto, limits, role):
    if role:
        Grant.objects.create(user=otto, role=Role.objects.get(name=role), group=tree["root"])
    token = None
    if limits is not None:
        given = {name: [tree[one].pk if name == "groups" else one for one in ones] for name, ones in limits.items()}
        token = ApiToken(user=otto, expires_at=timezone.now(), **given)
    asker = User.objects.get(pk=otto.pk)
    if token is not None:
        asker.token = token
    held = Rights(otto, token)
    for group in Group.objects.all():
        reasons = held.reasons(group.pk)
        for word in scoping.PERMISSIONS:
            assert (word in reasons) == scoping.may(asker, word, group.pk), (word, group)


def test_the_disabled_may_nothing(tree, otto):
    otto.is_active = False
    otto.save()
    assert list(Rights(otto).rows()) == []
    assert "otto" not in [row.subject.username for row in rights.holders_in(tree["rack"].pk)]


def test_who_may_do_this_here(tree, otto):
    anna = make_user("administrator", username="anna")
    rows = {row.subject: row.reasons for row in rights.holders_in(tree["osaka"].pk)}
    assert list(rows) == [anna, otto]
    assert list(rows[otto]) == ["view"]
    assert told(rows[otto], "view") == [("viewer", "Night shift", "All components")]
    assert list(rows[anna]) == list(scoping.PERMISSIONS)


def test_the_pages_say_why(client: Client, tree, otto):
    client.force_login(make_user("administrator", username="anna"))
    page = client.get(f"/access/users/{otto.pk}/rights/?group={tree['rack'].pk}").content.decode()
    assert "Operator ← direct ← Tokyo" in page
    assert "Viewer ← Night shift ← All components" in page
    page = client.get(f"/access/groups/{tree['rack'].pk}/?permission=components").content.decode()
    assert "otto" in page
    assert "Administrator ← direct ← Rack 1" in page
    assert "otto" not in client.get(f"/access/groups/{tree['osaka'].pk}/?permission=force").content.decode()


def test_everybody_sees_his_own_and_nobody_elses(client: Client, tree, otto):
    client.force_login(otto)
    page = client.get("/access/mine/").content.decode()
    assert "Operator ← direct ← Tokyo" in page
    other = make_user("viewer")
    assert client.get(f"/access/users/{other.pk}/rights/").status_code == 403
    assert client.get(f"/api/v1/users/{other.pk}/access/").status_code == 403
    assert client.get(f"/api/v1/groups/{tree['tokyo'].pk}/access/").status_code == 403
    mine = client.get(f"/api/v1/users/{otto.pk}/access/?group={tree['osaka'].pk}").json()
    (grant,) = Grant.objects.filter(team__isnull=False)
    because = {
        "grant": grant.pk,
        "role": grant.role_id,
        "role_name": "viewer",
        "holder": {"kind": "team", "id": grant.team_id, "name": "Night shift"},
        "group": tree["root"].pk,
        "group_name": "All components",
    }
    row = {"group": tree["osaka"].pk, "group_name": "Osaka"}
    assert mine["results"] == [{**row, "permissions": [{"permission": "view", "because": [because]}]}]


def test_a_token_says_what_is_left_of_it(client: Client, tree, otto):
    limits = tokens.Limits(permissions=["view", "force"], groups=[tree["rack"].pk])
    token = tokens.create(otto, "script", SYSTEM, limits=limits).token
    client.force_login(otto)
    assert client.get(f"/access/tokens/{token.pk}/rights/").status_code == 200
    rows = client.get(f"/api/v1/tokens/{token.pk}/access/").json()["results"]
    assert [(row["group_name"], [one["permission"] for one in row["permissions"]]) for row in rows] == [
        ("Tokyo · Rack 1", ["view", "force"])
    ]
    client.force_login(make_user("viewer"))
    assert client.get(f"/access/tokens/{token.pk}/rights/").status_code == 404
    assert client.get(f"/api/v1/tokens/{token.pk}/access/").status_code == 404


@pytest.mark.parametrize(("query", "field"), [("permission=fly", "permission"), ("group=x", "group"), ("why=1", "why")])
def test_bad_questions_are_named(client: Client, query, field):
    admin = make_user("administrator")
    client.force_login(admin)
    answer = client.get(f"/api/v1/users/{admin.pk}/access/?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
