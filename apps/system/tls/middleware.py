"""Headers of every answer, and cookies that never travel in clear once somebody speaks HTTPS.

Both run inside the loop: they ask neither the database nor a thread.
"""

from collections.abc import Awaitable, Callable
from http.cookies import SimpleCookie
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from apps.system.tls import state

PREFIX = (
    "__Host-"  # a browser takes such a cookie by HTTPS alone, and no other host can have set it (RFC 6265bis §4.1.3)
)
Answer = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class Wrapper:
    """A middleware that looks at the request before and at the answer behind, wherever it runs."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer."""
        self.before(request)
        if iscoroutinefunction(self.get_response):
            return self._later(request)
        answer = cast(HttpResponseBase, self.get_response(request))
        self.behind(request, answer)
        return answer

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        answer = await cast(Awaitable[HttpResponseBase], self.get_response(request))
        self.behind(request, answer)
        return answer

    def before(self, request: HttpRequest) -> None:
        """Look at a request."""

    def behind(self, request: HttpRequest, answer: HttpResponseBase) -> None:
        """Look at an answer."""


@sync_and_async_middleware
class HeadersMiddleware(Wrapper):
    """Says what a browser must not do with an answer, and, where the option says so, that it is to use HTTPS only."""

    def behind(self, request: HttpRequest, answer: HttpResponseBase) -> None:
        """Add the headers."""
        answer.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        answer.headers.setdefault("Cross-Origin-Resource-Policy", settings.CROSS_ORIGIN_RESOURCE_POLICY)
        seconds = state.now().hsts_max_age
        if seconds and request.is_secure():
            answer.headers["Strict-Transport-Security"] = f"max-age={seconds}"


@sync_and_async_middleware
class CookiesMiddleware(Wrapper):
    """Gives cookies another name by HTTPS, so that what was sent in clear before is worth nothing there.

    Those that scripts look for (``SCRIPT_COOKIES``) keep their names; nothing depends on them.
    """

    def before(self, request: HttpRequest) -> None:
        """Give the portal its cookies by the names that it knows; by HTTPS only those that came that way."""
        sent = request.COOKIES
        if request.is_secure():
            own = [name for name in sent if name.startswith(PREFIX) or name in settings.SCRIPT_COOKIES]
            request.COOKIES = {name.removeprefix(PREFIX): sent[name] for name in own}
        else:
            request.COOKIES = {name: value for name, value in sent.items() if not name.startswith(PREFIX)}

    def behind(self, request: HttpRequest, answer: HttpResponseBase) -> None:
        """Give the browser the names that it protects."""
        if not answer.cookies or not request.is_secure():
            return
        renamed: SimpleCookie = SimpleCookie()
        for name, morsel in answer.cookies.items():
            protected = name if name in settings.SCRIPT_COOKIES else PREFIX + name
            renamed[protected] = morsel.coded_value
            fresh = renamed[protected]
            fresh.set(protected, morsel.value, morsel.coded_value)
            fresh.update(morsel)
            fresh["secure"], fresh["path"], fresh["domain"] = True, "/", ""
        answer.cookies = renamed
