"""Looks whether the chain holds: what is new every minute, all of it once a day, in slices that hold nobody up.

Found is the first entry that was changed, stands behind a gap, or is not the one that the anchors name; and that the
end was cut off, or the beginning removed by somebody else than retention.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from apps.core.actors import Actor
from apps.core.audit import anchor_file, recording
from apps.core.audit.anchor_file import Place
from apps.core.audit.sealing import chained, digest_of, note_break
from apps.core.models import AuditChain, AuditEntry, Break
from apps.core.writes import turn

WALKS_EVERY = timedelta(days=1)
RUNS_FOR = 15.0  # seconds of one run; the next one goes on
LOOKS_AT_CLOCK = 500  # entries
FORGET = "audit.forget"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Broken:
    """The first broken place of the chain."""

    sequence: int
    why: Break


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a walk came, and what it found there."""

    at: Place
    number: int
    broken: Broken | None = None
    ended: bool = False


def walk(start: Place, until: float | None = None, tell: Callable[[int], None] | None = None) -> Walk:
    """Walk the chain from behind a place to its end, or until a moment of the monotonic clock."""
    at, number = start, 0
    for row in chained(start.sequence):
        sequence, digest = row[-2:]
        if sequence != at.sequence + 1:
            removed = AuditChain.current()
            if removed.removed_sequence < at.sequence + 1 or removed.removed_sequence >= sequence:
                return Walk(at, number, Broken(at.sequence + 1, Break.GAP))
            at = Place(removed.removed_sequence, removed.removed_digest)  # retention went on meanwhile
            if sequence != at.sequence + 1:
                return Walk(at, number, Broken(at.sequence + 1, Break.GAP))
        if digest != digest_of(row, sequence, at.digest):
            return Walk(at, number, Broken(sequence, Break.CHANGED))
        at, number = Place(sequence, digest), number + 1
        if number % LOOKS_AT_CLOCK == 0:
            if tell is not None:
                tell(number)
            if until is not None and time.monotonic() > until:
                return Walk(at, number)
    return Walk(at, number, ended=True)


def check(*, runs_for: float = RUNS_FOR) -> AuditChain:
    """Look at what is new since the last time; then go on with the walk through all, when one is due."""
    until = time.monotonic() + runs_for
    chain = AuditChain.current()
    broken = at_the_ends(chain)
    start = max(Place(chain.verified_sequence, chain.verified_digest), beginning(chain), key=lambda one: one.sequence)
    found = Walk(start, 0)
    if broken is None:
        broken = _still_there(start)
    if broken is None:
        found = walk(start, until)
        broken = found.broken
    if broken is None:
        anchor_file.write(start, beginning(chain))
    with turn():
        chain = AuditChain.current(lock=True)
        if broken is not None:
            note_break(chain, broken.sequence, broken.why)
        elif found.at.sequence > chain.verified_sequence:
            chain.verified_sequence, chain.verified_digest = found.at.sequence, found.at.digest
        chain.verified_at = timezone.now()
        chain.save()
    if chain.walk_since is None and (chain.walked_at is None or chain.verified_at - chain.walked_at >= WALKS_EVERY):
        chain = start_walk()
    return _go_on(chain, until) if chain.walk_since is not None else chain


def start_walk() -> AuditChain:
    """Have the next runs walk through all of it, from the beginning."""
    with turn():
        chain = AuditChain.current(lock=True)
        first = beginning(chain)
        chain.walk_sequence, chain.walk_digest, chain.walk_since = first.sequence, first.digest, timezone.now()
        chain.save()
    return chain


def walk_all(start: Place | None = None, tell: Callable[[int], None] | None = None) -> tuple[Walk, AuditChain]:
    """Walk from the beginning or a place to the end, however long it takes, and remember what was found."""
    chain = AuditChain.current()
    ends = at_the_ends(chain)
    found = walk(start or beginning(chain), tell=tell)
    if found.broken is None and ends is not None:
        found = Walk(found.at, found.number, ends)
    with turn():
        chain = AuditChain.current(lock=True)
        if start is None:
            _note_walk(chain, found)
        elif found.broken is not None:
            note_break(chain, found.broken.sequence, found.broken.why)
        chain.save()
    return found, chain


