"""People of a real OpenLDAP server sign in with what their groups there hold; everybody else is refused."""

import logging
import socket
import time

import pytest
from django.contrib.auth import authenticate
from django.test import Client, RequestFactory

from apps.access.models import Grant
from apps.accounts.models import LockOut, User
from apps.accounts.services.directories import configuring, memory
from apps.accounts.services.sign_in_names import has_unseen, normal
from apps.core import options, scoping
from apps.core.actors import COMMAND
from apps.core.models import AuditEntry
from tests.accounts.directories.conftest import grant, make_directory
from tests.certificates import make_authority
from tests.directory_peers import BASE, SEARCHER, Slapd, dn, free_tcp_port
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def sign_in(name: str, password: str) -> User | None:
    """Sign in as the page does, which asks nobody for a name with characters that nobody sees."""
    if has_unseen(normal(name)):
        return None
    request = RequestFactory().post("/login/", REMOTE_ADDR="192.0.2.7")
    return authenticate(request, username=name, password=password)


def reasons() -> list[tuple[str, str]]:
    """Why people were refused, as the audit tells: name and reason."""
    found = AuditEntry.objects.filter(action="directory.refuse").order_by("pk")
    return [(entry.actor_name, (entry.after or {})["reason"]) for entry in found]


def test_the_first_sign_in_makes_an_account_with_what_the_groups_hold(openldap, tokyo):
    user = sign_in("bob", "b0b-Passw0rd")
    assert user is not None
    assert (user.username, user.first_name, user.last_name, user.email) == ("bob", "Bob", "Builder", "bob@example.test")
    assert user.directory == openldap
    assert user.entry_dn == dn("bob")
    assert not user.has_usable_password()
    assert not user.must_change_password
    # bob is in tokyo, which is in operators, which is in staff
    assert sorted(group.name for group in user.directory_groups.all()) == ["operators", "staff"]
    assert scoping.may(user, "view")
    assert scoping.may(user, "alerts", tokyo.pk)
    assert not scoping.may(user, "alerts")
    assert not scoping.may(user, "access")
    made = AuditEntry.objects.get(action="user.create")
    assert (made.actor_name, made.address, made.after["directory"]) == ("bob", "192.0.2.7", "OpenLDAP")
    assert "b0b-Passw0rd" not in str(AuditEntry.objects.values_list("before", "after"))


def test_a_group_that_is_granted_the_administration_administers(openldap):
    alice = sign_in("ALICE", "al1ce-Passw0rd")
    assert alice is not None
    assert alice.username == "alice"  # as the directory spells it
    assert scoping.may(alice, "access")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("bob", "wrong"),
        ("bob", ""),
        ("bob", "\x00"),
        ("bob", "b0b-Passw0rd\x00"),
        ("*", "b0b-Passw0rd"),
        ("b*", "b0b-Passw0rd"),
        ("bob)(uid=*", "b0b-Passw0rd"),
        ("bob)(|(uid=*", "b0b-Passw0rd"),
        ("\\62ob", "b0b-Passw0rd"),
        ("bob\x00", "b0b-Passw0rd"),
        ("", "b0b-Passw0rd"),
        ("nobody", "nobody's password"),
        (dn("bob"), "b0b-Passw0rd"),
        ("x" * 5000, "b0b-Passw0rd"),
        ("bob", "x" * 1_000_000),
    ],
)
def test_what_is_no_name_with_its_password_is_refused(openldap, name, password):
    assert sign_in(name, password) is None
    assert not User.objects.filter(directory=openldap).exists()


def test_who_is_in_no_mapped_group_is_refused_unless_the_directory_lets_him_in(openldap):
    assert sign_in("eve", "eve-Passw0rd") is None
    assert reasons() == [("eve", "unmapped")]
    assert not User.objects.filter(username="eve").exists()
    configuring.change(openldap, {"let_in_unmapped": True}, COMMAND)
    eve = sign_in("eve", "eve-Passw0rd")
    assert eve is not None
    assert not scoping.may_somewhere(eve, "view")


def test_a_group_that_holds_nothing_lets_nobody_in(slapd):
    directory = make_directory(slapd.fields())
    held = grant(directory, dn("staff"), "viewer")
    assert sign_in("carol", "car0l-Passw0rd") is not None
    held.delete()
    assert sign_in("carol", "car0l-Passw0rd") is None
    assert reasons() == [("carol", "unmapped")]


