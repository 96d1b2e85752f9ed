"""The HTTPS port of Redfish events: takes messages, has them stored, and answers only then.

Whoever can reach the port may send anything. So nothing is read of a message before its path is known; connections are
few for one address and for all, and live for half a minute; there is no thread and no task that outlives one.
"""

import asyncio
import hmac
import ipaddress
import json
import logging
import socket
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web

from apps.alerts.models import Count
from apps.alerts.receivers import event_certificate, redfish_event
from apps.alerts.receivers.datagrams import described
from apps.alerts.receivers.event_certificate import Shown
from apps.alerts.receivers.event_store import MOST_AT_ONCE, EventStore, Known, Post
from apps.alerts.receivers.redfish_event import Malformed, NotWanted, Posted
from apps.alerts.receivers.store import DatabaseAway
from apps.alerts.subscriptions.paths import FOLDER, hash_of

log = logging.getLogger(__name__)

MOST_OCTETS = 1024 * 1024  # of one message
MOST_WAITING = 32 * 1024 * 1024  # octets that wait to be stored
MOST_CONNECTIONS, OF_ONE_ADDRESS = 512, 24
LIVES_FOR = 30.0  # seconds of one connection, whatever it does
HANDSHAKE_WITHIN, CLOSED_WITHIN = 8.0, 2.0
STORED_WITHIN = 20.0  # seconds; afterwards the device is asked to come again
LOOKED_AT_EVERY = 5.0  # seconds: subscriptions and certificate
LOOKED_AT_LEAST_AFTER = 0.5  # seconds, when somebody comes with a path that is not known
TAKEN_EVERY = 0.002  # seconds: a shake of hands takes about one, and traps want their turn, too
RESTS = 0.5  # seconds without descriptors
COMES_AGAIN = {"Retry-After": "30", "Connection": "close"}
LAST_WORDS = 3.0  # seconds for messages that are being stored at the end

