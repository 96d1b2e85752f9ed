"""How the chain of the audit is, in a word, a state and a sentence, for the page and the API."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import tasks
from apps.core.audit import verifying
from apps.core.models import AuditChain, Break

STALE = timedelta(minutes=15)  # looked at every minute


@dataclass(frozen=True, slots=True)
class Badge:
    """``state`` is a word of the frame; ``percent`` says how far a walk through all of it came."""

    word: str  # intact, broken, unchecked
    state: str
    text: str
    detail: str
    entries: int
    checked_at: datetime | None
    broken_sequence: int | None
    broken_why: str
    percent: int | None


def of_chain() -> Badge:
    """Say how the chain is."""
    chain = AuditChain.current()
    entries = chain.sealed_sequence - chain.removed_sequence
    number = ngettext("%(number)s entry", "%(number)s entries", entries) % {"number": f"{entries:,}"}
    percent = None
    if chain.walk_since is not None:
        done = max(0, chain.walk_sequence - chain.removed_sequence)
        percent = min(100, 100 * done // entries) if entries else 100
    detail = ""
    if chain.broken_sequence is not None:
        word, state = "broken", "critical"
        text = _("Chain broken at #%(sequence)s") % {"sequence": chain.broken_sequence}
        detail = str(Break(chain.broken_why).label)
    elif chain.verified_at is None or timezone.now() - chain.verified_at > STALE:
        word, state = "unchecked", "unknown"
        text = _("Chain not checked lately, %(number)s") % {"number": number}
    else:
        word, state = "intact", "normal"
        text = _("Chain intact, %(number)s") % {"number": number}
    if chain.removed_sequence and not detail:
        detail = _("Entries up to #%(sequence)s were removed when they were too old.") % {
            "sequence": chain.removed_sequence
        }
    return Badge(
        word,
        state,
        text,
        detail,
        entries,
        chain.verified_at,
        chain.broken_sequence,
        chain.broken_why,
        percent,
    )


def look_now() -> None:
    """Have all of it walked through from the beginning, at once."""
    verifying.start_walk()
    transaction.on_commit(lambda: tasks.check_audit.apply_async(expires=300))
