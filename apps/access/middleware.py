"""Lets only known addresses in, and finds out the client's address behind the proxies that are trusted.

Forwarded headers are believed only from ``ESM_TRUSTED_PROXIES``. A request from the machine itself that carries them
without that setting comes from a proxy that nobody told the portal of; it would make everybody look like the machine
itself, so it is refused.
"""

import logging
import re
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_network
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from apps.access.services import hosts
from apps.access.services.addresses import Address, Network, may_connect, parse, within
from apps.access.services.whereabouts import may_come_from
from apps.core import audit
from apps.core.actors import Actor, ActorKind
from apps.core.problems import problem

FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto", "X-Forwarded-Host")
HEALTH = "/healthz"  # asked by machines that call the portal as they like; it says "ok" to everybody
PAIR = re.compile(r'\s*(\w+)\s*=\s*("(?:[^"\\]|\\.)*"|[^",;\s]+)\s*')
log = logging.getLogger(__name__)


class Refused(Exception):
    """Why a request is not answered."""


class AddressMiddleware(MiddlewareMixin):
    """Answers 403 to addresses that may not connect; ``REMOTE_ADDR`` and the scheme are the client's from here on."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Find the client, then let it in or not."""
        try:
            client = self._client(request)
        except Refused as refused:
            log.warning("refused %s: %s", request.META.get("REMOTE_ADDR"), refused)
            _note(request)
            return _forbidden(request, str(refused))
        request.META["REMOTE_ADDR"] = str(client)
        if may_connect(client):
            return self._check_host(request)
        log.warning("refused %s: this address is not allowed to connect", client)
        _note(request)
        return _forbidden(
            request,
            f"{client} is not allowed to connect. An administrator can add it under Users and access.",
        )

    def _check_host(self, request: HttpRequest) -> HttpResponse | None:
        """Answer 400 under a name that is not the portal's; addresses in answers are made of it."""
        host = request.headers.get("Host")
        if host is None or hosts.is_known(host) or request.path == HEALTH:
            return None
        hosts.note_refusal(request.META["REMOTE_ADDR"], host)
        sentence = (
            f"{host[:100]!r} is not a name of this portal. An administrator can add it to the option {hosts.OPTION}, "
            f"or to {hosts.VARIABLE} in the environment; every address of the machine works without."
        )
        return refusal(request, HTTPStatus.BAD_REQUEST, sentence)

    def _client(self, request: HttpRequest) -> Address:
        peer = parse(str(request.META.get("REMOTE_ADDR") or ""))
        if peer is None:
            raise Refused("The address of the client is not known.")
        carried = [name for name in FORWARDED if name in request.headers]
        proxies = trusted_proxies(tuple(settings.TRUSTED_PROXIES))
        if not carried:
            return peer
        if not within(peer, proxies):
            if peer.is_loopback:
                raise Refused(
                    f"This request came through a proxy on the same machine ({carried[0]}), but ESM_TRUSTED_PROXIES "
                    "does not name it. Set ESM_TRUSTED_PROXIES=127.0.0.1,::1 if the proxy is yours."
                )
            return peer
        hops = _hops(request)
        _take_scheme(request)
        client = peer
        for hop in reversed(hops):
            client = hop
            if not within(hop, proxies):
                break
        return client


class WhereaboutsMiddleware(MiddlewareMixin):
    """Signs out, with a 403, whoever is signed in from where he may not be."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Let those go on who may be here."""
        user: Any = request.user
        address = request.META.get("REMOTE_ADDR")
        if not user.is_authenticated or may_come_from(user, address):
            return None
        audit.record_refusal(Actor.of(request), "session.refused", name=user.get_username())
        logout(request)
        return _forbidden(request, _("You may not sign in from %(address)s.") % {"address": address})


def _hops(request: HttpRequest) -> list[Address]:
    """Give the addresses that the proxies wrote down, the client first; two headers that disagree are refused."""
    lists = []
    if "X-Forwarded-For" in request.headers:
        lists.append([_hop(part) for part in request.headers["X-Forwarded-For"].split(",")])
    if "Forwarded" in request.headers:
        pairs = [dict(_pairs(element)) for element in request.headers["Forwarded"].split(",")]
        lists.append([_hop(pair["for"]) for pair in pairs if "for" in pair])
    if len(lists) == 2 and lists[0] != lists[1]:
        raise Refused("Forwarded and X-Forwarded-For disagree: have the proxy remove the one that it does not set.")
    if not lists:
        raise Refused("The proxy does not say for whom it asks: have it set X-Forwarded-For.")
    return lists[0]


def _pairs(element: str) -> list[tuple[str, str]]:
    return [(name.lower(), value.strip('"')) for name, value in PAIR.findall(element)]


def _hop(text: str) -> Address:
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].split("]")[0]
    elif text.count(":") == 1:
        text = text.split(":")[0]
    address = parse(text)
    if address is None:
        raise Refused("The proxy names a client that is not an address.")
    return address


def _take_scheme(request: HttpRequest) -> None:
    """Believe the proxy that the browser speaks https with it."""
    schemes = [request.headers.get("X-Forwarded-Proto", "").split(",")[-1].strip().lower()]
    if "Forwarded" in request.headers:
        schemes += [dict(_pairs(part)).get("proto", "").lower() for part in request.headers["Forwarded"].split(",")]
    for scheme in schemes:
        if scheme in {"http", "https"}:
            request.META["wsgi.url_scheme"] = scheme
            if hasattr(request, "scope"):
                request.scope = {**request.scope, "scheme": scheme}
            return


@lru_cache(maxsize=8)
def trusted_proxies(names: tuple[str, ...]) -> Sequence[Network]:
    """Read the networks of ESM_TRUSTED_PROXIES."""
    try:
        return [ip_network(name) for name in names]
    except ValueError as error:
        raise ImproperlyConfigured(f"ESM_TRUSTED_PROXIES: {error}") from error


def _note(request: HttpRequest) -> None:
    """Audit that an address was refused; ``REMOTE_ADDR`` is the client, or the peer where that is not known."""
    peer = parse(str(request.META.get("REMOTE_ADDR") or ""))
    actor = Actor(ActorKind.USER, "", None, str(peer) if peer is not None else None, f"{request.method} {request.path}")
    audit.record_refusal(actor, "address.connect", name=actor.address or "")


def _forbidden(request: HttpRequest, sentence: str) -> HttpResponse:
    return refusal(request, HTTPStatus.FORBIDDEN, sentence)


def refusal(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    """Give an answer in plain words, or to a program problem details."""
    if request.path.startswith("/api/"):
        return problem(request, int(status), sentence)
    text = f"{int(status)} {HTTPStatus(status).phrase}\n\n{sentence}\n"
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
