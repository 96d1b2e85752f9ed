"""Somebody who looks at a console: what he is sent waits in a queue of limited size, so that he holds up nobody."""

import asyncio
import itertools
from collections import deque
from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.control.consoles import frames
from apps.control.services.consoles import Person

MOST_WAITING = 512 * 1024  # bytes for one browser; what is more is left out
LEFT_OUT = b"\r\n[...]\r\n"

_numbers = itertools.count(1)


class Viewer:
    """One browser page."""

    def __init__(self, person: Person, writer: asyncio.StreamWriter) -> None:
        self.id = next(_numbers)
        self.person = person
        self.since: datetime = timezone.now()
        self.typed_at: datetime | None = None
        self._writer = writer
        self._waiting: deque[bytes] = deque()
        self._octets = 0
        self._left_out = False
        self._news = asyncio.Event()
        self._over = False

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message; it is never left out."""
        self._put(frames.pack(message))

    def show(self, data: bytes) -> None:
        """Send what the machine said, unless too much waits for him already."""
        if self._octets + len(data) > MOST_WAITING:
            self._left_out = True
            return
        if self._left_out:
            self._left_out = False
            data = LEFT_OUT + data
        self._put(frames.pack(data))

    def end(self) -> None:
        """Send what waits, then close."""
        self._over = True
        self._news.set()

    async def send(self) -> None:
        """Hand on what waits until the end, or until he is gone."""
        try:
            while True:
                while self._waiting:
                    piece = self._waiting.popleft()
                    self._octets -= len(piece)
                    self._writer.write(piece)
                    await self._writer.drain()
                if self._over:
                    return
                self._news.clear()
                await self._news.wait()
        except ConnectionError:
            return
        finally:
            self._writer.close()

    def _put(self, piece: bytes) -> None:
        self._waiting.append(piece)
        self._octets += len(piece)
        self._news.set()

    def facts(self, holder: "Viewer | None") -> dict[str, Any]:
        """Give him as the others see him."""
        return {
            "id": self.id,
            "name": self.person.name,
            "address": self.person.address,
            "since": self.since.isoformat(),
            "typed": self.typed_at.isoformat() if self.typed_at else None,
            "holds": self is holder,
        }
