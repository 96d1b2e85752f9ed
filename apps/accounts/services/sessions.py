"""When a session began, is idle and ends. Only what a person does counts, and it is written at most once a second."""

from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from django.conf import settings
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import browsers
from apps.accounts.models import Session, User
from apps.accounts.models.sessions import SessionQuerySet, idle_after, lasts_at_most
from apps.accounts.session_store import TOLD_WITHIN, SessionStore
from apps.core import audit, events
from apps.core.actors import Actor
from apps.core.writes import turn

LEFT_COOKIE = f"esm_left_{settings.HTTP_PORT}"  # says that the last one here signed out by hand
WARN_BEFORE = timedelta(minutes=2)  # that a session ends; half of what is allowed where that is shorter
ENDED_AT_ONCE = 500  # rows in one turn


@dataclass(frozen=True, slots=True)
class Remaining:
    """How long a session goes on when nobody does anything; in seconds, as pages count them."""

    seconds: int
    warn_before: int
    idle_after: int
    extendable: bool  # by doing something; not when the session is simply too old


def begin(request: HttpRequest) -> None:
    """Note when, from where and by which browser somebody has just signed in."""
    session = _of(request)
    now = timezone.now()
    with turn():
        session.save()
        Session.objects.filter(session_key=session.session_key).update(
            signed_in_at=now,
            active_at=now,
            address=request.META.get("REMOTE_ADDR"),
            agent=request.headers.get("User-Agent", "")[: browsers.LONGEST],
        )
    session.signed_in_at = session.active_at = now


def note_activity(request: HttpRequest) -> bool:
    """Remember that the person did something now; False when the session was ended meanwhile, in another tab."""
    session = _of(request).read()
    now = timezone.now()
    if session.active_at is not None and now - session.active_at < timedelta(seconds=1):
        return True
    with turn():
        known = Session.objects.filter(session_key=session.session_key).update(active_at=now)
    session.active_at = now
    return bool(known)


def why_over(request: HttpRequest) -> str:
    """Say why a session ends now: ``idle`` by ``auto_logout``, ``old`` by ``session_hours``; else nothing."""
    session, now = _of(request).read(), timezone.now()
    if session.active_at is not None and now - session.active_at >= idle_after():
        return "idle"
    if session.signed_in_at is not None and now - session.signed_in_at >= lasts_at_most():
        return "old"
    return ""


def is_lively(request: HttpRequest) -> bool:
    """Say whether the session of a request goes on, for the live stream."""
    return not why_over(request)


def remaining(request: HttpRequest) -> Remaining:
    """Give how long a session goes on when nobody does anything."""
    session = _of(request).read()
    now, allowed = timezone.now(), idle_after()
    idle_at, old_at = (session.active_at or now) + allowed, (session.signed_in_at or now) + lasts_at_most()
    warn_before = min(WARN_BEFORE, allowed / 2)
    return Remaining(
        seconds=max(0, int((min(idle_at, old_at) - now).total_seconds())),
        warn_before=int(warn_before.total_seconds()),
        idle_after=int(allowed.total_seconds()),
        extendable=now + warn_before < old_at,
    )


def note_end(request: HttpRequest, why: str) -> None:
    """Write down that a session ends by itself."""
    with turn():
        audit.record(Actor.of(request), f"session.{why}", name=request.user.get_username())


def end(session: Session, actor: Actor) -> None:
    """Sign one browser out."""
    with turn():
        session.delete()
        audit.record(actor, "session.end", name=session.audit_name, before=_facts(session))


def end_others(request: HttpRequest, actor: Actor) -> int:
    """Sign somebody out everywhere but here; gives of how many browsers."""
    user = cast(User, request.user)
    return end_all(user, actor, but=_of(request).session_key)


def end_all(user: User, actor: Actor, *, but: str | None = None) -> int:
    """Sign a user out everywhere, or everywhere but in one session; gives of how many browsers."""
    with turn():
        alive = Session.objects.filter(user=user).exclude(session_key=but).alive().count()
        forget(user, but=but)
        if alive:
            audit.record(actor, "session.end_all", name=user.username, after={"sessions": alive})
    return alive


def end_everybodys(actor: Actor) -> int:
    """Sign everybody out everywhere; gives of how many browsers."""
    alive = Session.objects.alive().count()
    with turn():
        if alive:
            audit.record(actor, "session.end_all", name="", after={"sessions": alive})
    _remove(Session.objects.all())
    return alive


def forget(user: User, *, but: str | None = None) -> None:
    """Remove the sessions of a user, as part of an act that is audited itself."""
    Session.objects.filter(user=user).exclude(session_key=but).delete()


def remove_ended() -> int:
    """Remove the rows of sessions that have ended, the oldest first; gives how many."""
    now = timezone.now()
    ended = Session.objects.filter(
        models.Q(expire_date__lte=now)
        | models.Q(active_at__lte=now - idle_after() - TOLD_WITHIN)
        | models.Q(user__isnull=False, signed_in_at__lte=now - lasts_at_most() - TOLD_WITHIN)
    )
    return _remove(ended)


def _remove(rows: SessionQuerySet) -> int:
    removed = 0
    while True:
        with turn():
            some = list(rows.order_by("pk").values_list("pk", flat=True)[:ENDED_AT_ONCE])
            Session.objects.filter(pk__in=some).delete()
            events.publish(events.ACCESS)
        removed += len(some)
        if len(some) < ENDED_AT_ONCE:
            return removed


def _of(request: HttpRequest) -> SessionStore:
    return cast(SessionStore, request.session)


def _facts(session: Session) -> dict[str, str]:
    return {
        "signed_in_at": session.signed_in_at.isoformat(),
        "address": session.address or "",
        "browser": session.agent,
    }
