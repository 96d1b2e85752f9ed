"""The second memory of the chain's ends, in a file of the data folder: what nobody forges who has the database alone.

It is written a minute or more after the entries, so that a power failure which takes the last of them does not look
like a forgery; and never over one that does not fit. An old one is as good as a new one: what was sealed once must
stay. So it matters little on which machine of several it is written.
"""

import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from apps.core.models import AuditChain, AuditEntry

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
class Anchors:
    """The last entry that was sealed, and the last that retention removed."""

    sealed: Place
    removed: Place

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
        )
    except FileNotFoundError:
        return Anchors(Place(), Place())
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.error("the anchor of the audit cannot be read: %s: %s", path(), error)
        return Anchors(Place(), Place())


def write(sealed: Place, removed: Place) -> None:
    """Write down where the chain ends and begins; a file that cannot be written is no reason to stop the audit."""
    if read() == Anchors(sealed, removed):
        return
    target = path()
    new = target.with_suffix(f".{os.getpid()}")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.write_text(json.dumps({"sealed": asdict(sealed), "removed": asdict(removed)}))
        new.chmod(0o600)
        new.replace(target)
    except OSError as error:
        log.error("the anchor of the audit cannot be written: %s: %s", target, error)
