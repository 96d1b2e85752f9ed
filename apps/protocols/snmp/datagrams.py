"""One UDP socket that many agents are asked through, and that learns when nobody listens at the other end.

Linux tells an unconnected socket about ICMP errors only through its error queue (``IP_RECVERR``, ip(7)); each entry
carries the datagram that failed, so that exactly one request fails and not its neighbours.
"""

import asyncio
import errno
import socket
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

Peer: TypeAlias = tuple[Any, ...]

_LARGEST = 65535
_DATAGRAMS_PER_TURN = 128  # then the loop's other work gets its turn
_RECEIVE_BUFFER = 4 << 20
_IP_RECVERR, _IPV6_RECVERR = 11, 25


class DatagramSocket:
    """A non-blocking UDP socket on the running loop.

    ``received(data, peer)`` is called for each datagram, ``failed(data, peer, error)`` for each datagram of ours that
    the network gave back; neither may raise.
    """

    def __init__(
        self,
        family: socket.AddressFamily,
        received: Callable[[bytes, Peer], None],
        failed: Callable[[bytes, Peer, OSError], None],
    ) -> None:
        self._received, self._failed = received, failed
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            if family == socket.AF_INET6:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                self._socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
            else:
                self._socket.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            self._socket.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", 0))
            self._loop.add_reader(self._socket.fileno(), self._readable)
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Stop listening; what still arrives is lost."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    async def send(self, data: bytes, peer: Peer) -> None:
        """Send one datagram; waits while the kernel's buffer is full, raises ``OSError`` when there is no way."""
        for _ in range(100):
            try:
                self._socket.sendto(data, peer)
                return
            except BlockingIOError:
                await asyncio.sleep(0.01)
            except ConnectionRefusedError:
                # The verdict on an earlier datagram, perhaps of another peer: it is in the queue, ours was not sent.
                self._read_errors()
            except OSError as error:
                if not self._read_errors() or error.errno in (errno.EMSGSIZE, errno.EINVAL):
                    raise
        raise OSError(errno.ENOBUFS, "The kernel takes no more datagrams")

    def _readable(self) -> None:
        for turn in range(_DATAGRAMS_PER_TURN):
            try:
                data, peer = self._socket.recvfrom(_LARGEST)
            except BlockingIOError:
                if turn == 0:
                    self._read_errors()
                return
            except OSError:
                self._read_errors()
            else:
                self._received(data, peer)

    def _read_errors(self) -> int:
        for found in range(_DATAGRAMS_PER_TURN):
            try:
                data, control, _, peer = self._socket.recvmsg(_LARGEST, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return found
            for level, kind, content in control:
                if (level, kind) in ((socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR)):
                    number = struct.unpack_from("=I", content)[0]
                    if number not in (errno.EMSGSIZE, 0):
                        self._failed(data, peer, OSError(number, errno.errorcode.get(number, "")))
        return _DATAGRAMS_PER_TURN
