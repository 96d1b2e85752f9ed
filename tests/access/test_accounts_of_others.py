"""Who manages accounts comes, by those of others, at nothing that he does not hold himself."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from apps.access.models import Grant, Role
from apps.accounts.models import Directory, DirectoryGroup, Team, User
from apps.accounts.services import passwords, second_factor
from apps.accounts.services.directories import configuring
from apps.core.actors import Actor, ActorKind
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
