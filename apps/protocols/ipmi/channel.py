"""A socket to one controller on the running event loop."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

LARGEST = 3000  # bytes of a datagram


class Channel:
    """Connected: it hears this controller alone, so that several may speak from one port. OSError: there is no way.

    ``heard`` is told each packet that comes. The address is numeric.
    """

    def __init__(self, address: str, port: int, source_port: int | None, heard: Callable[[bytes], None]) -> None:
        self.heard = heard
        family, kind, _protocol, _name, peer = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
        self._socket = socket.socket(family, kind)
        try:
            self._socket.setblocking(False)
            if source_port:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                self._socket.bind(("", source_port))
            self._socket.connect(peer)
        except OSError:
            self._socket.close()
            raise
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._read)

    def send(self, packet: bytes) -> None:
        """Send a packet once; one that cannot be sent is as good as lost on the way."""
        with contextlib.suppress(OSError):
            self._socket.send(packet)

    def close(self) -> None:
        """Let go of the socket."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        try:
            packet = self._socket.recv(LARGEST)
        except OSError:  # somebody on the way says that nobody is there: he may be in a moment
            return
        self.heard(packet)
