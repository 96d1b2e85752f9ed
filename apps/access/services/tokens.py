"""Makes and removes API tokens; only a prefix and the SHA-256 of a token are kept."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.access.models import ApiToken, Grant, Role
from apps.access.services import addresses
from apps.accounts.models import User
from apps.core import audit, options
from apps.core.actors import SYSTEM, Actor
from apps.core.writes import turn
from apps.groups.models import Group

BITS = 256
LIFETIME, LONGEST = timedelta(days=90), timedelta(days=3650)
NOTED_EVERY = timedelta(minutes=1)  # the last use is not written more often


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made, with its secret, which is shown this once."""

    token: ApiToken
    secret: str

    def __repr__(self) -> str:
        return f"<NewToken {self.token}>"


@dataclass(frozen=True, slots=True)
class Limits:
    """By how much a token may do less than its user; None leaves all of it, no network means anywhere."""

    read_only: bool = False
    roles: Sequence[int] | None = None
    permissions: Sequence[str] | None = None
    groups: Sequence[int] | None = None
    networks: Sequence[str] = ()


def create(
    user: User, name: str, actor: Actor, *, expires_at: datetime | None = None, limits: Limits = Limits()
) -> NewToken:
    """Make a token for a user; raises ValidationError naming what is not valid."""
    now = timezone.now()
    if expires_at is not None and expires_at <= now:
        raise ValidationError({"expires_at": [_("Choose a time that lies ahead.")]})
    if expires_at is not None and expires_at > now + LONGEST:
        days = {"days": LONGEST.days}
        raise ValidationError({"expires_at": [_("No token lasts longer than %(days)s days.") % days]})
    secret = secrets.token_urlsafe(BITS // 8)
    token = ApiToken(
        user=user,
        name=name,
        prefix=secret[:8],
        digest=_digest(secret.encode()),
        read_only=limits.read_only,
        roles=_held(limits.roles, user),
        permissions=None if limits.permissions is None else list(limits.permissions),
        groups=_seen(limits.groups, user),
        networks=addresses.networks(limits.networks),
        created_at=now,
        expires_at=expires_at or now + LIFETIME,
    )
    token.full_clean(validate_unique=False)
    with turn():
        token.save()
        audit.record(actor, "token.create", token, after=_facts(token))
    return NewToken(token, secret)


def remove(token: ApiToken, actor: Actor) -> None:
    """Take a token back."""
    with turn():
        audit.record(actor, "token.remove", token, before=_facts(token))
        token.delete()


def find(secret: bytes) -> ApiToken | None:
    """Give the token of this secret, whatever became of it; None for a forged one.

    What is compared is the SHA-256, so that how long it takes tells nothing that leads to a secret.
    """
    digest = _digest(secret)
    token = ApiToken.objects.select_related("user").filter(digest=digest).first()
    return token if token is not None and hmac.compare_digest(token.digest, digest) else None


def may_be_used_from(token: ApiToken, address: str | None) -> bool:
    """Say whether a token is taken from this address."""
    return addresses.is_within(address, token.networks)


def note_use(token: ApiToken, address: str | None) -> None:
    """Keep when and from where the token was used, at most once a minute."""
    now = timezone.now()
    if token.last_used_at is not None and token.last_used_at > now - NOTED_EVERY:
        return
    before = now - NOTED_EVERY
    with turn():
        due = ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=before), pk=token.pk)
        due.update(last_used_at=now, last_used_from=address)


def remove_expired() -> int:
    """Remove the tokens that expired longer ago than an option says; gives how many."""
    until = timezone.now() - timedelta(days=options.get("token_retention"))
    old = list(ApiToken.objects.filter(expires_at__lt=until).select_related("user").order_by("pk")[:500])
    for token in old:
        remove(token, SYSTEM)
    return len(old)


def roles_of(user: User) -> QuerySet[Role]:
    """Give the roles that a user holds by any way, each once."""
    return Role.objects.filter(pk__in=Grant.objects.of(user.pk).order_by().values("role"))


def _held(roles: Sequence[int] | None, user: User) -> list[int] | None:
    """Give the ids of roles that the token's user holds, each once; raises ValidationError for others."""
    return _all_of(roles, roles_of(user), {"roles": [_("This role is not held.")]})


def _seen(groups: Sequence[int] | None, user: User) -> list[int] | None:
    """Give the ids of groups that the token's user sees, each once; raises ValidationError for others."""
    return _all_of(groups, Group.objects.visible_to(user), {"groups": [_("There is no such group.")]})


def _all_of(ids: Sequence[int] | None, rows: QuerySet[Any], fault: dict[str, list[str]]) -> list[int] | None:
    if ids is None:
        return None
    wanted = sorted(set(ids))
    if rows.filter(pk__in=wanted).count() != len(wanted):
        raise ValidationError(fault)
    return wanted


def _digest(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()


def _facts(token: ApiToken) -> dict[str, object]:
    limits = {
        "roles": token.roles,
        "permissions": token.permissions,
        "groups": token.groups,
        "networks": token.networks or None,
    }
    told = {name: value for name, value in limits.items() if value is not None}
    about = {"user": token.user.username, "expires_at": token.expires_at.isoformat(), "read_only": token.read_only}
    return {**about, **told}
