"""Opens the listening sockets before anything starts, and names who holds a port that is taken."""

import errno
import ipaddress
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import replace

import psutil

from apps.system.processes import Port

UDP_BUFFER = 16 * 1024 * 1024  # bytes; a trap storm must fit while a batch is committed
SO_RCVBUFFORCE = 33  # not in the socket module
BACKLOG = 512


class PortTaken(Exception):
    """A port cannot be opened; the message names who holds it and what changes the number.

    ``why`` is taken, root or address; ``about`` is who holds it, or the address that this machine does not have.
    """

    def __init__(self, message: str, why: str = "", about: str = "") -> None:
        super().__init__(message)
        self.why, self.about = why, about


def addresses(bind: str) -> list[str]:
    """Split ESM_BIND (one address or several with commas between) and check each."""
    words = [word.strip().strip("[]") for word in bind.split(",") if word.strip()]
    for word in words:
        try:
            ipaddress.ip_address("127.0.0.1" if word == "localhost" else word)
        except ValueError as error:
            raise PortTaken(f"ESM_BIND must be addresses with commas between, not {word!r}.") from error
    return ["127.0.0.1" if word == "localhost" else word for word in words] or ["127.0.0.1"]


def open_port(port: Port, binds: Sequence[str]) -> tuple[int, tuple[int, ...]]:
    """Open one port on every address; give the real number and the descriptors. Raises PortTaken."""
    number, opened = port.number, []
    try:
        for bind in port.binds or binds:
            opened.append(_open(port, bind, number))
            number = opened[0].getsockname()[1]
    except OSError as error:
        for each in opened:
            each.close()
        if error.errno not in {errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL}:
            raise
        raise _explain(port, number, bind, error) from error
    return number, tuple(each.detach() for each in opened)


def probe(port: Port, number: int, binds: Sequence[str]) -> dict[str, str]:
    """Open a port under another number and close it again; say why where that cannot be done, else nothing."""
    try:
        _number, opened = open_port(replace(port, number=number), binds)
    except PortTaken as taken:
        return {"refused": taken.why, "about": taken.about, "said": str(taken)}
    close(opened)
    return {}


def _open(port: Port, bind: str, number: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    kind = socket.SOCK_STREAM if port.protocol == "tcp" else socket.SOCK_DGRAM
    opened = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, bind != "::")
        if port.protocol == "tcp":
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # past connections may linger, listeners not
        else:
            _widen(opened)
        opened.bind((bind, number))
        if port.protocol == "tcp":
            opened.listen(BACKLOG)
        opened.setblocking(False)
    except OSError:
        opened.close()
        raise
    return opened


def _widen(opened: socket.socket) -> None:
    try:
        opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, UDP_BUFFER)
    except PermissionError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BUFFER)


def _explain(port: Port, number: int, bind: str, error: OSError) -> PortTaken:
    what = f"Port {number}/{port.protocol} ({port.label})"
    other_way = f"set {port.variable} to another port"
    if port.option:
        other_way += f" (or: manage.py option set {port.option} NUMBER)"
    if error.errno == errno.EACCES:
        said = f"{what} is below 1024 and needs root. Start as root, or {other_way}."
        return PortTaken(said, "root")
    if error.errno == errno.EADDRNOTAVAIL:
        said = f"{what}: this machine does not have the address {bind}. Set ESM_BIND to one that it has."
        return PortTaken(said, "address", bind)
    other = holder(number, port.protocol, bind)
    return PortTaken(f"{what} is taken by {other}. Stop that program, or {other_way}.", "taken", other)


def holder(number: int, protocol: str, bind: str) -> str:
    """Say which program holds a port of an address, as far as this user may see it."""
    pid = holder_pid(number, protocol, bind)
    if pid is None:
        return "a program of another user (root can see which)"
    try:
        process = psutil.Process(pid)
        return f"{process.name()} (process {pid}: {' '.join(process.cmdline())[:100]})"
    except psutil.Error:
        return f"process {pid}"


def holder_pid(number: int, protocol: str, bind: str) -> int | None:
    """Give the id of the process that holds a port, None where it is not visible or nobody does.

    Others may have the same number on addresses that do not matter here.
    """
    every = {"0.0.0.0", "::"}
    for connection in psutil.net_connections(kind=protocol):
        local = connection.laddr
        if not local or local.port != number or (protocol == "tcp" and connection.status != psutil.CONN_LISTEN):
            continue
        if bind in every or local.ip in {bind, *every}:
            return connection.pid
    return None


def open_ping_sockets() -> tuple[int, int]:
    """Open raw ICMP sockets for IPv4 and IPv6; -1 where that is not permitted."""
    opened = []
    for family, protocol in ((socket.AF_INET, socket.IPPROTO_ICMP), (socket.AF_INET6, socket.IPPROTO_ICMPV6)):
        try:
            raw = socket.socket(family, socket.SOCK_RAW, protocol)
            raw.setblocking(False)
            opened.append(raw.detach())
        except OSError:
            opened.append(-1)
    return opened[0], opened[1]


def close(descriptors: Iterable[int]) -> None:
    """Close sockets that are not needed after all."""
    for descriptor in descriptors:
        if descriptor >= 0:
            os.close(descriptor)
