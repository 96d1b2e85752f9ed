"""The sockets of controllers: one for each port, on loopback alone; each controller sends from its own address."""

import asyncio
import socket
from collections.abc import Iterable, Mapping
from functools import partial
from ipaddress import IPv4Address
from typing import Any

from apps.simulators import loopback
from apps.simulators.bmc.controller import Controller

LARGEST = 2048
DRAINED_AT_ONCE = 200


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
            controller = by_address.get(loopback.asked_of(ancillary) or b"")
            if controller is not None:
                controller.receive(data, peer)

    def _send(self, packed: bytes, data: bytes, peer: Any) -> None:
        if self._socket.fileno() < 0:
            return
        try:
            loopback.send_from(self._socket, packed, data, peer)
        except OSError:
            return  # the asker has gone, or the buffer is full: as if the network had lost it


def open_socket(addresses: Iterable[str], port: int = 0) -> socket.socket:
    """Open a socket for some loopback addresses: for a single one only there; raises ``OSError``, ``ValueError``."""
    wanted = {IPv4Address(address) for address in addresses}
    if not wanted or not all(address.is_loopback for address in wanted):
        raise ValueError("a simulated controller answers at loopback addresses alone")
    return loopback.open_socket(str(wanted.pop()) if len(wanted) == 1 else "0.0.0.0", port)  # kept inside


async def serve(controllers: Iterable[Controller], port: int = 0) -> Server:
    """Answer for controllers on the running loop; port 0 takes a free one, which ``server.port`` tells."""
    all_of_them = list(controllers)
    return Server(open_socket((one.address for one in all_of_them), port), all_of_them)


async def serve_all(controllers: Mapping[int, Iterable[Controller]]) -> list[Server]:
    """Answer for controllers by their port."""
    return [await serve(those, port) for port, those in controllers.items()]
