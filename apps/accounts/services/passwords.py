"""Gives users passwords, and says how old they are; no password is ever written anywhere but as its hash."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts import password_policy
from apps.accounts.models import FormerPassword, User
from apps.accounts.services import sessions, standing
from apps.accounts.services.directories import ownership
from apps.core import audit, options
from apps.core.actors import Actor
from apps.core.models import Outcome
from apps.core.writes import turn


def check(password: str, user: User) -> None:
    """Refuse a password that the policy refuses; raises ValidationError on ``password``."""
    try:
        password_policy.check(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error


def set_password(user: User, password: str, actor: Actor, *, must_change: bool = True) -> None:
    """Give somebody else a new password; his sessions end, and he chooses his own at the next sign-in.

    One's own is changed by whoever knows the present one: else a session that was left open, or a token that may do
    little, would be worth all that its user may do. Raises ValidationError.
    """
    ownership.refuse_password(user)
    if actor.user is not None and actor.user.pk == user.pk:
        raise ValidationError(
            {"password": [_("Change your own password at /password/, where the present one is asked.")]}
        )
    standing.refuse_higher(actor, User.objects.filter(pk=user.pk))
    _replace(user, password, actor, must_change=must_change)


def change_own_password(user: User, present: str, password: str, actor: Actor, session_key: str | None) -> None:
    """Let a user choose a new password; his other sessions end. Raises ValidationError naming the field."""
    ownership.refuse_password(user)
    if not user.check_password(present):
        with turn():
            audit.record(actor, "user.password", user, outcome=Outcome.REFUSED)
        raise ValidationError({"old_password": [_("This is not your present password.")]})
    if present == password:
        raise ValidationError({"password": [_("Choose a password that differs from the present one.")]})
    _replace(user, password, actor, must_change=False, session_key=session_key)


def _replace(user: User, password: str, actor: Actor, *, must_change: bool, session_key: str | None = None) -> None:
    """Put a new password in force; every session of the user ends but the named one. Raises ValidationError."""
    check(password, user)
    replaced = user.password
    user.set_password(password)
    user.must_change_password = must_change
    user.password_changed_at = timezone.now()
    with turn():
        user.save(update_fields=["password", "must_change_password", "password_changed_at"])
        _keep_former(user, replaced)
        audit.record(actor, "user.password", user, after={"password": audit.CHANGED, "must_change": must_change})
        sessions.forget(user, but=session_key)


def age(user: User) -> timedelta:
    """Give how long ago the password was chosen."""
    return timezone.now() - user.password_changed_at


def is_due(user: User) -> bool:
    """Say whether it is time to change the password; one that a directory keeps is not ours to remind of."""
    days = options.get("password_reminder")
    return bool(days) and user.has_usable_password() and age(user) >= timedelta(days=days)


def _keep_former(user: User, replaced: str) -> None:
    """Keep as many former hashes as the policy looks at, and no more."""
    kept = password_policy.current().former
    if replaced and kept:
        FormerPassword.objects.create(user=user, password=replaced)
    old = user.former_passwords.order_by("-pk").values_list("pk", flat=True)[kept:]
    FormerPassword.objects.filter(pk__in=list(old)).delete()
