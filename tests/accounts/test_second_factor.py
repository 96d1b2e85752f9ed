"""The second factor: set-up, sign-in by code and recovery code, its end, and roles that need one."""

import re
from base64 import b32encode
from datetime import datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.access.models import Grant, Role
from apps.access.services.second_factor import lacking
from apps.accounts.models import LockOut, RecoveryCode, Team, TotpDevice, User
from apps.accounts.services import second_factor
from apps.components.services import rotation
from apps.core.actors import COMMAND, Actor, ActorKind
from apps.core.models import AuditEntry
from tests.accounts.codes import code_at
from tests.factories import PASSWORD, make_user, root_group

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
PAGE = "/second-factor/"


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now().replace(microsecond=0), tick=False) as clock:
        yield clock


def acting(user: User) -> Actor:
    return Actor(ActorKind.USER, user.username, user)


def with_factor(user: User) -> tuple[str, list[str]]:
    """Give a user a second factor, an hour ago; gives its secret and recovery codes."""
    secret = str(second_factor.begin(user).secret)
    codes = second_factor.confirm(user, code_at(secret, timezone.now()), acting(user))
    TotpDevice.objects.filter(user=user).update(last_step=0)  # the code of this moment was not used
    return secret, codes


def password_step(client: Client, name: str, target: str = "/preferences/"):
    return client.post("/login/", {"username": name, "password": PASSWORD, "next": target})


def code_step(client: Client, code: str, **more: str):
    """Send the code with what the page holds beside it."""
    page = client.get("/login/code/").content.decode()
    [attempt] = re.findall(r'name="attempt" value="([^"]*)"', page)
    return client.post("/login/code/", {"code": code, "attempt": attempt, **more})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_reading_of_the_standard_gives_its_examples():
    """RFC 6238, appendix B, the last six of eight digits."""
    secret = b32encode(b"12345678901234567890").decode()
    for seconds, expected in [(59, "287082"), (1111111109, "081804"), (2000000000, "279037")]:
        assert code_at(secret, datetime.fromtimestamp(seconds).astimezone()) == expected


class TestSetUp:
    """From nothing to a second factor in force."""

    def test_a_secret_is_shown_confirmed_by_its_first_code_and_gives_ten_recovery_codes(self, clock):
        vera = make_user(username="vera")
        client, other = Client(), Client()
        for one in (client, other):
            password_step(one, "vera")
        assert client.get(PAGE).context["device"] is None
        assert client.post(PAGE, {"what": "begin"}).status_code == 302
        page = client.get(PAGE)
        assert "no-store" in page["Cache-Control"]
        text = page.content.decode()
        assert "<svg viewBox" in text
        assert " style=" not in text
        [shown] = re.findall(r'id="totp-secret">([A-Z2-7 ]+)<', text)
        assert len(shown.replace(" ", "")) == 32  # 160 bits
        assert client.get(PAGE).context["secret"] == shown  # a reload does not make another one
        assert not is_asked_for_a_code("vera")

        wrong = client.post(PAGE, {"what": "confirm", "first-code": "000000"})
        assert (wrong.status_code, list(wrong.context["first"].errors)) == (400, ["code"])
        before = client.session.session_key
        done = client.post(PAGE, {"what": "confirm", "first-code": code_at(shown, timezone.now())})
        codes = done.context["codes"].split("\n")
        assert len(set(codes)) == 10
        assert all(re.fullmatch(r"([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}", code) for code in codes)
        assert codes[0] in done.content.decode()
        assert client.session.session_key != before
        assert codes[0] not in client.get(PAGE).content.decode()
        assert client.get(PAGE).context["left"] == 10
        assert other.get("/preferences/").status_code == 302  # it was signed in by the password alone
        assert is_asked_for_a_code("vera")
        entry = AuditEntry.objects.get(action="second_factor.on")
        assert (entry.actor_name, entry.object_name, entry.after) == ("vera", "vera", {"second_factor": "(changed)"})
        audit = str(list(AuditEntry.objects.values()))
        assert not any(secret in audit for secret in (shown, shown.replace(" ", ""), *codes))
        assert vera.totp_device.last_step == int(timezone.now().timestamp()) // 30

    def test_the_picture_says_what_apps_read(self, clock):
        device = second_factor.begin(make_user(username="vera"))
        address = urlsplit(second_factor.address_of(device, "portal.example:21120"))
        assert (address.scheme, address.netloc) == ("otpauth", "totp")
        assert unquote(address.path) == "/Fleet Portal portal.example:21120:vera"
        facts = {name: values[0] for name, values in parse_qs(address.query).items()}
        assert facts == {
            "secret": device.secret,
            "issuer": "Fleet Portal portal.example:21120",
            "algorithm": "SHA1",
            "digits": "6",
            "period": "30",
        }

    def test_it_can_be_given_up_and_begun_anew(self, client):
        client.force_login(make_user(username="vera"))
        client.post(PAGE, {"what": "begin"})
        first = client.get(PAGE).context["secret"]
        client.post(PAGE, {"what": "begin"})
        assert client.get(PAGE).context["secret"] != first
        client.post(PAGE, {"what": "give-up"})
        assert not TotpDevice.objects.exists()
        refused = client.post(PAGE, {"what": "confirm", "first-code": "123456"})
        assert refused.context["first"].non_field_errors() == ["The set-up was ended meanwhile. Begin it again."]

    def test_what_is_on_is_not_begun_anew(self, client):
        vera = make_user(username="vera")
        secret, _codes = with_factor(vera)
        client.force_login(vera)
        client.post(PAGE, {"what": "begin"})
        assert TotpDevice.objects.get().secret == secret
        assert TotpDevice.objects.get().confirmed

    def test_neither_secret_nor_codes_stand_in_the_database(self, client):
        secret, codes = with_factor(make_user(username="vera"))
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM accounts_totpdevice")
            stored = str(cursor.fetchall())
            cursor.execute("SELECT * FROM accounts_recoverycode")
            stored += str(cursor.fetchall())
        assert secret not in stored
        assert not any(code in stored or code.replace("-", "") in stored for code in codes)

    def test_the_secret_follows_the_rotation_of_keys(self):
        vera = make_user(username="vera")
        secret, _codes = with_factor(vera)
        with connection.cursor() as cursor:
            cursor.execute("SELECT secret FROM accounts_totpdevice")
            [(before,)] = cursor.fetchall()
        rotation.rotate(COMMAND)
        with connection.cursor() as cursor:
            cursor.execute("SELECT secret FROM accounts_totpdevice")
            [(after,)] = cursor.fetchall()
        assert after != before
        assert TotpDevice.objects.get().secret == secret