def test_only_direct_members_count_where_nested_groups_are_off(openldap):
    configuring.change(openldap, {"nested_groups": False}, COMMAND)
    assert sign_in("bob", "b0b-Passw0rd") is None  # only in tokyo, which holds nothing itself
    dave = sign_in("dave", "dave-Passw0rd")
    assert dave is not None
    assert [group.name for group in dave.directory_groups.all()] == ["operators"]


def test_names_of_any_writing_are_taken_over_and_what_is_no_mail_address_is_left_out(openldap):
    dave, carol = sign_in("dave", "dave-Passw0rd"), sign_in("carol", "car0l-Passw0rd")
    assert dave is not None
    assert carol is not None
    assert dave.last_name == "日本"
    assert carol.email == ""


def test_each_sign_in_brings_the_account_up_to_date(openldap, slapd):
    sign_in("carol", "car0l-Passw0rd")
    slapd.set(dn("carol"), givenName="Caroline", mail="carol@example.test")
    slapd.set(dn("operators"), member=[dn("tokyo"), dn("dave"), dn("carol")])
    try:
        carol = sign_in("carol", "car0l-Passw0rd")
    finally:
        slapd.set(dn("carol"), givenName="Carol", mail="not a mail address")
        slapd.set(dn("operators"), member=[dn("tokyo"), dn("dave")])
    assert carol is not None
    assert (carol.first_name, carol.email) == ("Caroline", "carol@example.test")
    changed = AuditEntry.objects.filter(action="user.change").latest("pk")
    assert changed.before == {"first_name": "Carol", "email": "", "groups": ["staff"]}
    assert changed.after == {"first_name": "Caroline", "email": "carol@example.test", "groups": ["operators", "staff"]}


class TestAccountsOfOthers:
    """A directory never takes over what is not its own."""

    def test_a_local_account_is_never_taken_over(self, openldap):
        local = make_user("administrator", username="bob")
        assert sign_in("bob", "b0b-Passw0rd") is None
        assert reasons() == [("bob", "clash")]
        local.refresh_from_db()
        assert local.directory is None
        assert local.check_password(PASSWORD)
        assert sign_in("bob", PASSWORD) == local  # and still signs in himself

    def test_nor_by_another_way_of_writing_the_name(self, openldap):
        local = make_user("administrator", username="BOB")
        assert sign_in("bob", "b0b-Passw0rd") is None
        configuring.change(openldap, {"user_filter": "(|(uid=%(user)s)(mail=%(user)s))"}, COMMAND)
        assert sign_in("bob@example.test", "b0b-Passw0rd") is None
        assert reasons() == [("bob", "clash"), ("bob@example.test", "clash")]
        assert list(User.objects.filter(username__iexact="bob")) == [local]

    def test_the_password_of_a_local_account_is_not_shown_to_any_directory(self, openldap, monkeypatch):
        from apps.accounts.services.directories.conversation import Conversation

        tried = []
        monkeypatch.setattr(Conversation, "check_password", lambda *about: tried.append(about))
        make_user("administrator", username="bob")
        assert sign_in("bob", "mistyped") is None
        assert tried == []

    def test_an_entry_made_anew_under_an_old_name_is_another_person(self, openldap, slapd):
        old = sign_in("carol", "car0l-Passw0rd")
        slapd.remove(dn("carol"))
        slapd.add_person("carol", "Carol", "Newcomer", "not a mail address", "car0l-Passw0rd")
        assert sign_in("carol", "car0l-Passw0rd") is None
        assert reasons() == [("carol", "clash")]
        old.refresh_from_db()
        assert old.last_name == "Chaos"

    def test_an_account_of_one_directory_is_not_signed_in_by_another(self, openldap, slapd):
        bob = sign_in("bob", "b0b-Passw0rd")
        configuring.change(openldap, {"servers": ["127.0.0.1:1"], "bind_password": "search-Passw0rd"}, COMMAND)
        other = make_directory(slapd.fields(name="Other"))
        grant(other, dn("staff"), "viewer")
        assert sign_in("bob", "b0b-Passw0rd") is None
        assert User.objects.get(username="bob").directory == bob.directory

    def test_what_an_administrator_disabled_here_stays_disabled(self, openldap):
        bob = sign_in("bob", "b0b-Passw0rd")
        User.objects.filter(pk=bob.pk).update(is_active=False)
        assert sign_in("bob", "b0b-Passw0rd") is None
        assert reasons() == [("bob", "disabled-here")]

    def test_a_name_that_cannot_be_a_users_is_refused(self, openldap, slapd):
        slapd.add_person("mr x", "Mister", "X", "x@example.test", "mister-Passw0rd")
        try:
            configuring.change(openldap, {"let_in_unmapped": True}, COMMAND)
            assert sign_in("mr x", "mister-Passw0rd") is None
        finally:
            slapd.remove(f"uid=mr x,ou=people,{BASE}")
        assert reasons() == [("mr x", "bad-name")]