Result = TypeVar("Result")
InDatabase = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Does something in the one thread that may ask the database."""


class EventPort:
    """Listens on some sockets; everything about the database happens in the receiver's thread for it."""

    def __init__(self, sockets: Sequence[socket.socket], store: EventStore, in_database: InDatabase) -> None:
        self.sockets = sockets
        self._store = store
        self._in_database = in_database
        self._known: Mapping[str, Known] = {}
        self._shown: Shown | None = None
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()
        self._open: Counter[str] = Counter()  # connections by address
        self._refused: Counter[Count] = Counter()  # since the last look
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: deque[tuple[Post, asyncio.Future[None]]] = deque()
        self._answers: set[asyncio.Future[None]] = set()  # somebody waits for them
        self._octets = 0
        self._arrived = asyncio.Event()
        self._server = web.Server(
            self._answer, access_log=None, keepalive_timeout=LIVES_FOR, max_line_size=2048, max_field_size=4096
        )

    @property
    def addresses(self) -> list[str]:
        """Give where it listens."""
        return [described(each) for each in self.sockets]

    def start(self) -> None:
        """Begin to listen as soon as there is a certificate."""
        if self.sockets:
            self._keep(self._run())

    async def stop(self) -> None:
        """Take no more, and let those finish that are being stored."""
        for task in tuple(self._tasks):
            if task.get_name() == "listen":
                task.cancel()
        if self._answers:
            await asyncio.wait(self._answers, timeout=LAST_WORDS)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.shutdown(0.1)
        for what, number in self._refused.items():
            self._store.count(what, number)

    def _keep(self, work: Any, name: str = "") -> None:
        task = asyncio.get_running_loop().create_task(work, name=name or None)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        while self._shown is None:
            await self._look()
            if self._shown is None:
                await asyncio.sleep(LOOKED_AT_EVERY / 10)
        for each in self.sockets:
            each.setblocking(False)
            self._keep(self._listen(each), "listen")
        log.info("receiving Redfish events on %s", ", ".join(self.addresses))
        self._keep(self._store_all())
        while True:
            await asyncio.sleep(LOOKED_AT_EVERY)
            await self._look()

    # --- what the database says ---------------------------------------------------------------------------------------

    async def _look(self, at_least_after: float = 0.0) -> None:
        """Read subscriptions and certificate anew; those who wait for the same look share it."""
        clock = asyncio.get_running_loop().time
        asked_at = clock()
        async with self._looking:
            if self._looked_at >= asked_at or clock() - self._looked_at < at_least_after:
                return
            self._looked_at = clock()
            try:
                refused, self._refused = self._refused, Counter()
                self._known, self._shown = await self._in_database(partial(self._read, refused, self._shown))
            except DatabaseAway:
                log.debug("the database is away, the subscriptions of before hold")
            except Exception:
                log.exception("the subscriptions or the certificate cannot be read")

    def _read(self, refused: Mapping[Count, int], shown: Shown | None) -> tuple[Mapping[str, Known], Shown | None]:
        for what, number in refused.items():
            self._store.count(what, number)
        known = self._store.subscriptions()
        return known, event_certificate.current(shown)

    # --- connections --------------------------------------------------------------------------------------------------

    async def _listen(self, listening: socket.socket) -> None:
        """Take connections; too many are closed before a hand is shaken."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, peer = await loop.sock_accept(listening)
            except OSError as error:
                log.warning("no connection could be taken: %s", error.strerror or error)
                await asyncio.sleep(RESTS)
                continue
            address = _shortest(str(peer[0]))
            if self._open.total() >= MOST_CONNECTIONS or self._open[address] >= OF_ONE_ADDRESS:
                connection.close()
            else:
                self._open[address] += 1
                self._keep(self._serve(connection, address))
            await asyncio.sleep(TAKEN_EVERY)

    async def _serve(self, connection: socket.socket, address: str) -> None:
        """Serve one connection, for so long and no longer."""
        loop = asyncio.get_running_loop()
        transport = None
        try:
            async with asyncio.timeout(LIVES_FOR):
                ended = asyncio.Event()
                transport, _protocol = await loop.connect_accepted_socket(
                    lambda: _Watched(self._server(), ended),
                    connection,
                    ssl=self._shown.context if self._shown else None,
                    ssl_handshake_timeout=HANDSHAKE_WITHIN,
                    ssl_shutdown_timeout=CLOSED_WITHIN,
                )
                await ended.wait()
        except (OSError, TimeoutError):  # what is no TLS, or broke off, or took too long
            pass
        finally:
            if transport is not None:
                transport.abort()
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    # --- messages -----------------------------------------------------------------------------------------------------

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        known = await self._find(request.path)
        if known is None:
            self._refused[Count.EVENT_PATH] += 1
            return _refusal(HTTPStatus.NOT_FOUND, "There is nothing here.")
        if request.method != "POST":
            return _refusal(HTTPStatus.METHOD_NOT_ALLOWED, "Events are posted.", Allow="POST")
        if (request.content_length or 0) > MOST_OCTETS:
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "A message has at most 1 MiB.")
        if self._octets >= MOST_WAITING:
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "Too much is waiting.", **COMES_AGAIN)
        try:
            body = await _read_body(request)
            posted = redfish_event.understand(body)
        except _TooLarge:
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "A message has at most 1 MiB.")
        except NotWanted:
            self._refused[Count.EVENT_KIND] += 1
            return _refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Reports of measured values are not taken, events are.")
        except Malformed as error:
            self._refused[Count.MALFORMED] += 1
            return _refusal(HTTPStatus.BAD_REQUEST, f"This is no message of events: {error}.")
        except OSError:
            return _refusal(HTTPStatus.BAD_REQUEST, "The message broke off.")
        if not _fits(posted, known):
            self._refused[Count.EVENT_CONTEXT] += 1
            return _refusal(HTTPStatus.FORBIDDEN, "The context is another one.")
        return await self._have_stored(request, known, posted, len(body))

    async def _find(self, path: str) -> Known | None:
        """Find whose path it is. One that was given a moment ago may not be known yet."""
        if not path.startswith(FOLDER) or len(path) > 200:
            return None
        digest = hash_of(path)
        if digest not in self._known:
            await self._look(LOOKED_AT_LEAST_AFTER)
        return self._known.get(digest)

    async def _have_stored(
        self, request: web.BaseRequest, known: Known, posted: Posted, octets: int
    ) -> web.StreamResponse:
        """Wait until it is committed; while the database is away the device has to come again."""
        post = Post(known.pk, _shortest(request.remote or ""), posted.events, posted.left_out)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._octets += octets
        self._waiting.append((post, future))
        self._answers.add(future)
        future.add_done_callback(self._answers.discard)
        self._arrived.set()
        try:
            async with asyncio.timeout(STORED_WITHIN):
                await asyncio.shield(future)
        except (*DatabaseAway, TimeoutError):
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "It cannot be stored just now.", **COMES_AGAIN)
        finally:
            self._octets -= octets
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _store_all(self) -> None:
        while True:
            await self._arrived.wait()
            batch, events = [], 0
            while self._waiting and events < MOST_AT_ONCE:
                batch.append(self._waiting.popleft())
                events += len(batch[-1][0].events)
            if not self._waiting:
                self._arrived.clear()
            error: Exception | None = None
            try:
                await self._in_database(partial(self._store.commit, [post for post, _future in batch]))
            except DatabaseAway as away:
                error = away
            except Exception as mistake:  # one of ours; the devices may come again
                log.exception("events could not be stored")
                error = DatabaseAway[0](str(mistake))
            for _post, future in batch:
                if not future.done():
                    future.set_exception(error) if error else future.set_result(None)
                    future.exception()


class _Watched(asyncio.Protocol):
    """Passes on to a protocol, and says when its connection has ended."""

    def __init__(self, inner: asyncio.Protocol, ended: asyncio.Event) -> None:
        self._inner = inner
        self._ended = ended
        self.data_received = inner.data_received  # type: ignore[method-assign]
        self.eof_received = inner.eof_received  # type: ignore[method-assign]
        self.pause_writing = inner.pause_writing  # type: ignore[method-assign]
        self.resume_writing = inner.resume_writing  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._inner.connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._ended.set()
        self._inner.connection_lost(error)


class _TooLarge(Exception):
    """A message has more octets than it may."""


async def _read_body(request: web.BaseRequest) -> bytes:
    parts, size = [], 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > MOST_OCTETS:
            raise _TooLarge
        parts.append(part)
    return b"".join(parts)


def _fits(posted: Posted, known: Known) -> bool:
    """Say whether the contexts are ours; a service need not send any, the path is proof enough."""
    return all(hmac.compare_digest(one.encode("utf-8", "replace"), known.context.encode()) for one in posted.contexts)


def _refusal(status: HTTPStatus, sentence: str, **headers: str) -> web.Response:
    """Say why not, in the form of the devices (DSP0266, "Error responses"); the connection ends with it."""
    error = {"code": f"Base.1.0.{status.phrase.replace(' ', '')}", "message": sentence}
    text = json.dumps({"error": error})
    fields = {"Connection": "close", **headers}
    response = web.Response(status=status, text=text, content_type="application/json", headers=fields)
    response.force_close()
    return response


def _shortest(host: str) -> str:
    found = ipaddress.ip_address(host.partition("%")[0] or "::")
    return str(getattr(found, "ipv4_mapped", None) or found)
