"""Signing in and out, the forced change of the password, idle log-out and preferences."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from apps.accounts.middleware import PreferencesMiddleware
from apps.accounts.models import Session, User
from apps.accounts.services import sessions
from apps.core import options
from apps.core.actors import SYSTEM
from apps.core.models import AuditEntry
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
NEW = "another long secret"


@pytest.fixture
def signed_in(client: Client) -> Client:
    make_user("administrator", username="anna")
    client.post("/login/", {"username": "anna", "password": PASSWORD})
    return client


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_who_asks_for_a_page_signs_in_first_and_gets_there(client):
    make_user("viewer", username="vera")
    asked = client.get("/preferences/?a=1")
    assert (asked.status_code, asked["Location"]) == (302, "/login/?next=/preferences/%3Fa%3D1")
    answer = client.post("/login/", {"username": "vera", "password": PASSWORD, "next": "/preferences/?a=1"})
    assert (answer.status_code, answer["Location"]) == (302, "/preferences/?a=1")
    assert is_signed_in(client)
    entry = AuditEntry.objects.get(action="session.sign_in")
    assert (entry.actor_name, entry.outcome, entry.address) == ("vera", "success", "127.0.0.1")


def test_the_first_submit_button_signs_in(client):
    page = client.get("/login/").content.decode()
    first = page.index("<button")
    form = page.rindex("<form", 0, first)
    assert 'action="/login/"' in page[form:first]
    assert 'name="username"' in page[form:first]
    assert 'name="password"' in page[form:first]


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "http:evil"])
def test_nobody_is_led_to_another_host(client, target):
    make_user(username="vera")
    answer = client.post("/login/", {"username": "vera", "password": PASSWORD, "next": target})
    assert answer["Location"] == "/"


def test_a_wrong_password_is_refused_and_audited_without_it(client):
    make_user(username="vera")
    answer = client.post("/login/", {"username": "vera", "password": "wrong-secret-word"})
    assert answer.status_code == 400
    assert "The name or the password is wrong." in answer.content.decode()
    assert "wrong-secret-word" not in answer.content.decode()
    assert not is_signed_in(client)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.outcome, entry.object_name) == ("session.sign_in", "refused", "vera")
    assert "wrong-secret-word" not in str(entry.__dict__)


def test_a_disabled_user_does_not_get_in(client):
    make_user(username="gone", is_active=False)
    assert client.post("/login/", {"username": "gone", "password": PASSWORD}).status_code == 400
    assert not is_signed_in(client)


def test_the_address_of_the_guide_leads_to_the_sign_in_page(client):
    answer = client.get("/esmpro/Login/index")
    assert (answer.status_code, answer["Location"]) == (302, "/login/")


def test_signing_out_needs_a_post_and_ends_the_session(signed_in):
    assert signed_in.get("/logout/").status_code == 405
    assert is_signed_in(signed_in)
    assert signed_in.post("/logout/")["Location"] == "/login/"
    assert not is_signed_in(signed_in)
    assert AuditEntry.objects.filter(action="session.sign_out", actor_name="anna").count() == 1


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/components/?q=a"}
    answer = client.get("/preferences/", headers=headers)
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/login/?next=%2Fcomponents%2F%3Fq%3Da"


def test_a_new_user_must_choose_a_password_before_anything_else(client):
    make_user("administrator", username="neu", must_change_password=True)
    answer = client.post("/login/", {"username": "neu", "password": PASSWORD, "next": "/preferences/"})
    assert answer["Location"] == "/password/?next=%2Fpreferences%2F"
    assert client.get("/preferences/")["Location"] == "/password/?next=%2Fpreferences%2F"
    refused = client.get("/api/v1/users/")
    assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
    assert "/password/" in refused.json()["detail"]

    sent = {"old_password": PASSWORD, "password": NEW, "again": NEW, "next": "/preferences/"}
    for bad, field in [
        ({"old_password": "not it"}, "old_password"),
        ({"password": "short", "again": "short"}, "password"),
        ({"again": "different"}, "again"),
        ({"password": PASSWORD, "again": PASSWORD}, "password"),
    ]:
        answer = client.post("/password/", {**sent, **bad})
        assert answer.status_code == 400
        assert list(answer.context["form"].errors) == [field]
    page = client.get("/preferences/", follow=True).content.decode()
    [action] = re.findall(r'<form method="post" action="(/password/[^"]*)"', page)
    again = client.post(action, {**sent, "again": "different"})  # then he switches the language
    assert 'name="next" value="/password/?next=%2Fpreferences%2F"' in again.content.decode()
    assert User.objects.get(username="neu").must_change_password

    assert client.post("/password/", sent)["Location"] == "/preferences/"
    assert client.get("/preferences/").status_code == 200
    user = User.objects.get(username="neu")
    assert not user.must_change_password
    assert user.check_password(NEW)
    assert NEW not in str(list(AuditEntry.objects.values()))


def test_changing_the_password_ends_the_other_sessions(signed_in):
    other = Client()
    other.post("/login/", {"username": "anna", "password": PASSWORD})
    assert other.get("/preferences/").status_code == 200
    signed_in.post("/password/", {"old_password": PASSWORD, "password": NEW, "again": NEW})
    assert signed_in.get("/preferences/").status_code == 200
    assert other.get("/preferences/").status_code == 302


def test_thirty_idle_minutes_sign_out_and_working_does_not():
    client = Client()
    make_user("administrator", username="anna")
    start = timezone.now().replace(microsecond=0)
    with time_machine.travel(start, tick=False) as clock:
        client.post("/login/", {"username": "anna", "password": PASSWORD})
        clock.move_to(start + timedelta(minutes=29))
        assert client.get("/preferences/").status_code == 200
        clock.move_to(start + timedelta(minutes=29 + 29))
        assert client.get("/preferences/").status_code == 200
        clock.move_to(start + timedelta(minutes=58 + 30))
        answer = client.get("/preferences/")
        assert (answer.status_code, answer["Location"]) == (302, "/login/?ended=idle&next=/preferences/")
        assert not is_signed_in(client)
    assert AuditEntry.objects.filter(action="session.idle", actor_name="anna").count() == 1


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/preferences/", {"X-Automatic": "1", "HX-Request": "true"}),
        ("/api/v1/jobs/", {}),
        ("/events/stream/", {}),
        ("/preferences/", {"Sec-Purpose": "prefetch"}),
    ],
)
def test_what_a_page_does_by_itself_keeps_nobody_signed_in(signed_in, path, headers):
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        for minutes in (10, 20, 29):
            clock.move_to(start + timedelta(minutes=minutes))
            assert signed_in.get(path, headers=headers).status_code in {200, 204}
        clock.move_to(start + timedelta(minutes=30, seconds=1))
        assert signed_in.get(path, headers=headers).status_code in {302, 401}
        assert not is_signed_in(signed_in)


def test_a_session_that_ends_in_another_tab_is_no_error(signed_in, rf):
    request = rf.get("/")
    request.session = signed_in.session
    request.session.read()
    Session.objects.all().delete()
    with time_machine.travel(timezone.now() + timedelta(seconds=5), tick=False):
        assert sessions.note_activity(request) is False


def test_the_time_until_log_out_is_an_option(signed_in):
    options.set_value("auto_logout", 2, SYSTEM)
    start = timezone.now()
    with time_machine.travel(start + timedelta(minutes=1, seconds=50), tick=False) as clock:
        assert signed_in.get("/preferences/").status_code == 200
        clock.shift(timedelta(minutes=2, seconds=1))
        assert signed_in.get("/preferences/").status_code == 302


def test_preferences_are_kept_and_used(signed_in):
    sent = {"language": "ja", "time_zone": "Asia/Tokyo", "theme": "dark"}
    assert signed_in.post("/preferences/", sent).status_code == 302
    user = User.objects.get(username="anna")
    assert (user.language, user.time_zone, user.theme) == ("ja", "Asia/Tokyo", "dark")
    page = signed_in.get("/preferences/")
    assert page["Content-Language"] == "ja"
    assert 'data-theme="dark"' in page.content.decode()


def test_times_are_shown_in_the_zone_of_the_user(rf):
    user = make_user(time_zone="Asia/Tokyo")
    request = rf.get("/")
    request.user = user
    PreferencesMiddleware(lambda _request: HttpResponse()).process_request(request)
    assert timezone.localtime(datetime(2026, 1, 1, 20, tzinfo=UTC)).strftime("%d %H:%M") == "02 05:00"
    timezone.deactivate()


@pytest.mark.parametrize(
    ("field", "value"), [("language", "xx"), ("time_zone", "Mars/Base"), ("theme", "pink"), ("theme", "")]
)
def test_a_bad_preference_is_named_and_nothing_is_kept(signed_in, field, value):
    sent = {"language": "ja", "time_zone": "Asia/Tokyo", "theme": "dark", field: value}
    answer = signed_in.post("/preferences/", sent)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert User.objects.get(username="anna").language == ""


def test_the_language_switches_before_sign_in(client):
    answer = client.post("/preferences/language/", {"language": "ja", "next": "/login/"})
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert client.get("/login/")["Content-Language"] == "ja"
    assert client.post("/preferences/language/", {"language": "xx"}).status_code == 400


def test_pages_refuse_forms_from_elsewhere():
    client = Client(enforce_csrf_checks=True)
    make_user(username="vera")
    assert client.post("/login/", {"username": "vera", "password": PASSWORD}).status_code == 403
    assert not is_signed_in(client)
