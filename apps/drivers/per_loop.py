"""Clients that live as long as an event loop: one for all drivers, because sockets and what they learned are shared."""

import asyncio
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """Something with sockets."""

    def close(self) -> None:
        """Close the sockets."""


T = TypeVar("T", bound=Closable)


class PerLoop(Generic[T]):
    """Makes one client for each event loop, on first use inside it, and closes those of loops that have ended."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._clients: dict[asyncio.AbstractEventLoop, T] = {}

    def __call__(self) -> T:
        """Give the running loop's client."""
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            self.close_ended()
            client = self._clients[loop] = self._make()
        return client

    def close_ended(self) -> None:
        """Close the clients of event loops that are closed."""
        for loop in [loop for loop in self._clients if loop.is_closed()]:
            self._clients.pop(loop).close()
