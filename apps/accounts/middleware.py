"""What every request goes through: idle log-out, language, zone and theme of the user, and the need to sign in."""

import zoneinfo
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from apps.accounts.models import Theme
from apps.accounts.services import second_factor, sessions
from apps.core.problems import problem

API = "/api/"
STREAM = "/events/stream/"
THEME_COOKIE = f"esm_theme_{settings.HTTP_PORT}"
PASSWORD_PAGE = "/password/"  # noqa: S105  (a path)
FACTOR_PAGE = "/second-factor/"

# Open to everybody whom the address check lets in; health and metrics look by themselves at who asks.
OPEN = ("/login/", "/esmpro/", "/preferences/language/", "/static/", "/healthz", "/readyz", "/metrics", "/favicon.ico")
# Where somebody may go who must change the password first.
BEFORE_CHANGE = (PASSWORD_PAGE, "/logout/", "/session/", "/preferences/language/", *OPEN)
# Where somebody may go who must set up a second factor first.
BEFORE_FACTOR = (FACTOR_PAGE, *BEFORE_CHANGE)


def is_automatic(request: HttpRequest) -> bool:
    """Say whether a page asked by itself: refreshes (which say so), live streams, data for charts, prefetching."""
    return (
        "X-Automatic" in request.headers
        or request.path.startswith(STREAM)
        or (request.path.startswith(API) and request.method in {"GET", "HEAD", "OPTIONS"})
        or "prefetch" in request.headers.get("Sec-Purpose", "")
    )


class IdleMiddleware(MiddlewareMixin):
    """Signs out whoever did nothing for as long as ``auto_logout`` says; what pages do by themselves is nothing."""

    def process_request(self, request: HttpRequest) -> None:
        """End a session that is over, or remember that somebody did something."""
        if not request.user.is_authenticated:
            return
        if why := sessions.why_over(request):
            sessions.note_end(request, why)
            logout(request)
            request.ended = why  # type: ignore[attr-defined]
        elif not is_automatic(request) and not sessions.note_activity(request):
            logout(request)


class PreferencesMiddleware(MiddlewareMixin):
    """Puts the user's language, time zone and theme in force; before sign-in, those of the cookie or browser."""

    def process_request(self, request: HttpRequest) -> None:
        """Activate what the user prefers."""
        user = request.user
        known = dict(settings.LANGUAGES)
        language = getattr(user, "language", "") or request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        if language not in known:
            language = translation.get_language_from_request(request)
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language()
        zone = getattr(user, "time_zone", "")
        try:
            timezone.activate(zoneinfo.ZoneInfo(zone)) if zone else timezone.deactivate()
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            timezone.deactivate()
        theme = getattr(user, "theme", "") or request.COOKIES.get(THEME_COOKIE, "")
        request.theme = theme if theme in Theme.values else Theme.AUTO.value  # type: ignore[attr-defined]

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Say the language of the answer."""
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        return response


class SignInRequiredMiddleware(MiddlewareMixin):
    """Sends whoever is not signed in to the sign-in page, and whoever owes a password or second factor to its page."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Let the view run, or say where to go first."""
        if request.user.is_authenticated:
            if request.user.must_change_password and not request.path.startswith(BEFORE_CHANGE):
                return _go_first(
                    request,
                    PASSWORD_PAGE,
                    _("You must change your password first, at /password/."),
                    _("Change your password first."),
                )
            if not request.path.startswith(BEFORE_FACTOR) and owes_factor(request):
                to_programs = str(second_factor.SET_UP_FIRST)
                return _go_first(request, FACTOR_PAGE, to_programs, _("Set up a second factor first."))
            return None
        if request.path.startswith((API, *OPEN)) or not getattr(view, "login_required", True):
            return None  # the API signs in by token too, and answers 401 by itself
        return _sign_in_first(request)


def _sign_in_first(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(STREAM):
        return HttpResponse(_("Sign in first."), status=401, content_type="text/plain; charset=utf-8")
    ended = {"ended": request.ended} if hasattr(request, "ended") else {}
    if request.headers.get("HX-Request") == "true":
        return _htmx(settings.LOGIN_URL, request, ended)
    page = f"{settings.LOGIN_URL}?{urlencode(ended)}" if ended else settings.LOGIN_URL
    return redirect_to_login(_way_back(request), page)


def _htmx(page: str, request: HttpRequest, more: Mapping[str, str]) -> HttpResponse:
    """Have htmx leave for another page and come back to the one that the part belongs to."""
    back = _own_path(request, request.headers.get("HX-Current-URL", ""))
    return HttpResponse(status=401, headers={"HX-Redirect": f"{page}?{urlencode({**more, 'next': back})}"})


def _way_back(request: HttpRequest) -> str:
    """Give the page to come back to: what was asked for, or the page whose form was sent."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    return _own_path(request, request.headers.get("Referer", ""))


def _own_path(request: HttpRequest, address: str) -> str:
    own = f"{request.scheme}://{request.get_host()}"
    return address.removeprefix(own) if address.startswith(f"{own}/") else "/"


def owes_factor(request: HttpRequest) -> bool:
    """Say whether somebody has to set up a second factor; a session that began with one may have outlived it."""
    user: Any = request.user
    return second_factor.is_missing(user)


def _go_first(request: HttpRequest, page: str, to_programs: str, to_streams: str) -> HttpResponse:
    if request.path.startswith(API):
        return problem(request, 403, to_programs)
    if request.path.startswith(STREAM):
        return HttpResponse(to_streams, status=403, content_type="text/plain; charset=utf-8")
    if request.headers.get("HX-Request") == "true":
        return _htmx(page, request, {})
    target = request.get_full_path() if request.method in {"GET", "HEAD"} else "/"
    return HttpResponseRedirect(f"{page}?{urlencode({'next': target})}")
