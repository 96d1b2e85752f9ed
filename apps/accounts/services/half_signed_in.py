"""Between the password and the code of the second factor: a session that knows whose code it waits for, and no more.

It is no signed-in session: everything that needs one refuses it. It ends after five minutes, with another password, or
when the user is disabled.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.accounts.models import User

KEY = "half_signed_in"
LASTS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Half:
    """Whose code is awaited, where he goes then, and what this attempt is called, so that tabs do not mix them up."""

    user: User
    target: str
    name: str


def begin(request: HttpRequest, user: User, target: str) -> None:
    """Wait for the code of a user whose password was right, in a new session."""
    request.session.flush()
    request.session[KEY] = {
        "user": user.pk,
        "backend": getattr(user, "backend", ""),
        "hash": user.get_session_auth_hash(),
        "at": timezone.now().timestamp(),
        "target": target,
        "name": secrets.token_urlsafe(12),
    }


def current(request: HttpRequest) -> Half | None:
    """Give whose code is awaited; None, and nothing is awaited any more, when it took too long or he has changed."""
    kept = request.session.get(KEY)
    if kept is None:
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    is_late = timezone.now().timestamp() - kept["at"] > LASTS.total_seconds()
    if is_late or user is None or not constant_time_compare(kept["hash"], user.get_session_auth_hash()):
        end(request)
        return None
    user.backend = kept["backend"]  # as authenticate() leaves it, for login()
    return Half(user, kept["target"], kept["name"])


def end(request: HttpRequest) -> None:
    """Wait no longer."""
    request.session.pop(KEY, None)
