"""Whose name in the directory cannot be taken over keeps the old one, and nothing that his groups no longer hold."""

import pytest

from apps.access.models import Grant, Role
from apps.accounts.models import Bar, Directory, DirectoryGroup, User
from apps.accounts.services.directories import people
from apps.accounts.services.directories.asking import Answer
from apps.accounts.services.directories.entries import AccountState, Entry
from apps.core import scoping
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry
from tests.factories import make_user, root_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def dora() -> User:
    """An administrator by a group of a directory."""
    directory = Directory.objects.create(name="Head office", servers=["ldap.example.test"], search_base="dc=example")
    group = DirectoryGroup.objects.create(directory=directory, dn="cn=admins", key="cn=admins", name="admins")
    Grant.objects.create(directory_group=group, role=Role.objects.get(name="administrator"), group=root_group())
    user = User.objects.create(username="dora", directory=directory, entry_id="1", is_staff=True)
    user.directory_groups.add(group)
    make_user("viewer", username="taken")
    return user


def entry(name: str) -> Entry:
    return Entry(f"uid={name}", "1", name, "", "", "", AccountState.ENABLED, {})


@pytest.mark.parametrize("name", ["taken", "a b"])
def test_who_left_the_administrators_administers_no_longer(dora, name):
    assert scoping.may(dora, "access")
    people.refresh(dora, Answer(entry=entry(name)), SYSTEM)
    dora = User.objects.get(pk=dora.pk)
    assert (dora.username, dora.is_active) == ("dora", True)
    assert not dora.directory_groups.exists()
    assert not scoping.may(dora, "access")
    told = AuditEntry.objects.get(action="user.change")
    assert (told.before, told.after) == ({"groups": ["admins"]}, {"groups": []})


@pytest.mark.parametrize("name", ["taken", "a b"])
def test_who_was_kept_out_stays_out_until_his_name_can_be_taken_over(dora, name):
    people.bar(dora, Bar.DISABLED, SYSTEM)
    people.refresh(dora, Answer(entry=entry(name)), SYSTEM)
    dora.refresh_from_db()
    assert (dora.is_active, dora.barred) == (False, "disabled")
    people.refresh(dora, Answer(entry=entry("dorothea")), SYSTEM)
    dora.refresh_from_db()
    assert (dora.username, dora.is_active, dora.barred) == ("dorothea", True, "")
