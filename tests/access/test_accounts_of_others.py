"""Who manages accounts comes, by those of others, at nothing that he does not hold himself."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from apps.access.models import Grant, Role
from apps.access.services import roles, tokens
from apps.accounts.models import Directory, DirectoryGroup, Team, User
from apps.accounts.services import passwords, second_factor, teams
from apps.accounts.services.directories import configuring
from apps.core import scoping
from apps.core.actors import COMMAND, SYSTEM, Actor, ActorKind
from tests.factories import PASSWORD, make_user, root_group

pytestmark = pytest.mark.django_db
OTHER = "a quite different sentence"


@pytest.fixture
def clerk() -> User:
    """Somebody who manages accounts and nothing else."""
    user = make_user(username="clerk")
    role = Role.objects.create(name="accounts office", permissions=["access"])
    Grant.objects.create(user=user, role=role, group=root_group())
    return user


@pytest.fixture
def administrator() -> User:
    return make_user("administrator", username="anna")


def acting(user: User) -> Actor:
    return Actor(ActorKind.USER, user.username, user)


def by_team(user: User) -> None:
    team = Team.objects.create(name="head office")
    team.members.add(user)
    Grant.objects.create(team=team, role=Role.objects.get(name="administrator"), group=root_group())


class TestPasswords:
    def test_one_of_an_administrator_is_not_set_by_a_clerk(self, clerk: User, administrator: User) -> None:
        with pytest.raises(ValidationError, match="holds at least as much"):
            passwords.set_password(administrator, OTHER, acting(clerk))
        assert User.objects.get(pk=administrator.pk).check_password(PASSWORD)

    def test_what_somebody_holds_by_a_team_counts(self, clerk: User, administrator: User) -> None:
        plain = make_user(username="ben")
        by_team(plain)
        with pytest.raises(ValidationError):
            passwords.set_password(plain, OTHER, acting(clerk))

    def test_one_of_somebody_who_holds_no_more_is_set(self, clerk: User, administrator: User) -> None:
        plain = make_user(username="ben")
        passwords.set_password(plain, OTHER, acting(clerk))
        assert User.objects.get(pk=plain.pk).check_password(OTHER)

    def test_an_administrator_sets_that_of_another(self, administrator: User) -> None:
        other = make_user("administrator", username="ben")
        passwords.set_password(other, OTHER, acting(administrator))
        assert User.objects.get(pk=other.pk).check_password(OTHER)

    def test_the_page_says_why(self, client: Client, clerk: User, administrator: User) -> None:
        client.force_login(clerk)
        sent: dict[str, Any] = {"what": "password", "password-password": OTHER}
        answer = client.post(reverse("access:user", args=[administrator.pk]), sent)
        assert answer.status_code == 400
        assert "holds at least as much" in answer.content.decode()

    def test_the_api_says_why(self, client: Client, clerk: User, administrator: User) -> None:
        client.force_login(clerk)
        address = f"/api/v1/users/{administrator.pk}/"
        answer = client.patch(address, {"password": OTHER}, content_type="application/json")
        assert answer.status_code == 400
        assert "holds at least as much" in answer.content.decode()
        assert User.objects.get(pk=administrator.pk).check_password(PASSWORD)


def test_the_second_factor_of_an_administrator_is_not_taken_away_by_a_clerk(clerk: User, administrator: User) -> None:
    second_factor.begin(administrator)
    with pytest.raises(ValidationError, match="holds at least as much"):
        second_factor.reset(administrator, acting(clerk))
    assert second_factor.pending_of(administrator) is not None


def test_a_directory_whose_groups_administer_is_not_led_elsewhere_by_a_clerk(clerk: User) -> None:
    fields = {"name": "Head office", "servers": ["ldap.example.net"], "search_base": "dc=example,dc=net"}
    boss = acting(make_user("administrator", username="anna"))
    directory = configuring.create(fields, boss)
    group = DirectoryGroup.objects.create(directory=directory, dn="cn=admins,dc=example,dc=net", name="admins")
    Grant.objects.create(directory_group=group, role=Role.objects.get(name="administrator"), group=root_group())
    with pytest.raises(ValidationError, match="holds at least as much"):
        configuring.change(directory, {"servers": ["ldap.evil.example"]}, acting(clerk))
    assert Directory.objects.get().servers == ["ldap.example.net"]
    configuring.change(directory, {"servers": ["ldap2.example.net"]}, boss)
    assert Directory.objects.get().servers == ["ldap2.example.net"]


class TestOnesOwnPassword:
    """It is set by whoever knows the present one: else a limited token would be worth all that its user may do."""

    def test_a_limited_token_does_not_set_that_of_its_user(self, administrator: User) -> None:
        secret = tokens.create(administrator, "script", SYSTEM, limits=tokens.Limits(permissions=["access"])).secret
        script = Client(headers={"Authorization": f"Bearer {secret}"})
        sent = {"password": OTHER, "must_change_password": False}
        answer = script.patch(f"/api/v1/users/{administrator.pk}/", sent, content_type="application/json")
        assert answer.status_code == 400
        assert "/password/" in answer.content.decode()
        assert User.objects.get(pk=administrator.pk).check_password(PASSWORD)

    def test_nor_does_the_page_of_oneself_and_it_leads_to_where_one_does(
        self, client: Client, administrator: User
    ) -> None:
        client.force_login(administrator)
        page = reverse("access:user", args=[administrator.pk])
        assert 'href="/password/"' in client.get(page).content.decode()
        answer = client.post(page, {"what": "password", "password-password": OTHER})
        assert answer.status_code == 400
        assert "where the present one is asked" in answer.content.decode()
        assert User.objects.get(pk=administrator.pk).check_password(PASSWORD)

    def test_a_command_sets_it(self, administrator: User) -> None:
        passwords.set_password(administrator, OTHER, COMMAND)
        assert User.objects.get(pk=administrator.pk).check_password(OTHER)


class TestDirectories:
    """Of a newcomer all directories are asked, with his password: who makes or moves one listens to the others."""

    FIELDS: dict[str, Any] = {
        "name": "Head office",
        "servers": ["ldap.example.net"],
        "search_base": "dc=example,dc=net",
    }
    MINE = FIELDS | {"name": "Mine", "servers": ["ldap.evil.example"]}

    @pytest.fixture
    def head_office(self, administrator: User) -> Directory:
        directory = configuring.create(self.FIELDS, acting(administrator))
        group = DirectoryGroup.objects.create(directory=directory, dn="cn=admins,dc=example,dc=net", name="admins")
        Grant.objects.create(directory_group=group, role=Role.objects.get(name="administrator"), group=root_group())
        return directory

    def test_a_clerk_makes_none_beside_one_whose_groups_administer(self, clerk: User, head_office: Directory) -> None:
        with pytest.raises(ValidationError, match="holds at least as much"):
            configuring.create(self.MINE, acting(clerk))
        assert list(Directory.objects.all()) == [head_office]

    def test_nor_puts_his_before_it(
        self, client: Client, clerk: User, administrator: User, head_office: Directory
    ) -> None:
        mine = configuring.create(self.MINE, acting(administrator))
        with pytest.raises(ValidationError, match="holds at least as much"):
            configuring.place(mine, 1, acting(clerk))
        client.force_login(clerk)
        answer = client.post(reverse("access:directory-move", args=[mine.pk]), {"to": "up"}, follow=True)
        assert "holds at least as much" in answer.content.decode()
        assert list(Directory.objects.all()) == [head_office, mine]
        configuring.place(mine, 1, acting(administrator))
        assert list(Directory.objects.all()) == [mine, head_office]

    @pytest.mark.parametrize(
        "change",
        [
            {"servers": ["ldap2.evil.example"]},
            {"verify_tls": False},
            {"enabled": False},
            {"user_filter": "(mail=%(user)s)"},
        ],
    )
    def test_nor_leads_another_one_elsewhere(
        self, clerk: User, administrator: User, head_office: Directory, change: dict[str, Any]
    ) -> None:
        mine = configuring.create(self.MINE, acting(administrator))
        with pytest.raises(ValidationError, match="holds at least as much"):
            configuring.change(mine, change, acting(clerk))
        (name,) = change
        assert getattr(Directory.objects.get(pk=mine.pk), name) == getattr(mine, name) != change[name]

    def test_but_gives_it_another_name(self, clerk: User, administrator: User, head_office: Directory) -> None:
        mine = configuring.create(self.MINE, acting(administrator))
        assert configuring.change(mine, {"name": "Yours"}, acting(clerk)).name == "Yours"

    def test_and_makes_one_where_no_other_holds_more(self, clerk: User) -> None:
        assert configuring.create(self.MINE, acting(clerk)).position == 1

    def test_a_limited_token_does_not_lead_that_of_its_own_user_elsewhere(self, head_office: Directory) -> None:
        boss = User.objects.create(username="dora", directory=head_office, entry_id="1", is_staff=True)
        Grant.objects.create(user=boss, role=Role.objects.get(name="administrator"), group=root_group())
        secret = tokens.create(boss, "script", SYSTEM, limits=tokens.Limits(permissions=["access"])).secret
        DirectoryGroup.objects.all().delete()
        script = Client(headers={"Authorization": f"Bearer {secret}"})
        address = f"/api/v1/directories/{head_office.pk}/"
        answer = script.patch(address, {"servers": ["ldap.evil.example"]}, content_type="application/json")
        assert answer.status_code == 400
        assert "holds at least as much" in answer.content.decode()


class TestAtOnce:
    """Who waited for another one's change decides by what that left."""

    @pytest.fixture
    def role(self) -> Role:
        return Role.objects.create(name="night shift", permissions=["access"])

    def test_a_role_that_grew_meanwhile_is_not_granted(self, clerk: User, administrator: User, role: Role) -> None:
        read = Role.objects.get(pk=role.pk)
        roles.change_role(role, acting(administrator), permissions=["access", "power"])
        with pytest.raises(ValidationError, match="You do not hold all"):
            roles.grant(clerk, read, root_group(), acting(clerk))
        assert not scoping.may(User.objects.get(pk=clerk.pk), "power")

    def test_one_that_was_removed_meanwhile_is_not_granted(self, clerk: User, role: Role) -> None:
        read = Role.objects.get(pk=role.pk)
        roles.remove_role(role, SYSTEM)
        with pytest.raises(ValidationError, match="removed meanwhile"):
            roles.grant(clerk, read, root_group(), acting(clerk))

    def test_one_that_shrank_meanwhile_does_not_grow_again(self, clerk: User, administrator: User, role: Role) -> None:
        roles.change_role(role, acting(administrator), permissions=["access", "power"])
        roles.grant(clerk, role, root_group(), acting(administrator))
        read = Role.objects.get(pk=role.pk)
        roles.change_role(role, acting(administrator), permissions=["access"])
        with pytest.raises(ValidationError, match="You do not hold all"):
            roles.change_role(read, acting(User.objects.get(pk=clerk.pk)), permissions=["access", "power"])
        assert Role.objects.get(pk=role.pk).permissions == ["access"]

    def test_a_team_whose_role_grew_meanwhile_takes_nobody_in(
        self, clerk: User, role: Role, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        team = Team.objects.create(name="night")
        Grant.objects.create(team=team, role=role, group=root_group())

        def wait() -> None:
            Role.objects.filter(pk=role.pk).update(permissions=["access", "power"])

        monkeypatch.setattr(roles, "_one_at_a_time", wait)
        with pytest.raises(ValidationError, match="You do not hold all"):
            teams.add_members(team, [clerk], acting(clerk))
        assert not team.members.exists()
