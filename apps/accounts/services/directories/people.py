"""Accounts of people of directories: taken in at the first sign-in, kept as the directory has them, barred."""

import logging
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts import names
from apps.accounts.models import Bar, Directory, DirectoryGroup, User
from apps.accounts.services import sessions
from apps.accounts.services.directories import mapping
from apps.accounts.services.directories.asking import Answer
from apps.accounts.services.directories.entries import Entry
from apps.accounts.services.directories.faults import Refusal, Refused
from apps.core import audit
from apps.core.actors import Actor
from apps.core.writes import turn

log = logging.getLogger(__name__)
FROM_ENTRY = ("username", "first_name", "last_name", "email")
# What is known to be so; several entries of one name are a fault of the settings, and bar nobody.
BARS = {
    Refusal.UNKNOWN: Bar.REMOVED,
    Refusal.DISABLED: Bar.DISABLED,
    Refusal.EXPIRED: Bar.EXPIRED,
    Refusal.UNMAPPED: Bar.UNMAPPED,
}


def take_in(directory: Directory, answer: Answer, actor: Actor) -> User:
    """Give the account of somebody whom the directory lets in, made or brought up to date; raises Refused."""
    entry = answer.known_entry
    try:
        return _take_in(directory, entry, answer.mapped, actor)
    except IntegrityError:  # two first sign-ins at once: the other one made it
        return _take_in(directory, entry, answer.mapped, actor)


def _take_in(directory: Directory, entry: Entry, groups: Sequence[DirectoryGroup], actor: Actor) -> User:
    with turn():
        user = account_of(directory, entry)
        if user is None:
            user = User(directory=directory, entry_id=entry.identity, is_staff=True)
            user.set_unusable_password()
            before: dict[str, Any] = {}
        else:
            if not user.is_active and user.barred == Bar.NONE:
                raise Refused(Refusal.DISABLED_HERE)
            before = _facts(user)
        _bring_up_to_date(user, entry)
        user.is_active, user.barred = True, Bar.NONE.value
        user.save()
        mapping.set_memberships(user, groups)
        after = _facts(user)
        if before != after:
            audit.record(actor, "user.change" if before else "user.create", user, before=before, after=after)
    return user


def called(name: str) -> QuerySet[User]:
    """Give the account of a name, or of one that nobody could tell from it."""
    return User.objects.filter(name_key=names.key(names.normalised(name)))


def account_of(directory: Directory, entry: Entry) -> User | None:
    """Give the account of an entry, None where there is none yet; raises Refused where the name is somebody else's.

    A local account is never taken over, nor that of another directory, nor that of another entry of this one: whoever
    may name entries in a directory would else become whom he likes here.
    """
    user = User.objects.filter(directory=directory, entry_id=entry.identity).first()
    same = called(entry.username).first()
    if same is not None and (user is None or same.pk != user.pk):
        raise Refused(Refusal.CLASH)
    return user


def _bring_up_to_date(user: User, entry: Entry) -> None:
    """Take the names of the entry over; what cannot be a mail address here is left out. Raises Refused."""
    user.username = entry.username
    user.first_name, user.last_name = entry.first_name[:150], entry.last_name[:150]
    user.email = _mail(entry.email)
    user.entry_dn, user.entry_id, user.entry_seen_at = entry.dn[:1000], entry.identity, timezone.now()
    try:
        user.full_clean(exclude=["password", "name_key"])
    except ValidationError as error:
        raise Refused(Refusal.BAD_NAME, " ".join(error.messages)) from error


def _mail(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        return ""
    return text if len(text) <= 254 else ""


def refresh(user: User, answer: Answer, actor: Actor) -> None:
    """Keep an account as the directory has it.

    Where its name there is another account's here, or none that is allowed, all that it is called stays and it is let
    in no more than before. What it holds by its groups is never left standing.
    """
    entry = answer.known_entry
    with turn():
        user = User.objects.select_for_update().get(pk=user.pk)
        if not user.is_active and user.barred == Bar.NONE:
            return
        before = _facts(user)
        if _takes_names(user, entry):
            user.is_active, user.barred = True, Bar.NONE.value
            user.save()
        else:
            user.refresh_from_db()
        mapping.set_memberships(user, answer.mapped)
        after = _facts(user)
        if before != after:
            audit.record(actor, "user.change", user, before=before, after=after)


def _takes_names(user: User, entry: Entry) -> bool:
    """Say whether an account could be called, and is called now, as its entry is."""
    if called(entry.username).exclude(pk=user.pk).exists():
        log.warning("%s is called %s in its directory, which is another account here", user, entry.username)
        return False
    try:
        _bring_up_to_date(user, entry)
    except Refused as refused:
        log.warning("the names of an account (%s) are not brought up to date: %s", user.pk, refused.words)
        return False
    return True


def bar(user: User, why: Bar, actor: Actor) -> bool:
    """Keep an account from being used and sign it out everywhere; gives whether that is new."""
    with turn():
        user = User.objects.select_for_update().get(pk=user.pk)
        if not user.is_active and user.barred in {Bar.NONE.value, why.value}:
            return False
        before = _facts(user)
        user.is_active, user.barred = False, why.value
        user.save(update_fields=["is_active", "barred"])
        if why in {Bar.REMOVED, Bar.UNMAPPED}:
            mapping.set_memberships(user, [])
        audit.record(actor, "user.bar", user, before=before, after=_facts(user))
        sessions.forget(user)
    return True


def _facts(user: User) -> dict[str, Any]:
    facts: dict[str, Any] = {name: getattr(user, name) for name in FROM_ENTRY}
    groups = sorted(user.directory_groups.values_list("name", flat=True)) if user.pk else []
    directory = user.directory.name if user.directory else ""
    return facts | {"is_active": user.is_active, "barred": user.barred, "directory": directory, "groups": groups}
