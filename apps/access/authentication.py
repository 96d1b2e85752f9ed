"""Signs programs in by their bearer token, for the API only."""

import hashlib
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from apps.access.models import ApiToken
from apps.access.services import tokens
from apps.accounts.services import second_factor

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``; the token is on ``request.auth`` and ``request.user.token``."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        """Give the token's user; None when there is no such header."""
        scheme, _space, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        digest = hashlib.sha256(secret.strip()).hexdigest()
        token = ApiToken.objects.alive().select_related("user").filter(digest=digest).first()
        if token is None:
            raise exceptions.AuthenticationFailed(_("This token is not valid, or it has expired."))
        if token.user.must_change_password:
            raise exceptions.PermissionDenied(_("You must change your password first, at /password/."))
        if second_factor.is_missing(token.user):
            raise exceptions.PermissionDenied(second_factor.SET_UP_FIRST)
        if token.read_only and request.method not in READING:
            raise exceptions.PermissionDenied(_("This token may only read."))
        tokens.note_use(token)
        token.user.token = token  # type: ignore[attr-defined]
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Say how to sign in."""
        return "Bearer"


class TokenScheme(OpenApiAuthenticationExtension):
    """Says in the description of the API that it takes bearer tokens."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Give the scheme of RFC 6750."""
        return {"type": "http", "scheme": "bearer"}
