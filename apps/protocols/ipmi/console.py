"""A console by serial over LAN: one task carries what is said, for as long as it is open."""

import asyncio
from collections import deque

from apps.protocols.errors import ContactError, DeviceError
from apps.protocols.ipmi import sol
from apps.protocols.ipmi.connection import IpmiConnection

MOST_UNREAD = 4 * 1024 * 1024  # bytes that came and nobody has taken; the oldest are dropped


class IpmiConsole:
    """The line of one controller. ``close`` gives it back; the connection is closed afterwards by its owner."""

    def __init__(self, connection: IpmiConnection) -> None:
        self._connection = connection
        self._line: sol.SerialOverLan | None = None
        self._talking: asyncio.Task[None] | None = None
        self._unread: deque[bytes] = deque()
        self._octets = 0
        self._news = asyncio.Event()
        self._error: ContactError | None = None
        self.available = True  # False: the machine takes no characters, because it is off
        self.speed: int | None = None

    @property
    def mark(self) -> str:
        """What tells this session at the controller, should it be left over."""
        return self._line.mark if self._line is not None else ""

    async def open(self, *, take: bool = False) -> None:
        """Begin; ``take`` ends what another program has open. Raises InUse, Unsupported, DeviceError, Unreachable."""
        line = sol.SerialOverLan(self._connection.session, self._heard, self._noted)
        self._connection.stay()
        try:
            await line.open(take=take)
            self.speed = await line.speed()
        except BaseException:
            await line.close()
            raise
        self._line = line
        self._talking = asyncio.create_task(self._talk(line))

    async def read(self) -> bytes:
        """Wait for what comes next; raises the ContactError with which the line ended."""
        while not self._unread:
            if self._error is not None:
                raise self._error
            self._news.clear()
            await self._news.wait()
        data = b"".join(self._unread)
        self._unread.clear()
        self._octets = 0
        return data

    def write(self, data: bytes) -> bool:
        """Send characters; False where too many wait already."""
        return self._line is not None and self._line.send(data)

    def send_break(self) -> bool:
        """Send a break."""
        return self._line is not None and self._line.send(None)

    async def close(self) -> None:
        """Give the line back to the controller, and wait until it is."""
        if self._talking is not None and self._line is not None:
            self._line.stop()
            await asyncio.shield(self._talking)
            self._talking = None

    async def _talk(self, line: sol.SerialOverLan) -> None:
        error: ContactError = DeviceError("The console was closed")
        try:
            await line.run()
        except ContactError as lost:
            error = lost
        finally:
            await line.close()
            self._error = error
            self._news.set()

    def _heard(self, data: bytes) -> None:
        self._unread.append(data)
        self._octets += len(data)
        while self._octets > MOST_UNREAD:
            self._octets -= len(self._unread.popleft())
        self._news.set()

    def _noted(self, available: bool) -> None:
        self.available = available
