"""Makes and removes API tokens; only a prefix and the SHA-256 of a token are kept."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.access.models import ApiToken
from apps.accounts.models import User
from apps.core import audit
from apps.core.actors import Actor
from apps.core.writes import turn

BITS = 256
LIFETIME = timedelta(days=90)
NOTED_EVERY = timedelta(minutes=1)  # the last use is not written more often


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made, with its secret, which is shown this once."""

    token: ApiToken
    secret: str

    def __repr__(self) -> str:
        return f"<NewToken {self.token}>"


def create(
    user: User, name: str, actor: Actor, *, expires_at: datetime | None = None, read_only: bool = False
) -> NewToken:
    """Make a token for a user; raises ValidationError when it would have expired already."""
    now = timezone.now()
    if expires_at is not None and expires_at <= now:
        raise ValidationError({"expires_at": [_("Choose a time that lies ahead.")]})
    secret = secrets.token_urlsafe(BITS // 8)
    with turn():
        token = ApiToken.objects.create(
            user=user,
            name=name,
            prefix=secret[:8],
            digest=hashlib.sha256(secret.encode()).hexdigest(),
            read_only=read_only,
            created_at=now,
            expires_at=expires_at or now + LIFETIME,
        )
        after = {"user": user.username, "expires_at": token.expires_at.isoformat(), "read_only": read_only}
        audit.record(actor, "token.create", token, after=after)
    return NewToken(token, secret)


def remove(token: ApiToken, actor: Actor) -> None:
    """Take a token back."""
    with turn():
        audit.record(actor, "token.remove", token, before={"user": token.user.username})
        token.delete()


def note_use(token: ApiToken) -> None:
    """Keep when the token was used, at most once a minute."""
    now = timezone.now()
    if token.last_used_at is not None and token.last_used_at > now - NOTED_EVERY:
        return
    before = now - NOTED_EVERY
    with turn():
        ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=before), pk=token.pk).update(
            last_used_at=now
        )
