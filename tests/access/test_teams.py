"""Teams: what is granted to one, each member holds; the last administrator is never lost through one."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from apps.access.models import Grant, Role
from apps.access.services import roles
from apps.accounts.models import Team
from apps.accounts.services import teams
from apps.components.models import Component
from apps.core import scoping
from apps.core.actors import SYSTEM, Actor, ActorKind
from apps.core.models import AuditEntry
from tests.factories import make_component, make_group, make_user, root_group

pytestmark = pytest.mark.django_db


def role(name: str) -> Role:
    return Role.objects.get(name=name)


@pytest.fixture
def admin():
    return make_user("administrator", username="anna", is_staff=True)


@pytest.fixture
def actor(admin) -> Actor:
    return Actor(ActorKind.USER, admin.username, admin)


@pytest.fixture
def page(client: Client, admin) -> Client:
    client.force_login(admin)
    return client


def seen(user) -> set[str]:
    user = type(user).objects.get(pk=user.pk)  # what a user holds is kept as long as his object
    return set(Component.objects.visible_to(user).values_list("name", flat=True))


def test_members_hold_what_is_granted_to_the_team_added_to_their_own(actor):
    tokyo, osaka = make_group("Tokyo"), make_group("Osaka")
    for name, group in (("t", tokyo), ("o", osaka), ("root", root_group())):
        make_component(name, group)
    vera = make_user("viewer", osaka, username="vera")
    team = teams.create("Night shift", actor, members=[vera])
    assert seen(vera) == {"o"}
    made = roles.grant(team, role("operator"), tokyo, actor)
    assert seen(vera) == {"t", "o"}
    vera = type(vera).objects.get(pk=vera.pk)
    assert scoping.may(vera, "alerts", tokyo.pk)
    assert not scoping.may(vera, "alerts", osaka.pk)
    teams.remove_members(team, [vera], actor)
    assert seen(vera) == {"o"}
    teams.add_members(team, [vera], actor)
    roles.withdraw(made, actor)
    assert seen(vera) == {"o"}
    told = AuditEntry.objects.filter(action__in=["grant.create", "grant.remove"]).values_list("before", "after")
    facts = {"team": "Night shift", "role": "operator", "group": "Tokyo"}
    assert list(told.order_by("pk")) == [(None, facts), (facts, None)]
    told = AuditEntry.objects.filter(action="team.members").order_by("pk").values_list("after", flat=True)
    assert list(told) == [{"removed": ["vera"]}, {"added": ["vera"]}]


@pytest.mark.parametrize("holders", [{}, {"user", "team"}])
def test_a_grant_has_exactly_one_holder(admin, holders):
    both = {"user": admin, "team": Team.objects.create(name="Night shift")}
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.create(role=role("viewer"), group=root_group(), **{name: both[name] for name in holders})
    assert Grant.objects.count() == 1


def test_a_team_holds_a_role_on_a_group_once(actor):
    team = teams.create("Night shift", actor)
    roles.grant(team, role("viewer"), root_group(), actor)
    with pytest.raises(ValidationError):
        roles.grant(team, role("viewer"), root_group(), actor)
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.create(team=team, role=role("viewer"), group=root_group())
    assert team.grants.count() == 1


class TestLastAdministrator:
    """Whoever administers only by a team is an administrator, and the last one stays."""

    @pytest.fixture
    def team(self, admin) -> Team:
        made = teams.create("Chiefs", SYSTEM, members=[admin])
        roles.grant(made, role("administrator"), root_group(), SYSTEM)
        admin.grants.all().delete()
        return made

    @pytest.mark.parametrize(
        "lose",
        [
            lambda team, admin: teams.remove_members(team, [admin], SYSTEM),
            lambda team, admin: teams.set_members(team, [], SYSTEM),
            lambda team, admin: teams.remove(team, SYSTEM),
            lambda team, admin: roles.withdraw(team.grants.get(), SYSTEM),
        ],
    )
    def test_nothing_takes_it(self, team, admin, lose):
        with pytest.raises(ValidationError, match="last administrator"):
            lose(team, admin)
        assert list(roles.administrators()) == [admin]
        assert list(team.members.all()) == [admin]
        assert not AuditEntry.objects.filter(action__in=["team.remove", "grant.remove", "team.members"]).exists()
        make_user("administrator")
        lose(Team.objects.get(pk=team.pk), admin)
        assert not roles.administrators().filter(pk=admin.pk).exists()

    def test_nobody_takes_it_from_himself(self, team, admin):
        make_user("administrator")
        actor = Actor(ActorKind.USER, admin.username, admin)
        for lose in (lambda: teams.remove_members(team, [admin], actor), lambda: teams.remove(team, actor)):
            with pytest.raises(ValidationError, match="from yourself"):
                lose()
        assert list(team.members.all()) == [admin]


def test_nobody_gives_by_a_team_what_he_does_not_hold(actor):
    team = teams.create("Chiefs", actor)
    roles.grant(team, role("administrator"), root_group(), actor)
    half = roles.create_role("Doorman", ["view", "access"], actor)
    vera = make_user(None, username="vera")
    roles.grant(vera, half, root_group(), actor)
    hers = Actor(ActorKind.USER, vera.username, vera)
    with pytest.raises(ValidationError) as caught:
        teams.add_members(team, [vera], hers)
    assert list(caught.value.message_dict) == ["members"]
    assert not team.members.exists()


@pytest.mark.parametrize(("name", "field"), [("", "name"), ("night SHIFT", "name"), ("x" * 101, "name")])
def test_a_bad_name_is_named(actor, page, name, field):
    teams.create("Night shift", actor)
    with pytest.raises(ValidationError) as caught:
        teams.create(name, actor)
    assert list(caught.value.message_dict) == [field]
    answer = page.post("/access/teams/new/", {"name": name})
    assert (answer.status_code, list(answer.context["form"].errors)) == (400, [field])
    answer = page.post("/api/v1/teams/", {"name": name}, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert Team.objects.count() == 1


def test_the_pages_make_fill_grant_and_remove(page):
    make_user(None, username="vera"), make_user(None, username="otto")
    assert page.get("/access/teams/").status_code == 200
    answer = page.post("/access/teams/new/", {"name": "Night shift", "note": "22 to 6", "members": "vera"})
    team = Team.objects.get()
    url = f"/access/teams/{team.pk}/"
    assert answer["Location"] == url
    answer = page.post(url, {"what": "members", "members": "OTTO, nobody"})
    assert (answer.status_code, answer.context["joining"].errors["members"]) == (400, ["There is no user nobody."])
    assert page.post(url, {"what": "members", "members": "OTTO, vera"}).status_code == 302
    assert sorted(team.members.values_list("username", flat=True)) == ["otto", "vera"]
    tokyo = make_group("Tokyo")
    grant = {"what": "grant", "grant-role": role("operator").pk, "grant-group": tokyo.pk}
    assert page.post(url, grant)["Location"] == url
    assert page.post(url, grant).status_code == 400
    assert "Tokyo" in page.get("/access/teams/?q=vera").content.decode()
    assert "Tokyo" not in page.get("/access/teams/?q=anna").content.decode()
    listed = page.get("/access/?q=tokyo").content.decode()
    assert "vera" in listed
    assert "Night shift: Operator · Tokyo" in listed
    vera = team.members.get(username="vera")
    assert "Night shift" in page.get(f"/access/users/{vera.pk}/").content.decode()
    assert page.post(url, {"what": "team", "name": "Late shift", "note": ""}).status_code == 302
    assert page.post(f"{url}members/{vera.pk}/remove/")["Location"] == url
    assert page.post(f"/access/grants/{team.grants.get().pk}/remove/")["Location"] == url
    team.refresh_from_db()
    assert (team.name, team.note, team.members.get().username) == ("Late shift", "", "otto")
    page.post(f"{url}remove/")
    assert not Team.objects.exists()


def test_the_api_makes_fills_and_removes(page):
    vera, otto = make_user(None, username="vera"), make_user(None, username="otto")
    url = "/api/v1/teams/"
    made = page.post(url, {"name": "Night shift", "members": [vera.pk]}, content_type="application/json")
    body = {"id": made.json()["id"], "name": "Night shift", "note": "", "members": [vera.pk]}
    assert (made.status_code, made.json()) == (201, body)
    one = f"{url}{body['id']}/"
    changed = page.patch(one, {"note": "22 to 6", "members": [otto.pk]}, content_type="application/json")
    assert changed.json() == {**body, "note": "22 to 6", "members": [otto.pk]}
    assert page.get(f"{url}?members={otto.pk}").json()["count"] == 1
    assert page.get(f"{url}?members={vera.pk}").json()["count"] == 0
    grant = {"team": body["id"], "role": role("viewer").pk, "group": root_group().pk}
    given = page.post("/api/v1/grants/", grant, content_type="application/json")
    others = {"user": None, "directory_group": None}
    assert (given.status_code, given.json()) == (201, {"id": given.json()["id"], **others, **grant})
    assert page.get(f"/api/v1/grants/?team={body['id']}").json()["count"] == 1
    assert page.post("/api/v1/grants/", grant, content_type="application/json").status_code == 400
    for wrong, field in (
        ({"user": vera.pk}, "team"),
        ({"team": None}, "directory_group"),
        ({"team": 10**6}, "team"),
        ({"fleet": 1}, "fleet"),
    ):
        answer = page.post("/api/v1/grants/", {**grant, **wrong}, content_type="application/json")
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert page.delete(one).status_code == 204
    assert not Grant.objects.filter(team__isnull=False).exists()


@pytest.mark.parametrize("who", ["viewer", "operator", None])
def test_teams_are_for_those_who_manage_access(client, who):
    client.force_login(make_user(who))
    team = Team.objects.create(name="Night shift")
    for path in ("/access/teams/", "/access/teams/new/", f"/access/teams/{team.pk}/", "/api/v1/teams/"):
        assert client.get(path).status_code == 403
    assert client.post(f"/access/teams/{team.pk}/remove/").status_code == 403
    assert Team.objects.exists()


def test_classic_mode_makes_and_grants(settings, page):
    settings.ROOT_URLCONF = "esm.classic_urls"
    vera = make_user(None, username="vera")
    page.post("/accounts/team/add/", {"name": "Night shift", "note": "", "members": [vera.pk]})
    team = Team.objects.get()
    assert list(team.members.all()) == [vera]
    sent = {"team": team.pk, "role": role("viewer").pk, "group": root_group().pk}
    page.post("/access/grant/add/", sent)
    assert team.grants.get().role == role("viewer")
    answer = page.post("/access/grant/add/", {**sent, "team": ""})
    assert "exactly one holder" in answer.content.decode()
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert actions == {"team.create", "grant.create"}
