"""Serial over LAN (IPMI 2.0 §15 and §26): its packets, and the talk over a session that is signed in.

The session carries the packets; what is said in them is here, because the library's own console waits up to a quarter
of a minute inside one key stroke and gives up a port that was translated on the way.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from apps.protocols.errors import ContactError, DeviceError, InUse, Unreachable, Unsupported
from apps.protocols.ipmi.session import APPLICATION, OK, TRANSPORT, IpmiSession

ACTIVATE, DEACTIVATE, OWNER, CLOSE_SESSION, SOL_SETTINGS = 0x48, 0x49, 0x4B, 0x3C, 0x22
PAYLOAD = (0x01, 0x01)  # serial over LAN, its first instance
ENCRYPTED = 0xC0  # and authenticated
ALREADY_ACTIVE, DISABLED, NO_MORE, NOT_ENCRYPTED, ONLY_ENCRYPTED = 0x80, 0x81, 0x82, 0x83, 0x84
PRESENT_CHANNEL, BIT_RATE = 0x0E, 6
SPEEDS = {6: 9600, 7: 19200, 8: 38400, 9: 57600, 10: 115200}

NACK, UNAVAILABLE, DEACTIVATED = 0x40, 0x20, 0x10  # in the fourth byte of what the controller sends
BREAK = 0x10  # in the fourth byte of what we send

LARGEST = 255  # bytes of a packet, its four first ones among them
HEAD = 4
REPEATED_AFTER = (0.5, 0.8, 1.2, 2.0, 3.0)  # seconds without an acknowledgement; then the line is dead
REFUSED_PAUSE = 0.1  # seconds before what a controller did not take is offered again
KEPT_ALIVE_EVERY = 20.0  # seconds; controllers end a session that is silent for a minute
MOST_WAITING = 64 * 1024  # bytes that were typed or pasted and are not sent yet


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet, in either direction (§15.9)."""

    sequence: int  # 0: carries no data
    acknowledged: int  # 0: acknowledges nothing
    accepted: int  # bytes of the acknowledged packet that were taken
    flags: int
    data: bytes = b""

    @classmethod
    def decode(cls, payload: bytes) -> "Packet | None":
        """Read what came; None where it is too short to be one."""
        if len(payload) < HEAD:
            return None
        return cls(payload[0] & 0x0F, payload[1] & 0x0F, payload[2], payload[3], bytes(payload[HEAD:]))

    def encode(self) -> bytes:
        """Give it as it goes over the wire."""
        return bytes((self.sequence, self.acknowledged, self.accepted, self.flags)) + self.data


class Sending:
    """What was typed and how much of it the controller has taken: one packet is on its way at a time."""

    def __init__(self, largest: int) -> None:
        self._most = max(1, min(largest, LARGEST) - HEAD)
        self._waiting: deque[bytes | None] = deque()  # None is a break
        self._octets = 0
        self._sequence = 0
        self._under_way: Packet | None = None

    def put(self, data: bytes | None) -> bool:
        """Add what is to be sent, None for a break; False where too much waits already."""
        size = len(data) if data is not None else 1
        if self._octets + size > MOST_WAITING:
            return False
        self._octets += size
        self._waiting.append(data)
        return True

    @property
    def under_way(self) -> Packet | None:
        """The packet that waits for its acknowledgement."""
        return self._under_way

    @property
    def has_more(self) -> bool:
        """Say whether something could be sent now."""
        return self._under_way is None and bool(self._waiting)

    def next(self) -> Packet | None:
        """Give the next packet; what was typed meanwhile travels together."""
        if self._under_way is not None or not self._waiting:
            return None
        flags, data = 0, b""
        if self._waiting[0] is None:
            self._waiting.popleft()
            flags = BREAK
            self._octets -= 1
        else:
            data = self._take()
        self._sequence = self._sequence % 15 + 1
        self._under_way = Packet(self._sequence, 0, 0, flags, data)
        return self._under_way

    def _take(self) -> bytes:
        """Take as much as one packet holds, up to the next break."""
        taken = b""
        while self._waiting and (piece := self._waiting[0]) is not None and len(taken) < self._most:
            self._waiting.popleft()
            room = self._most - len(taken)
            taken += piece[:room]
            if len(piece) > room:
                self._waiting.appendleft(piece[room:])
        self._octets -= len(taken)
        return taken

    def acknowledge(self, packet: Packet) -> bool:
        """Hear an acknowledgement; what was not taken is put in front. Says whether all was well."""
        under_way = self._under_way
        if under_way is None or packet.acknowledged != under_way.sequence:
            return True
        self._under_way = None
        refused = bool(packet.flags & NACK)
        rest = under_way.data[packet.accepted :]
        if rest and not packet.flags & UNAVAILABLE:
            self._waiting.appendleft(rest)
            self._octets += len(rest)
        return not refused


