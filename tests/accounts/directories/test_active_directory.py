"""A real Active Directory domain controller: nested groups, and every way in which an account may be out of use."""

import pytest

from apps.accounts.models import Directory, User
from apps.accounts.services.directories import asking, configuring, refreshing
from apps.core import scoping
from apps.core.actors import COMMAND
from tests.accounts.directories.conftest import grant, make_directory
from tests.accounts.directories.test_signing_in import reasons, sign_in
from tests.certificates import make_authority
from tests.directory_peers import AD_BASE, AD_PEOPLE, Samba

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def group(name: str) -> str:
    """The distinguished name of a group."""
    return f"CN={name},CN=Users,{AD_BASE}"


def why(directory: Directory, name: str, password: str | None) -> tuple[str | None, str]:
    """Why somebody is refused, and what the server said."""
    answer = asking.ask(directory, name, password)
    assert answer.fault is None
    return answer.refusal.value if answer.refusal else None, answer.words


@pytest.mark.parametrize("typed", ["bob", "BOB", "bob@ad.example.test"])
def test_a_member_by_three_groups_signs_in_under_one_name(active_directory, tokyo, typed):
    bob = sign_in(typed, AD_PEOPLE["bob"])
    assert bob is not None
    assert (bob.username, bob.first_name, bob.email) == ("bob", "Bob", "bob@ad.example.test")
    assert sorted(one.name for one in bob.directory_groups.all()) == ["PortalUsers", "Tokyo-Ops"]
    assert scoping.may(bob, "view")
    assert scoping.may(bob, "alerts", tokyo.pk)
    assert not scoping.may(bob, "alerts")
    assert len(bob.entry_id) == 36  # the objectGUID as people write it


def test_starttls_and_a_name_in_the_certificate(samba):
    directory = make_directory(samba.fields(encryption="starttls"))
    grant(directory, group("PortalAdmins"), "administrator")
    alice = sign_in("alice", AD_PEOPLE["alice"])
    assert alice is not None
    assert scoping.may(alice, "access")


def test_without_nested_groups_the_direct_ones_count(active_directory):
    configuring.change(active_directory, {"nested_groups": False}, COMMAND)
    bob = sign_in("bob", AD_PEOPLE["bob"])
    assert bob is not None
    assert [one.name for one in bob.directory_groups.all()] == ["Tokyo-Ops"]


def test_the_primary_group_which_names_no_members_counts_as_well(samba):
    directory = make_directory(samba.fields())
    grant(directory, group("Domain Users"), "viewer")
    grace = sign_in("grace", AD_PEOPLE["grace"])
    assert grace is not None
    assert [one.name for one in grace.directory_groups.all()] == ["Domain Users"]
    configuring.change(directory, {"nested_groups": False}, COMMAND)
    assert sign_in("grace", AD_PEOPLE["grace"]) == grace


def test_a_wrong_password_a_disabled_and_an_expired_account(active_directory):
    assert why(active_directory, "bob", "wrong")[0] == "wrong-password"
    assert "data 52e" in why(active_directory, "bob", "wrong")[1]
    assert why(active_directory, "eve", None)[0] == "disabled"
    assert why(active_directory, "eve", AD_PEOPLE["eve"])[0] == "disabled"
    assert why(active_directory, "frank", None)[0] == "expired"
    assert why(active_directory, "frank", AD_PEOPLE["frank"])[0] == "expired"
    for name in ("eve", "frank"):
        assert sign_in(name, AD_PEOPLE[name]) is None
    assert reasons() == [("eve", "disabled"), ("frank", "expired")]
    assert not User.objects.filter(directory=active_directory).exists()


