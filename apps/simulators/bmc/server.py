"""The sockets of controllers: one for each port, on loopback alone; each controller sends from its own address."""

import asyncio
import socket
import struct
from collections.abc import Iterable, Mapping
from functools import partial
from ipaddress import IPv4Address
from typing import Any

from apps.simulators.bmc.controller import Controller

IP_PKTINFO = 8  # not in the socket module before Python 3.12
LARGEST = 2048
RECEIVE_BUFFER = 4 * 1024 * 1024
DRAINED_AT_ONCE = 200
_PKTINFO = struct.Struct("@I4s4s")


class Server:
    """The controllers at one port; made by ``serve``, ended by ``close``."""

    def __init__(self, opened: socket.socket, controllers: Iterable[Controller]) -> None:
        self._socket = opened
        self.port = int(opened.getsockname()[1])
        self._by_address: dict[bytes, Controller] = {}
        self._loop = asyncio.get_running_loop()
        for controller in controllers:
            self.add(controller)
        self._loop.add_reader(opened.fileno(), self._drain)

    @property
    def controllers(self) -> list[Controller]:
        """Give all."""
        return list(self._by_address.values())

    def add(self, controller: Controller) -> None:
        """Answer for one more."""
        packed = IPv4Address(controller.address).packed
        controller.port = self.port
        controller.send = partial(self._send, packed)
        self._by_address[packed] = controller

    def close(self) -> None:
        """Stop; the port is free again."""
        self._loop.remove_reader(self._socket.fileno())
        for controller in self._by_address.values():
            controller.close()
        self._socket.close()

    def _drain(self) -> None:
        receive, by_address = self._socket.recvmsg, self._by_address
        for _ in range(DRAINED_AT_ONCE):
            try:
                data, ancillary, _flags, peer = receive(LARGEST, 64)
            except BlockingIOError:
                return
            except OSError:  # such as an ICMP error for an answer that was sent before
                continue
            for level, kind, content in ancillary:
                if level == socket.IPPROTO_IP and kind == IP_PKTINFO and len(content) >= _PKTINFO.size:
                    controller = by_address.get(_PKTINFO.unpack_from(content)[2])
                    if controller is not None:
                        controller.receive(data, peer)

    def _send(self, packed: bytes, data: bytes, peer: Any) -> None:
        if self._socket.fileno() < 0:
            return
        source = [(socket.IPPROTO_IP, IP_PKTINFO, _PKTINFO.pack(0, packed, b"\0\0\0\0"))]
        try:
            self._socket.sendmsg([data], source, 0, peer)
        except OSError:
            return  # the asker has gone, or the buffer is full: as if the network had lost it


def open_socket(addresses: Iterable[str], port: int = 0) -> socket.socket:
    """Open a socket for some loopback addresses: for a single one only there; raises ``OSError``, ``ValueError``."""
    wanted = {IPv4Address(address) for address in addresses}
    if not wanted or not all(address.is_loopback for address in wanted):
        raise ValueError("a simulated controller answers at loopback addresses alone")
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if len(wanted) > 1:
            _keep_inside(opened)
        opened.bind((str(wanted.pop()) if len(wanted) == 1 else "0.0.0.0", port))
        opened.setblocking(False)
    except OSError:
        opened.close()
        raise
    return opened


def _keep_inside(opened: socket.socket) -> None:
    """Hear nothing from other machines; where the kernel does not allow that, strangers are simply not answered."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
    except OSError:
        return


async def serve(controllers: Iterable[Controller], port: int = 0) -> Server:
    """Answer for controllers on the running loop; port 0 takes a free one, which ``server.port`` tells."""
    all_of_them = list(controllers)
    return Server(open_socket((one.address for one in all_of_them), port), all_of_them)


async def serve_all(controllers: Mapping[int, Iterable[Controller]]) -> list[Server]:
    """Answer for controllers by their port."""
    return [await serve(those, port) for port, those in controllers.items()]
