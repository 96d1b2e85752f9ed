"""The password policy as options, former passwords, ages (LGN-04, LGN-05, INS-12)."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from apps.accounts import password_policy
from apps.accounts.models import FormerPassword, User
from apps.accounts.services import default_secrets, passwords, users
from apps.core import cautions, options
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry
from tests.factories import PASSWORD, make_credential, make_user

pytestmark = pytest.mark.django_db
SHORT = "This password is too short: it needs at least %s characters."
KNOWN = "This is a known password: it is among the first that are tried."
ALIKE = "This password is too much like the name or the mail address."


def faults(password: str, **about: str) -> list[str]:
    user = User(**{"username": "tester", **about})
    try:
        password_policy.check(password, user)
    except ValidationError as error:
        return list(error.messages)
    return []


class TestPolicy:
    """What is taken and what is refused."""

    @pytest.mark.parametrize(
        ("password", "taken"), [("q7!Wz-4kPx2", False), ("q7!Wz-4kPx2e", True), ("ひらがなのながいことばです", True)]
    )
    def test_twelve_characters_of_any_kind_are_asked_for(self, password, taken):
        assert faults(password) == ([] if taken else [SHORT % 12])

    @pytest.mark.parametrize(
        ("password", "taken"),
        [("Qw7zk", False), ("Qw7zk4", True), ("Qw7zk4Hp2Lm9Xv3B", True), ("Qw7zk4Hp2Lm9Xv3Bn", False)],
    )
    def test_the_lengths_of_the_guide_may_be_set(self, password, taken):
        options.set_value("password_min_length", 6, SYSTEM)
        options.set_value("password_max_length", 16, SYSTEM)
        assert (faults(password) == []) is taken

    def test_shortest_and_longest_do_not_cross(self):
        options.set_value("password_max_length", 16, SYSTEM)
        with pytest.raises(ValidationError, match="The longest password is 16 characters long"):
            options.set_value("password_min_length", 17, SYSTEM)
        options.set_value("password_max_length", 64, SYSTEM)
        options.set_value("password_min_length", 20, SYSTEM)
        with pytest.raises(ValidationError, match="The shortest password is 20 characters long"):
            options.set_value("password_max_length", 16, SYSTEM)

    @pytest.mark.parametrize("value", [5, 65])
    def test_the_range_of_the_shortest_is_6_to_64(self, value):
        with pytest.raises(ValidationError, match="from 6 to 64"):
            options.set_value("password_min_length", value, SYSTEM)

    @pytest.mark.parametrize(
        "password",
        [
            "esmpro",
            "Administrator",
            "changeit",
            "qwertyuiop",
            "iloveyou",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "passwordpassword",
        ],
    )
    def test_known_ones_are_refused_whatever_the_options_say(self, password):
        options.set_value("password_min_length", 6, SYSTEM)
        assert KNOWN in faults(password)

    @pytest.mark.parametrize(
        "password", ["yamadataro2026", "xx-YamadaTaro-xx", "t.yamada-secret", "the-weather-of-May"]
    )
    def test_names_and_mail_addresses_are_refused(self, password):
        found = faults(password, username="yamadataro", email="t.yamada@example.com")
        assert (found == [ALIKE]) is (password != "the-weather-of-May")

    def test_a_megabyte_is_refused_at_once(self):
        assert faults("x" * 1_000_000) == ["This password is too long: it has at most 256 characters."]

    def test_the_sentence_of_the_forms_comes_from_the_options(self, client):
        assert password_policy.in_words() == (
            "12 to 256 characters of any kind; not a known password, not like the name. None of the 3 before."
        )
        options.set_value("password_min_length", 15, SYSTEM)
        options.set_value("password_history", 0, SYSTEM)
        client.force_login(make_user("administrator"))
        sentence = "15 to 256 characters of any kind; not a known password, not like the name."
        for page in ("/password/", "/access/users/new/"):
            assert sentence in client.get(page).content.decode()


class TestWarning:
    """A value that is allowed and unwise is named where it is set and where the portal is described."""

    def test_on_the_command_line_and_in_the_api(self, client, capsys):
        call_command("option", "set", "password_min_length", "6")
        said = capsys.readouterr()
        assert said.out == "password_min_length = 6\n"
        assert said.err == "Warning: Passwords of fewer than 12 characters are guessed quickly.\n"
        client.force_login(make_user("administrator"))
        shown = client.get("/api/v1/options/password_min_length/").json()
        assert shown["warning"] == "Passwords of fewer than 12 characters are guessed quickly."
        assert client.get("/api/v1/options/auto_logout/").json()["warning"] == ""

    def test_on_the_first_page_and_on_the_page_about_the_portal(self, client):
        client.force_login(make_user("administrator"))
        assert "to be mended" not in client.get("/").content.decode()
        options.set_value("password_min_length", 8, SYSTEM)
        cautions.forget()
        assert "1 thing is to be mended: a default secret" in client.get("/").content.decode()
        about = client.get("/about/").content.decode()
        assert "Shortest password: Passwords of fewer than 12 characters are guessed quickly." in about
        viewer = Client()
        viewer.force_login(make_user("viewer"))
        assert "unwise option" not in viewer.get("/").content.decode() + viewer.get("/about/").content.decode()

    def test_in_classic_mode(self, client, settings):
        settings.ROOT_URLCONF = "esm.classic_urls"
        client.force_login(make_user("administrator", is_staff=True))
        client.post("/core/optionvalue/password_min_length/change/", {"value": "6"})
        for page in ("/core/optionvalue/", "/core/optionvalue/password_min_length/change/"):
            assert "Passwords of fewer than 12 characters are guessed quickly." in client.get(page).content.decode()


class TestDefaults:
    """Secrets that came with a product (LGN-05)."""

    def test_a_user_with_the_password_of_the_guide_is_named(self):
        make_user("administrator", username="Administrator", password="esmpro")
        make_user("administrator", username="admin", password=PASSWORD)
        assert [one.text for one in default_secrets.cautions()] == [
            "Administrator has a password that everybody knows."
        ]

    def test_a_community_that_every_maker_ships_is_named(self, client):
        make_credential(name="switches", community="public")
        make_credential(name="routers", community="k3ep-0ut")
        client.force_login(make_user("administrator"))
        about = client.get("/about/").content.decode()
        assert "The credential switches says what every maker ships." in about
        assert "routers" not in about

    def test_preflight_says_it(self):
        from apps.system import preflight

        make_credential(name="switches", community="public")
        [check] = preflight.things_to_mend()
        assert (check.outcome, check.found) == ("warn", "The credential switches says what every maker ships.")

    def test_nobody_gets_such_a_password(self):
        options.set_value("password_min_length", 6, SYSTEM)
        with pytest.raises(ValidationError, match="known password"):
            users.create("Administrator", "esmpro", SYSTEM)
        assert not User.objects.exists()


class TestFormer:
    """Passwords that somebody had before do not come back."""

    def test_the_last_three_are_refused_and_the_fourth_is_not(self):
        user = users.create("anna", "secret number one", SYSTEM)
        for word in ("two", "three", "four", "five"):
            passwords.set_password(user, f"secret number {word}", SYSTEM)
        for word in ("two", "three", "four", "five"):
            with pytest.raises(ValidationError, match="used before"):
                passwords.set_password(user, f"secret number {word}", SYSTEM)
        passwords.set_password(user, "secret number one", SYSTEM)
        assert user.check_password("secret number one")
        assert FormerPassword.objects.filter(user=user).count() == 3

    def test_without_the_option_any_may_come_back_and_none_is_kept(self):
        user = users.create("anna", "secret number one", SYSTEM)
        passwords.set_password(user, "secret number two", SYSTEM)
        options.set_value("password_history", 0, SYSTEM)
        passwords.set_password(user, "secret number one", SYSTEM)
        assert not FormerPassword.objects.exists()

    def test_no_password_and_no_hash_stands_in_the_audit(self):
        user = users.create("anna", "secret number one", SYSTEM)
        passwords.set_password(user, "secret number two", SYSTEM)
        written = str(list(AuditEntry.objects.values()))
        assert "secret number" not in written
        assert user.password not in written


class TestAge:
    """The reminder of an old password."""

    def test_who_signs_in_with_an_old_password_is_reminded(self, client):
        user = make_user("viewer", username="anna")
        start = timezone.now()
        with time_machine.travel(start + timedelta(days=179, hours=23), tick=False):
            page = client.post("/login/", {"username": "anna", "password": PASSWORD}, follow=True)
            assert "days old" not in page.content.decode()
        with time_machine.travel(start + timedelta(days=181), tick=False):
            page = client.post("/login/", {"username": "anna", "password": PASSWORD}, follow=True)
            assert "Your password is 181 days old. Choose another one under Preferences." in page.content.decode()
            shown = client.get("/preferences/").content.decode()
            assert "181 d ago" in shown
            assert "It is time to choose another one." in shown
            passwords.set_password(user, "another long secret", SYSTEM, must_change=False)
            page = client.post("/login/", {"username": "anna", "password": "another long secret"}, follow=True)
            assert "days old" not in page.content.decode()

    def test_nobody_is_reminded_when_the_option_says_so(self):
        options.set_value("password_reminder", 0, SYSTEM)
        user = make_user()
        with time_machine.travel(timezone.now() + timedelta(days=4000), tick=False):
            assert not passwords.is_due(user)

    def test_a_password_that_a_directory_keeps_is_not_ours_to_remind_of(self):
        user = make_user()
        user.set_unusable_password()
        with time_machine.travel(timezone.now() + timedelta(days=4000), tick=False):
            assert not passwords.is_due(user)
