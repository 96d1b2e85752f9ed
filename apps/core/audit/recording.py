"""Writes an entry, in the transaction of the act: one statement, whatever the object."""

import logging
from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError, models
from django.utils import translation

from apps.core import events
from apps.core.actors import Actor
from apps.core.audit import refusals
from apps.core.models import AuditEntry, Outcome
from apps.core.writes import turn

ABOUT_ACCESS = frozenset(
    {
        *("address", "component", "directory", "directory-group", "grant", "group", "role", "second_factor"),
        *("session", "sign_in", "team", "user"),
    }
)
"""Families of acts after which somebody may do less than before; whatever lasts longer than a request is told."""
CHANGED = "(changed)"  # stands for a secret that was set; the secret itself is never written
LONGEST = 300
log = logging.getLogger(__name__)


def record(
    actor: Actor,
    action: str,
    subject: models.Model | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    outcome: Outcome = Outcome.SUCCESS,
    name: str = "",
    group: int | None = None,
    former_group: int | None = None,
) -> AuditEntry | None:
    """Keep one act. ``before`` and ``after`` hold JSON values; equal pairs are left out, secrets are ``CHANGED``.

    The subject is called by its ``audit_name`` where it has one, else as everywhere; it belongs to its group, unless
    ``group`` names another. ``former_group`` is where it was before it moved. Of refusals that repeat, only the first
    are written one by one, so that nobody fills the disk; of the others None comes back.
    """
    if outcome is Outcome.REFUSED and not refusals.stands_alone(actor, action):
        return None
    old, new = dict(before or {}), dict(after or {})
    for key in old.keys() & new.keys():
        if old[key] == new[key] and new[key] != CHANGED:
            del old[key], new[key]
    within = _group_of(subject) if group is None else group
    if action.partition(".")[0] in ABOUT_ACCESS and outcome is Outcome.SUCCESS:
        events.publish(events.ACCESS)
    return AuditEntry.objects.create(
        actor_kind=actor.kind,
        actor_name=_kept(actor.name),
        login=_kept(actor.short_name),
        user=actor.user,
        address=actor.address,
        request=_kept(actor.request)[:200],
        action=action,
        family=action.partition(".")[0],
        object_type=subject._meta.label_lower if subject is not None else "",
        object_id=str(subject.pk) if subject is not None and subject.pk is not None else "",
        object_name=_kept(name or _name_of(subject)),
        group=within,
        former_group=former_group if former_group != within else None,
        before=old or None,
        after=new or None,
        outcome=outcome,
    )


def record_refusal(actor: Actor, action: str, *, name: str, after: Mapping[str, Any] | None = None) -> None:
    """Keep that a request was refused, in a transaction of its own; it stays refused also when that is not possible."""
    try:
        with turn():
            record(actor, action, name=name, after=after, outcome=Outcome.REFUSED)
    except DatabaseError:
        log.exception("a refusal could not be written down: %s %s", action, name)


def _kept(text: str) -> str:
    """Give a text as every database holds it."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:LONGEST]


def _name_of(subject: models.Model | None) -> str:
    with translation.override("en"):  # an entry reads the same whoever acted, in whatever language
        return "" if subject is None else str(getattr(subject, "audit_name", subject))


def _group_of(subject: models.Model | None) -> int | None:
    """Give the id of the group that an object belongs to, by its model's ``scope_path``; None of what has none."""
    if subject is None:
        return None
    if hasattr(subject, "group_in_charge"):
        charged: int | None = subject.group_in_charge
        return charged
    path: str | None = getattr(type(subject), "scope_path", None)
    if path is None:
        return None
    *way, last = path.split("__")
    found: Any = subject
    for name in way:
        found = getattr(found, name, None)
    value = getattr(found, f"{last}_id", None)
    if value is None:
        value = getattr(found, last, None)
    pk: int | None = value.pk if isinstance(value, models.Model) else value
    return pk
