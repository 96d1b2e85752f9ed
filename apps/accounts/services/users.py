"""Makes and changes users and their passwords; every change is audited, no password ever is."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import Bar, User
from apps.accounts.services.directories import ownership
from apps.core import audit
from apps.core.actors import Actor
from apps.core.models import Outcome
from apps.core.registries import Registry
from apps.core.writes import turn

CHANGEABLE = ("username", "email", "first_name", "last_name", "is_active", "must_change_password")
PREFERENCES = ("language", "time_zone", "theme")

# What upper apps know against disabling or removing a user: called with him, raise ValidationError.
removal_checks: Registry[Callable[[User], None]] = Registry("user removal check")


def create(
    name: str, password: str, actor: Actor, *, must_change: bool = True, fields: Mapping[str, Any] | None = None
) -> User:
    """Make a user; raises ValidationError naming the field."""
    user = User(username=name.strip(), must_change_password=must_change, is_staff=True, **dict(fields or {}))
    _check_name(user)
    _check_password(password, user)
    user.set_password(password)
    user.full_clean(exclude=["password"])
    with turn():
        user.save()
        audit.record(actor, "user.create", user, after=_facts(user) | {"password": audit.CHANGED})
    return user


def change(user: User, fields: Mapping[str, Any], actor: Actor) -> User:
    """Change what is given of name, mail, names, ``is_active`` and ``must_change_password``; raises ValidationError."""
    before = _facts(user)
    ownership.refuse_change(user, fields)
    for name, value in fields.items():
        if name not in CHANGEABLE:
            raise ValueError(f"{name} is not changed here")
        setattr(user, name, value.strip() if isinstance(value, str) else value)
    if before["is_active"] and not user.is_active:
        _refuse_oneself(user, actor, "is_active", _("You cannot disable yourself."))
    _check_name(user)
    user.full_clean(exclude=["password"])
    with turn():
        if before["is_active"] and not user.is_active:
            _check_removal(user)
        if before["is_active"] != user.is_active:
            user.barred = Bar.NONE.value  # from now on it is the administrator's word
        user.save(update_fields=[*fields, "barred"])
        audit.record(actor, "user.change", user, before=before, after=_facts(user))
        if not user.is_active:
            end_sessions(user)
    return user


def remove(user: User, actor: Actor) -> None:
    """Remove a user with his grants and tokens; raises ValidationError for oneself and the last administrator."""
    _refuse_oneself(user, actor, "", _("You cannot remove yourself."))
    with turn():
        _check_removal(user)
        audit.record(actor, "user.remove", user, before=_facts(user))
        end_sessions(user)
        user.delete()


def set_password(user: User, password: str, actor: Actor, *, must_change: bool = True) -> None:
    """Give a user a new password; his sessions end, and he chooses his own at the next sign-in."""
    ownership.refuse_password(user)
    _check_password(password, user)
    user.set_password(password)
    user.must_change_password = must_change
    with turn():
        user.save(update_fields=["password", "must_change_password"])
        audit.record(actor, "user.password", user, after={"password": audit.CHANGED, "must_change": must_change})
        if actor.user != user:
            end_sessions(user)


def change_own_password(user: User, present: str, password: str, actor: Actor) -> None:
    """Let a user choose a new password; raises ValidationError naming the field that is wrong."""
    ownership.refuse_password(user)
    if not user.check_password(present):
        with turn():
            audit.record(actor, "user.password", user, outcome=Outcome.REFUSED)
        raise ValidationError({"old_password": [_("This is not your present password.")]})
    if present == password:
        raise ValidationError({"password": [_("Choose a password that differs from the present one.")]})
    set_password(user, password, actor, must_change=False)


def set_preferences(user: User, fields: Mapping[str, str]) -> None:
    """Keep language, time zone and theme; nobody else is concerned, so it is not audited."""
    for name, value in fields.items():
        if name not in PREFERENCES:
            raise ValueError(f"{name} is not a preference")
        setattr(user, name, value)
    user.full_clean(exclude=["password", "username"])
    with turn():
        user.save(update_fields=list(fields))


def remembered(user: User, page: str) -> Mapping[str, Any]:
    """Give how a user looked at a page the last time."""
    found = user.remembered.get(page) if isinstance(user.remembered, dict) else None
    return found if isinstance(found, dict) else {}


def remember(user: User, page: str, choice: Mapping[str, str]) -> None:
    """Keep how a user looks at a page, where it differs from the last time; like a preference, nobody else's matter."""
    if remembered(user, page) == choice:
        return
    with turn():
        row = User.objects.select_for_update().get(pk=user.pk)
        user.remembered = {**row.remembered, page: dict(choice)}
        User.objects.filter(pk=user.pk).update(remembered=user.remembered)


def end_sessions(user: User) -> None:
    """Sign a user out everywhere."""
    # Sessions are opaque rows; an administrator's act on one user may look through them, and there are few.
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            store(session.session_key).delete()


def _facts(user: User) -> dict[str, Any]:
    return {name: getattr(user, name) for name in CHANGEABLE}


def _check_name(user: User) -> None:
    same = User.objects.filter(username__iexact=user.username).exclude(pk=user.pk)
    if same.exists():
        raise ValidationError({"username": [_("A user of this name exists already.")]})


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error


def _refuse_oneself(user: User, actor: Actor, field: str, sentence: str) -> None:
    if actor.user is not None and actor.user.pk == user.pk:
        raise ValidationError({field: [sentence]} if field else sentence)


def _check_removal(user: User) -> None:
    for check in removal_checks:
        check(user)
