"""A controller's clock, by which it dates its event log (IPMI 2.0 §31.10 to §31.11b)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apps.protocols.ipmi.session import OK, STORAGE, IpmiSession

_GET_TIME, _SET_TIME, _GET_UTC_OFFSET, _SET_UTC_OFFSET = 0x48, 0x49, 0x5C, 0x5D
_NO_OFFSET = 0x07FF
_BEFORE_THE_CLOCK = 0x20000000  # seconds since the controller started, not a time (§37.1)


@dataclass(frozen=True, slots=True)
class Clock:
    """What it shows, in UTC, None: it was never set; minutes ahead of UTC, None: not told; and whether it has those."""

    at: datetime | None
    ahead: timedelta | None
    knows_offset: bool


async def read_clock(session: IpmiSession) -> Clock | None:
    """Ask for all of it; None where there is no clock."""
    answer = await session.ask(STORAGE, _GET_TIME)
    if answer.code != OK or len(answer.data) < 4:
        return None
    seconds, (knows, ahead) = int.from_bytes(answer.data[:4], "little"), await read_offset(session)
    shown = datetime.fromtimestamp(seconds, UTC) - (ahead or timedelta()) if seconds > _BEFORE_THE_CLOCK else None
    return Clock(shown, ahead, knows)


async def read_offset(session: IpmiSession) -> tuple[bool, timedelta | None]:
    """Ask whether it knows of UTC, and how far it is ahead of it; None where nobody has told it."""
    answer = await session.ask(STORAGE, _GET_UTC_OFFSET)
    if answer.code != OK or len(answer.data) < 2:
        return False, None
    minutes = int.from_bytes(answer.data[:2], "little", signed=True)
    return True, None if minutes == _NO_OFFSET else timedelta(minutes=minutes)


async def set_clock(session: IpmiSession, now: datetime, ahead: timedelta | None) -> None:
    """Set it; it shows the time of its own zone."""
    seconds = int((now + (ahead or timedelta())).timestamp())
    await session.order(STORAGE, _SET_TIME, tuple(seconds.to_bytes(4, "little")))


async def set_offset(session: IpmiSession, ahead: timedelta | None) -> None:
    """Tell it how far it is ahead of UTC."""
    minutes = _NO_OFFSET if ahead is None else round(ahead.total_seconds() / 60)
    await session.order(STORAGE, _SET_UTC_OFFSET, tuple(minutes.to_bytes(2, "little", signed=True)))
