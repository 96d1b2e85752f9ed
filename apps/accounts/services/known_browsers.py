"""Remembers in a signed cookie who signed in with a browser, so that his failures there are counted by themselves.

Strangers who guess at a name then lock that name for themselves, and not for its owner at his own desk ("device
cookies" of OWASP). The cookie signs nobody in.
"""

import secrets
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from apps.accounts.models import User
from apps.accounts.services.sign_in_names import folded

COOKIE = f"esm_known_{settings.HTTP_PORT}"
SALT = "known-browser"
REMEMBERED = timedelta(days=90)
MOST_NAMES = 8  # of one browser; the latest stay


def of(request: HttpRequest, name: str) -> str:
    """Give what a browser is called for a name, in the form of ``folded``; nothing when he never signed in there."""
    return _names(request).get(name, "")


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Have the browser of a request known for a user who has just signed in with it."""
    name = folded(user.username)
    known = dict(_names(request))
    known[name] = known.pop(name, "") or secrets.token_hex(16)
    response.set_cookie(
        COOKIE,
        signing.dumps(dict(list(known.items())[-MOST_NAMES:]), salt=SALT),
        max_age=REMEMBERED,
        path=settings.LOGIN_URL,
        samesite="Strict",
        httponly=True,
        secure=request.is_secure(),
    )


def _names(request: HttpRequest) -> Mapping[str, str]:
    try:
        found = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=REMEMBERED)
    except signing.BadSignature:
        return {}
    return found if isinstance(found, dict) else {}
