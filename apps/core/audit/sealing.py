"""Chains entries: each digest covers the entry and the digest before it."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils import timezone

from apps.core import rows
from apps.core.audit.anchor_file import Place
from apps.core.models import AuditChain, AuditEntry, Break
from apps.core.writes import turn

AT_ONCE = 500
# What a digest covers, by the form of the entry.
FACTS = (
    *("pk", "at", "actor_kind", "actor_name", "address", "action", "object_type", "object_id", "object_name"),
    *("before", "after", "outcome"),
)
ALSO = ("form", "login", "user_id", "request", "group", "former_group")  # from form 2 on
READ = (*FACTS, *ALSO, "sequence", "digest")


def seal() -> int:
    """Chain the entries that are not chained yet, oldest first; gives how many.

    One sealer works at a time: the row of the chain is locked meanwhile.
    """
    if not AuditEntry.objects.filter(sequence=None).exists():
        return 0
    with turn():
        chain = AuditChain.current(lock=True)
        waiting = list(AuditEntry.objects.filter(sequence=None).order_by("pk").values_list(*READ)[:AT_ONCE])
        if not waiting:
            return 0
        at = _end(chain)
        sealed = []
        for facts in waiting:
            at = Place(at.sequence + 1, digest_of(facts, at.sequence + 1, at.digest))
            sealed.append((at.sequence, at.digest, facts[0]))
        rows.update(AuditEntry, ("sequence", "digest"), sealed)
        chain.sealed_sequence, chain.sealed_digest, chain.sealed_at = at.sequence, at.digest, timezone.now()
        chain.save()
    return len(sealed)


def _end(chain: AuditChain) -> Place:
    """Give the end of the chain; where the last entries were cut off, it is where they ended: a gap is left."""
    last = AuditEntry.objects.filter(sequence__gt=chain.sealed_sequence).order_by("-sequence")
    row = last.values_list("sequence", "digest").first()
    return Place(row[0] or 0, row[1]) if row is not None else Place(chain.sealed_sequence, chain.sealed_digest)


def note_break(chain: AuditChain, sequence: int, why: Break) -> None:
    """Remember the first broken place; one that is known already stays. The row is saved by the caller."""
    if chain.broken_sequence is None or sequence < chain.broken_sequence:
        chain.broken_sequence, chain.broken_why, chain.broken_at = sequence, why.value, timezone.now()


def digest_of(row: Sequence[Any], sequence: int, previous: str) -> str:
    """Give the digest of an entry whose columns were read as ``READ`` names them."""
    pk, at, *facts = row[: len(FACTS)]
    covered = [previous, sequence, pk, at.isoformat(), *facts]
    also = row[len(FACTS) : len(FACTS) + len(ALSO)]
    if also[0] > 1:
        covered += also
    return hashlib.sha256(json.dumps(covered, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def chained(after: int, at_once: int = 2000) -> Iterator[Sequence[Any]]:
    """Give the columns of all sealed entries behind one, in the order of the chain, some read at a time."""
    last = after
    while True:
        found = AuditEntry.objects.filter(sequence__gt=last).order_by("sequence").values_list(*READ)[:at_once]
        part = list(found)
        yield from part
        if len(part) < at_once:
            return
        last = part[-1][-2]
