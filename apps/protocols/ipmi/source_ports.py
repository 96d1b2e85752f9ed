"""Holds a chosen UDP port of ours towards one controller: one conversation at a time, over all processes.

Many controllers may be spoken to from one port at once, each by a socket of its own that is connected to it, and gets
its answers alone (SO_REUSEPORT). Two conversations with the *same* controller from one port would take each other's
answers. So they take turns; only beside one that stays, as a console does, the next port is taken.

What is held is a name in the abstract namespace of Unix sockets (unix(7)): no two can have it, and the kernel gives it
back whatever becomes of who held it.
"""

import asyncio
import socket
from typing import Self

LANES = 2
AGAIN = 0.05  # seconds between two looks whether it is free
HIGHEST = 65535

Peer = tuple[str, int]


class SourcePort:
    """One port of ours that is held towards one controller."""

    def __init__(self, port: int, peer: Peer, held: socket.socket) -> None:
        self.port = port
        self._peer = peer
        self._held = [held]

    @classmethod
    async def take(cls, port: int, peer: Peer) -> Self:
        """Wait for the port, or for the next one where a conversation from this one stays."""
        lanes = [port + lane if port + LANES <= HIGHEST + 1 else port - lane for lane in range(LANES)]
        while True:
            for lane in lanes:
                held = _bound(_name(lane, peer))
                if held is not None:
                    return cls(lane, peer, held)
                if not _is_bound(_name(lane, peer, stays=True)):
                    break  # whoever has it is done soon
            await asyncio.sleep(AGAIN)

    def stay(self) -> None:
        """Tell others that this takes long: they need not wait."""
        told = _bound(_name(self.port, self._peer, stays=True))
        if told is not None:
            self._held.append(told)

    def give_back(self) -> None:
        """Let the next one have it."""
        while self._held:
            self._held.pop().close()


def _name(port: int, peer: Peer, *, stays: bool = False) -> str:
    return f"\0esm.ipmi.{port}.{peer[0]}.{peer[1]}{'.stays' if stays else ''}"


def _bound(name: str) -> socket.socket | None:
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        opened.bind(name)
    except OSError:
        opened.close()
        return None
    return opened


def _is_bound(name: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(name)
        except OSError:
            return False
        return True
