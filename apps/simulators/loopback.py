"""One socket for many simulated devices: datagrams on loopback alone, each with the address that it was sent to."""

import socket
import struct
from collections.abc import Iterable
from typing import Any

IP_PKTINFO = 8  # not in the socket module before Python 3.12
RECEIVE_BUFFER = 4 * 1024 * 1024
_PKTINFO = struct.Struct("@I4s4s")

Ancillary = Iterable[tuple[int, int, bytes]]


def open_socket(address: str, port: int) -> socket.socket:
    """Open a socket at one address, or at all of them (``0.0.0.0``); raises ``OSError``."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if address == "0.0.0.0":  # kept inside
            keep_inside(opened)
        opened.bind((address, port))
        make_ready(opened)
    except OSError:
        opened.close()
        raise
    return opened


def make_ready(opened: socket.socket) -> None:
    """Have a socket tell to whom each datagram was sent, keep many, and never wait."""
    opened.setblocking(False)
    opened.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def keep_inside(opened: socket.socket) -> None:
    """Hear nothing from other machines; where the kernel does not allow that, strangers are simply not answered."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
    except OSError:
        return


def asked_of(ancillary: Ancillary) -> bytes | None:
    """Give the address that a datagram was sent to, in its four bytes."""
    for level, kind, content in ancillary:
        if level == socket.IPPROTO_IP and kind == IP_PKTINFO and len(content) >= _PKTINFO.size:
            found: bytes = _PKTINFO.unpack_from(content)[2]
            return found
    return None


def send_from(opened: socket.socket, own: bytes, data: bytes, peer: Any) -> None:
    """Send a datagram from one of the addresses; raises ``OSError``."""
    opened.sendmsg([data], [(socket.IPPROTO_IP, IP_PKTINFO, _PKTINFO.pack(0, own, bytes(4)))], 0, peer)
