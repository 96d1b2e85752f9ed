"""From an agent's address, or its name, to what a socket takes."""

import asyncio
import socket
import time
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from apps.protocols.errors import Stage, Unreachable
from apps.protocols.snmp.datagrams import Peer

NAME_LIFETIME = 60.0  # seconds; a device whose address changes is found again within a minute
_MOST_NAMES = 10000


class Place(NamedTuple):
    """Where a datagram goes, and how the peer of an answer from there compares."""

    family: socket.AddressFamily
    sockaddr: Peer
    key: Peer


def peer_key(peer: Peer) -> Peer:
    """The form of a socket address in which a question's and an answer's are equal."""
    return peer if len(peer) == 2 else (peer[0].partition("%")[0], peer[1], peer[3])


@lru_cache(maxsize=16384)
def _numeric(address: str, port: int) -> Place | None:
    try:
        parsed = ip_address(address)
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
            address = str(parsed.ipv4_mapped)
        found = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
    except (ValueError, OSError):
        return None
    return _place(found)


def _place(found: Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, Peer]]) -> Place:
    family, _, _, _, sockaddr = found[0]
    return Place(family, sockaddr, peer_key(sockaddr))


class Resolver:
    """Turns addresses into places at once, and names after asking the system's resolver."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, int], tuple[float, Place]] = {}

    async def place(self, address: str, port: int) -> Place:
        """Where the agent is; raises ``Unreachable`` at stage *name* when nobody knows the name."""
        if place := _numeric(address, port):
            return place
        known = self._names.get((address, port))
        if known and known[0] > time.monotonic():
            return known[1]
        try:
            found = await asyncio.get_running_loop().getaddrinfo(address, port, type=socket.SOCK_DGRAM)
        except (OSError, ValueError) as error:
            raise Unreachable(
                "The name %(address)s is not known", stage=Stage.NAME, address=address or "(empty)"
            ) from error
        if len(self._names) >= _MOST_NAMES:
            self._names.clear()
        place = _place(found)
        self._names[address, port] = time.monotonic() + NAME_LIFETIME, place
        return place
