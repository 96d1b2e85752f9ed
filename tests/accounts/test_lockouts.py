"""Too many failed sign-ins are refused for a while, by account and by address, and nobody is shut out for ever."""

from datetime import datetime, timedelta
from ipaddress import ip_address

import pytest
import time_machine
from django.contrib.auth import hashers
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from apps.access.models import AllowedAddress
from apps.access.services import addresses
from apps.accounts.models import LockOut
from apps.accounts.services import lockouts
from apps.core import options
from apps.core.actors import COMMAND, SYSTEM
from apps.core.models import AuditEntry
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
OFFICE, ELSEWHERE = "192.0.2.7", "198.51.100.9"


@pytest.fixture(autouse=True)
def _everybody_may_connect():
    for network in ("192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"):
        AllowedAddress.objects.create(network=network)
    addresses.forget()
    yield
    addresses.forget()


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now().replace(microsecond=0), tick=False) as clock:
        yield clock


def tries(client: Client, name: str = "vera", password: str = "wrong", address: str = OFFICE) -> bool:
    """Try to sign in; say whether that worked."""
    answer = client.post("/login/", {"username": name, "password": password}, REMOTE_ADDR=address)
    if answer.status_code == 302:
        return True
    assert answer.status_code == 400
    assert answer.context["form"].non_field_errors() == [
        "The name or the password is wrong. After several failures sign-in is refused for a while, "
        "also with the right password."
    ]
    return False


def locked_for(name: str, **more) -> timedelta | None:
    row = LockOut.objects.filter(name=name, **more).first()
    return row.locked_until - timezone.now() if row and row.locked_until else None


def refusals() -> list:
    return list(AuditEntry.objects.filter(outcome="refused").order_by("pk").values_list("object_name", "after"))


def test_five_failures_lock_an_account_whoever_tries_and_each_further_one_doubles_the_delay(clock):
    make_user(username="vera")
    for _ in range(4):
        tries(Client())
    assert locked_for("vera") is None
    tries(Client())
    assert locked_for("vera") == timedelta(seconds=60)
    assert not tries(Client(), password=PASSWORD)  # the right one, too
    assert not tries(Client(), password=PASSWORD, address=ELSEWHERE)
    assert LockOut.objects.get(name="vera").failures == 5  # what is refused does not lock longer
    for delay in (120, 240, 480, 960, 1920, 3600, 3600):
        clock.shift(locked_for("vera"))
        tries(Client(), address=ELSEWHERE)
        assert locked_for("vera") == timedelta(seconds=delay)
        release_address(ELSEWHERE)
    clock.shift(timedelta(seconds=3600))
    assert tries(Client(), password=PASSWORD)
    assert not LockOut.objects.filter(kind="account").exists()


def release_address(address: str) -> None:
    lockouts.release(actor=COMMAND, address=address)


def test_an_address_is_locked_whatever_names_it_tries_and_the_machine_itself_never_is():
    make_user(username="vera")
    for number in range(20):
        tries(Client(), f"made-up-{number}")
    assert not tries(Client(), "vera", PASSWORD)
    assert LockOut.objects.get(kind="address").name == OFFICE
    assert not LockOut.objects.filter(name="vera").exists()  # from there nobody can lock further accounts
    assert tries(Client(), "vera", PASSWORD, ELSEWHERE)
    for number in range(25):
        tries(Client(), f"invented-{number}", address="127.0.0.1")
    assert tries(Client(), "vera", PASSWORD, "127.0.0.1")
    assert list(LockOut.objects.filter(kind="address").values_list("name", flat=True)) == [OFFICE]