class TestTheWay:
    """Encrypted, trusted, in time, and to another server where one is down."""

    def test_starttls_as_well(self, slapd):
        grant(make_directory(slapd.by_starttls()), dn("staff"), "viewer")
        assert sign_in("carol", "car0l-Passw0rd") is not None

    @pytest.mark.parametrize("way", ["fields", "by_starttls"])
    def test_a_wrong_authority_is_refused_before_any_password_is_sent(self, slapd, way, monkeypatch):
        fields = getattr(slapd, way)(ca_certificate=make_authority("Other CA").pem)
        grant(make_directory(fields), dn("staff"), "viewer")
        from apps.accounts.services.directories.conversation import Conversation

        bound = []
        monkeypatch.setattr(Conversation, "_bind", lambda self: bound.append(self))
        assert sign_in("carol", "car0l-Passw0rd") is None
        assert bound == []

    @pytest.mark.parametrize("way", ["fields", "by_starttls"])
    def test_no_authority_means_those_of_the_system_which_do_not_know_ours(self, slapd, way):
        grant(make_directory(getattr(slapd, way)(ca_certificate="")), dn("staff"), "viewer")
        assert sign_in("carol", "car0l-Passw0rd") is None

    def test_without_encryption_only_where_the_option_allows_it(self, slapd):
        options.set_value("ldap_allow_unencrypted", True, COMMAND)
        directory = make_directory(slapd.by_starttls(encryption="none"))
        grant(directory, dn("staff"), "viewer")
        assert sign_in("carol", "car0l-Passw0rd") is not None
        options.set_value("ldap_allow_unencrypted", False, COMMAND)
        assert sign_in("carol", "car0l-Passw0rd") is None

    def test_the_second_server_answers_where_the_first_is_dead(self, slapd, caplog):
        dead = f"127.0.0.1:{free_tcp_port()}"
        directory = make_directory(slapd.fields(servers=[dead, f"127.0.0.1:{slapd.ldaps_port}"]))
        grant(directory, dn("staff"), "viewer")
        assert sign_in("carol", "car0l-Passw0rd") is not None
        assert memory.is_silent(directory, dead)
        assert not memory.is_silent(directory, f"127.0.0.1:{slapd.ldaps_port}")

    def test_the_second_directory_answers_where_the_first_is_dead(self, slapd, caplog):
        make_directory(slapd.fields(name="Dead", servers=[f"127.0.0.1:{free_tcp_port()}"]))
        second = make_directory(slapd.fields(name="Alive"))
        grant(second, dn("staff"), "viewer")
        carol = sign_in("carol", "car0l-Passw0rd")
        assert carol is not None
        assert carol.directory == second
        assert any("directory Dead" in record.getMessage() for record in caplog.records)

    def test_a_server_that_accepts_and_then_says_nothing_costs_its_time_once(self, slapd):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen(8)
            server = f"127.0.0.1:{silent.getsockname()[1]}"
            fields = {"servers": [server], "connect_timeout": 1, "answer_timeout": 1}
            for name, way in (("By LDAPS", slapd.fields), ("By StartTLS", slapd.by_starttls)):
                make_directory(way(name=name) | fields)
            began = time.monotonic()
            assert sign_in("carol", "car0l-Passw0rd") is None
            first = time.monotonic() - began
            began = time.monotonic()
            assert sign_in("carol", "car0l-Passw0rd") is None
            second = time.monotonic() - began
        assert first < 10
        assert second < first / 2

    def test_a_wrong_password_of_the_searching_account_asks_no_further_server(self, slapd, caplog):
        servers = [f"127.0.0.1:{slapd.ldaps_port}", f"localhost:{slapd.ldaps_port}"]
        make_directory(slapd.fields(servers=servers, bind_password="old-Passw0rd"))
        assert sign_in("carol", "car0l-Passw0rd") is None
        refused = [r.getMessage() for r in caplog.records if "refuses the account that searches" in r.getMessage()]
        assert len(refused) == 1
        assert "old-Passw0rd" not in caplog.text

    def test_local_administrators_sign_in_when_every_directory_is_down(self, slapd, client: Client):
        for number in range(3):
            make_directory(slapd.fields(name=f"Dead {number}", servers=[f"127.0.0.1:{free_tcp_port()}"]))
        make_user("administrator", username="root")
        answer = client.post("/login/", {"username": "root", "password": PASSWORD})
        assert (answer.status_code, answer["Location"]) == (302, "/")


