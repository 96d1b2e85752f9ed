"""Where somebody is signed in: seen, ended by hand, ended by itself; and what a page is told about its end."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.backends.base import UpdateError
from django.test import Client
from django.utils import timezone

from apps.access.services import tokens
from apps.accounts import browsers
from apps.accounts.models import Session, User
from apps.accounts.services import passwords, sessions, users
from apps.core import options
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry
from apps.monitoring.services import presence
from tests.factories import PASSWORD, make_group, make_user
from tests.statements import statements_of

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Edg/140.0"
JSON = "application/json"


def signed_in(name: str, agent: str = FIREFOX) -> Client:
    client = Client(headers={"user-agent": agent})
    client.post("/login/", {"username": name, "password": PASSWORD})
    assert client.get("/preferences/").status_code == 200
    return client


def is_in(client: Client) -> bool:
    return client.get("/preferences/").status_code == 200


@pytest.fixture
def anna() -> User:
    return make_user("administrator", username="anna", is_staff=True)


@pytest.fixture
def ben() -> User:
    return make_user("viewer", username="ben", is_staff=True)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (EDGE, "Edge on Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/140.0 Mobile",
            "Chrome on iOS",
        ),
        ("curl/8.5.0", "curl"),
        ("", "Unknown browser"),
        ("<script>alert(1)</script>", "Unknown browser"),
    ],
)
def test_browsers_are_called_by_plain_words(agent, words):
    assert browsers.in_words(agent) == words


def test_a_session_is_a_row_of_its_user_and_its_key_is_shown_nowhere(anna):
    client = signed_in("anna")
    row = Session.objects.get(user=anna)
    assert (row.address, row.browser, row.active_at is not None) == ("127.0.0.1", "Firefox on Linux", True)
    pages = client.get("/preferences/").content + client.get(f"/access/users/{anna.pk}/").content
    pages += client.get("/api/v1/sessions/").content
    assert row.session_key.encode() not in pages


def test_the_list_says_when_where_and_which_one_this_is(anna):
    here, there = signed_in("anna"), signed_in("anna", EDGE)
    page = here.get("/preferences/").content.decode()
    assert page.index("Firefox on Linux") < page.index("this one")
    assert "Edge on Windows" in page
    assert "127.0.0.1" in page
    rows = {row["browser"]: row for row in there.get("/api/v1/sessions/").json()["results"]}
    assert {name: row["this_one"] for name, row in rows.items()} == {"Firefox on Linux": False, "Edge on Windows": True}
    assert {row["username"] for row in rows.values()} == {"anna"}


def test_each_session_is_signed_out_by_hand_and_stays_out(anna):
    here, there = signed_in("anna"), signed_in("anna", EDGE)
    other = Session.objects.get(agent=EDGE)
    answer = here.post(f"/sessions/{other.pk}/end/", {"next": "/preferences/"})
    assert (answer.status_code, answer["Location"]) == (302, "/preferences/")
    assert is_in(here)
    assert not is_in(there)
    entry = AuditEntry.objects.get(action="session.end")
    assert (entry.actor_name, entry.object_name, entry.before["browser"]) == ("anna", "anna", EDGE)


def test_all_others_are_signed_out_at_once(anna, ben):
    here, there, elsewhere, his = (signed_in(name) for name in ("anna", "anna", "anna", "ben"))
    here.post("/sessions/end-others/", {"next": "/preferences/"})
    assert [is_in(client) for client in (here, there, elsewhere, his)] == [True, False, False, True]
    assert AuditEntry.objects.get(action="session.end_all").after == {"sessions": 2}


def test_nobody_ends_the_session_of_somebody_else(anna, ben):
    hers, his = signed_in("anna"), signed_in("ben")
    row = Session.objects.get(user=anna)
    assert his.post(f"/sessions/{row.pk}/end/").status_code == 404
    assert his.post(f"/sessions/end-all/{anna.pk}/").status_code == 403
    assert his.get(f"/api/v1/sessions/{row.pk}/").status_code == 404
    assert his.delete(f"/api/v1/sessions/{row.pk}/").status_code == 404
    assert his.get(f"/api/v1/sessions/?user={anna.pk}").json()["count"] == 0
    assert is_in(hers)
    assert not AuditEntry.objects.filter(action__startswith="session.end").exists()


def test_who_manages_access_sees_and_ends_those_of_a_user(anna, ben):
    hers, his, his_too = signed_in("anna"), signed_in("ben"), signed_in("ben", EDGE)
    assert "Edge on Windows" in hers.get(f"/access/users/{ben.pk}/").content.decode()
    assert hers.get("/api/v1/sessions/").json()["count"] == 1
    assert hers.get(f"/api/v1/sessions/?user={ben.pk}").json()["count"] == 2
    row = Session.objects.get(agent=EDGE)
    assert hers.delete(f"/api/v1/sessions/{row.pk}/").status_code == 204
    assert (is_in(his), is_in(his_too)) == (True, False)
    hers.post(f"/sessions/end-all/{ben.pk}/")
    assert (is_in(his), is_in(hers)) == (False, True)


def test_classic_mode_lists_and_ends_them(anna, ben, settings):
    hers, his = signed_in("anna"), signed_in("ben")
    row = Session.objects.get(user=ben)
    settings.ROOT_URLCONF = "esm.classic_urls"
    page = hers.get("/accounts/session/").content.decode()
    assert "Firefox on Linux" in page
    assert row.session_key not in page + hers.get(f"/accounts/session/{row.pk}/change/").content.decode()
    assert his.get("/accounts/session/").status_code == 403
    assert his.post(f"/accounts/session/{row.pk}/delete/", {"post": "yes"}).status_code == 404
    hers.post(f"/accounts/session/{row.pk}/delete/", {"post": "yes"})
    assert not Session.objects.filter(pk=row.pk).exists()
    assert AuditEntry.objects.filter(action="session.end", object_name="ben").count() == 1


def test_by_a_token_all_sessions_of_ones_own_are_ended(anna):
    client = signed_in("anna")
    token = tokens.create(anna, "script", SYSTEM).secret
    answer = Client().post("/api/v1/sessions/end-others/", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 204
    assert not is_in(client)


def test_a_limited_token_neither_shows_nor_ends_them(anna):
    client = signed_in("anna")
    limits = tokens.Limits(permissions=["view"], groups=[make_group("Tokyo").pk])
    secret = tokens.create(anna, "script", SYSTEM, limits=limits).secret
    script = Client(headers={"authorization": f"Bearer {secret}"})
    assert script.get("/api/v1/sessions/").json()["count"] == 0
    assert script.delete(f"/api/v1/sessions/{Session.objects.get(user=anna).pk}/").status_code == 404
    assert script.post("/api/v1/sessions/end-others/").status_code == 403
    assert is_in(client)


def test_a_disabled_user_is_out_at_once_everywhere(anna, ben):
    his = signed_in("ben")
    token = {"authorization": f"Bearer {tokens.create(ben, 'script', SYSTEM).secret}"}
    assert Client().get("/api/v1/components/", headers=token).status_code == 200
    users.change(ben, {"is_active": False}, SYSTEM)
    assert not is_in(his)
    assert Client().get("/api/v1/components/", headers=token).status_code == 401
    assert not Session.objects.filter(user=ben).exists()
    users.change(ben, {"is_active": True}, SYSTEM)
    assert not is_in(his)


def test_a_password_that_somebody_else_sets_ends_all_and_ones_own_all_others(anna, ben):
    his, his_too = signed_in("ben"), signed_in("ben")
    his.post(
        "/password/", {"old_password": PASSWORD, "password": "another long secret", "again": "another long secret"}
    )
    assert (is_in(his), is_in(his_too)) == (True, False)
    passwords.set_password(User.objects.get(pk=ben.pk), "a third long secret", SYSTEM)
    assert not is_in(his)


def test_a_session_that_was_ended_does_not_come_back_with_the_next_save(anna):
    client = signed_in("anna")
    store = client.session
    store["something"] = 1
    Session.objects.all().delete()
    with pytest.raises(UpdateError):
        store.save()
    assert not Session.objects.exists()


def test_ending_the_sessions_of_one_user_does_not_read_those_of_others(anna, ben):
    signed_in("anna")
    few = statements_of(lambda: sessions.end_all(ben, SYSTEM))
    for number in range(10):
        make_user(username=f"other{number}")
        signed_in(f"other{number}")
    assert statements_of(lambda: sessions.end_all(ben, SYSTEM)) == few


class TestTheEnd:
    """Nothing done, or too long ago."""

    def test_twelve_hours_after_the_sign_in_it_is_over_however_busy_somebody_was(self, anna):
        start = timezone.now()
        with time_machine.travel(start, tick=False) as clock:
            client = signed_in("anna")
            for minutes in range(25, 12 * 60, 25):
                clock.move_to(start + timedelta(minutes=minutes))
                assert client.get("/session/").status_code == 200
            clock.move_to(start + timedelta(hours=12))
            assert client.get("/preferences/")["Location"] == "/login/?ended=old&next=/preferences/"
        assert AuditEntry.objects.get(action="session.old").actor_name == "anna"

    def test_the_option_decides_also_for_sessions_that_run(self, anna):
        client = signed_in("anna")
        options.set_value("auto_logout", 300, SYSTEM)
        with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
            assert is_in(client)
            options.set_value("session_hours", 1, SYSTEM)
            assert not is_in(client)

    @pytest.mark.parametrize("value", [0, 721])
    def test_its_range_is_1_to_720_hours(self, value):
        with pytest.raises(Exception, match="from 1 to 720"):
            options.set_value("session_hours", value, SYSTEM)

    def test_a_page_asks_how_long_it_goes_on_without_making_it_longer(self, anna):
        start = timezone.now()
        with time_machine.travel(start, tick=False) as clock:
            client = signed_in("anna")
            for minutes, left in ((0, 1800), (10, 1200), (28, 120)):
                clock.move_to(start + timedelta(minutes=minutes))
                answer = client.get("/session/", headers={"x-automatic": "1"})
                told = {"user": anna.pk, "seconds": left, "warn_before": 120, "idle_after": 1800, "extendable": True}
                assert answer.json() == told
            clock.move_to(start + timedelta(minutes=29))
            client.get("/session/")  # he pressed "Stay signed in"
            assert client.get("/session/", headers={"x-automatic": "1"}).json()["seconds"] == 1800
            clock.move_to(start + timedelta(minutes=59))
            answer = client.get("/session/", headers={"x-automatic": "1"})
            assert (answer.status_code, answer.json()) == (401, {"ended": "idle"})
            assert client.get("/session/").status_code == 401

    def test_the_warning_comes_at_half_time_where_two_minutes_would_be_too_early(self, anna):
        options.set_value("auto_logout", 1, SYSTEM)
        with time_machine.travel(timezone.now(), tick=False):
            told = signed_in("anna").get("/session/").json()
        assert (told["seconds"], told["warn_before"]) == (60, 30)

    def test_near_the_longest_time_staying_is_not_offered(self, anna):
        start = timezone.now()
        options.set_value("auto_logout", 1440, SYSTEM)
        client = signed_in("anna")
        with time_machine.travel(start + timedelta(hours=11, minutes=59), tick=False):
            told = client.get("/session/").json()
            assert (told["extendable"], told["seconds"] <= 61) == (False, True)

    def test_who_has_to_change_the_password_is_warned_too(self, anna):
        User.objects.update(must_change_password=True)
        client = Client()
        client.post("/login/", {"username": "anna", "password": PASSWORD})
        assert client.get("/session/").status_code == 200
        assert 'id="idle"' in client.get("/password/").content.decode()

    @pytest.mark.parametrize("urlconf", ["esm.urls", "esm.classic_urls"])
    def test_every_page_of_both_modes_brings_the_dialog(self, anna, settings, urlconf):
        client = signed_in("anna")
        settings.ROOT_URLCONF = urlconf
        page = client.get("/").content.decode()
        assert f'data-user="{anna.pk}"' in page
        assert 'role="alertdialog"' in page
        assert "idle.js" in page
        assert "drafts.js" in page
        assert 'id="idle"' not in Client().get("/login/").content.decode()

    def test_a_form_that_was_sent_too_late_leads_back_to_its_page(self, anna):
        client = signed_in("anna")
        with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=False):
            answer = client.post(
                "/groups/add/", {"name": "x"}, headers={"referer": "http://testserver/groups/add/?a=1"}
            )
            assert answer["Location"] == "/login/?ended=idle&next=/groups/add/%3Fa%3D1"
            answer = client.post("/groups/add/", {"name": "x"}, headers={"referer": "https://evil.example/groups/"})
            assert answer["Location"] == "/login/?next=/"

    def test_signing_out_by_hand_leaves_a_word_that_the_next_sign_in_takes_away(self, anna):
        client = signed_in("anna")
        client.post("/logout/")
        [word] = [name for name in client.cookies if name.startswith("esm_left_")]
        assert client.cookies[word].value == "1"
        assert 'data-left="yes"' in client.get("/login/").content.decode()
        client.post("/login/", {"username": "anna", "password": PASSWORD})
        assert client.cookies[word].value == ""

    def test_rows_of_sessions_that_have_ended_are_removed_and_no_others(self, anna, ben):
        start = timezone.now()
        with time_machine.travel(start - timedelta(days=3), tick=False):
            signed_in("ben")
        client = signed_in("anna")
        Client().get("/login/")
        assert sessions.remove_ended() == 1
        assert list(Session.objects.values_list("user__username", flat=True)) == ["anna"]
        assert is_in(client)


def test_somebody_is_present_while_a_session_is_not_idle(anna):
    presence.forget()
    assert not presence.anybody_signed_in()
    presence.forget()
    signed_in("anna")
    assert presence.anybody_signed_in()
    presence.forget()
    with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=False):
        assert not presence.anybody_signed_in()
    presence.forget()
