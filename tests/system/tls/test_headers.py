"""What errors, refusals and files carry, and how cookies travel; ``tests/contract`` looks at all addresses."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.test.client import RequestFactory

from apps.core import options
from apps.core.actors import COMMAND
from apps.system.tls import services, state
from apps.system.tls.material import colons
from apps.system.tls.middleware import CookiesMiddleware
from apps.system.tls.state import InForce
from tests.factories import make_user
from tests.headers import faults

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

SESSION, CSRF = settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME


@pytest.mark.parametrize(
    ("path", "about", "status"),
    [
        ("/static/probe.css", {}, 200),
        ("/nothing/here/", {}, 404),
        ("/api/v1/nothing/", {}, 404),
        ("/login/", {"headers": {"Host": "evil.example"}}, 400),
        ("/login/", {"REMOTE_ADDR": "192.0.2.9"}, 403),
        ("/api/v1/components/", {"REMOTE_ADDR": "192.0.2.9"}, 403),
    ],
)
def test_files_errors_and_refusals_carry_them_too(client: Client, path: str, about: dict, status: int) -> None:
    (settings.STATIC_ROOT / "probe.css").write_text("a {}")
    answer = client.get(path, **about)
    assert answer.status_code == status
    assert faults(answer) == []


def test_a_fault_of_ours_carries_them(client: Client, monkeypatch) -> None:
    def fail(request: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("apps.system.tls.views.checking.findings", fail)
    client.force_login(make_user("administrator"))
    client.raise_request_exception = False
    answer = client.get("/https/")
    assert answer.status_code == 500
    assert faults(answer) == []


def test_a_form_from_elsewhere_is_refused_with_them() -> None:
    answer = Client(enforce_csrf_checks=True).post("/login/", {"username": "a", "password": "b"})
    assert answer.status_code == 403
    assert faults(answer) == []


@pytest.fixture
def _hsts() -> Iterator[None]:
    state.put(InForce(hsts_max_age=86400))
    yield
    state.put(InForce())


@pytest.mark.usefixtures("_hsts")
def test_https_only_is_said_by_https_only(client: Client) -> None:
    assert client.get("/login/", secure=True)["Strict-Transport-Security"] == "max-age=86400"
    assert "Strict-Transport-Security" not in client.get("/login/")


class TestCookies:
    """By HTTPS they have names that browsers protect."""

    def sign_in(self, client: Client, **about: bool) -> HttpResponse:
        make_user("administrator", username="someone", password="correct horse battery")
        page = client.get("/login/", **about)
        assert page.status_code == 200
        answer = client.post("/login/", {"username": "someone", "password": "correct horse battery"}, **about)
        assert answer.status_code == 302
        return answer

    def test_by_https_every_cookie_is_secure_and_bound_to_the_host(self, client: Client) -> None:
        answer = self.sign_in(client, secure=True)
        assert {name for name in answer.cookies if "session" in name or "csrf" in name} == {
            f"__Host-{SESSION}",
            f"__Host-{CSRF}",
        }
        for name, morsel in answer.cookies.items():
            assert (morsel["secure"], morsel["path"], morsel["domain"]) == (True, "/", "")
            assert morsel["samesite"] in {"Lax", "Strict"}
            assert name.startswith("__Host-") is bool(morsel["httponly"]) is (name not in settings.SCRIPT_COOKIES)
        assert client.get("/about/", secure=True).status_code == 200
        # The same session is worth nothing in clear, nor under its plain name.
        value = client.cookies[f"__Host-{SESSION}"].value
        assert client.get("/about/").status_code == 302
        stranger = Client()
        stranger.cookies[SESSION] = value
        assert stranger.get("/about/", secure=True).status_code == 302
        stranger.cookies[f"__Host-{SESSION}"] = value
        assert stranger.get("/about/", secure=True).status_code == 200

    def test_in_clear_they_are_http_only_and_same_site(self, client: Client) -> None:
        answer = self.sign_in(client)
        assert set(answer.cookies) >= {SESSION, CSRF}
        for name, morsel in answer.cookies.items():
            assert bool(morsel["secure"]) is False
            assert morsel["samesite"] in {"Lax", "Strict"}
            assert bool(morsel["httponly"]) is (name not in settings.SCRIPT_COOKIES)

    def test_signing_out_takes_the_protected_cookie_back(self, client: Client) -> None:
        self.sign_in(client, secure=True)
        answer = client.post("/logout/", secure=True)
        gone = answer.cookies[f"__Host-{SESSION}"]
        assert (gone.value, gone["max-age"], gone["secure"]) == ("", 0, True)

    def test_values_stay_as_they_are(self) -> None:
        def answer(request: object) -> HttpResponse:
            response = HttpResponse()
            response.set_cookie("a", 'with "quotes"; and, more', max_age=5)
            return response

        made = CookiesMiddleware(answer)(RequestFactory().get("/", secure=True))
        morsel = made.cookies["__Host-a"]
        assert (morsel.value, morsel["max-age"]) == ('with "quotes"; and, more', 5)
        assert morsel.OutputString().startswith('__Host-a="with ')


class TestProxy:
    """Behind a proxy that speaks HTTPS."""

    HEADERS = {"X-Forwarded-For": "192.0.2.50", "X-Forwarded-Proto": "https", "Host": "portal.example.net"}

    @pytest.fixture(autouse=True)
    def _behind(self, settings) -> None:
        from apps.access.services import addresses

        settings.TRUSTED_PROXIES = ["127.0.0.1"]
        addresses.allow("192.0.2.0/24", "", COMMAND)
        options.set_value("allowed_hosts", ["portal.example.net"], COMMAND)
        addresses.forget()

    def test_a_form_is_taken_and_cookies_are_secure(self) -> None:
        client = Client(enforce_csrf_checks=True, headers=self.HEADERS)
        make_user("administrator", username="someone", password="correct horse battery")
        page = client.get("/login/")
        token = page.context["csrf_token"]
        form = {"username": "someone", "password": "correct horse battery", "csrfmiddlewaretoken": str(token)}
        for origin, status in (
            ("https://evil.example", 403),
            ("http://portal.example.net", 403),
            ("https://portal.example.net", 302),
        ):
            answer = client.post("/login/", form, headers={"Origin": origin})
            assert answer.status_code == status, origin
        assert answer.cookies[f"__Host-{SESSION}"]["secure"]
        assert answer["Location"] == "/"
        assert client.get("/").status_code == 200

    def test_nobody_else_is_believed_to_speak_https(self) -> None:
        answer = Client(headers=self.HEADERS, REMOTE_ADDR="192.0.2.77").get("/login/")
        assert answer.status_code == 200
        assert not answer.wsgi_request.is_secure()
        assert CSRF in answer.cookies


def test_the_own_authority_is_given_to_everybody(client: Client) -> None:
    for path in ("/https/authority.pem", "/https/authority.crt"):
        assert client.get(path).status_code == 404
    assert "nothing to trust" in client.get("/https/trust/").content.decode()
    services.create(services.usual_wish(), COMMAND)
    assert colons(services.authority().fingerprint) in client.get("/https/trust/").content.decode()
    assert client.get("/https/authority.pem").content.decode() == services.authority().chain
    der = client.get("/https/authority.crt")
    assert (der["Content-Type"], der["Content-Disposition"]) == (
        "application/x-x509-ca-cert",
        'attachment; filename="portal-ca.crt"',
    )
    assert b"PRIVATE" not in der.content