class Hearing:
    """What came: knows a packet that was sent twice."""

    def __init__(self) -> None:
        self._last = 0
        self._size = 0

    def take(self, packet: Packet) -> tuple[bytes, Packet | None]:
        """Give what is new in a packet, and the acknowledgement that is owed."""
        if not packet.sequence:
            return b"", None
        fresh = packet.data
        if packet.sequence == self._last:
            fresh = packet.data[self._size :]  # sent again, perhaps with more at its end
        self._last, self._size = packet.sequence, len(packet.data)
        return fresh, Packet(0, packet.sequence, len(packet.data), 0)


class SerialOverLan:
    """One line: ``run`` carries what is said in both directions between ``open`` and ``close``.

    ``heard`` is told each piece of what came; ``noted`` whether characters reach the machine at all: while it is off,
    controllers take none.
    """

    def __init__(
        self, session: IpmiSession, heard: Callable[[bytes], None], noted: Callable[[bool], None] = lambda _: None
    ) -> None:
        self._session = session
        self._heard = heard
        self._noted = noted
        self._came: deque[bytes] = deque()
        self._sending = Sending(LARGEST)
        self._hearing = Hearing()
        self._news = asyncio.Event()
        self._stopped = False
        self._active = False
        self._available = True
        self._sent_at = 0.0
        self._tries = 0
        self._not_before = 0.0
        self._alive_at = 0.0

    @property
    def mark(self) -> str:
        """What tells this session at the controller, should it be left over."""
        return f"{self._session.number:08x}"

    async def open(self, *, take: bool) -> None:
        """Begin; ``take`` ends what somebody else has open first. Raises InUse, Unsupported, DeviceError."""
        session = self._session
        session.listen(self._came_in)
        answer = await session.ask(APPLICATION, ACTIVATE, (*PAYLOAD, ENCRYPTED, 0, 0, 0))
        if answer.code == ALREADY_ACTIVE and await self._owner() != session.number:
            if not take:
                raise InUse(
                    "Serial over LAN of %(address)s is in use by another program", address=session.target.address
                )
            await session.ask(APPLICATION, DEACTIVATE, (*PAYLOAD, 0, 0, 0, 0))
            answer = await session.ask(APPLICATION, ACTIVATE, (*PAYLOAD, ENCRYPTED, 0, 0, 0))
        if answer.code not in (OK, ALREADY_ACTIVE):
            raise self._refusal(answer.code, answer.words)
        if answer.code == OK and len(answer.data) >= 6:
            self._sending = Sending(int.from_bytes(answer.data[4:6], "little"))
        self._active = True
        self._alive_at = time.monotonic()
        session.stay()

    def _refusal(self, code: int, words: str) -> ContactError:
        address = self._session.target.address
        if code == DISABLED:
            return Unsupported("Serial over LAN is switched off at %(address)s", address=address)
        if code == NO_MORE:
            return InUse("%(address)s has as many serial over LAN sessions as it can", address=address)
        if code in (NOT_ENCRYPTED, ONLY_ENCRYPTED):
            return Unsupported("%(address)s does not encrypt serial over LAN as it is asked to", address=address)
        return DeviceError("%(address)s: %(reason)s", address=address, reason=words)

    async def _owner(self) -> int:
        """Give the number of the session that has the line (§24.4); 0 where nobody has, or nobody tells."""
        answer = await self._session.ask(APPLICATION, OWNER, PAYLOAD)
        return int.from_bytes(answer.data[:4], "little") if answer.code == OK and len(answer.data) >= 4 else 0

    async def speed(self) -> int | None:
        """Give the bits per second between controller and machine (§26.3); None where it does not tell."""
        answer = await self._session.ask(TRANSPORT, SOL_SETTINGS, (PRESENT_CHANNEL, BIT_RATE, 0, 0))
        return SPEEDS.get(answer.data[1] & 0x0F) if answer.code == OK and len(answer.data) >= 2 else None

    def send(self, data: bytes | None) -> bool:
        """Send characters, or a break (None), as soon as it is their turn; False where too much waits already."""
        taken = self._sending.put(data)
        self._news.set()
        return taken

    def stop(self) -> None:
        """Let ``run`` end."""
        self._stopped = True
        self._news.set()

    async def run(self) -> None:
        """Carry what is said in both directions until told to stop; raises a ContactError when the line is lost."""
        while not self._stopped:
            self._news.clear()
            self._hear()
            self._speak()
            await self._keep_alive()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience()):
                    await self._news.wait()

    async def close(self) -> None:
        """Give the line back; raises nothing."""
        if self._active:
            self._active = False
            with contextlib.suppress(ContactError):  # who does not answer has lost the session, too
                await self._session.ask(APPLICATION, DEACTIVATE, (*PAYLOAD, 0, 0, 0, 0))
        self._session.listen(None)

    def _came_in(self, payload: bytes) -> None:
        self._came.append(payload)
        self._news.set()

    def _patience(self) -> float:
        now = time.monotonic()
        limits = [self._alive_at + KEPT_ALIVE_EVERY]
        if self._sending.under_way is not None:
            limits.append(self._sent_at + REPEATED_AFTER[min(self._tries, len(REPEATED_AFTER) - 1)])
        elif self._sending.has_more:
            limits.append(self._not_before)
        return min(max(min(limits) - now, 0.001), 1.0)

    def _hear(self) -> None:
        while self._came:
            packet = Packet.decode(self._came.popleft())
            if packet is not None:
                self._take(packet)

    def _take(self, packet: Packet) -> None:
        fresh, owed = self._hearing.take(packet)
        if owed is not None:
            self._session.send_payload(owed.encode())
        if fresh:
            self._heard(fresh)
        if packet.flags & DEACTIVATED:
            self._active = False
            raise DeviceError(
                "%(address)s has ended serial over LAN: somebody else took it, or it was switched off",
                address=self._session.target.address,
            )
        if packet.acknowledged or packet.flags & UNAVAILABLE:
            available = not packet.flags & UNAVAILABLE
            if available != self._available:
                self._available = available
                self._noted(available)
        if not self._sending.acknowledge(packet):
            self._not_before = time.monotonic() + REFUSED_PAUSE

    def _speak(self) -> None:
        now = time.monotonic()
        under_way = self._sending.under_way
        if under_way is not None:
            if now < self._sent_at + REPEATED_AFTER[min(self._tries, len(REPEATED_AFTER) - 1)]:
                return
            self._tries += 1
            if self._tries >= len(REPEATED_AFTER):
                raise self._lost()
        elif now < self._not_before or (under_way := self._sending.next()) is None:
            return
        else:
            self._tries = 0
        self._sent_at = now
        self._session.send_payload(under_way.encode())

    async def _keep_alive(self) -> None:
        """Ask who has the line: it keeps the session, and tells when the line is somebody else's."""
        if time.monotonic() < self._alive_at + KEPT_ALIVE_EVERY:
            return
        owner = await self._owner()
        self._alive_at = time.monotonic()
        if owner not in (0, self._session.number):
            self._active = False
            raise DeviceError(
                "Another program has taken serial over LAN of %(address)s", address=self._session.target.address
            )

    def _lost(self) -> Unreachable:
        return Unreachable("%(address)s stopped answering", address=self._session.target.address)


async def clear(session: IpmiSession, mark: str) -> None:
    """End what a process that died left open at the controller: the line, if it is still its, and its session."""
    number = int(mark, 16)
    answer = await session.ask(APPLICATION, OWNER, PAYLOAD)
    if answer.code == OK and int.from_bytes(answer.data[:4], "little") == number:
        await session.ask(APPLICATION, DEACTIVATE, (*PAYLOAD, 0, 0, 0, 0))
    await session.ask(APPLICATION, CLOSE_SESSION, number.to_bytes(4, "little"))  # one that is gone already is no error
