"""A console by serial over LAN for asynchronous callers: each has a thread of its own, for as long as it is open."""

import asyncio
import threading
from collections import deque

from apps.protocols.errors import ContactError, DeviceError
from apps.protocols.ipmi import sol
from apps.protocols.ipmi.connection import IpmiConnection
from apps.protocols.ipmi.session import IpmiSession

MOST_UNREAD = 4 * 1024 * 1024  # bytes that came and nobody has taken; the oldest are dropped


class IpmiConsole:
    """The line of one controller. ``close`` gives it back; the connection is closed afterwards by its owner."""

    def __init__(self, connection: IpmiConnection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._line: sol.SerialOverLan | None = None
        self._thread: threading.Thread | None = None
        self._unread: deque[bytes] = deque()
        self._octets = 0
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
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

        def begin(_session: IpmiSession) -> int | None:
            try:
                line.open(take=take)
                return line.speed()
            except BaseException:
                line.close()
                raise

        try:
            self.speed = await self._connection.run(begin)
        except BaseException:
            self._line = None
            raise
        self._line = line
        self._thread = threading.Thread(target=self._talk, args=(line,), name="console", daemon=True)
        self._thread.start()

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
        if self._thread is not None and self._line is not None:
            self._line.stop()
            await self._ended.wait()
            self._thread.join()
            self._thread = None

    def _talk(self, line: sol.SerialOverLan) -> None:
        """What the thread does."""
        error: ContactError = DeviceError("The console was closed")
        try:
            line.run()
        except ContactError as lost:
            error = lost
        finally:
            line.close()
            self._loop.call_soon_threadsafe(self._end, error)

    def _heard(self, data: bytes) -> None:
        self._loop.call_soon_threadsafe(self._keep, data)

    def _noted(self, available: bool) -> None:
        self._loop.call_soon_threadsafe(self._note, available)

    def _keep(self, data: bytes) -> None:
        self._unread.append(data)
        self._octets += len(data)
        while self._octets > MOST_UNREAD:
            self._octets -= len(self._unread.popleft())
        self._news.set()

    def _note(self, available: bool) -> None:
        self.available = available

    def _end(self, error: ContactError) -> None:
        self._error = error
        self._ended.set()
        self._news.set()
