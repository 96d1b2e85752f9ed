"""When a session is idle: only what a person does counts, and it is written at most once a second."""

from collections.abc import Mapping
from typing import Any

from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.http import HttpRequest
from django.utils import timezone

from apps.core import audit, options
from apps.core.actors import Actor
from apps.core.writes import turn

ACTIVE_AT = "active_at"  # seconds since 1970 at the last thing that a person did


def note_activity(session: SessionBase) -> bool:
    """Remember that the person did something now; False when the session was ended meanwhile, in another tab."""
    now = int(timezone.now().timestamp())
    if session.get(ACTIVE_AT) == now:
        return True
    was_modified = session.modified
    session[ACTIVE_AT] = now
    if not was_modified:
        try:
            with turn():
                session.save()
        except UpdateError:
            return False
        session.modified = False
    return True


def is_idle(session: SessionBase | Mapping[str, Any]) -> bool:
    """Say whether nobody did anything for as long as the option ``auto_logout`` says."""
    active_at = session.get(ACTIVE_AT)
    if active_at is None:
        return False
    return timezone.now().timestamp() - active_at >= 60 * options.get("auto_logout")


def is_lively(request: HttpRequest) -> bool:
    """Say whether the session of a request is not idle, for the live stream."""
    return not is_idle(request.session)


def end_idle(request: HttpRequest) -> None:
    """Write down that an idle session is being ended."""
    with turn():
        audit.record(Actor.of(request), "session.idle", name=request.user.get_username())
