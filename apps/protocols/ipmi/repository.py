"""Reads a controller's sensor data records, once for all controllers that are alike in everything.

Equal firmware and equal time stamps alone do not make two controllers alike: machines of one model differ in their
parts. The whole key decides: what Get Device ID says, and every field of the repository's description. Where the
repository has no time stamps, nothing is shared between machines.
"""

import asyncio
import random
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable

from apps.protocols.errors import DeviceError
from apps.protocols.ipmi.about import DeviceId
from apps.protocols.ipmi.records import Records, records
from apps.protocols.ipmi.session import OK, RESERVATION_CANCELLED, SENSOR, STORAGE, TOO_LONG, IpmiSession

_REPOSITORY = (STORAGE, 0x20, 0x22, 0x23)  # network function; commands for description, reservation, record
_DEVICE = (SENSOR, 0x20, 0x22, 0x21)
_END = 0xFFFF
_WHOLE = 0xFF
_HEADER = 5
_CHUNK, _SMALLEST_CHUNK = 32, 8
_AT_MOST = 4096  # records: more is a loop
_TRIES = 20
_AFTER_LOSS = (0.02, 0.3)  # seconds to wait, at random, after somebody else's reservation ended ours (§33.11)
_KEPT = 512  # repositories
_NO_TIME = (b"\x00" * 8, b"\xff" * 8)

Key = tuple[object, ...]

_lock = threading.Lock()
_known: OrderedDict[Key, Records] = OrderedDict()


async def read_records(session: IpmiSession, device: DeviceId) -> Records:
    """Give the records, from memory where these very records have been read before."""
    commands = _REPOSITORY if device.has_repository else _DEVICE
    told = await session.tell(commands[0], commands[1])
    key = _key(session, device, told, commands is _REPOSITORY)
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            return _known[key]
    found = records([record async for record in _raw(session, commands)])
    with _lock:
        _known[key] = found
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return found


def forget() -> None:
    """Forget all records."""
    with _lock:
        _known.clear()


def _key(session: IpmiSession, device: DeviceId, told: bytes, is_repository: bool) -> Key:
    has_time = is_repository and told[5:13] not in _NO_TIME
    place = () if has_time else (session.target.address, session.target.port)
    return (device, is_repository, told, *place)


async def _raw(session: IpmiSession, commands: tuple[int, int, int, int]) -> AsyncIterator[bytes]:
    reader = _Reader(session, commands)
    number = 0
    for _ in range(_AT_MOST):
        following, record = await reader.read(number)
        yield record
        if following in (_END, number):
            return
        number = following


class _Reader:
    """Reads records whole while the controller lets one, else in pieces under a reservation."""

    def __init__(self, session: IpmiSession, commands: tuple[int, int, int, int]) -> None:
        self._session = session
        self._netfn, _, self._reserve, self._get = commands
        self._chunk = _WHOLE
        self._reservation = b"\x00\x00"

    async def read(self, number: int) -> tuple[int, bytes]:
        """Give the next record's number and this record."""
        for _ in range(_TRIES):
            found = await (self._whole(number) if self._chunk == _WHOLE else self._pieces(number))
            if found is not None:
                return found
        raise DeviceError(
            "%(address)s does not let its sensor data records be read", address=self._session.target.address
        )

    async def _ask(self, number: int, offset: int, size: int, otherwise: Callable[[], Awaitable[None]]) -> bytes | None:
        request = (*self._reservation, *number.to_bytes(2, "little"), offset, size)
        answer = await self._session.ask(self._netfn, self._get, request)
        if answer.code in TOO_LONG:
            await otherwise()
            return None
        if answer.code == RESERVATION_CANCELLED:
            # Two who reserve by turns without a pause would keep each other from ever reading a record.
            await asyncio.sleep(random.uniform(*_AFTER_LOSS))
            await self._reserve_anew()
            return None
        if answer.code != OK:
            raise self._session.error(answer)
        return answer.data

    async def _whole(self, number: int) -> tuple[int, bytes] | None:
        data = await self._ask(number, 0, _WHOLE, self._smaller)
        if data is None:
            return None
        record = data[2:]
        if len(record) < _HEADER or len(record) < record[4] + _HEADER:
            await self._smaller()
            return None
        return int.from_bytes(data[:2], "little"), record

    async def _pieces(self, number: int) -> tuple[int, bytes] | None:
        head = await self._ask(number, 0, _HEADER, self._smaller)
        if head is None or len(head) < _HEADER + 2:
            return None
        record = head[2:]
        length = record[4] + _HEADER
        while len(record) < length:
            piece = await self._ask(number, len(record), min(self._chunk, length - len(record)), self._smaller)
            if piece is None:
                return None
            if len(piece) <= 2:
                break  # shorter than it says
            record += piece[2:]
        return int.from_bytes(head[:2], "little"), record

    async def _smaller(self) -> None:
        if self._chunk == _WHOLE:
            self._chunk = _CHUNK
            await self._reserve_anew()
        else:
            self._chunk = max(_SMALLEST_CHUNK, self._chunk // 2)

    async def _reserve_anew(self) -> None:
        self._reservation = (await self._session.tell(self._netfn, self._reserve))[:2]
