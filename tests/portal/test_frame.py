"""The frame around pages: the menu, the port that chooses the URLconf, the error pages."""

import logging
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from django.test import RequestFactory, override_settings

from apps.core import menu, scoping
from apps.core.menu import MenuEntry
from apps.portal import errors
from apps.portal.context_processors import Shell
from apps.portal.middleware import PortMiddleware
from tests.factories import make_user

SOMEBODY = SimpleNamespace(is_authenticated=True, is_active=True)


@pytest.fixture
def empty_menu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a menu of the test's own, and rights in one group to look at things only."""
    monkeypatch.setattr(menu, "_entries", {})
    monkeypatch.setattr(menu, "_counters", {})
    monkeypatch.setattr(scoping, "_resolver", lambda user, permission: frozenset({1} if permission == "view" else ()))


def shell_for(path: str) -> Shell:
    request = RequestFactory().get(path)
    request.user = SOMEBODY
    return Shell(request)


@pytest.mark.usefixtures("empty_menu")
def test_the_menu_shows_what_the_user_may_open_in_order() -> None:
    menu.register(MenuEntry(label="Second", url_name="portal:about", icon="bell", order=20, permission="view"))
    menu.register(MenuEntry(label="First", url_name="portal:dashboard", icon="server", order=10))
    menu.register(MenuEntry(label="Hidden", url_name="portal:style-guide", icon="key", permission="access"))
    menu.register(MenuEntry(label="Unrouted", url_name="nowhere:at-all", icon="key"))
    [(title, lines)] = shell_for("/about/").menu
    assert title == ""
    assert [(line.label, line.current) for line in lines] == [("First", False), ("Second", True)]


@pytest.mark.usefixtures("empty_menu")
def test_a_counter_runs_once_however_often_its_numbers_are_shown() -> None:
    calls: list[Any] = []

    def count(user: Any) -> dict[str, int]:
        calls.append(user)
        return {"critical": 9, "warning": 37}

    menu.register_counter("alerts", count)
    menu.register(MenuEntry(label="Alerts", url_name="portal:dashboard", icon="bell", count="alerts", hot=True))
    shell = shell_for("/")
    assert calls == []
    [(_title, [line])] = shell.menu
    assert line.count == 46
    assert shell.alerts["critical"] == 9
    assert shell.jobs == 0
    assert calls == [SOMEBODY]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("portal.example:21120", "http://portal.example:21112/"),
        ("portal.example", "http://portal.example:21112/"),
        ("[2001:db8::1]:21120", "http://[2001:db8::1]:21112/"),
        ("[2001:db8::1]", "http://[2001:db8::1]:21112/"),
    ],
)
def test_classic_mode_is_linked_on_the_host_that_the_browser_used(host: str, address: str, settings) -> None:
    settings.CLASSIC_PORT = 21112
    assert Shell(RequestFactory().get("/", headers={"host": host})).classic_url == address


def urlconf_of(**meta: str) -> str | None:
    seen: list[str | None] = []

    def answer(request: HttpRequest) -> HttpResponse:
        seen.append(getattr(request, "urlconf", None))
        return HttpResponse()

    PortMiddleware(answer)(RequestFactory().get("/", **meta))
    return seen[0]


def test_the_classic_port_gets_the_classic_addresses(settings) -> None:
    settings.CLASSIC_PORT = 21112
    assert urlconf_of(SERVER_PORT="21112") == settings.CLASSIC_URLCONF
    assert urlconf_of(SERVER_PORT="21120") is None


def test_a_host_header_does_not_choose_the_addresses(settings) -> None:
    settings.CLASSIC_PORT = 21112
    assert urlconf_of(SERVER_PORT="21120", HTTP_HOST="portal:21112", HTTP_X_FORWARDED_PORT="21112") is None


def test_a_port_that_the_system_chose_is_told_by_the_environment(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CLASSIC_PORT = 0
    monkeypatch.setenv("ESM_CLASSIC_PORT_REAL", "40123")
    assert urlconf_of(SERVER_PORT="40123") == settings.CLASSIC_URLCONF
    assert urlconf_of(SERVER_PORT="0") is None


@pytest.mark.parametrize(
    ("view", "status", "words"),
    [
        (errors.bad_request, 400, "does not understand this request"),
        (errors.permission_denied, 403, "You may not do this"),
        (errors.page_not_found, 404, "There is no such page"),
        (errors.server_error, 500, "The portal made a mistake"),
        (errors.csrf_failure, 403, "This form has expired"),
    ],
)
def test_an_error_page_shows_the_id_that_stands_in_the_log(view, status, words, caplog) -> None:
    with caplog.at_level(logging.INFO, logger="apps.portal.errors"):
        response = view(RequestFactory().get("/somewhere/"))
    text = response.content.decode()
    assert response.status_code == status
    assert words in text
    [error_id] = re.findall(r"<code>([0-9a-f]{8})</code>", text)
    assert f"error {error_id}: {status} for GET /somewhere/" in caplog.text


def test_programs_get_the_error_as_a_problem() -> None:
    response = errors.page_not_found(RequestFactory().get("/api/v1/nothing/"))
    assert response["Content-Type"] == "application/problem+json"
    assert response.status_code == 404
    assert b'"title": "Not Found"' in response.content


def test_a_part_of_a_page_gets_one_plain_sentence() -> None:
    response = errors.permission_denied(RequestFactory().get("/x/", headers={"HX-Request": "true"}))
    assert response["Content-Type"].startswith("text/plain")
    assert re.fullmatch(rb"You may not do this\. \(error [0-9a-f]{8}\)", response.content)


@pytest.mark.django_db
def test_the_address_of_a_button_opened_as_a_page_says_so_with_an_id(client, caplog) -> None:
    client.force_login(make_user("administrator"))
    with caplog.at_level(logging.INFO, logger="apps.portal.errors"):
        response = client.get("/logout/")
    assert (response.status_code, response["Allow"]) == (405, "POST")
    text = response.content.decode()
    assert "This address is not used in this way" in text
    [error_id] = re.findall(r"<code>([0-9a-f]{8})</code>", text)
    assert f"error {error_id}: 405 for GET /logout/" in caplog.text


@pytest.mark.django_db
def test_programs_are_told_by_the_api_itself_what_is_not_allowed(client) -> None:
    client.force_login(make_user("administrator"))
    response = client.delete("/api/v1/groups/")
    assert (response.status_code, response["Content-Type"]) == (405, "application/problem+json")


@pytest.mark.django_db
@pytest.mark.parametrize("urlconf", ["esm.urls", "esm.classic_urls"])
def test_the_frame_is_drawn_under_the_addresses_of_either_port(urlconf: str) -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    with override_settings(ROOT_URLCONF=urlconf):
        html = get_template("base.html").render({}, request)
    assert '<main class="main" id="main"' in html
    assert ('hx-get="/pulse/"' in html) == (urlconf == "esm.urls")
    assert 'hx-get=""' not in html
