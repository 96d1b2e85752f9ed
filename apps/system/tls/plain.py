"""What somebody hears who speaks plain HTTP where HTTPS is spoken: go there, or why not; under a deadline."""

import asyncio
import contextlib
import socket
from http import HTTPStatus

import h11
from django.http.request import split_domain_port

from apps.access.services import hosts
from apps.system.tls.state import InForce

WITHIN = 5.0  # seconds for the request and the answer
LARGEST = 16384  # bytes of a request's head
HEADERS = (
    ("Content-Type", "text/plain; charset=utf-8"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),  # HTTPS may be switched off again
    ("Connection", "close"),
)


async def first_byte(connection: socket.socket, within: float) -> int | None:
    """Wait for the first byte of a connection and leave it there; None when the other side has nothing to say."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            peeked = connection.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            readable = loop.create_future()
            loop.add_reader(connection, _wake, readable)
            try:
                await asyncio.wait_for(readable, within)
            finally:
                loop.remove_reader(connection)
            continue
        return peeked[0] if peeked else None


def _wake(readable: "asyncio.Future[None]") -> None:
    if not readable.done():
        readable.set_result(None)


async def lead_on(connection: socket.socket, port: int, in_force: InForce) -> None:
    """Answer one request and close."""
    with contextlib.closing(connection), contextlib.suppress(OSError, TimeoutError, h11.ProtocolError):
        async with asyncio.timeout(WITHIN):
            await _converse(connection, port, in_force)
            await _part(connection)


async def _part(connection: socket.socket) -> None:
    """Let the other side read the answer: closing with something unread would take it away."""
    connection.shutdown(socket.SHUT_WR)
    left = LARGEST
    while left > 0 and (data := await asyncio.get_running_loop().sock_recv(connection, LARGEST)):
        left -= len(data)


async def _converse(connection: socket.socket, port: int, in_force: InForce) -> None:
    loop = asyncio.get_running_loop()
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST)
    try:
        while (event := server.next_event()) is h11.NEED_DATA:
            server.receive_data(await loop.sock_recv(connection, LARGEST))
    except h11.RemoteProtocolError:
        await loop.sock_sendall(connection, _refusal("This is not HTTP. This port speaks HTTPS."))
        return
    if not isinstance(event, h11.Request):
        return
    address = _address(event, port, in_force)
    if address is None:
        scheme = "HTTPS" if in_force.https else "HTTP"
        await loop.sock_sendall(connection, _refusal(f"This port speaks HTTPS. Ask port {port} by {scheme}."))
        return
    text = f"Go to {address}\n".encode() if event.method != b"HEAD" else b""
    await loop.sock_sendall(connection, _answer(HTTPStatus.TEMPORARY_REDIRECT, text, (("Location", address),)))


def _address(request: h11.Request, port: int, in_force: InForce) -> str | None:
    """Give where to go; None for what should never have been sent in clear, and under a name that is not ours."""
    headers = dict(request.headers)
    host = headers.get(b"host", b"").decode("latin-1")
    target = request.target.decode("latin-1")
    if request.method not in {b"GET", b"HEAD"} or b"authorization" in headers or not target.startswith("/"):
        return None
    if not hosts.is_known(host, in_force.names):
        return None
    name, _port = split_domain_port(host)
    scheme, usual = ("https", 443) if in_force.https else ("http", 80)
    return f"{scheme}://{name}{'' if port == usual else f':{port}'}{target}"


def _refusal(sentence: str) -> bytes:
    return _answer(HTTPStatus.BAD_REQUEST, f"400 {sentence}\n".encode())


def _answer(status: HTTPStatus, text: bytes, more: tuple[tuple[str, str], ...] = ()) -> bytes:
    head = [f"HTTP/1.1 {status.value} {status.phrase}"]
    head += [f"{name}: {value}" for name, value in (*more, *HEADERS, ("Content-Length", str(len(text))))]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + text
