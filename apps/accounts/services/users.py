"""Makes, changes and removes users, and keeps what they prefer; every change is audited, no password ever is."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from apps.accounts import names
from apps.accounts.models import Bar, User
from apps.accounts.services import passwords, sessions
from apps.accounts.services.directories import ownership
from apps.core import audit, holdings, menu
from apps.core.actors import Actor
from apps.core.registries import Registry
from apps.core.writes import turn

CHANGEABLE = ("username", "email", "first_name", "last_name", "is_active", "must_change_password")
PREFERENCES = ("language", "time_zone", "theme", "start_page")

# What upper apps know against disabling or removing a user: called with him, raise ValidationError.
removal_checks: Registry[Callable[[User], None]] = Registry("user removal check")


def create(
    name: str, password: str, actor: Actor, *, must_change: bool = True, fields: Mapping[str, Any] | None = None
) -> User:
    """Make a user; raises ValidationError naming the field."""
    about = {"username": names.normalised(name), "must_change_password": must_change, "is_staff": True}
    user = User(**about, **dict(fields or {}))
    _check(user)
    passwords.check(password, user)
    user.set_password(password)
    with turn():
        _save(user)
        audit.record(actor, "user.create", user, after=_facts(user) | {"password": audit.CHANGED})
    return user


def change(user: User, fields: Mapping[str, Any], actor: Actor) -> User:
    """Change what is given of name, mail, names, ``is_active`` and ``must_change_password``; raises ValidationError."""
    if not fields:
        return user
    before = _facts(user)
    ownership.refuse_change(user, fields)
    for name, value in fields.items():
        if name not in CHANGEABLE:
            raise ValueError(f"{name} is not changed here")
        setattr(user, name, value.strip() if isinstance(value, str) else value)
    user.username = names.normalised(user.username)
    if before["is_active"] and not user.is_active:
        _refuse_oneself(user, actor, "is_active", _("You cannot disable yourself."))
    _check(user, renamed=user.username != before["username"])
    written = set(fields)
    with turn():
        if before["is_active"] and not user.is_active:
            _check_removal(user, "is_active")
        if before["is_active"] != user.is_active:
            user.barred = Bar.NONE.value  # from now on it is the administrator's word
            written.add("barred")
        _save(user, *sorted(written))
        audit.record(actor, "user.change", user, before=before, after=_facts(user))
        if not user.is_active:
            sessions.forget(user)
    return user


def remove(user: User, actor: Actor) -> None:
    """Remove a user with his grants and tokens; raises ValidationError for oneself and the last administrator."""
    _refuse_oneself(user, actor, "", _("You cannot remove yourself."))
    with turn():
        _check_removal(user)
        teams = list(user.teams.order_by("name").values_list("name", flat=True))
        before = _facts(user) | ({"teams": teams} if teams else {}) | holdings.of(user)
        audit.record(actor, "user.remove", user, before=before)
        user.delete()


def set_preferences(user: User, fields: Mapping[str, str]) -> None:
    """Keep language, time zone, theme and start page; nobody else is concerned, so it is not audited."""
    for name, value in fields.items():
        if name not in PREFERENCES:
            raise ValueError(f"{name} is not a preference")
        setattr(user, name, value)
    user.full_clean(exclude=["password", "username", "name_key"])
    with turn():
        user.save(update_fields=list(fields))


def start_pages(user: User) -> list[tuple[str, str]]:
    """Give the pages that a user may begin with: what his menu leads to, by the names of their routes."""
    return [(entry.url_name, str(entry.label)) for entry in menu.entries_for(user) if _address(entry.url_name)]


def start_page(user: User) -> str:
    """Give the address of the page that a user begins with; nothing when he has chosen none that he may open."""
    chosen = user.start_page in {name for name, _label in start_pages(user)}
    return _address(user.start_page) if chosen else ""


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


def _facts(user: User) -> dict[str, Any]:
    return {name: getattr(user, name) for name in CHANGEABLE}


def _address(url_name: str) -> str:
    try:
        return reverse(url_name)
    except NoReverseMatch:  # classic mode has no such page
        return ""


def _check(user: User, *, renamed: bool = True) -> None:
    """Refuse what is wrong with a user; a name from earlier days is looked at when it is changed."""
    if renamed:
        try:
            names.check(user.username)
        except ValidationError as error:
            raise ValidationError({"username": error.messages}) from error
        _refuse_taken(user)
    user.full_clean(exclude=["password", "username", "name_key"], validate_unique=False)


def _refuse_taken(user: User) -> None:
    same = User.objects.filter(name_key=names.key(user.username)).exclude(pk=user.pk).first()
    if same is None:
        return
    if same.username.casefold() == user.username.casefold():
        raise ValidationError({"username": [_("A user of this name exists already.")]})
    raise ValidationError({"username": [_("This name looks like that of another user.")]})


def _save(user: User, *fields: str) -> None:
    """Write a user, all of him or some fields; of two that take a name at once one is told."""
    try:
        with transaction.atomic():
            user.save(update_fields=[*fields, "name_key"] if fields else None)
    except IntegrityError as error:
        raise ValidationError({"username": [_("A user of this name exists already.")]}) from error


def _refuse_oneself(user: User, actor: Actor, field: str, sentence: str) -> None:
    if actor.user is not None and actor.user.pk == user.pk:
        raise ValidationError({field: [sentence]} if field else sentence)


def _check_removal(user: User, field: str = "") -> None:
    for check in removal_checks:
        try:
            check(user)
        except ValidationError as error:
            raise ValidationError({field: error.messages} if field else error.messages) from error