def is_asked_for_a_code(name: str) -> bool:
    return password_step(Client(), name)["Location"] == "/login/code/"


class TestSigningIn:
    """Name and password, then the code on a page of its own."""

    @pytest.fixture
    def vera(self, clock) -> User:
        return make_user(username="vera")

    @pytest.fixture
    def secret(self, vera) -> str:
        self.codes: list[str]
        secret, self.codes = with_factor(vera)
        return secret

    def test_the_password_alone_opens_nothing(self, client, secret):
        first = client.session.session_key
        answer = password_step(client, "vera", "/preferences/?a=1")
        assert answer["Location"] == "/login/code/"
        assert not is_signed_in(client)
        half = client.session.session_key
        assert half != first
        assert client.get("/preferences/")["Location"].startswith("/login/?next=")
        assert client.get("/second-factor/")["Location"].startswith("/login/?next=")
        assert client.get("/api/v1/users/").status_code == 401
        assert client.get("/events/stream/").status_code == 401
        assert not AuditEntry.objects.filter(action="session.sign_in").exists()
        answer = code_step(client, code_at(secret, timezone.now()))
        assert (answer.status_code, answer["Location"]) == (302, "/preferences/?a=1")
        assert is_signed_in(client)
        assert client.session.session_key != half
        entry = AuditEntry.objects.get(action="session.sign_in")
        assert (entry.actor_name, entry.outcome) == ("vera", "success")
        assert "half_signed_in" not in client.session

    @pytest.mark.parametrize(("seconds", "is_taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
    def test_the_clock_of_the_telephone_may_be_wrong_by_one_step(self, client, secret, seconds, is_taken):
        password_step(client, "vera")
        code_step(client, code_at(secret, timezone.now() + timedelta(seconds=seconds)))
        assert is_signed_in(client) is is_taken

    def test_a_code_is_taken_once_and_so_are_earlier_ones(self, client, secret, clock):
        now = timezone.now()
        password_step(client, "vera")
        code_step(client, code_at(secret, now))
        assert is_signed_in(client)
        for moment in (now, now - timedelta(seconds=30)):
            other = Client()
            password_step(other, "vera")
            answer = code_step(other, code_at(secret, moment))
            assert answer.status_code == 400
            assert "was used already" in answer.content.decode()
            assert not is_signed_in(other)
        clock.shift(timedelta(seconds=30))
        other = Client()
        password_step(other, "vera")
        code_step(other, code_at(secret, timezone.now()))
        assert is_signed_in(other)

    def test_a_recovery_code_is_taken_once_in_any_writing(self, client, secret):
        password_step(client, "vera")
        code_step(client, f" {self.codes[3].upper()} ")
        assert is_signed_in(client)
        other = Client()
        password_step(other, "vera")
        assert code_step(other, self.codes[3]).status_code == 400
        assert not is_signed_in(other)
        code_step(other, self.codes[4].replace("-", ""))
        assert is_signed_in(other)
        assert other.get(PAGE).context["left"] == 8
        assert RecoveryCode.objects.exclude(used_at=None).count() == 2

    def test_full_width_digits_and_spaces_are_digits(self, client, secret):
        code = code_at(secret, timezone.now())
        wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
        password_step(client, "vera")
        code_step(client, f"{wide[:3]} {wide[3:]}")
        assert is_signed_in(client)

    @pytest.mark.parametrize(
        "code", ["", "12345", "1234567", "abcdef", "-12345", "1e5", "٣٤٥٦٧٨", "x" * 41, "1\x0023456"]
    )
    def test_what_is_no_code_is_refused_and_not_written_back(self, client, secret, code):
        password_step(client, "vera")
        answer = code_step(client, code)
        assert answer.status_code == 400
        assert not is_signed_in(client)
        if len(code) > 1:
            assert f'value="{code}"' not in answer.content.decode()

    def test_wrong_codes_lock_the_account_as_wrong_passwords_do(self, client, secret, clock):
        password_step(client, "vera")
        for _ in range(5):
            code_step(client, "000000")
        assert LockOut.objects.get(name="vera").is_locked
        right = code_at(secret, timezone.now())
        answer = code_step(client, right)
        assert answer.status_code == 400
        assert not is_signed_in(client)
        told = [answer.context["form"].non_field_errors() for _ in range(1)]
        clock.shift(timedelta(seconds=61))
        assert code_step(client, "000000").context["form"].non_field_errors() == told[0]
        clock.shift(timedelta(seconds=121))
        code_step(client, code_at(secret, timezone.now()))
        assert is_signed_in(client)
        assert not LockOut.objects.exists()
        refused = AuditEntry.objects.filter(action="session.sign_in", outcome="refused")
        assert [entry.after for entry in refused.order_by("pk")] == [
            *[None] * 5,
            {"locked": "account", "attempts": 1},
            None,
        ]

    def test_the_right_password_gives_no_further_attempts_at_codes(self, client, secret):
        for _ in range(4):
            password_step(client, "vera")
            code_step(client, "000000")
        password_step(client, "vera")
        assert LockOut.objects.get(name="vera").failures == 4
        code_step(client, "000000")
        assert LockOut.objects.get(name="vera").is_locked

    def test_the_code_is_awaited_for_five_minutes(self, client, secret, clock):
        password_step(client, "vera")
        clock.shift(timedelta(minutes=4, seconds=59))
        assert client.get("/login/code/").status_code == 200
        clock.shift(timedelta(seconds=2))
        assert client.get("/login/code/")["Location"] == "/login/?late=1"
        assert "took too long" in client.get("/login/?late=1").content.decode()
        assert client.get("/login/code/")["Location"] == "/login/"

    def test_who_was_disabled_or_got_another_password_meanwhile_begins_again(self, client, secret, vera):
        for change in ({"is_active": False}, {"password": "another"}):
            User.objects.filter(pk=vera.pk).update(is_active=True)
            assert password_step(client, "vera").status_code == 302
            attempt = client.session["half_signed_in"]["name"]
            User.objects.filter(pk=vera.pk).update(**change)
            sent = {"code": code_at(secret, timezone.now()), "attempt": attempt}
            assert client.post("/login/code/", sent)["Location"] == "/login/?late=1"
            assert not is_signed_in(client)

    def test_two_tabs_do_not_mix_up_whose_code_is_awaited(self, client, secret):
        otto = make_user(username="otto")
        with_factor(otto)
        password_step(client, "vera")
        hers = client.session["half_signed_in"]["name"]
        password_step(client, "otto")  # in another tab
        sent = {"code": code_at(secret, timezone.now()), "attempt": hers}
        assert client.post("/login/code/", sent)["Location"] == "/login/?late=1"
        assert not LockOut.objects.exists()  # it was no wrong code of his
        assert client.get("/login/code/").context["person"] == otto

    def test_back_and_a_second_tab_lead_on_after_signing_in(self, secret):
        client = Client(enforce_csrf_checks=True)
        page = client.get("/login/").content.decode()
        [token] = re.findall(r'<form id="sign-in"[^>]*>\s*<input [^>]*name="csrfmiddlewaretoken" value="(\w+)"', page)
        sent = {"username": "vera", "password": PASSWORD, "csrfmiddlewaretoken": token, "next": "/preferences/"}
        assert client.post("/login/", sent)["Location"] == "/login/code/"
        page = client.get("/login/code/").content.decode()
        [attempt] = re.findall(r'name="attempt" value="([^"]*)"', page)
        coded = {"code": code_at(secret, timezone.now()), "attempt": attempt, "csrfmiddlewaretoken": token}
        assert client.post("/login/code/", coded)["Location"] == "/preferences/"
        assert client.get("/login/code/")["Location"] == "/"  # back
        assert client.post("/login/", sent)["Location"] == "/preferences/"  # the tab that still shows the old form
        assert client.post("/login/code/", coded)["Location"] == "/"
        assert client.get("/preferences/").status_code == 200

    def test_who_must_change_the_password_gives_the_code_first(self, client, secret, vera):
        User.objects.filter(pk=vera.pk).update(must_change_password=True)
        assert password_step(client, "vera")["Location"] == "/login/code/"
        answer = code_step(client, code_at(secret, timezone.now()))
        assert answer["Location"] == "/password/?next=%2Fpreferences%2F"

    def test_the_code_page_without_a_password_leads_to_sign_in(self, client):
        assert client.get("/login/code/")["Location"] == "/login/"
        assert client.post("/login/code/", {"code": "123456", "attempt": "x"})["Location"] == "/login/?late=1"


class TestTurningOff:
    """Password and code are asked for again; an administrator helps who lost his telephone."""

    @pytest.fixture
    def vera(self, clock) -> User:
        return make_user(username="vera")

    @pytest.fixture
    def hers(self, vera) -> Client:
        self.secret, self.codes = with_factor(vera)
        client = Client()
        password_step(client, "vera")
        code_step(client, self.codes[0])
        return client

    def prove(self, client: Client, what: str, **change: str):
        code = code_at(self.secret, timezone.now())
        return client.post(PAGE, {"what": what, "password": PASSWORD, "code": code, **change})

    @pytest.mark.parametrize("change", [{"password": "wrong"}, {"code": "000000"}, {"password": ""}, {"code": ""}])
    def test_one_of_both_is_not_enough(self, hers, change):
        for what in ("off", "codes"):
            answer = self.prove(hers, what, **change)
            assert answer.status_code == 400
            assert answer.context["codes"] == ""
        assert TotpDevice.objects.get().confirmed
        assert not AuditEntry.objects.filter(action__in=["second_factor.off", "second_factor.codes"], outcome="success")

    def test_with_both_it_is_off_and_the_password_suffices(self, hers):
        assert self.prove(hers, "off").status_code == 302
        assert not TotpDevice.objects.exists()
        assert not RecoveryCode.objects.exists()
        assert hers.get("/preferences/").status_code == 200
        assert not is_asked_for_a_code("vera")
        assert AuditEntry.objects.get(action="second_factor.off", outcome="success").actor_name == "vera"

    def test_new_recovery_codes_replace_the_old_ones(self, hers):
        codes = self.prove(hers, "codes").context["codes"].split("\n")
        assert len(codes) == 10
        assert hers.get(PAGE).context["left"] == 10
        other = Client()
        password_step(other, "vera")
        assert code_step(other, self.codes[5]).status_code == 400
        assert code_step(other, codes[5]).status_code == 302

    def test_guessing_the_password_here_counts_too(self, hers):
        for _ in range(5):
            self.prove(hers, "off", password="wrong")
        assert self.prove(hers, "off").status_code == 400
        assert LockOut.objects.get(kind="account").is_locked

    def test_an_administrator_resets_that_of_others_and_not_his_own(self, hers, vera, client):
        anna = make_user("administrator", username="anna")
        with_factor(anna)
        client.force_login(anna)
        assert "Reset the second factor" in client.get(f"/access/users/{vera.pk}/").content.decode()
        client.post(f"/access/users/{vera.pk}/second-factor/reset/")
        client.post(f"/access/users/{anna.pk}/second-factor/reset/")
        assert list(TotpDevice.objects.values_list("user__username", flat=True)) == ["anna"]
        assert client.delete(f"/api/v1/users/{anna.pk}/second-factor/").status_code == 400
        entry = AuditEntry.objects.get(action="second_factor.reset")
        assert (entry.actor_name, entry.object_name) == ("anna", "vera")
        assert hers.get("/preferences/").status_code == 302
        assert not is_asked_for_a_code("vera")

    def test_the_command_line_resets_any(self, hers, vera, capsys):
        call_command("user", "reset-second-factor", "vera")
        assert "vera signs in by the password alone" in capsys.readouterr().out
        entry = AuditEntry.objects.get(action="second_factor.reset")
        assert (entry.actor_kind, entry.object_name) == ("command", "vera")
        assert hers.get("/preferences/").status_code == 302
        assert not is_asked_for_a_code("vera")
        with pytest.raises(CommandError, match="vera has no second factor") as refused:
            call_command("user", "reset-second-factor", "vera")
        assert refused.value.returncode == 1

    def test_the_api_shows_and_resets(self, hers, vera, client):
        client.force_login(make_user("administrator", username="anna"))
        assert client.get(f"/api/v1/users/{vera.pk}/").json()["second_factor"] is True
        assert client.delete(f"/api/v1/users/{vera.pk}/second-factor/").status_code == 204
        assert client.get(f"/api/v1/users/{vera.pk}/").json()["second_factor"] is False

    @pytest.mark.parametrize("role", ["viewer", "operator", None])
    def test_nobody_else_resets(self, hers, vera, client, role):
        client.force_login(make_user(role))
        assert client.post(f"/access/users/{vera.pk}/second-factor/reset/").status_code == 403
        assert client.delete(f"/api/v1/users/{vera.pk}/second-factor/").status_code == 403
        assert TotpDevice.objects.filter(user=vera).exists()


class TestRolesThatNeedOne:
    """Whoever holds such a role sets the second factor up before anything else."""

    @pytest.fixture
    def needed(self) -> Role:
        anna = make_user("administrator", username="anna")
        client = Client()
        client.force_login(anna)
        role = Role.objects.get(name="operator")
        page = f"/access/roles/{role.pk}/second-factor/"
        assert "0 users" in client.get(page).content.decode()
        assert client.post(page, {"needs_second_factor": "on"})["Location"] == "/access/roles/"
        entry = AuditEntry.objects.get(action="role.second_factor")
        assert (entry.object_name, entry.before, entry.after) == (
            "operator",
            {"needs_second_factor": False},
            {"needs_second_factor": True},
        )
        role.refresh_from_db()
        return role

    def test_he_is_led_to_set_it_up_and_nothing_else_opens(self, client, needed, clock):
        make_user("operator", username="otto")
        password_step(client, "otto", "/preferences/?a=1")
        assert client.get("/preferences/?a=1")["Location"] == "/second-factor/?next=%2Fpreferences%2F%3Fa%3D1"
        refused = client.get("/api/v1/jobs/")
        assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
        assert "/second-factor/" in refused.json()["detail"]
        assert client.get("/events/stream/").status_code == 403
        part = client.get(
            "/components/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/components/"}
        )
        assert part["HX-Redirect"] == "/second-factor/?next=%2Fcomponents%2F"
        page = client.get("/second-factor/?next=%2Fpreferences%2F")
        assert "Set it up before you go on" in page.content.decode()
        client.post(PAGE, {"what": "begin"})
        secret = client.get(PAGE).context["secret"]
        done = client.post(
            f"{PAGE}?next=%2Fpreferences%2F", {"what": "confirm", "first-code": code_at(secret, timezone.now())}
        )
        assert 'href="/preferences/"' in done.content.decode()
        assert client.get("/preferences/").status_code == 200
        clock.shift(timedelta(seconds=30))
        off = {"what": "off", "password": PASSWORD, "code": code_at(secret, timezone.now())}
        assert client.post(PAGE, off).context["proof"].non_field_errors() == [
            "One of your roles needs a second factor."
        ]
        assert TotpDevice.objects.get().confirmed

    def test_it_concerns_who_is_signed_in_already_and_every_grant(self, client, needed):
        otto = make_user("viewer", username="otto")
        client.force_login(otto)
        assert client.get("/preferences/").status_code == 200
        Grant.objects.create(user=otto, role=needed, group=root_group())
        assert client.get("/preferences/")["Location"].startswith(PAGE)
        Grant.objects.filter(role=needed).delete()
        assert client.get("/preferences/").status_code == 200
        team = Team.objects.create(name="Night shift")
        team.members.add(otto)
        Grant.objects.create(team=team, role=needed, group=root_group())
        assert client.get("/preferences/")["Location"].startswith(PAGE)
        assert lacking(needed) == 1

    def test_a_browser_that_signed_in_with_one_that_is_off_by_now_is_free_of_nothing(self, client, clock):
        otto = make_user("viewer", username="otto")
        secret, _codes = with_factor(otto)
        password_step(client, "otto")
        code_step(client, code_at(secret, timezone.now()))
        assert client.get("/preferences/").status_code == 200
        second_factor.turn_off(otto, acting(otto))  # in another browser
        Role.objects.filter(name="viewer").update(needs_second_factor=True)
        assert client.get("/preferences/")["Location"].startswith(PAGE)

    def test_the_password_is_changed_first(self, client, needed):
        make_user("operator", username="otto", must_change_password=True)
        assert password_step(client, "otto")["Location"].startswith("/password/")
        assert client.get(PAGE)["Location"].startswith("/password/")
        new = "another long secret"
        client.post("/password/", {"old_password": PASSWORD, "password": new, "again": new})
        assert client.get("/preferences/")["Location"].startswith(PAGE)

    def test_tokens_made_before_wait_for_it(self, client, needed):
        otto = make_user("viewer", username="otto")
        body = {"username": "otto", "password": PASSWORD, "name": "n"}
        token = client.post("/api/v1/tokens/", body, content_type="application/json").json()["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert Client().get("/api/v1/jobs/", headers=bearer).status_code == 200
        Grant.objects.create(user=otto, role=needed, group=root_group())
        assert Client().get("/api/v1/jobs/", headers=bearer).status_code == 403
        assert client.post("/api/v1/tokens/", body, content_type="application/json").status_code == 403
        with_factor(otto)
        assert Client().get("/api/v1/jobs/", headers=bearer).status_code == 200

    def test_the_api_sets_it_also_for_roles_that_come_with_the_portal(self, client):
        client.force_login(make_user("administrator", username="anna"))
        role = Role.objects.get(name="viewer")
        path = f"/api/v1/roles/{role.pk}/"
        answer = client.patch(path, {"needs_second_factor": True}, content_type="application/json")
        assert (answer.status_code, answer.json()["needs_second_factor"]) == (200, True)
        assert client.patch(path, {"name": "eyes"}, content_type="application/json").status_code == 400
        made = {"name": "night", "permissions": ["view"], "needs_second_factor": True}
        assert client.post("/api/v1/roles/", made, content_type="application/json").json()["needs_second_factor"]
        assert client.get("/api/v1/roles/?needs_second_factor=true").json()["count"] == 2

    def test_only_who_manages_access_says_so(self, client):
        client.force_login(make_user("operator"))
        page = f"/access/roles/{Role.objects.get(name='viewer').pk}/second-factor/"
        assert client.get(page).status_code == client.post(page, {"needs_second_factor": "on"}).status_code == 403
        assert not Role.objects.filter(needs_second_factor=True).exists()


class TestTokens:
    """A token is given for password and code."""

    def test_the_code_is_asked_for_and_taken_once(self, client, clock):
        vera = make_user(username="vera")
        secret, codes = with_factor(vera)
        body = {"username": "vera", "password": PASSWORD, "name": "script"}

        def ask(**more: str):
            return client.post("/api/v1/tokens/", {**body, **more}, content_type="application/json")

        missing = ask()
        assert (missing.status_code, missing.json()["detail"]) == (
            401,
            "This user has a second factor: send its code as otp.",
        )
        assert ask(otp="000000").status_code == 401
        code = code_at(secret, timezone.now())
        assert ask(otp=code, password="wrong").status_code == 401
        assert ask(otp=code).status_code == 201
        assert ask(otp=code).status_code == 401
        assert ask(otp=codes[0]).status_code == 201
        assert ask(otp=codes[0]).status_code == 401
        assert vera.api_tokens.count() == 2

    def test_wrong_codes_lock(self, client, clock):
        secret, _codes = with_factor(make_user(username="vera"))
        body = {"username": "vera", "password": PASSWORD, "name": "script"}
        for _ in range(5):
            client.post("/api/v1/tokens/", {**body, "otp": "000000"}, content_type="application/json")
        right = {**body, "otp": code_at(secret, timezone.now())}
        assert client.post("/api/v1/tokens/", right, content_type="application/json").status_code == 401
        assert LockOut.objects.get(name="vera").is_locked
