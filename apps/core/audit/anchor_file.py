"""The second memory of the chain's ends, in a file of the data folder: what nobody forges who has the database alone.

It is written a minute or more after the entries, so that a power failure which takes the last of them does not look
like a forgery; and never over one that does not fit. An old one is as good as a new one: what was sealed once must
stay. So it matters little on which machine of several it is written.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from apps.core import files
from apps.core.models import AuditChain, AuditEntry

KEPT = timedelta(days=31)
YOUNG = timedelta(days=30)  # the least that retention may be set to: nothing younger is removed by it
log = logging.getLogger(__name__)


def path() -> Path:
    """Say where it lies."""
    return Path(settings.DATA_DIR) / "audit" / "anchor.json"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the chain: the number of an entry and its digest; 0 is before the first."""

    sequence: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Dated:
    """An entry that once was the last one, with its time."""

    sequence: int
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Anchors:
    """The last entry that was sealed, the last that retention removed, and one of each of the last days."""

    sealed: Place
    removed: Place
    days: tuple[Dated, ...] = ()

    def misses_young(self, chain: AuditChain) -> bool:
        """Say whether an entry is gone from the beginning that retention cannot have removed yet."""
        horizon = timezone.now() - YOUNG
        return any(one.at > horizon and one.sequence <= chain.removed_sequence for one in self.days)

    def fits(self, chain: AuditChain) -> bool:
        """Say whether the database still has what was sealed; what retention removed since says nothing any more."""
        place = self.sealed
        if place.sequence < chain.removed_sequence or not place.sequence:
            return True
        if place.sequence == chain.removed_sequence:
            return place.digest == chain.removed_digest
        return AuditEntry.objects.filter(sequence=place.sequence, digest=place.digest).exists()


def read() -> Anchors:
    """Read the file; without one, nothing is known."""
    try:
        told = json.loads(path().read_text())
        return Anchors(
            Place(int(told["sealed"]["sequence"]), str(told["sealed"]["digest"])),
            Place(int(told["removed"]["sequence"]), str(told["removed"]["digest"])),
            tuple(
                Dated(int(one["sequence"]), str(one["digest"]), datetime.fromisoformat(one["at"]))
                for one in told.get("days", [])  # files of earlier versions know of none
            ),
        )
    except FileNotFoundError:
        return Anchors(Place(), Place())
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.error("the anchor of the audit cannot be read: %s: %s", path(), error)
        return Anchors(Place(), Place())


def write(sealed: Place, removed: Place) -> None:
    """Write down where the chain ends and begins; a file that cannot be written is no reason to stop the audit."""
    kept = read()
    days = _days(kept.days, sealed)
    if kept == Anchors(sealed, removed, days):
        return
    dated = [{**asdict(one), "at": one.at.isoformat()} for one in days]
    told = {"sealed": asdict(sealed), "removed": asdict(removed), "days": dated}
    target = path()
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.replace(target, json.dumps(told).encode())
    except OSError as error:
        log.error("the anchor of the audit cannot be written: %s: %s", target, error)


def _days(kept: Sequence[Dated], sealed: Place) -> tuple[Dated, ...]:
    """Keep one entry of each of the last days, the first one of a day that was the last of the chain."""
    horizon = timezone.now() - KEPT
    days = [one for one in kept if one.at > horizon and one.sequence <= sealed.sequence]
    if not days or days[-1].sequence < sealed.sequence:
        at = AuditEntry.objects.filter(**asdict(sealed)).values_list("at", flat=True).first()
        if at is not None and at > horizon and (not days or at.date() > days[-1].at.date()):
            days.append(Dated(sealed.sequence, sealed.digest, at))
    return tuple(days)
