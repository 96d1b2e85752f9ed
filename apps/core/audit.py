"""Writes the audit: every change, by whom, from where, before and after; chained so that a gap or an edit shows.

An entry is written inside the transaction of the act. One sealer task chains entries within five seconds: each digest
covers the entry and the digest before it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import connection, models

from apps.core.actors import Actor
from apps.core.models import AuditEntry, Outcome
from apps.core.writes import turn

CHANGED = "(changed)"  # stands for a secret that was set; the secret itself is never written
SEALED_AT_ONCE = 500
SEALER_LOCK = 21121  # the number of the advisory lock on PostgreSQL


def record(
    actor: Actor,
    action: str,
    subject: models.Model | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    outcome: Outcome = Outcome.SUCCESS,
    name: str = "",
) -> AuditEntry:
    """Keep one act. ``before`` and ``after`` hold JSON values; equal pairs are left out, secrets are ``CHANGED``.

    The subject is called by its ``audit_name`` where it has one, else as everywhere.
    """
    old, new = dict(before or {}), dict(after or {})
    for key in old.keys() & new.keys():
        if old[key] == new[key] and new[key] != CHANGED:
            del old[key], new[key]
    return AuditEntry.objects.create(
        actor_kind=actor.kind,
        actor_name=actor.name[:300],
        user=actor.user,
        address=actor.address,
        action=action,
        object_type=subject._meta.label_lower if subject is not None else "",
        object_id=str(subject.pk) if subject is not None and subject.pk is not None else "",
        object_name=(name or _name_of(subject))[:300],
        before=old or None,
        after=new or None,
        outcome=outcome,
    )


def _name_of(subject: models.Model | None) -> str:
    return "" if subject is None else str(getattr(subject, "audit_name", subject))


def seal() -> int:
    """Chain the entries that are not chained yet, oldest first; gives how many.

    One sealer works at a time: on SQLite the write turn sees to it, on PostgreSQL a lock of the transaction.
    """
    with turn():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEALER_LOCK])
        last = AuditEntry.objects.exclude(sequence=None).order_by("-sequence").first()
        sequence, digest = (last.sequence or 0, last.digest) if last else (0, "")
        entries = list(AuditEntry.objects.filter(sequence=None).order_by("pk")[:SEALED_AT_ONCE])
        for entry in entries:
            sequence += 1
            digest = _digest(entry, sequence, digest)
            entry.sequence, entry.digest = sequence, digest
        AuditEntry.objects.bulk_update(entries, ["sequence", "digest"])
    return len(entries)


def first_broken() -> AuditEntry | None:
    """Walk the chain; give the first entry that was changed or stands behind a gap, None when all is well."""
    digest = ""
    chained = AuditEntry.objects.exclude(sequence=None).order_by("sequence").iterator(chunk_size=1000)
    for sequence, entry in enumerate(chained, start=1):
        digest = _digest(entry, sequence, digest)
        if entry.sequence != sequence or entry.digest != digest:
            return entry
    return None


def _digest(entry: AuditEntry, sequence: int, previous: str) -> str:
    facts = [
        previous,
        sequence,
        entry.pk,
        entry.at.isoformat(),
        entry.actor_kind,
        entry.actor_name,
        entry.address,
        entry.action,
        entry.object_type,
        entry.object_id,
        entry.object_name,
        entry.before,
        entry.after,
        entry.outcome,
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