def test_the_page_signs_in_and_tells_nobody_whom_the_directory_knows(openldap, client: Client, caplog):
    caplog.set_level(logging.DEBUG)
    pages = []
    for name in ("carol", "nobody"):
        answer = client.post("/login/", {"username": name, "password": "wrong"})
        assert answer.status_code == 400
        pages.append(answer.content.decode().replace(name, "…"))
    assert pages[0].count("The name or the password is wrong.") == 1
    assert "The name or the password is wrong." in pages[1]
    answer = client.post("/login/", {"username": "carol", "password": "car0l-Passw0rd"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/").status_code == 200
    assert "car0l-Passw0rd" not in caplog.text
    assert "search-Passw0rd" not in caplog.text


def test_the_session_ends_when_the_account_is_not_active_any_more(openldap, client: Client):
    client.post("/login/", {"username": "carol", "password": "car0l-Passw0rd"})
    User.objects.filter(username="carol").update(is_active=False)
    assert client.get("/")["Location"].startswith("/login/")


def test_anonymous_search_where_no_account_is_given(slapd: Slapd):
    directory = make_directory(slapd.fields(bind_dn=""))
    grant(directory, dn("staff"), "viewer")
    assert directory.bind_password is None
    assert sign_in("carol", "car0l-Passw0rd") is None  # this server shows nothing to nobody
    assert SEARCHER not in str(Grant.objects.all())


class TestOnePersonOfSeveralNames:
    """Failures count for the account, by whatever name the directory finds it."""

    @pytest.fixture(autouse=True)
    def _known_by_mail(self, openldap):
        options.set_value("lockout_account_failures", 3, COMMAND)
        configuring.change(openldap, {"user_filter": "(|(uid=%(user)s)(mail=%(user)s))"}, COMMAND)

    def test_no_name_has_failures_of_its_own(self):
        for name in ("bob@example.test", "bob", "BOB@example.test"):
            assert sign_in(name, "wrong") is None
        locked = LockOut.objects.get(kind="account", name="bob")
        assert (locked.failures, locked.is_locked) == (3, True)
        assert LockOut.objects.get(kind="address").failures == 3  # once for each attempt

    def test_a_locked_account_is_not_asked_for_by_another_name(self, monkeypatch):
        from apps.accounts.services.directories.conversation import Conversation

        for _attempt in range(3):
            sign_in("bob", "wrong")
        tried, feigned = [], []
        feign = Conversation.feign_password
        monkeypatch.setattr(Conversation, "check_password", lambda *about: tried.append(about))
        monkeypatch.setattr(Conversation, "feign_password", lambda talk: (feigned.append(talk), feign(talk)))
        page = Client().post("/login/", {"username": "bob@example.test", "password": "b0b-Passw0rd"})
        assert (page.status_code, tried, len(feigned)) == (400, [], 1)  # one question, as for a wrong password
        assert not User.objects.filter(username="bob").exists()
        told = AuditEntry.objects.filter(action="session.sign_in", outcome="refused").latest("pk")
        assert told.after == {"locked": "account", "attempts": 1}

    def test_who_is_right_leaves_nothing_counted(self):
        sign_in("bob@example.test", "wrong")
        client = Client()
        assert client.post("/login/", {"username": "bob@example.test", "password": "b0b-Passw0rd"}).status_code == 302
        assert not LockOut.objects.filter(name="bob").exists()
