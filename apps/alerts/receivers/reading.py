"""Reads many datagrams by one call (recvmmsg(2)), with the address that each was sent to.

One ``recvmsg`` for each hands the interpreter's lock to the thread that stores and takes it back, every time: while
thousands come in a second that costs as much as to understand them.
"""

import ctypes
import errno
import os
import socket
import struct
import time
from datetime import UTC, datetime
from functools import lru_cache

from apps.alerts.receivers.datagrams import IP_PKTINFO, LARGEST, Ancillary, Datagram, Peer

AT_ONCE = 64
_NAME, _CONTROL = 28, 128  # octets of a sockaddr_in6, and of what tells our address
_V4, _V6 = struct.Struct("!2xH4s"), struct.Struct("!2xH4s16s")  # port and address; port, flow and address
_SCOPE = struct.Struct("@I")  # of an IPv6 address, in the order of this machine
_CMSG = struct.Struct("@Nii")  # struct cmsghdr: length, level, kind
_PKTINFO = struct.Struct("@I4s4s")  # struct in_pktinfo: interface, our address, the header's address
_PKTINFO_6 = struct.Struct("@16sI")  # struct in6_pktinfo: our address, interface

_IOVEC = struct.Struct("@PN")  # struct iovec: where a datagram goes, and how much has room there
# struct mmsghdr: a msghdr (name, its length, iovecs, their number, control, its length, flags), then the length
_MESSAGE = struct.Struct("@PIPNPNi4xI4x")

_libc = ctypes.CDLL(None, use_errno=True)


class Reader:
    """Reads from one socket that does not block."""

    def __init__(self, opened: socket.socket) -> None:
        self._opened = opened
        self._memory = [ctypes.create_string_buffer(AT_ONCE * size) for size in (LARGEST, _NAME, _CONTROL, _IOVEC.size)]
        data, names, controls, pieces = map(ctypes.addressof, self._memory)
        self._places = [
            (data + place * LARGEST, names + place * _NAME, controls + place * _CONTROL) for place in range(AT_ONCE)
        ]
        self._memory[3].raw = b"".join(_IOVEC.pack(place, LARGEST) for place, _name, _control in self._places)
        self._fresh = b"".join(  # as they are before a call, which writes into them
            _MESSAGE.pack(name, _NAME, pieces + number * _IOVEC.size, 1, control, _CONTROL, 0, 0)
            for number, (_data, name, control) in enumerate(self._places)
        )
        self._messages = ctypes.create_string_buffer(len(self._fresh))

    def read(self) -> list[Datagram]:
        """Give what is there, at most ``AT_ONCE``, in its order; raises ``OSError`` for an error that waited."""
        messages, opened = self._messages, self._opened
        ctypes.memmove(messages, self._fresh, len(self._fresh))
        found = _libc.recvmmsg(opened.fileno(), messages, AT_ONCE, socket.MSG_DONTWAIT, None)
        if found < 0:
            number = ctypes.get_errno()
            if number in (errno.EAGAIN, errno.EINTR):
                return []
            raise OSError(number, os.strerror(number))
        string_at, result = ctypes.string_at, []
        arrived, received_at = time.monotonic(), datetime.now(UTC)
        told = _MESSAGE.iter_unpack(string_at(messages, found * _MESSAGE.size))
        for (at, name, control), message in zip(self._places, told, strict=False):
            peer = _peer(string_at(name, message[1]))
            asked = _asked(string_at(control, message[5]))
            result.append(Datagram(string_at(at, message[7]), peer, opened, asked, arrived, received_at))
        return result


@lru_cache(maxsize=16384)
def _peer(name: bytes) -> Peer:
    """Give the address in a struct sockaddr_in or sockaddr_in6 as the socket module has it."""
    if len(name) < _NAME:
        port, host = _V4.unpack_from(name)
        return socket.inet_ntop(socket.AF_INET, host), port
    port, flow, host = _V6.unpack_from(name)
    return socket.inet_ntop(socket.AF_INET6, host), port, int.from_bytes(flow, "big"), _SCOPE.unpack_from(name, 24)[0]


@lru_cache(maxsize=1024)
def _asked(control: bytes) -> Ancillary | None:
    """Turn where a datagram went to into where its answer comes from."""
    at = 0
    while at + _CMSG.size <= len(control):
        length, level, kind = _CMSG.unpack_from(control, at)
        content = control[at + _CMSG.size : at + length]
        if level == socket.IPPROTO_IP and kind == IP_PKTINFO and len(content) >= _PKTINFO.size:
            _interface, ours, _header = _PKTINFO.unpack_from(content)
            return level, kind, _PKTINFO.pack(0, ours, b"\0\0\0\0")
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO and len(content) >= _PKTINFO_6.size:
            ours, interface = _PKTINFO_6.unpack_from(content)
            link_local = ours[0] == 0xFE and ours[1] & 0xC0 == 0x80
            scope = interface if link_local else 0
            return None if ours[0] == 0xFF else (level, kind, _PKTINFO_6.pack(ours, scope))
        at += max(-(-length // 8) * 8, _CMSG.size)
    return None
