"""The receiver's UDP sockets: opened or inherited, read with the address that was asked, answered from it."""

import ipaddress
import logging
import os
import socket
import struct
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from apps.protocols.snmp.receiving import Opened

log = logging.getLogger(__name__)

RECEIVE_BUFFER = 16 * 1024 * 1024  # bytes: about 26,000 traps wait in the kernel while a batch is stored
SO_RCVBUFFORCE = 33  # root may go beyond net.core.rmem_max; not in the socket module
IP_PKTINFO = 8  # not in the socket module before Python 3.12
LARGEST = 65535
_ANCILLARY = 128
_V4 = struct.Struct("@I4s4s")  # struct in_pktinfo: interface, our address, the header's address
_V6 = struct.Struct("@16sI")  # struct in6_pktinfo: our address, interface

Ancillary = tuple[int, int, bytes]


@lru_cache(maxsize=16384)
def _shortest(host: str) -> str:
    found = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


@dataclass(slots=True)
class Datagram:
    """What came, from whom, when, and how to answer from the address that was asked."""

    data: bytes
    peer: tuple[str, int]
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


def open_sockets(descriptors: str, bind: str, port: int) -> list[socket.socket]:
    """Take the sockets handed down (numbers with commas between), else open one per address of ``bind``."""
    inherited = [int(word) for word in descriptors.split(",") if word.strip()]
    if inherited:
        opened = [socket.socket(fileno=number) for number in inherited]
    else:
        opened = []
        for address in [word.strip().strip("[]") for word in bind.split(",") if word.strip()] or ["127.0.0.1"]:
            opened.append(_bound(address, port))
            port = port or opened[0].getsockname()[1]
    for each in opened:
        _prepare(each)
    return opened


def _bound(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != "::")
    opened.bind((address, port))
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


def read(opened: socket.socket) -> Datagram:
    """Read one datagram; raises BlockingIOError when there is none."""
    data, ancillary, _flags, peer = opened.recvmsg(LARGEST, _ANCILLARY)
    return Datagram(data, peer, opened, _asked(ancillary))


def _asked(ancillary: list[tuple[int, int, bytes]]) -> Ancillary | None:
    """Turn where a datagram went to into where its answer comes from."""
    for level, kind, content in ancillary:
        if level == socket.IPPROTO_IP and kind == IP_PKTINFO and len(content) >= _V4.size:
            _interface, ours, _header = _V4.unpack_from(content)
            return level, kind, _V4.pack(0, ours, b"\0\0\0\0")
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO and len(content) >= _V6.size:
            ours, interface = _V6.unpack_from(content)
            link_local = ours[0] == 0xFE and ours[1] & 0xC0 == 0x80
            return None if ours[0] == 0xFF else (level, kind, _V6.pack(ours, interface if link_local else 0))
    return None


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
