"""Asks addresses whether they are there: echo requests at a steady pace, replies matched by address and number."""

import asyncio
import os
import socket
import struct
import time
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from types import TracebackType
from typing import Any, NamedTuple, Self

from apps.protocols.ping.sockets import open_socket, prepare

TIMEOUT = 1.0
RETRIES = 1
INTERVAL = 0.0005  # seconds between two requests: 2,000 a second do not trouble a switch or an ARP table

_REQUEST, _REQUEST_V6, _REPLY, _REPLY_V6 = 8, 128, 0, 129
_REPLIES_PER_TURN = 256
_HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence number


class _Place(NamedTuple):
    family: socket.AddressFamily
    sockaddr: tuple[Any, ...]
    host: str


@lru_cache(maxsize=16384)
def _place(address: str) -> _Place:
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        address = str(parsed.ipv4_mapped)
    family, _, _, _, sockaddr = socket.getaddrinfo(address, 0, flags=socket.AI_NUMERICHOST)[0]
    return _Place(family, sockaddr, str(sockaddr[0]).partition("%")[0])


def _checksum(data: bytes) -> int:
    """The one's complement sum of RFC 1071; the kernel writes it itself for ICMPv6 and for datagram sockets."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


class Pinger:
    """One socket per address family on the running loop, for any number of sweeps, also at once.

    ``descriptors`` are ICMP sockets that a parent opened and handed down; the pinger owns them from then on. What is
    missing is opened when first needed, which may raise ``PingNotPermitted``.
    """

    def __init__(self, descriptors: Iterable[int] = ()) -> None:
        self._loop = asyncio.get_running_loop()
        self._sockets: dict[int, socket.socket] = {}
        self._waiting: dict[tuple[str, int], tuple[float, asyncio.Future[float]]] = {}
        self._number = int.from_bytes(os.urandom(2), "big")
        self._identifier = int.from_bytes(os.urandom(2), "big")
        # Other programs' replies reach a raw socket too: only those that carry this are ours.
        self._token = os.urandom(16)
        for descriptor in descriptors:
            self._listen(socket.socket(fileno=descriptor))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the sockets; a sweep that still runs finds nobody any more."""
        for sock in self._sockets.values():
            self._loop.remove_reader(sock.fileno())
            sock.close()
        self._sockets.clear()

    async def ping(self, address: str, *, timeout: float = TIMEOUT, retries: int = RETRIES) -> float | None:
        """The round trip to one address in seconds, ``None`` when it stays silent."""
        return (await self.sweep([address], timeout=timeout, retries=retries))[address]

    async def sweep(
        self,
        addresses: Iterable[str],
        *,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        interval: float = INTERVAL,
    ) -> dict[str, float | None]:
        """The round trip in seconds of each address, ``None`` for those that stay silent.

        ``timeout`` counts from the last request of a round; those that did not answer are asked in ``retries`` more
        rounds; ``interval`` is the time between two requests. Raises ``ValueError`` for what is no IP address.
        """
        places = {address: _place(address) for address in addresses}
        answers: dict[str, asyncio.Future[float]] = {address: self._loop.create_future() for address in places}
        keys: list[tuple[str, int]] = []
        try:
            for _ in range(retries + 1):
                missing = [address for address, answer in answers.items() if not answer.done()]
                if not missing:
                    break
                await self._round(missing, places, answers, keys, interval)
                silent = [answer for answer in answers.values() if not answer.done()]
                if silent:
                    await asyncio.wait(silent, timeout=timeout)
        finally:
            for key in keys:
                self._waiting.pop(key, None)
        return {address: answer.result() if answer.done() else None for address, answer in answers.items()}

    async def _round(
        self,
        missing: list[str],
        places: dict[str, _Place],
        answers: dict[str, asyncio.Future[float]],
        keys: list[tuple[str, int]],
        interval: float,
    ) -> None:
        begun = time.perf_counter()
        for sent, address in enumerate(missing):
            ahead = begun + sent * interval - time.perf_counter()
            if ahead > 0.001:
                await asyncio.sleep(ahead)
            place = places[address]
            self._number = (self._number + 1) & 0xFFFF
            key = (place.host, self._number)
            keys.append(key)
            self._waiting[key] = time.perf_counter(), answers[address]
            await self._send(place, self._number)

    async def _send(self, place: _Place, number: int) -> None:
        sock = self._sockets.get(place.family)
        if sock is None:
            try:
                sock = self._listen(open_socket(place.family))
            except PermissionError:
                raise
            except OSError:
                return  # a machine without IPv6 reaches no IPv6 address
        kind = _REQUEST_V6 if place.family == socket.AF_INET6 else _REQUEST
        packet = _HEADER.pack(kind, 0, 0, self._identifier, number) + self._token
        if kind == _REQUEST:
            packet = _HEADER.pack(kind, 0, _checksum(packet), self._identifier, number) + self._token
        for _ in range(100):
            try:
                sock.sendto(packet, place.sockaddr)
                return
            except BlockingIOError:
                await asyncio.sleep(0.01)
            except OSError:
                return  # no route, or a broadcast address: silence says the same

    def _listen(self, sock: socket.socket) -> socket.socket:
        prepare(sock)
        self._sockets[sock.family] = sock
        self._loop.add_reader(sock.fileno(), self._readable, sock)
        return sock

    def _readable(self, sock: socket.socket) -> None:
        with_ip_header = sock.family == socket.AF_INET and sock.type == socket.SOCK_RAW
        own_identifier = sock.type == socket.SOCK_RAW  # the kernel puts its own into a datagram socket's packets
        for _ in range(_REPLIES_PER_TURN):
            try:
                data, peer = sock.recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:
                continue
            now = time.perf_counter()
            if with_ip_header and data:
                data = data[(data[0] & 0x0F) * 4 :]
            if len(data) < _HEADER.size or data[_HEADER.size :] != self._token:
                continue
            kind, _, _, identifier, number = _HEADER.unpack_from(data)
            if kind not in (_REPLY, _REPLY_V6) or (own_identifier and identifier != self._identifier):
                continue
            sent_at, answer = self._waiting.pop((peer[0].partition("%")[0], number), (0.0, None))
            if answer is not None and not answer.done():
                answer.set_result(now - sent_at)


async def ping(address: str, *, timeout: float = TIMEOUT, retries: int = RETRIES) -> float | None:
    """The round trip to one address in seconds through sockets of its own, ``None`` when it stays silent."""
    async with Pinger() as pinger:
        return await pinger.ping(address, timeout=timeout, retries=retries)


async def sweep(
    addresses: Iterable[str],
    timeout: float = TIMEOUT,
    retries: int = RETRIES,
    interval: float = INTERVAL,
    *,
    descriptors: Iterable[int] = (),
) -> dict[str, float | None]:
    """``Pinger.sweep`` through sockets of its own, or through ``descriptors``, which are closed afterwards."""
    async with Pinger(descriptors) as pinger:
        return await pinger.sweep(addresses, timeout=timeout, retries=retries, interval=interval)
