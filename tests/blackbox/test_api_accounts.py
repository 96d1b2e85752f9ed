"""Users, passwords and sessions over the API, with real browsers' sessions beside the tokens."""

import http.cookiejar
import re
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.error import HTTPError

import pytest

from tests.blackbox.client import Caller
from tests.e2e.portal import PASSWORD, Portal

SECRET = "a rather long secret"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Shows where an answer leads instead of going there."""

    def redirect_request(self, *args: object) -> None:
        """Stay."""


@dataclass
class Browser:
    """Keeps cookies and sends forms."""

    url: str
    agent: str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    jar: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Send a request; give status, text and where it leads."""
        opener = urllib.request.build_opener(NoRedirect, urllib.request.HTTPCookieProcessor(self.jar))
        data = None if form is None else urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(self.url + path, data, {"User-Agent": self.agent})
        try:
            with opener.open(request, timeout=30) as answer:
                return answer.status, answer.read().decode(), ""
        except HTTPError as error:
            return error.code, error.read().decode(), error.headers.get("Location", "")

    def sign_in(self, name: str, password: str = PASSWORD) -> "Browser":
        """Sign in by the page."""
        page = self.ask("/login/")[1]
        token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[0]
        form = {"username": name, "password": password, "csrfmiddlewaretoken": token}
        assert self.ask("/login/", form)[0] == 302
        return self

    @property
    def is_in(self) -> bool:
        """Say whether a page is shown rather than the sign-in page."""
        return self.ask("/preferences/")[0] == 200


@pytest.fixture(scope="module")
def sora(make_user: Callable[..., Caller]) -> Caller:
    """Somebody with a token."""
    return make_user("sora", "viewer")


class TestSessions:
    """Seen and ended."""

    def test_ones_own_are_listed_and_ended(self, portal: Portal, sora: Caller, admin: Caller) -> None:
        one, two = Browser(portal.url).sign_in("sora"), Browser(portal.url, agent="curl/8.5.0").sign_in("sora")
        rows = sora.rows("sessions/")
        assert sorted(row["browser"] for row in rows) == ["Firefox on Linux", "curl"]
        assert {(row["username"], row["address"], row["this_one"]) for row in rows} == {("sora", "127.0.0.1", False)}
        assert {"session_key", "session_data"} & set(rows[0]) == set()
        assert not {cookie.value for cookie in one.jar} & set(map(str, rows[0].values()))
        [curl] = [row["id"] for row in rows if row["browser"] == "curl"]
        assert sora.get(f"sessions/{curl}/")["browser"] == "curl"
        sora.delete(f"sessions/{curl}/")
        assert (one.is_in, two.is_in) == (True, False)
        sora.get(f"sessions/{curl}/", status=404)
        sora.post("sessions/end-others/", status=204)
        assert not one.is_in
        assert sora.rows("sessions/") == []
        acts = {row["action"] for row in admin.rows("audit/?object_name=sora&limit=100")}
        assert {"session.end", "session.end_all"} <= acts

    def test_those_of_others_are_for_who_manages_access(self, portal: Portal, sora: Caller, admin: Caller) -> None:
        browser = Browser(portal.url).sign_in("sora")
        [row] = sora.rows("sessions/")
        assert admin.rows(f"sessions/?user={row['user']}")[0]["id"] == row["id"]
        assert row["id"] not in {mine["id"] for mine in admin.rows("sessions/")}
        me = admin.rows("users/?username=admin")[0]["id"]
        assert sora.rows(f"sessions/?user={me}") == []
        assert sora.send("GET", "sessions/?colour=1").status == 400
        assert sora.send("GET", "sessions/?user=x").status == 400
        admin.delete(f"sessions/{row['id']}/")
        assert not browser.is_in

    def test_who_is_disabled_is_out_at_once(
        self, portal: Portal, make_user: Callable[..., Caller], admin: Caller
    ) -> None:
        token = make_user("kuro", "viewer")
        browser = Browser(portal.url).sign_in("kuro")
        pk = admin.rows("users/?username=kuro")[0]["id"]
        assert token.get("components/")["count"] >= 0
        admin.patch(f"users/{pk}/", {"is_active": False})
        assert not browser.is_in
        token.get("components/", status=401)
        admin.patch(f"users/{pk}/", {"is_active": True})
        assert not browser.is_in

    def test_the_page_asks_how_long_it_goes_on(self, portal: Portal, sora: Caller) -> None:
        assert Browser(portal.url).ask("/session/")[:2] == (401, '{"ended": ""}')
        status, text, _location = Browser(portal.url).sign_in("sora").ask("/session/")
        assert status == 200
        assert '"warn_before": 120' in text


class TestNames:
    """What a user may be called (INS-12)."""

    @pytest.mark.parametrize(
        ("length", "taken"), [(0, False), (1, True), (16, True), (17, True), (150, True), (151, False)]
    )
    def test_by_length(self, admin: Caller, length: int, taken: bool) -> None:
        body = {"username": ("Zz0123456789abcdefgh" * 8)[:length], "password": SECRET}
        if taken:
            admin.delete(f"users/{admin.post('users/', body)['id']}/")
        else:
            assert admin.errors("POST", "users/", body) == {"username"}

    @pytest.mark.parametrize("name", ["a b", "=1+1", "a\u202eb", "аdmin", "ADMIN", "admin\u200b", "x\x00y", "*)(uid=*"])
    def test_tricks_are_refused(self, admin: Caller, name: str) -> None:
        assert admin.errors("POST", "users/", {"username": name, "password": SECRET}) == {"username"}

    def test_wide_letters_are_stored_plain(self, admin: Caller) -> None:
        made = admin.post("users/", {"username": "ｗｉｄｅ１", "password": SECRET})
        assert made["username"] == "wide1"
        admin.delete(f"users/{made['id']}/")


class TestPasswords:
    """The policy is made of options."""

    @pytest.mark.parametrize(("length", "taken"), [(5, False), (6, True), (16, True), (17, False)])
    def test_the_passwords_of_the_guide_where_the_options_say_so(self, admin: Caller, length: int, taken: bool) -> None:
        body = {"username": "guide1", "password": "Qw7zk4Hp2Lm9Xv3Bn"[:length]}
        try:
            assert admin.patch("options/password_min_length/", {"value": 6})["warning"]
            admin.patch("options/password_max_length/", {"value": 16})
            if taken:
                admin.delete(f"users/{admin.post('users/', body)['id']}/")
            else:
                assert admin.errors("POST", "users/", body) == {"password"}
        finally:
            admin.patch("options/password_max_length/", {"value": 256})
            admin.patch("options/password_min_length/", {"value": 12})

    @pytest.mark.parametrize("password", ["short", "x" * 257, "x" * 1001, "passwordpassword", "guide1-is-my-name", ""])
    def test_others_are_refused(self, admin: Caller, password: str) -> None:
        assert admin.errors("POST", "users/", {"username": "guide1", "password": password}) == {"password"}

    def test_a_former_one_is_refused_and_nothing_is_told_of_it(self, admin: Caller) -> None:
        made = admin.post("users/", {"username": "former1", "password": SECRET})
        path = f"users/{made['id']}/"
        assert "password" not in admin.patch(path, {"password": "another long secret"})
        assert admin.errors("PATCH", path, {"password": SECRET}) == {"password"}
        assert SECRET not in str(admin.rows("audit/?object_name=former1"))
        admin.delete(path)
