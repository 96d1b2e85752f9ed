"""Whoever was disabled, removed or left his groups in the directory is signed out here; silence changes nobody."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.access.models import ApiToken, Grant
from apps.access.services import tokens
from apps.accounts import tasks
from apps.accounts.models import Directory, User
from apps.accounts.services.directories import configuring, refreshing
from apps.core import scoping
from apps.core.actors import COMMAND
from apps.core.models import AuditEntry
from tests.accounts.directories.conftest import make_directory
from tests.accounts.directories.test_signing_in import sign_in
from tests.directory_peers import BASE, PEOPLE, Slapd, dn
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def facts(user: User) -> tuple[bool, str]:
    """Whether an account is in use, and what bars it."""
    user.refresh_from_db()
    return user.is_active, user.barred


@pytest.fixture
def carol(openldap: Directory) -> User:
    """Somebody who has signed in."""
    user = sign_in("carol", "car0l-Passw0rd")
    assert user is not None
    return user


def test_who_leaves_the_mapped_groups_is_signed_out_with_his_tokens(openldap, carol, slapd, client: Client):
    client.force_login(carol, backend="apps.accounts.backends.DirectoryBackend")
    secret = tokens.create(carol, "mine", COMMAND).secret
    bearer = {"Authorization": f"Bearer {secret}"}
    assert client.get("/").status_code == 200
    assert Client().get("/api/v1/groups/", headers=bearer).status_code == 200
    slapd.set(dn("staff"), member=[dn("operators"), dn("admins")])
    try:
        assert refreshing.refresh(openldap) == 1
    finally:
        slapd.set(dn("staff"), member=[dn("operators"), dn("admins"), dn("carol")])
    assert facts(carol) == (False, "unmapped")
    assert client.get("/")["Location"].startswith("/login/")
    assert Client().get("/api/v1/groups/", headers=bearer).status_code == 401
    assert not carol.directory_groups.exists()
    entry = AuditEntry.objects.get(action="user.bar")
    assert (entry.actor_kind, entry.object_name, entry.after["barred"]) == ("system", "carol", "unmapped")
    # and when he is back, so is the account, with the tokens that have not expired
    assert refreshing.refresh(openldap) == 0
    assert facts(carol) == (True, "")
    assert ApiToken.objects.alive().filter(user=carol).count() == 1
    assert scoping.may(User.objects.get(pk=carol.pk), "view")


def test_who_is_removed_there_is_signed_out(openldap, carol, slapd):
    slapd.remove(dn("carol"))
    try:
        assert refreshing.refresh(openldap) == 1
        assert facts(carol) == (False, "removed")
        assert refreshing.refresh(openldap) == 0  # once
    finally:
        slapd.add_person("carol", *PEOPLE["carol"])
    assert refreshing.refresh(openldap) == 0
    assert facts(carol) == (False, "removed")  # another entry of the same name is another person


def test_who_is_disabled_or_expired_there_is_signed_out(openldap, carol, slapd):
    slapd.set(dn("carol"), pwdAccountLockedTime="000001010000Z")
    try:
        assert refreshing.refresh(openldap) == 1
        assert facts(carol) == (False, "disabled")
        assert sign_in("carol", "car0l-Passw0rd") is None
    finally:
        slapd.set(dn("carol"), pwdAccountLockedTime=None)
    assert sign_in("carol", "car0l-Passw0rd") == carol
    assert facts(carol) == (True, "")


def test_what_only_keeps_from_signing_in_anew_ends_no_session(openldap, carol, slapd):
    slapd.set(dn("carol"), pwdReset="TRUE")
    try:
        assert refreshing.refresh(openldap) == 0
        assert facts(carol) == (True, "")
        assert sign_in("carol", "car0l-Passw0rd") is None
    finally:
        slapd.set(dn("carol"), pwdReset=None)


def test_who_moved_or_was_renamed_keeps_his_account(openldap, carol, slapd):
    configuring.change(openldap, {"search_base": BASE}, COMMAND)
    openldap.refresh_from_db()
    slapd.add(f"ou=elsewhere,{BASE}", objectClass="organizationalUnit", ou="elsewhere")
    with slapd.root() as connection:
        connection.rename_s(dn("carol"), "uid=caroline", f"ou=elsewhere,{BASE}")
    slapd.set(dn("staff"), member=[dn("operators"), dn("admins"), f"uid=caroline,ou=elsewhere,{BASE}"])
    try:
        assert refreshing.refresh(openldap) == 0
        assert facts(carol) == (True, "")
        assert (carol.username, carol.entry_dn) == ("caroline", f"uid=caroline,ou=elsewhere,{BASE}")
    finally:
        with slapd.root() as connection:
            connection.rename_s(f"uid=caroline,ou=elsewhere,{BASE}", "uid=carol", f"ou=people,{BASE}")
        slapd.set(dn("staff"), member=[dn("operators"), dn("admins"), dn("carol")])
        slapd.remove(f"ou=elsewhere,{BASE}")


@pytest.mark.parametrize(
    "change",
    [
        {"servers": ["127.0.0.1:1"], "bind_password": "search-Passw0rd"},
        {"bind_password": "old-Passw0rd"},
        {"search_base": "ou=nowhere,dc=example,dc=test"},
        {"bind_dn": ""},  # this server shows nothing to nobody, as after a mistake in its access rules
        {"ca_certificate": ""},
    ],
)
def test_a_directory_that_does_not_answer_changes_nobody(openldap, carol, change):
    changed = configuring.change(openldap, change, COMMAND)
    changed.refresh_from_db()
    answered_at = changed.answered_at  # when carol signed in
    assert refreshing.refresh(changed) == 0
    assert facts(carol) == (True, "")
    changed.refresh_from_db()
    assert str(changed.fault) != ""
    assert changed.answered_at == answered_at
    assert "old-Passw0rd" not in str(changed.fault)


def test_an_administrators_word_stays(openldap, carol):
    User.objects.filter(pk=carol.pk).update(is_active=False)
    assert refreshing.refresh(openldap) == 0
    assert facts(carol) == (False, "")


def test_taking_the_last_role_from_a_group_signs_its_members_out(openldap, carol):
    Grant.objects.filter(directory_group__name="staff").delete()
    assert refreshing.refresh(openldap) == 1
    assert facts(carol) == (False, "unmapped")


def test_people_of_a_directory_that_is_switched_off_are_signed_out_within_a_minute(openldap, carol, monkeypatch):
    bystander = make_user("viewer", username="local")
    monkeypatch.setattr(tasks.look_after_directory, "apply_async", lambda *args, **more: None)
    configuring.change(openldap, {"enabled": False}, COMMAND)
    assert sign_in("carol", "car0l-Passw0rd") is None  # at once
    tasks.look_after_directories()
    assert facts(carol) == (False, "not-in-use")
    assert facts(bystander) == (True, "")
    configuring.change(openldap, {"enabled": True}, COMMAND)
    assert sign_in("carol", "car0l-Passw0rd") == carol


def test_the_clock_takes_each_directory_in_turn_and_once(openldap, slapd, monkeypatch):
    asked: list[int] = []
    monkeypatch.setattr(tasks.look_after_directory, "apply_async", lambda args, **more: asked.extend(args))
    other = make_directory(slapd.fields(name="Other"))
    tasks.look_after_directories()
    tasks.look_after_directories()
    assert asked == [openldap.pk, other.pk]
    Directory.objects.filter(pk=other.pk).update(asked_at=timezone.now() - timedelta(minutes=5))
    tasks.look_after_directories()
    assert asked == [openldap.pk, other.pk, other.pk]
    tasks.look_after_directory(openldap.pk)
    openldap.refresh_from_db()
    assert str(openldap.fault) == ""
    assert openldap.answered_at is not None


def test_looking_after_many_says_who_was_seen(openldap, carol, slapd: Slapd):
    for name in ("alice", "bob", "dave"):
        sign_in(name, PEOPLE[name][3])
    User.objects.update(entry_seen_at=None)
    assert refreshing.refresh(openldap) == 0
    seen = User.objects.filter(directory=openldap).values_list("entry_seen_at", flat=True)
    assert len(seen) == 4
    assert None not in seen