def at_the_ends(chain: AuditChain) -> Broken | None:
    """Hold the ends of the chain against what is remembered of them, in the row and in the file."""
    kept = anchor_file.read()
    last = AuditEntry.objects.exclude(sequence=None).order_by("-sequence").values_list("sequence", "digest").first()
    end = Place(*last) if last is not None and last[0] is not None else Place(chain.removed_sequence)
    remembered = max(chain.sealed_sequence, kept.sealed.sequence)
    if end.sequence < remembered:
        return Broken(end.sequence + 1, Break.CUT)
    if end.sequence == chain.sealed_sequence and last is not None and end.digest != chain.sealed_digest:
        return Broken(end.sequence, Break.REWRITTEN)
    if not kept.fits(chain):
        return Broken(kept.sealed.sequence, Break.REWRITTEN)
    if kept.misses_young(chain):
        return Broken(chain.removed_sequence, Break.REMOVED)
    return None if _removed_by_retention(chain, kept.removed) else Broken(chain.removed_sequence, Break.REMOVED)


def beginning(chain: AuditChain) -> Place:
    """Give the place before the first entry that is still there."""
    return Place(chain.removed_sequence, chain.removed_digest)


def accept(actor: Actor) -> AuditChain:
    """Take the present end of the chain for the true one, after a backup was put back; what that hides is audited."""
    with turn():
        chain = AuditChain.current(lock=True)
        kept = anchor_file.read()
        last = AuditEntry.objects.exclude(sequence=None).order_by("-sequence").values_list("sequence", "digest").first()
        now = Place(last[0] or 0, last[1]) if last is not None else beginning(chain)
        before = {"sequence": max(chain.sealed_sequence, kept.sealed.sequence), "digest": kept.sealed.digest}
        recording.record(actor, "audit.accept", before=before, after={"sequence": now.sequence, "digest": now.digest})
        chain.sealed_sequence, chain.sealed_digest = now.sequence, now.digest
        if chain.verified_sequence > now.sequence:
            chain.verified_sequence, chain.verified_digest = chain.removed_sequence, chain.removed_digest
        chain.broken_sequence, chain.broken_why, chain.broken_at = None, "", None
        chain.save()
    anchor_file.write(now, beginning(chain))
    return chain


def _go_on(chain: AuditChain, until: float) -> AuditChain:
    """Walk on through all of it; at the end it is known whether the chain is broken, also where it was before."""
    start = Place(chain.walk_sequence, chain.walk_digest)
    if start.sequence < chain.removed_sequence:
        start = beginning(chain)
    found = walk(start, until)
    if found.ended and (ends := at_the_ends(AuditChain.current())) is not None:
        found = Walk(found.at, found.number, ends)
    with turn():
        chain = AuditChain.current(lock=True)
        if found.broken is not None or found.ended:
            _note_walk(chain, found)
        else:
            chain.walk_sequence, chain.walk_digest = found.at.sequence, found.at.digest
        chain.save()
    return chain


def _note_walk(chain: AuditChain, found: Walk) -> None:
    now = timezone.now()
    chain.walk_since, chain.walked_at, chain.verified_at = None, now, now
    chain.broken_sequence, chain.broken_why, chain.broken_at = None, "", None
    if found.broken is not None:
        note_break(chain, found.broken.sequence, found.broken.why)
        log.error("the chain of the audit is broken at #%s: %s", found.broken.sequence, found.broken.why.value)
        return
    chain.verified_sequence, chain.verified_digest = found.at.sequence, found.at.digest
    log.info("the chain of the audit holds up to #%s: %s", found.at.sequence, found.at.digest)


def _still_there(place: Place) -> Broken | None:
    """Say when the entry up to which all was well is not what it was; the walk through all finds out where."""
    if place.sequence == AuditChain.current().removed_sequence:
        return None
    row = AuditEntry.objects.filter(sequence=place.sequence, digest=place.digest)
    return None if row.exists() else Broken(place.sequence, Break.REWRITTEN)


def _removed_by_retention(chain: AuditChain, kept: Place) -> bool:
    """Say whether the audit itself, and the file, know of what was removed at the beginning."""
    if chain.removed_sequence < kept.sequence:
        return False
    if not chain.removed_sequence:
        return True
    last = AuditEntry.objects.filter(action=FORGET, outcome="success").order_by("-at", "-pk").first()
    told = (last.after or {}) if last is not None else {}
    if told.get("sequence", 0) < chain.removed_sequence:
        return False
    return bool(told["sequence"] > chain.removed_sequence or told.get("digest") == chain.removed_digest)
