"""The UDP sockets of the receiver, opened or inherited, and what comes in, answered from where it was sent to."""

import ipaddress
import logging
import os
import socket
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from apps.protocols.snmp.receiving import Opened

log = logging.getLogger(__name__)

RECEIVE_BUFFER = 16 * 1024 * 1024  # bytes: about 26,000 traps wait in the kernel while a batch is stored
SO_RCVBUFFORCE = 33  # root may go beyond net.core.rmem_max; not in the socket module
IP_PKTINFO = 8  # not in the socket module before Python 3.12
LARGEST = 65535

Ancillary = tuple[int, int, bytes]
Peer = tuple[Any, ...]  # an address as the socket module has it


@lru_cache(maxsize=16384)
def _shortest(host: str) -> str:
    found = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


@dataclass(slots=True)
class Datagram:
    """What came, from whom, when, and how to answer from the address that was asked."""

    data: bytes
    peer: Peer
    through: socket.socket = field(repr=False)
    asked: Ancillary | None = None
    arrived: float = field(default_factory=time.monotonic)
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    opened: Opened | None = None  # once a message of version 3 was found to be genuine

    @property
    def address(self) -> str:
        """Give the sender's address in its shortest form; IPv4 stays IPv4 on a socket for both."""
        return _shortest(self.peer[0])

    def answer(self, data: bytes) -> None:
        """Send an answer to the sender; one that does not get away is asked for again."""
        try:
            self.through.sendmsg([data], [self.asked] if self.asked else [], 0, self.peer)
        except OSError as error:
            log.debug("an answer to %s did not get away: %s", self.address, error)


def open_sockets(descriptors: str | None, bind: str, port: int) -> list[socket.socket]:
    """Take the sockets handed down (numbers with commas between; none: it is switched off).

    Without a supervisor, which hands nothing down, one per address of ``bind`` is opened.
    """
    opened = handed_down(descriptors) if descriptors is not None else open_port(bind, port, socket.SOCK_DGRAM)
    for each in opened:
        _prepare(each)
    return opened


def handed_down(descriptors: str) -> list[socket.socket]:
    """Take the sockets that the supervisor opened."""
    return [socket.socket(fileno=int(word)) for word in descriptors.split(",") if word.strip()]


def open_port(bind: str, port: int, kind: socket.SocketKind) -> list[socket.socket]:
    """Open a port on every address of ``bind``."""
    opened: list[socket.socket] = []
    for address in [word.strip().strip("[]") for word in bind.split(",") if word.strip()] or ["127.0.0.1"]:
        opened.append(_bound(address, port, kind))
        port = port or opened[0].getsockname()[1]
    return opened


def _bound(address: str, port: int, kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, kind)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != "::")
    if kind == socket.SOCK_STREAM:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # past connections may linger, listeners not
    opened.bind((address, port))
    if kind == socket.SOCK_STREAM:
        opened.listen()
    return opened


def _prepare(opened: socket.socket) -> None:
    opened.setblocking(False)
    try:
        opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except OSError:
        if opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) < RECEIVE_BUFFER:  # may have been opened by root
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    if opened.family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        opened.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)


def described(opened: socket.socket) -> str:
    """Give a socket's address for people."""
    host, port = opened.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def kernel_drops(sockets: list[socket.socket]) -> int:
    """Read how many datagrams the kernel dropped at these sockets because their buffer was full."""
    inodes = {str(os.fstat(each.fileno()).st_ino) for each in sockets}
    total = 0
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if len(words) >= 13 and words[9] in inodes:
                total += int(words[12])
    return total
