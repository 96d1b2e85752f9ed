"""Keeps long bodies away: Django puts the body of a request on the disk before anybody is asked who he is.

What is longer than anything that the portal takes is not read further; who may not connect is not read at all. Django
gets the request with an empty body in both cases, so that its answer looks like every other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from apps.access.middleware import refusal, trusted_proxies
from apps.access.services.addresses import is_known_to_be_refused, parse, within

CUT = "esm.body_was_cut"  # in the scope: the status to answer with, should the request get as far as the middleware

Scope = MutableMapping[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


class Bounded:
    """An ASGI application in front of Django's."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, with as much of its body as it may have."""
        if scope["type"] == "http":
            receive = _Body(scope, receive).receive
        await self._application(scope, receive, send)


class _Body:
    """The body of one request, as it comes in."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self._octets = 0
        self._over = False
        headers = scope.get("headers", [])
        if _announced(headers) > settings.LARGEST_REQUEST:
            scope[CUT] = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        elif any(name in {b"content-length", b"transfer-encoding"} for name, _value in headers) and _is_stranger(scope):
            scope[CUT] = HTTPStatus.SERVICE_UNAVAILABLE

    async def receive(self) -> Message:
        if self._over:
            await asyncio.Future()  # the rest is not read: Django answers, and waits for nothing any more
        if CUT not in self._scope:
            message = await self._receive()
            self._octets += len(message.get("body", b""))
            if self._octets <= settings.LARGEST_REQUEST:
                return message
            self._scope[CUT] = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        self._over = True
        return {"type": "http.request", "body": b"", "more_body": False}


class CutBodyMiddleware(MiddlewareMixin):
    """Answers 413 where a body was too long; it stands after whatever refuses strangers."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Let nothing go on whose body was not read."""
        status = getattr(request, "scope", {}).get(CUT)
        if status is None:
            return None
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            most = settings.LARGEST_REQUEST // 2**20
            return refusal(request, status, _("What was sent is larger than %(most)s MB.") % {"most": most})
        answer = refusal(request, status, _("Your address was allowed at this moment. Send it again."))
        answer["Retry-After"] = "1"
        return answer


def _announced(headers: Iterable[tuple[bytes, bytes]]) -> int:
    lengths = [value for name, value in headers if name == b"content-length" and value.isdigit()]
    return int(lengths[0][:20]) if lengths else 0


def _is_stranger(scope: Scope) -> bool:
    """Say whether the answer will be 403, as far as that is known without asking the database."""
    peer = parse(str((scope.get("client") or ("",))[0]))
    if peer is None or within(peer, trusted_proxies(tuple(settings.TRUSTED_PROXIES))):
        return False  # a proxy asks for somebody else
    return is_known_to_be_refused(peer)
