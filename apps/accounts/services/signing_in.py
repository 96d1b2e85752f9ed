"""Checks a name with its password, on the page and for tokens; a refused attempt is audited, the password never."""

from django.contrib.auth import authenticate
from django.http import HttpRequest

from apps.accounts.models import User
from apps.core import audit
from apps.core.actors import Actor, ActorKind
from apps.core.models import Outcome
from apps.core.writes import turn


def check(request: HttpRequest, name: str, password: str, action: str = "session.sign_in") -> User | None:
    """Give the active user of this name and password; None, and an audit entry, when there is none."""
    user = authenticate(request, username=name, password=password)
    if isinstance(user, User):
        return user
    actor = Actor(ActorKind.USER, name[:150], None, request.META.get("REMOTE_ADDR"))
    with turn():
        audit.record(actor, action, name=name[:150], outcome=Outcome.REFUSED)
    return None


def note(request: HttpRequest, user: User, action: str = "session.sign_in") -> None:
    """Write down that somebody signed in or out."""
    actor = Actor(ActorKind.USER, user.username, user, request.META.get("REMOTE_ADDR"))
    with turn():
        audit.record(actor, action, name=user.username)
