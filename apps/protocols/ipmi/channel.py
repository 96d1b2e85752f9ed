"""A socket to one controller, and the seal of the session that goes over it."""

import contextlib
import socket

from apps.protocols.ipmi.sealing import Seal

GLANCE = 0.2  # seconds after which somebody who waits looks whether he should still
LARGEST = 3000  # bytes of a datagram


def connected(address: str, port: int, source_port: int | None = None) -> socket.socket:
    """Give a socket that hears this controller alone, so that several may speak from one port. OSError: no way."""
    family, kind, _protocol, _name, peer = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
    own = socket.socket(family, kind)
    try:
        if source_port:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            own.bind(("", source_port))
        own.connect(peer)
    except OSError:
        own.close()
        raise
    return own


def send(own: socket.socket, packet: bytes) -> None:
    """Send a packet once; one that cannot be sent is as good as lost on the way."""
    with contextlib.suppress(OSError):
        own.send(packet)


def received(own: socket.socket, seconds: float) -> bytes:
    """Wait so long for a packet; nothing when none came, or somebody on the way says that nobody is there now."""
    own.settimeout(seconds)
    try:
        return own.recv(LARGEST)
    except OSError:
        return b""


class Channel:
    """What is said in a session that is signed in, one packet at a time."""

    def __init__(self, own: socket.socket, seal: Seal, number: int, suite: int) -> None:
        self.socket = own
        self.number = number  # what the controller calls the session
        self.suite = suite
        self._seal = seal

    def send(self, kind: int, payload: bytes) -> None:
        """Send a payload once."""
        send(self.socket, self._seal.seal(kind, payload))

    def receive(self, seconds: float = GLANCE) -> tuple[int, bytes] | None:
        """Wait so long for a packet; give the type and the payload of one that belongs to this session."""
        packet = received(self.socket, seconds)
        return self._seal.open(packet) if packet else None

    def close(self) -> None:
        """Let go of the socket; the controller is told nothing."""
        self.socket.close()