def test_a_password_that_must_be_changed_is_not_enough(active_directory, samba: Samba):
    samba.set(samba.person("grace"), pwdLastSet="0")
    try:
        assert why(active_directory, "grace", None)[0] == "must-change"
        refusal, words = why(active_directory, "grace", AD_PEOPLE["grace"])
        assert refusal == "must-change"
        assert "data 773" in words
        assert sign_in("grace", AD_PEOPLE["grace"]) is None
    finally:
        samba.renew_password("grace")
    assert sign_in("grace", AD_PEOPLE["grace"]) is not None


def test_a_password_that_has_expired_is_not_enough(active_directory, samba: Samba):
    samba.age_password("grace")
    try:
        assert why(active_directory, "grace", None)[0] == "password-expired"
        refusal, words = why(active_directory, "grace", AD_PEOPLE["grace"])
        assert refusal == "password-expired"
        assert "data 532" in words
        assert why(active_directory, "grace", "wrong")[0] == "wrong-password"
    finally:
        samba.renew_password("grace")
    assert sign_in("grace", AD_PEOPLE["grace"]) is not None


def test_wrong_passwords_lock_the_account_there(active_directory, samba: Samba):
    samba.tool("domain", "passwordsettings", "set", "--account-lockout-threshold=3")
    try:
        for _ in range(3):
            assert why(active_directory, "grace", "wrong")[0] in {"wrong-password", "locked"}
        refusal, words = why(active_directory, "grace", AD_PEOPLE["grace"])
        assert refusal == "locked"
        assert "data 775" in words
        answer = asking.ask(active_directory, "grace", None)
        (account,) = [step for step in answer.steps if step.stage == "account"]
        assert account.state == "warning"
        assert "locked" in str(account.text)
    finally:
        samba.tool("domain", "passwordsettings", "set", "--account-lockout-threshold=default")
        samba.tool("user", "unlock", "grace")
    assert sign_in("grace", AD_PEOPLE["grace"]) is not None


def test_a_wrong_authority_is_refused(samba: Samba):
    directory = make_directory(samba.fields(ca_certificate=make_authority("Other CA").pem))
    answer = asking.ask(directory, "bob", AD_PEOPLE["bob"])
    assert answer.fault is not None
    assert [step.stage for step in answer.steps] == ["connect", "tls"]
    assert "dc1.ad.example.test" in answer.fault.words
    assert "AD CA" in answer.fault.words


def test_the_server_itself_takes_no_password_in_clear_text(samba: Samba):
    from apps.core import options

    options.set_value("ldap_allow_unencrypted", True, COMMAND)
    directory = make_directory(samba.fields(encryption="none"))
    answer = asking.ask(directory, "bob", AD_PEOPLE["bob"])
    assert answer.fault is not None
    assert "encrypt" in answer.fault.words.lower()


def test_who_is_disabled_there_is_signed_out_here_and_comes_back_when_enabled(active_directory, samba, client):
    bob = sign_in("bob", AD_PEOPLE["bob"])
    client.force_login(bob, backend="apps.accounts.backends.DirectoryBackend")
    assert client.get("/").status_code == 200
    assert refreshing.refresh(active_directory) == 0
    samba.tool("user", "disable", "bob")
    try:
        assert refreshing.refresh(active_directory) == 1
    finally:
        samba.tool("user", "enable", "bob")
    bob.refresh_from_db()
    assert (bob.is_active, bob.barred) == (False, "disabled")
    assert client.get("/")["Location"].startswith("/login/")
    assert refreshing.refresh(active_directory) == 0
    bob.refresh_from_db()
    assert (bob.is_active, bob.barred) == (True, "")


def test_who_is_renamed_or_moved_there_keeps_his_account(active_directory, samba: Samba):
    grace = sign_in("grace", AD_PEOPLE["grace"])
    samba.set(samba.person("grace"), sAMAccountName="grace.hopper")
    try:
        assert refreshing.refresh(active_directory) == 0
    finally:
        samba.set(samba.person("grace"), sAMAccountName="grace")
    grace.refresh_from_db()
    assert (grace.username, grace.is_active) == ("grace.hopper", True)
