"""Signs programs in by their bearer token, for the API only."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from apps.access.models import ApiToken
from apps.access.services import tokens
from apps.access.services.whereabouts import may_come_from
from apps.accounts.services import second_factor
from apps.core.actors import Actor, ActorKind

INVALID = gettext_lazy("This token is not valid, or it has expired.")
READING = frozenset({"GET", "HEAD", "OPTIONS"})


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``; the token is on ``request.auth`` and ``request.user.token``."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        """Give the token's user; None when there is no such header."""
        scheme, _space, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        address = request.META.get("REMOTE_ADDR")
        token = tokens.find(secret.strip())
        if token is None:
            raise exceptions.AuthenticationFailed(INVALID)
        _name(request, token)
        if token.has_expired or not token.user.is_active:
            raise exceptions.AuthenticationFailed(INVALID)
        if not tokens.may_be_used_from(token, address) or not may_come_from(token.user, address):
            raise exceptions.PermissionDenied(_("This token may not be used from %(address)s.") % {"address": address})
        if token.user.must_change_password:
            raise exceptions.PermissionDenied(_("You must change your password first, at /password/."))
        if second_factor.is_missing(token.user):
            raise exceptions.PermissionDenied(second_factor.SET_UP_FIRST)
        if token.read_only and request.method not in READING:
            raise exceptions.PermissionDenied(_("This token may only read."))
        tokens.note_use(token, address)
        user: Any = token.user
        user.token, user.is_limited = token, token.is_limited
        return user, token

    def authenticate_header(self, request: Request) -> str:
        """Say how to sign in."""
        return "Bearer"


def _name(request: Request, token: ApiToken) -> None:
    """Tell the audit, which writes down what is refused, whose token it was; a forged one is nobody's."""
    asked = request._request
    about = (asked.META.get("REMOTE_ADDR"), f"{asked.method} {asked.path}"[:200])
    actor = Actor(ActorKind.TOKEN, f"{token.user} ({token})", token.user, *about)
    asked.refused_actor = actor  # type: ignore[attr-defined]


class TokenScheme(OpenApiAuthenticationExtension):
    """Says in the description of the API that it takes bearer tokens."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Give the scheme of RFC 6750."""
        return {"type": "http", "scheme": "bearer"}
