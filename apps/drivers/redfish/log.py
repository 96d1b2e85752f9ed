"""What a service wrote down: entries of its log services, read from where the last look ended (DSP2046 LogEntry)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.drivers.contract import LoggedEvent, Status
from apps.drivers.redfish.values import Resource, identifier, link, moment, oem, text

MOST_RAW = 4_000  # characters of an entry as the device wrote it
_SEVERITIES = {"Critical": Status.CRITICAL, "Warning": Status.WARNING, "OK": Status.NORMAL}
_OEM = {"Critical": Status.CRITICAL, "Caution": Status.WARNING, "Repaired": Status.NORMAL}
_OEM["Informational"] = Status.NORMAL


@dataclass(frozen=True, slots=True)
class Look:
    """What is new in one log, and where the next look begins."""

    events: tuple[LoggedEvent, ...]
    place: Mapping[str, Any]
    cleared: bool


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of a log, and how many before them were left out."""

    found: Sequence[Resource]
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Filled:
    """How full a log is, in %, and whether its oldest entries make room when it is."""

    share: float | None = None
    wraps: bool = False


def newest(listed: Sequence[Resource], last: str, most: int) -> list[Resource]:
    """Choose among links to entries: the last known one and what came after it, at most so many."""
    ordered = _oldest_first(listed)
    ids = [identifier(one) for one in ordered]
    return ordered[ids.index(last) if last in ids else 0 :][-most:]


def event(entry: Resource, log: str) -> LoggedEvent:
    """Read one entry; ``log`` is what its log is called."""
    own = oem(entry)
    severity = str(own.get("Severity"))
    status = _OEM.get(severity) or _SEVERITIES.get(str(entry.get("Severity")), Status.UNKNOWN)
    origin = link(entry, "Links", "OriginOfCondition")
    source = text(own, "ClassDescription") or text(entry, "SensorType") or (origin or "").rpartition("/")[2]
    said = text(entry, "Message") or text(entry, "MessageId", "Name") or ""
    return LoggedEvent(
        key=f"{log}/{identifier(entry)}",
        at=moment(entry.get("EventTimestamp")) or moment(entry.get("Created")),
        status=status,
        source=source or log,
        text=said,
        asserted=severity != "Repaired" and not str(entry.get("EntryCode", "")).startswith("Deassert"),
        raw=json.dumps(entry, ensure_ascii=False, separators=(",", ":"))[:MOST_RAW],
    )


def look(entries: Sequence[Resource], place: Any, log: str) -> Look:
    """Find what came since a place among all entries of a log, whichever end is the newer."""
    ordered = _oldest_first(entries)
    ids = [identifier(entry) for entry in ordered]
    last = str(place.get("last") or "") if isinstance(place, Mapping) else ""
    until = place.get("at") if isinstance(place, Mapping) else None
    cleared = False
    if last and last in ids:
        begin = ids.index(last)
        # The same number with another time: the log was emptied, and began to count anew.
        cleared = until is not None and ordered[begin].get("Created") != until
        new = ordered if cleared else ordered[begin + 1 :]
    else:
        new = ordered
        before, oldest = moment(until), moment(ordered[0].get("Created")) if ordered else None
        # Gone because the log is full and goes round is no clearing: then nothing in it is missing but the oldest.
        overwritten = before is not None and oldest is not None and oldest >= before and _grows(ids, last)
        cleared = bool(last) and not overwritten
    newest = {"last": ids[-1], "at": ordered[-1].get("Created")} if ordered else {}
    return Look(tuple(event(entry, log) for entry in new), newest, cleared)


def _grows(ids: Sequence[str], last: str) -> bool:
    """Say whether numbers went on counting; ids that are no numbers tell nothing, so time decides."""
    return not (last.isdigit() and ids[0].isdigit()) or int(ids[0]) > int(last)


def _oldest_first(entries: Sequence[Resource]) -> list[Resource]:
    """Put entries in order: by number where all have one, else as the service gives them, by the times at its ends."""
    found = list(entries)
    if all(identifier(entry).isdigit() for entry in found):
        return sorted(found, key=lambda entry: int(identifier(entry)))
    first, last = (moment(found[place].get("Created")) if found else None for place in (0, -1))
    return found[::-1] if first is not None and last is not None and first > last else found


def wraps(service: Resource) -> bool:
    """Say whether the oldest entries make room when the log is full."""
    return service.get("OverWritePolicy") == "WrapsWhenFull"


def fullest(logs: Sequence[Filled]) -> Filled:
    """Choose the log that is nearest to losing what comes: the fullest of those that do not go round, if any."""
    told = [one for one in logs if one.share is not None]
    return max(told, key=lambda one: (not one.wraps, one.share), default=Filled())


def filled(service: Resource, count: int) -> float | None:
    """Say how full a log is, in %; None where it does not say how much it holds."""
    most = service.get("MaxNumberOfRecords")
    return round(100 * count / most, 1) if isinstance(most, int) and most > 0 else None
