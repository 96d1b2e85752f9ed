"""Reads and clears a controller's system event log, record by record (IPMI 2.0 §31, §32)."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apps.protocols.errors import DeviceError
from apps.protocols.ipmi import clock
from apps.protocols.ipmi.session import NOT_PRESENT, OK, RESERVATION_CANCELLED, STORAGE, IpmiSession

_GET_INFO, _RESERVE, _GET_ENTRY, _CLEAR = 0x40, 0x42, 0x43, 0x47
_FIRST, _END = 0x0000, 0xFFFF
_WHOLE = 0xFF
_SYSTEM, _TIMESTAMPED_OEM, _OEM = 0x02, 0xC0, 0xE0
_BEFORE_THE_CLOCK = 0x20000000  # seconds since the controller started, not a time (§37.1)
_NO_TIME = 0xFFFFFFFF
_ERASE, _ERASE_STATUS, _ERASED = 0xAA, 0x00, 0x01
_ERASE_WITHIN = 15.0  # seconds
_READ_WITHIN = 8.0  # seconds; some controllers take a tenth of one for each entry


@dataclass(frozen=True, slots=True)
class LogInfo:
    """What Get SEL Info says."""

    entries: int
    free: int | None  # bytes; None: not told
    added: int
    erased: int

    @property
    def filled(self) -> float | None:
        """How much of the room is taken, in %."""
        if self.free is None or not self.entries + self.free:
            return None
        taken = self.entries * 16
        return round(100 * taken / (taken + self.free), 1)


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One entry (§32): a system event, or a maker's own record, which has data only."""

    number: int
    kind: int
    at: datetime | None
    raw: str  # hexadecimal
    owner: int = 0
    lun: int = 0
    sensor_type: int = 0
    sensor: int = 0
    event_type: int = 0
    asserted: bool = True
    data: tuple[int, int, int] = (0, 0, 0)
    manufacturer: int | None = None

    @property
    def is_event(self) -> bool:
        """A standard event of a sensor."""
        return self.kind == _SYSTEM

    @property
    def offset(self) -> int:
        """Which state or threshold it tells of."""
        return self.data[0] & 0x0F


def log_info(data: bytes) -> LogInfo:
    """Decode an answer to Get SEL Info (§31.2)."""
    free = int.from_bytes(data[3:5], "little")
    return LogInfo(
        entries=int.from_bytes(data[1:3], "little"),
        free=None if free == 0xFFFF else free,
        added=int.from_bytes(data[5:9], "little"),
        erased=int.from_bytes(data[9:13], "little"),
    )


def log_record(raw: bytes, offset: timedelta = timedelta()) -> LogRecord:
    """Decode the 16 bytes of an entry; ``offset`` is how far the controller's clock is ahead of UTC."""
    number, kind = int.from_bytes(raw[:2], "little"), raw[2]
    seconds = int.from_bytes(raw[3:7], "little")
    has_time = kind < _OEM and _BEFORE_THE_CLOCK < seconds < _NO_TIME
    at = datetime.fromtimestamp(seconds, UTC) - offset if has_time else None
    if _TIMESTAMPED_OEM <= kind < _OEM:
        return LogRecord(number, kind, at, raw.hex(), manufacturer=int.from_bytes(raw[7:10], "little"))
    if kind != _SYSTEM:
        return LogRecord(number, kind, at, raw.hex())
    return LogRecord(
        number,
        kind,
        at,
        raw.hex(),
        owner=raw[7],
        lun=raw[8] & 0x03,
        sensor_type=raw[10],
        sensor=raw[11],
        event_type=raw[12] & 0x7F,
        asserted=not raw[12] & 0x80,
        data=(raw[13], raw[14], raw[15]),
    )


async def read_info(session: IpmiSession) -> LogInfo:
    """Ask how full the log is, and when it last changed."""
    data = await session.tell(STORAGE, _GET_INFO)
    if len(data) < 13:
        raise DeviceError("%(address)s does not describe its event log", address=session.target.address)
    return log_info(data)


async def read_offset(session: IpmiSession) -> timedelta:
    """Ask how far the log's clock is ahead of UTC; nothing where the controller does not know."""
    return (await clock.read_offset(session))[1] or timedelta()


async def read_entry(session: IpmiSession, number: int) -> tuple[int, bytes] | None:
    """Read one entry whole; give the number of the next one and its bytes, None when there is none of that number."""
    answer = await session.ask(STORAGE, _GET_ENTRY, (0, 0, *number.to_bytes(2, "little"), 0, _WHOLE))
    if answer.code == NOT_PRESENT:
        return None
    if answer.code != OK:
        raise session.error(answer)
    if len(answer.data) < 18:
        raise DeviceError(
            "%(address)s cuts entry %(number)s of its event log short", address=session.target.address, number=number
        )
    return int.from_bytes(answer.data[:2], "little"), answer.data[2:18]


async def read_entries(session: IpmiSession, after: int | None, at_most: int) -> tuple[list[bytes], bool]:
    """Read entries, oldest first, from the first one or from the one after ``after``, by the log's own chain.

    Says, too, whether it stopped before the end: at so many, or because a slow controller has taken its time.
    """
    found: list[bytes] = []
    number = _FIRST
    if after is not None:
        last = await read_entry(session, after)
        if last is None:
            return found, False
        number = last[0]
        if number in (_END, after):
            return found, False
    seen = set()
    limit = time.monotonic() + _READ_WITHIN
    while number != _END and number not in seen:
        if len(found) >= at_most or (found and time.monotonic() > limit):
            return found, True
        seen.add(number)
        entry = await read_entry(session, number)
        if entry is None:
            break
        number, raw = entry
        found.append(raw)
    return found, False


async def clear(session: IpmiSession) -> None:
    """Empty the log, and wait until it is done (§31.9)."""
    for _ in range(2):  # somebody else may take the reservation away in between
        reservation = (await session.tell(STORAGE, _RESERVE))[:2]
        answer = await session.ask(STORAGE, _CLEAR, (*reservation, *b"CLR", _ERASE))
        if answer.code != RESERVATION_CANCELLED:
            break
    limit = time.monotonic() + _ERASE_WITHIN
    while answer.code == OK and answer.data and answer.data[0] & 0x0F != _ERASED:
        if time.monotonic() > limit:
            raise DeviceError("%(address)s has not emptied its event log in time", address=session.target.address)
        await asyncio.sleep(0.2)
        answer = await session.ask(STORAGE, _CLEAR, (*reservation, *b"CLR", _ERASE_STATUS))
    if answer.code != OK:
        raise session.error(answer)
