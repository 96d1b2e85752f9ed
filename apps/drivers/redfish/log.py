"""What a service wrote down: entries of its log services, read from where the last look ended (DSP2046 LogEntry)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

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


@dataclass(frozen=True, slots=True)
class _Known:
    """The last entry that was read, and how many the log held then; as places of before had it, not all is known."""

    last: str = ""
    at: Any = None
    mark: str | None = None
    count: int | None = None

    @classmethod
    def of(cls, place: Any) -> Self:
        if not isinstance(place, Mapping):
            return cls()
        count, mark = place.get("count"), place.get("mark")
        return cls(
            str(place.get("last") or ""),
            place.get("at"),
            mark if isinstance(mark, str) else None,
            count if isinstance(count, int) else None,
        )

    def is_other(self, entry: Resource) -> bool:
        """Say whether an entry of the same number is another one: of another time, or of other words in one second."""
        if self.at is not None and entry.get("Created") != self.at:
            return True
        return self.mark is not None and _mark(entry) != self.mark


def look(entries: Sequence[Resource], place: Any, log: str, *, skipped: int = 0, most: int | None = None) -> Look:
    """Find what came since a place among the entries of a log, whichever end is the newer.

    ``skipped`` entries before them were left out. The log holds ``most`` entries, where it says so.
    """
    ordered = _oldest_first(entries)
    known = _Known.of(place)
    begin, cleared = _since(ordered, known, skipped + len(ordered), most)
    last = ordered[-1] if ordered else {}
    newest = {"last": identifier(last), "at": last.get("Created"), "mark": _mark(last)} if ordered else {}
    return Look(tuple(event(entry, log) for entry in ordered[begin:]), newest, cleared)


def _since(ordered: Sequence[Resource], known: _Known, number: int, most: int | None) -> tuple[int, bool]:
    """Give where in a log that holds ``number`` entries the new ones begin, and whether it was emptied meanwhile."""
    if not known.last:
        return 0, False
    ids = [identifier(entry) for entry in ordered]
    if known.last not in ids:
        return 0, not _went_round(ordered, ids, known, number, most)
    begin = ids.index(known.last)
    if known.is_other(ordered[begin]):  # it was emptied, and began to count anew
        return 0, True
    return begin + 1, False


def _went_round(ordered: Sequence[Resource], ids: Sequence[str], known: _Known, number: int, most: int | None) -> bool:
    """Say whether the last known entry is gone because the log is full and goes round: then it was not emptied."""
    before, oldest = moment(known.at), moment(ordered[0].get("Created")) if ordered else None
    if before is None or oldest is None or oldest < before:
        return False
    # Ids that are no numbers tell nothing of the order; then the time alone does.
    numbered = known.last.isdigit() and ids[0].isdigit() and ids[-1].isdigit()
    if numbered and int(ids[0]) <= int(known.last):
        return False
    if known.count is None:
        return True
    if numbered and most:  # with all that came since it would not have been full
        return known.count + int(ids[-1]) - int(known.last) > most
    return number >= known.count


def _mark(entry: Resource) -> str:
    """Give what tells an entry from another of the same number and second.

    Neither its severity, which a maker changes when the trouble is over, nor its words, which depend on the language,
    where it names its message.
    """
    name = str(entry.get("MessageId") or "").rpartition(".")[2]
    said = [name, entry.get("MessageArgs")] if name else [entry.get("Message")]
    told = json.dumps([*said, entry.get("EntryCode"), entry.get("SensorNumber")], default=str)
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


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


def most_of(service: Resource) -> int | None:
    """Say how many entries a log holds; None where it does not say."""
    most = service.get("MaxNumberOfRecords")
    return most if isinstance(most, int) and most > 0 else None


def filled(service: Resource, count: int) -> float | None:
    """Say how full a log is, in %; None where it does not say how much it holds."""
    most = most_of(service)
    return None if most is None else round(100 * count / most, 1)
