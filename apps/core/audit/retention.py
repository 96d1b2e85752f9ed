"""Removes entries that are too old, in batches that hold nobody up; the rest of the chain hangs on what is kept.

An entry that says up to which place comes first: nobody removes the beginning and calls it retention. What does not
hold is not removed: the traces of a forgery are not forgotten.
"""

import logging
import time
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import QuerySet
from django.utils import timezone

from apps.core.actors import SCHEDULE
from apps.core.audit import verifying
from apps.core.audit.anchor_file import Place
from apps.core.audit.recording import record
from apps.core.audit.sealing import chained, digest_of
from apps.core.models import AuditChain, AuditEntry
from apps.core.writes import turn

MOST = 20_000  # entries of one run; the next one goes on
BATCH = 200
RUNS_FOR = 40.0  # seconds
log = logging.getLogger(__name__)


def remove_old(days: int) -> int:
    """Remove the sealed entries that are more than so many days old, 0 for none; gives how many went."""
    if not days:
        return 0
    chain = AuditChain.current()
    if chain.broken_sequence is not None:
        log.error("the chain of the audit is broken at #%s: nothing of it is removed", chain.broken_sequence)
        return 0
    last = _last_before(chain, timezone.now() - timedelta(days=days))
    if last is None:
        return 0
    place, moment = last
    with turn():
        told = {"sequence": place.sequence, "digest": place.digest, "until": moment.isoformat()}
        number = place.sequence - chain.removed_sequence
        record(SCHEDULE, verifying.FORGET, after={**told, "entries": number, "audit_retention": days})
    removed = _remove(place, time.monotonic() + RUNS_FOR)
    log.info("forgot %s entries of the audit, up to #%s: %s", removed, place.sequence, place.digest)
    return removed


def _last_before(chain: AuditChain, horizon: datetime) -> tuple[Place, datetime] | None:
    """Give the last entry from the beginning on that may go, with its time; raises a finding where the chain breaks."""
    at, reached = verifying.beginning(chain), None
    for row in islice(chained(at.sequence), MOST):
        moment, sequence, digest = row[1], row[-2], row[-1]
        if moment >= horizon:
            break
        if sequence != at.sequence + 1 or digest != digest_of(row, sequence, at.digest):
            _note(sequence)
            break
        at, reached = Place(sequence, digest), moment
    return (at, reached) if reached is not None else None


def _note(sequence: int) -> None:
    """Have the chain looked through, which says what is wrong there."""
    log.error("the chain of the audit does not hold at #%s: nothing is removed from there on", sequence)
    verifying.start_walk()


def _remove(last: Place, until: float) -> int:
    """Remove what stands before and at a place, a batch in one turn; each turn remembers where the rest begins."""
    removed = 0
    while time.monotonic() < until:
        with turn():
            chain = AuditChain.current(lock=True)
            found = AuditEntry.objects.filter(sequence__gt=chain.removed_sequence, sequence__lte=last.sequence)
            part = list(found.order_by("sequence").values_list("pk", "sequence", "digest", "at")[:BATCH])
            if not part:
                break
            _pk, sequence, digest, moment = part[-1]
            QuerySet(AuditEntry).filter(pk__in=[row[0] for row in part]).delete()  # the rows' own queryset refuses it
            chain.removed_sequence, chain.removed_digest = sequence or 0, digest
            chain.removed_until, chain.removed_at = moment, timezone.now()
            chain.save()
        removed += len(part)
    return removed
