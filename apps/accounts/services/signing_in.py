"""The one door: a name with its password, then the code of the second factor where the user has one.

Pages, tokens and whatever asks for a password again come through here. Each attempt is counted for the lock-out, and a
refused one is audited, the password and the code never. The answer is the same, and takes as long, whether the name
exists, is disabled, is locked or may not come from there; only a locked address is refused at once, which tells about
no name.
"""

from collections.abc import Callable
from dataclasses import replace

from django.contrib.auth import authenticate, login
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_otp import login as keep_device

from apps.accounts.models import LockedThing, User
from apps.accounts.services import half_signed_in, lockouts, second_factor, sessions
from apps.accounts.services.lockouts import Alias, Verdict
from apps.accounts.services.sign_in_names import has_unseen, normal
from apps.core import audit
from apps.core.actors import Actor, ActorKind
from apps.core.models import Outcome
from apps.core.registries import Registry
from apps.core.writes import turn

# What upper apps know of where users may come from: called with one and an address, says whether he may.
whereabouts: Registry[Callable[[User, str | None], bool]] = Registry("rule of where users may sign in")

# What every refused sign-in is told, whatever the reason.
REFUSED = _(
    "The name or the password is wrong. "
    "After several failures sign-in is refused for a while, also with the right password."
)
CODE_REFUSED = _(
    "The code is wrong or was used already; wait for the next one. "
    "After several failures sign-in is refused for a while, also with the right code."
)


def check(request: HttpRequest, name: str, password: str, action: str = "session.sign_in") -> User | None:
    """Give the active user of this name and password who may come from here; None, and an audit entry, for others."""
    name = normal(name)
    if has_unseen(name):
        return None
    user = authenticate(request, username=name, password=password)
    verdict: Verdict = getattr(request, "sign_in_verdict", Verdict())
    alias: Alias | None = getattr(request, "sign_in_alias", None)
    if isinstance(user, User):
        lockouts.take_back(lockouts.claimant_of(request, name), verdict)
        if alias is not None:
            lockouts.take_back(alias.who, alias.verdict)
        address = request.META.get("REMOTE_ADDR")
        if all(may_come_from(user, address) for may_come_from in whereabouts):
            return user
        audit.record_refusal(replace(Actor.of(request), name=user.username), "session.refused", name=user.username)
        return None
    if verdict.locked is not None and verdict.locked.kind == LockedThing.ACCOUNT:
        make_password(password)  # nobody looked at it, and that must not be seen from outside
    elif alias is not None and alias.verdict.locked is not None:
        verdict = alias.verdict
    _note_refusal(request, name, action, verdict)
    return None


def check_code(request: HttpRequest, user: User, code: str, action: str = "session.code") -> bool:
    """Say whether a code of the second factor is right; it counts for the lock-out as a password does."""
    who = lockouts.claimant_of(request, user.username)
    verdict = lockouts.attempt(who)
    if verdict.locked is None and second_factor.verify(user, code) is not None:
        lockouts.take_back(who, verdict)
        return True
    _note_refusal(request, user.username, action, verdict)
    return False


def knows_password(request: HttpRequest, user: User, password: str, action: str) -> bool:
    """Say whether somebody who is signed in knows his password; it counts for the lock-out, or he could be guessed."""
    return check(request, user.username, password, action) == user


def prove(request: HttpRequest, user: User, password: str, code: str, action: str) -> bool:
    """Say whether somebody who is signed in knows his password and has a code, before what is worth both."""
    return knows_password(request, user, password, action) and check_code(request, user, code, action)


def needs_code(user: User) -> bool:
    """Say whether the password alone does not sign this user in."""
    return second_factor.device_of(user) is not None


def complete(request: HttpRequest, user: User) -> None:
    """Sign in whoever has shown all he needs; the session gets a new key."""
    half_signed_in.end(request)
    login(request, user)
    device = second_factor.device_of(user)
    if device is not None:
        keep_device(request, device)
    sessions.begin(request)
    note(request, user)


def settle(request: HttpRequest, user: User) -> None:
    """Forget what failed for a user who proved himself without a session, as for a token."""
    lockouts.forgive(lockouts.claimant_of(request, user.username))


def note(request: HttpRequest, user: User, action: str = "session.sign_in") -> None:
    """Write down that somebody signed in or out."""
    actor = replace(Actor.of(request), kind=ActorKind.USER, name=user.username, user=user)
    with turn():
        audit.record(actor, action, name=user.username)


def _note_refusal(request: HttpRequest, name: str, action: str, verdict: Verdict) -> None:
    """Audit a refused attempt; while somebody is locked, once a minute with the number of attempts."""
    if verdict.locked is not None and not verdict.untold:
        return
    actor = replace(Actor.of(request), kind=ActorKind.USER, name=name[:150], user=None)
    after = {"locked": verdict.locked.kind, "attempts": verdict.untold} if verdict.locked is not None else None
    with turn():
        audit.record(actor, action, name=name[:150], after=after, outcome=Outcome.REFUSED)
