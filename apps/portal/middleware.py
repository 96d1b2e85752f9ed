"""Lets the port decide which addresses there are, and answers with a page where Django would give an empty one."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin

from apps.portal import errors
from apps.portal.context_processors import classic_port

Answer = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


@sync_and_async_middleware
class PortMiddleware:
    """Gives requests of the classic port their own URLconf.

    The port is the one of the listening socket (``SERVER_PORT`` from the server's scope), never that of the Host
    header, which a browser may say as it likes.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Choose the URLconf before any address is resolved."""
        if request.META.get("SERVER_PORT") == str(classic_port()):
            request.urlconf = settings.CLASSIC_URLCONF
        return self.get_response(request)


class NotAllowedMiddleware(MiddlewareMixin):
    """Puts our error page in the place of Django's empty 405; the API says 405 in its own words."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Give the page, with the methods that are allowed."""
        if not isinstance(response, HttpResponseNotAllowed) or request.path.startswith("/api/"):
            return response
        answer = errors.method_not_allowed(request)
        answer["Allow"] = response["Allow"]
        return answer