def test_the_client_behind_a_trusted_proxy_is_counted_and_not_the_proxy(settings):
    settings.TRUSTED_PROXIES = ["192.0.2.1"]
    sent = {"username": "vera", "password": "wrong"}
    for client in ("198.51.100.9", "203.0.113.5, 198.51.100.9"):  # the first of two is what the client claims
        Client().post("/login/", sent, REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": client})
    Client().post("/login/", sent, REMOTE_ADDR="192.0.2.8", headers={"X-Forwarded-For": "198.51.100.77"})
    counted = LockOut.objects.filter(kind="address").order_by("name").values_list("name", "failures")
    assert list(counted) == [("192.0.2.8", 1), ("198.51.100.9", 2)]


def test_a_whole_prefix_of_ipv6_is_one_client():
    for number in range(20):
        tries(Client(), f"name-{number}", address=str(ip_address("2001:db8:0:1::") + 2**60 + number))
    make_user(username="vera")
    assert not tries(Client(), "vera", PASSWORD, "2001:db8:0:1::7")
    assert tries(Client(), "vera", PASSWORD, "2001:db8:0:2::7")
    assert locked_for("2001:db8:0:1::/64") is not None


def test_who_gets_in_takes_back_what_he_failed_and_others_keep_theirs():
    make_user(username="vera")
    for _ in range(4):
        tries(Client())
    tries(Client(), "otto")
    assert tries(Client(), password=PASSWORD)
    assert list(LockOut.objects.order_by("kind").values_list("kind", "name", "failures")) == [
        ("account", "otto", 1),
        ("address", OFFICE, 1),
    ]


def test_the_last_attempt_that_is_free_may_be_the_right_one(clock):
    make_user(username="vera")
    for _ in range(4):
        tries(Client())
    assert tries(Client(), password=PASSWORD)
    assert not LockOut.objects.exists()
    for number in range(19):
        tries(Client(), f"name-{number}")
    assert tries(Client(), password=PASSWORD)  # the twentieth from there
    assert locked_for(OFFICE) is None
    assert LockOut.objects.get(kind="address").failures == 19


def test_a_stranger_does_not_shut_a_user_out_of_the_browser_that_he_uses():
    make_user("administrator", username="anna")
    hers = Client()
    assert tries(hers, "anna", PASSWORD)
    hers.post("/logout/", REMOTE_ADDR=OFFICE)
    for _ in range(6):
        tries(Client(), "anna", address=ELSEWHERE)
    for number in range(20):
        tries(Client(), f"name-{number}")  # somebody beside her, too
    assert not tries(Client(), "anna", PASSWORD, ELSEWHERE)
    assert tries(hers, "anna", PASSWORD)
    assert locked_for("anna", browser="") is not None  # signing in there forgives nobody else
    hers.post("/logout/", REMOTE_ADDR=OFFICE)
    for _ in range(5):
        tries(hers, "anna")
    assert not tries(hers, "anna", PASSWORD)  # and in her own browser she may guess no more than others


def test_a_forged_or_foreign_browser_is_not_known():
    make_user(username="vera")
    make_user(username="otto")
    his = Client()
    tries(his, "otto", PASSWORD)
    his.post("/logout/", REMOTE_ADDR=OFFICE)
    [cookie] = [name for name in his.cookies if name.startswith("esm_known")]
    assert (his.cookies[cookie]["httponly"], his.cookies[cookie]["samesite"]) == (True, "Strict")
    forged = Client()
    forged.cookies[cookie] = his.cookies[cookie].value[:-3] + "abc"
    for client in (his, forged):
        tries(client, "vera")
    assert list(LockOut.objects.filter(kind="account").values_list("name", "browser", "failures")) == [("vera", "", 2)]


@pytest.mark.parametrize("name", ["vera", "VERA", " vera ", "\uff56\uff45\uff52\uff41", "Ｖera"])
def test_no_way_of_writing_a_name_gives_more_attempts(name):
    tries(Client(), name)
    assert list(LockOut.objects.filter(kind="account").values_list("name", "failures")) == [("vera", 1)]


def test_a_name_in_full_width_letters_signs_in():
    make_user(username="vera")
    assert tries(Client(), "\uff56\uff45\uff52\uff41", PASSWORD)


def test_tokens_count_too_and_are_told_no_more(client):
    make_user(username="vera")
    body = {"username": "vera", "password": "wrong", "name": "script"}
    answers = [client.post("/api/v1/tokens/", body, content_type="application/json") for _ in range(5)]
    right = client.post("/api/v1/tokens/", {**body, "password": PASSWORD}, content_type="application/json")
    nobody = client.post("/api/v1/tokens/", {**body, "username": "nobody"}, content_type="application/json")
    assert {(a.status_code, a["Content-Type"], a.content) for a in [*answers, right, nobody]} == {
        (401, "application/problem+json", right.content)
    }
    assert not tries(Client(), password=PASSWORD)
    assert lockouts.release(actor=COMMAND, user="VERA") == 1
    made = client.post("/api/v1/tokens/", {**body, "password": PASSWORD}, content_type="application/json")
    assert made.status_code == 201
    assert not LockOut.objects.filter(name="vera").exists()


def test_a_token_for_the_right_password_forgets_the_failures(client):
    make_user(username="vera")
    body = {"username": "vera", "password": "wrong", "name": "script"}
    client.post("/api/v1/tokens/", body, content_type="application/json")
    made = client.post("/api/v1/tokens/", {**body, "password": PASSWORD}, content_type="application/json")
    assert made.status_code == 201
    assert not LockOut.objects.exists()


def test_who_finds_an_open_session_does_not_guess_its_password_without_end(client):
    client.force_login(make_user(username="vera"))
    new = {"password": "another long secret", "again": "another long secret"}
    for _ in range(5):
        assert client.post("/password/", {"old_password": "wrong", **new}).status_code == 400
    assert LockOut.objects.get(name="vera").is_locked
    right = client.post("/password/", {"old_password": PASSWORD, **new})
    assert list(right.context["form"].errors) == ["old_password"]
    lockouts.release(actor=COMMAND, user="vera")
    assert client.post("/password/", {"old_password": PASSWORD, **new}).status_code == 302


def test_refusals_are_audited_but_an_attack_does_not_fill_the_audit(clock):
    for _ in range(5):
        tries(Client())
    begun = AuditEntry.objects.get(action="lockout.begin")
    until = (timezone.now() + timedelta(seconds=60)).isoformat()
    assert (begun.object_name, begun.after) == ("vera", {"kind": "account", "failures": 5, "until": until})
    assert refusals() == [("vera", None)] * 5
    for _ in range(10):
        tries(Client())
    assert refusals()[5:] == [("vera", {"locked": "account", "attempts": 1})]
    options.set_value("lockout_first_delay", 3600, SYSTEM)
    clock.shift(timedelta(seconds=61))
    tries(Client())
    for _ in range(3):
        tries(Client())
    clock.shift(timedelta(seconds=61))
    tries(Client())
    assert refusals()[6:] == [
        ("vera", None),
        ("vera", {"locked": "account", "attempts": 10}),
        ("vera", {"locked": "account", "attempts": 3}),
    ]


def test_a_thousand_at_once_get_no_further_than_one_after_another():
    """Attempts are counted before their passwords are looked at: of many that began, only the first few go on."""
    who = lockouts.Claimant("vera", OFFICE)
    begun = [lockouts.attempt(who) for _ in range(12)]
    assert [verdict.locked is None for verdict in begun] == [True] * 5 + [False] * 7


def test_a_locked_or_unknown_or_disabled_account_takes_as_long_as_any_other(settings, monkeypatch):
    """One password is hashed, whatever the reason; a locked address costs nothing and tells of no name."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    make_user(username="vera")
    make_user(username="gone", is_active=False)
    hashed = []
    encode = hashers.PBKDF2PasswordHasher.encode

    def counted(self, password, salt, iterations=None):
        hashed.append(iterations)
        return encode(self, password, salt, 1)

    monkeypatch.setattr(hashers.PBKDF2PasswordHasher, "encode", counted)
    monkeypatch.setattr(hashers.PBKDF2PasswordHasher, "must_update", lambda *_: False)

    def work(name: str, password: str = "wrong") -> int:
        hashed.clear()
        tries(Client(), name, password)
        return len(hashed)

    assert work("vera") == work("gone", PASSWORD) == work("nobody") == 1
    for _ in range(5):
        tries(Client(), "otto")
    assert work("otto") == 1
    for number in range(12):
        tries(Client(), f"name-{number}")
    assert work("vera", PASSWORD) == work("nobody") == 0


def test_the_options_say_how_many_and_how_long(clock):
    for name, value in [("account_failures", 3), ("first_delay", 5), ("longest_delay", 1)]:
        options.set_value(f"lockout_{name}", value, SYSTEM)
    for _ in range(3):
        tries(Client())
    assert locked_for("vera") == timedelta(seconds=5)
    for delay in (10, 20, 40, 60, 60):
        clock.shift(locked_for("vera"))
        tries(Client())
        assert locked_for("vera") == timedelta(seconds=delay)


def test_failures_are_forgotten_after_a_day_and_too_many_rows_never_stay(clock, monkeypatch):
    tries(Client(), "old")
    clock.shift(timedelta(hours=25))
    tries(Client(), "old")
    assert LockOut.objects.get(name="old").failures == 1
    for number in range(8):
        clock.shift(timedelta(seconds=1))
        tries(Client(), f"name-{number}", address="127.0.0.1")
    monkeypatch.setattr(lockouts, "AT_ONCE", 3)
    monkeypatch.setattr(lockouts, "MOST_ROWS", 4)
    assert lockouts.prune() == 6
    assert set(LockOut.objects.values_list("name", flat=True)) == {f"name-{number}" for number in range(4, 8)}
    clock.shift(timedelta(hours=25))
    assert lockouts.prune() == 4


def test_what_is_locked_is_not_forgotten(clock):
    options.set_value("lockout_longest_delay", 1440, SYSTEM)
    LockOut.objects.create(
        kind="account",
        name="vera",
        failures=30,
        last_failed_at=timezone.now() - timedelta(hours=30),
        locked_until=timezone.now() + timedelta(hours=1),
    )
    assert lockouts.prune() == 0
    assert not tries(Client(), password=PASSWORD)


def test_the_commands_of_axes_release_too(capsys):
    for name in ("vera", "otto"):
        for _ in range(5):
            tries(Client(), name)
    call_command("axes_reset_username", "vera")
    assert set(LockOut.objects.values_list("name", flat=True)) == {"otto", OFFICE}
    call_command("axes_reset")
    assert not LockOut.objects.exists()
    entry = AuditEntry.objects.filter(action="lockout.release").order_by("pk").first()
    assert (entry.actor_name, entry.object_name, entry.before["failures"]) == (COMMAND.name, "vera", 5)


class TestPages:
    """An administrator sees who is locked until when, and releases."""

    @pytest.fixture
    def page(self, client):
        client.force_login(make_user("administrator", username="anna"))
        return client

    def test_the_list_shows_what_is_locked_first_and_releases(self, page):
        vera = make_user(username="Vera")
        for _ in range(5):
            tries(Client(), "Vera")
        tries(Client(), "nobody")
        shown = page.get("/access/lock-outs/").content.decode()
        assert shown.index("Locked<") < shown.index("Counting<")
        assert shown.count("no such user") == 1
        row = LockOut.objects.get(name="vera")
        assert f'href="/access/users/{vera.pk}/"' in shown
        assert page.get("/access/lock-outs/?q=NOBODY").content.decode().count("lockout-") == 1
        assert page.post(f"/access/lock-outs/{row.pk}/release/")["Location"] == "/access/lock-outs/"
        assert tries(Client(), "Vera", PASSWORD)
        entry = AuditEntry.objects.get(action="lockout.release")
        assert (entry.actor_name, entry.object_name) == ("anna", "vera")

    def test_the_page_of_a_user_shows_the_lock_and_releases(self, page):
        vera = make_user(username="vera")
        for _ in range(5):
            tries(Client())
        assert "Release" in page.get(f"/access/users/{vera.pk}/").content.decode()
        page.post(f"/access/users/{vera.pk}/release/")
        assert "Release" not in page.get(f"/access/users/{vera.pk}/").content.decode()
        assert tries(Client(), password=PASSWORD)

    @pytest.mark.parametrize("role", ["viewer", "operator", None])
    def test_nobody_else_sees_or_releases(self, client, role):
        tries(Client(), "nobody")
        row = LockOut.objects.get(name="nobody")
        client.force_login(make_user(role))
        assert client.get("/access/lock-outs/").status_code == 403
        assert client.post(f"/access/lock-outs/{row.pk}/release/").status_code == 403
        assert client.get("/api/v1/lock-outs/").status_code == 403
        assert client.delete(f"/api/v1/lock-outs/{row.pk}/").status_code == 403
        assert LockOut.objects.filter(pk=row.pk).exists()

    def test_the_api_lists_and_releases(self, page):
        for _ in range(5):
            tries(Client())
        found = page.get("/api/v1/lock-outs/?kind=account").json()
        assert found["count"] == 1
        [row] = found["results"]
        assert {name: row[name] for name in ("kind", "name", "failures", "is_locked", "known_browser")} == {
            "kind": "account",
            "name": "vera",
            "failures": 5,
            "is_locked": True,
            "known_browser": False,
        }
        assert datetime.fromisoformat(row["locked_until"]) > timezone.now()
        assert page.delete(f"/api/v1/lock-outs/{row['id']}/").status_code == 204
        assert page.get("/api/v1/lock-outs/?kind=account").json()["count"] == 0
        assert page.get("/api/v1/lock-outs/?kind=planet").status_code == 400


class TestBadInput:
    """Whatever is sent gets a clear answer at once, and nothing is counted for it."""

    @pytest.mark.parametrize(
        ("name", "status"),
        [
            ("ve\x00ra", 400),
            ("ve\u202era", 400),  # right to left
            ("ve\u200bra", 400),  # no width
            ("vera\ufe00", 400),  # a variation selector: directories leave it out (RFC 4518 §2.2)
            ("ve\u034fra", 400),  # a grapheme joiner, the same
            ("ve\u2028ra", 400),  # a line of its own
            ("ve\ue000ra", 400),  # means what everybody likes
            ("x" * 151, 400),
            ("x" * 1_000_000, 400),
            ("", 400),
        ],
    )
    def test_a_name_that_is_none(self, client, name, status):
        answer = client.post("/login/", {"username": name, "password": PASSWORD})
        assert (answer.status_code, list(answer.context["form"].errors)) == (status, ["username"])
        sent = {"username": name, "password": PASSWORD, "name": "n"}
        answer = client.post("/api/v1/tokens/", sent, content_type="application/json")
        assert (answer.status_code, list(answer.json()["errors"])) == (status, ["username"])
        assert not LockOut.objects.exists()

    def test_a_password_of_a_megabyte_is_refused_without_hashing_it(self, client, monkeypatch):
        make_user(username="vera")
        monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", None)
        answer = client.post("/login/", {"username": "vera", "password": "x" * 2**20})
        assert (answer.status_code, list(answer.context["form"].errors)) == (400, ["password"])
        assert len(answer.content) < 50_000
        sent = {"username": "vera", "password": "x" * 2**20, "name": "n"}
        answer = client.post("/api/v1/tokens/", sent, content_type="application/json")
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["password"])

    def test_a_lone_surrogate_in_json(self, client):
        raw = '{"username": "\\ud800", "password": "x", "name": "n"}'
        answer = client.post("/api/v1/tokens/", raw, content_type="application/json")
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["username"])

    def test_accents_in_either_form_are_one_name(self):
        make_user(username="ren\u00e9")
        assert tries(Client(), "rene\u0301", PASSWORD)
