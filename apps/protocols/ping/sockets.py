"""The sockets that ICMP echo needs, and who may open them.

A raw socket needs root or CAP_NET_RAW; Linux also has an unprivileged ICMP socket, for the groups that the kernel
setting ``net.ipv4.ping_group_range`` names (icmp(7)). A parent with the right may open them and hand them down.
"""

import contextlib
import socket
import struct
from typing import Literal

Rights = Literal["raw", "datagram"]

_SOL_RAW, _ICMP_FILTER, _ICMP6_FILTER = 255, 1, 1
_SO_RCVBUFFORCE = 33
_RECEIVE_BUFFER = 4 << 20  # an echo reply is charged about 0.8 KiB: five thousand may wait
_ECHO_REPLY, _ECHO_REPLY_V6 = 0, 129


class PingNotPermitted(PermissionError):
    """Neither kind of ICMP socket may be opened; the text says what to do."""

    def __init__(self) -> None:
        super().__init__(
            "Ping is not permitted: start the portal as root, give its Python CAP_NET_RAW, or let its group ping with "
            '"sysctl net.ipv4.ping_group_range=0 2147483647"'
        )


def _open(family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    return socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)


def rights() -> Rights | None:
    """Which kind of ICMP socket this process may open, the better one first; ``None`` when none."""
    kinds: tuple[tuple[Rights, socket.SocketKind], ...] = (("raw", socket.SOCK_RAW), ("datagram", socket.SOCK_DGRAM))
    for name, kind in kinds:
        with contextlib.suppress(OSError), _open(socket.AF_INET, kind):
            return name
    return None


def open_socket(family: socket.AddressFamily) -> socket.socket:
    """The best ICMP socket of the family that this process may have.

    Raises ``PingNotPermitted``, or another ``OSError`` where the machine does not speak the family at all.
    """
    for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
        with contextlib.suppress(PermissionError):
            return _open(family, kind)
    raise PingNotPermitted


def open_sockets() -> list[socket.socket]:
    """One socket for each family that the machine speaks, to be handed down to a child by its descriptor.

    Raises ``PingNotPermitted``.
    """
    found = [open_socket(socket.AF_INET)]
    with contextlib.suppress(OSError):
        found.append(open_socket(socket.AF_INET6))
    return found


def prepare(sock: socket.socket) -> None:
    """Make the socket non-blocking, give it room, and let only echo replies wake a raw one."""
    sock.setblocking(False)
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    if sock.type != socket.SOCK_RAW:
        return
    if sock.family == socket.AF_INET6:
        blocked = bytearray(b"\xff" * 32)  # one bit for each type, set where it is kept away (RFC 3542 §3.2)
        word = struct.unpack_from("=I", blocked, _ECHO_REPLY_V6 // 32 * 4)[0] & ~(1 << _ECHO_REPLY_V6 % 32)
        struct.pack_into("=I", blocked, _ECHO_REPLY_V6 // 32 * 4, word)
        sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, bytes(blocked))
    else:
        sock.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", 0xFFFFFFFF & ~(1 << _ECHO_REPLY)))
