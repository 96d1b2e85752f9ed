"""Takes connections: plain, or through TLS with the certificate of this moment. What is switched, is without a restart.

A connection is looked at before it is given on. Where HTTPS is on and somebody speaks plain HTTP, he is led to HTTPS
or told so. A new certificate, another oldest version, even HTTPS itself, holds for connections that begin afterwards;
those that are open stay as they are.
"""

import asyncio
import contextlib
import errno
import hashlib
import logging
import os
import signal
import socket
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DatabaseError

from apps.access.services import hosts
from apps.access.services.addresses import parse
from apps.core import options, secrets
from apps.core.stream import let_go
from apps.system import ports
from apps.system.processes import PULSE_LINE, Port
from apps.system.tls import contexts, plain, services, state, watching
from apps.system.tls.places import Places
from apps.system.tls.state import Certified, InForce
from apps.system.tls.words import HSTS, HTTPS, MINIMUM, REDIRECT_PORT, REDIRECT_VARIABLE

LOOKED_AT_EVERY = 5.0  # seconds
FIRST_BYTE_WITHIN = 15.0  # seconds; browsers open connections before they need them, but then greet at once
HANDSHAKE_WITHIN = 15.0
OUT_OF_DESCRIPTORS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
TLS_HANDSHAKE = 0x16  # the first byte of every TLS connection (RFC 8446 §5.1)
log = logging.getLogger(__name__)

ProtocolFactory = Callable[[Callable[[], None]], asyncio.Protocol]  # it is given what is called when it has ended
Take = Callable[[socket.socket, Callable[[], None]], Coroutine[Any, Any, bool]]


class Unusable(Exception):
    """HTTPS is on and cannot be spoken; the sentence says why and what to do."""


def read(before: InForce, held: ssl.SSLContext | None) -> tuple[InForce, ssl.SSLContext | None]:
    """Read what is wished from the database, and make the context where it changed. Raises Unusable, DatabaseError."""
    options.forget()
    wished = InForce(
        https=options.get(HTTPS),
        minimum=options.get(MINIMUM),
        hsts_max_age=options.get(HSTS),
        redirect_port=options.get(REDIRECT_PORT),
    )
    if wished.https or wished.redirect_port:
        wished = replace(wished, names=(*hosts.known_names(), hosts.full_name()))
    if not wished.https:
        return wished, None
    try:
        row = services.ensure()
    except secrets.Undecipherable as error:
        raise Unusable(
            "The key of the certificate was encrypted with another key file (ESM_SECRETS_KEY_FILE). Bring that file "
            "back, or make a new certificate: manage.py tls create --new-authority"
        ) from error
    renews = watching.renews_itself(row)
    sent = hashlib.sha256(row.chain.encode()).hexdigest()
    certified = Certified(row.fingerprint, row.not_before, row.not_after, row.own, renews, sent)
    wished = replace(wished, certificate=certified)
    if held is not None and _same(before, wished):
        return wished, held
    try:
        return wished, contexts.server_context(row.key["pem"], row.chain, wished.minimum)
    except ssl.SSLError as error:
        raise Unusable(
            f"The certificate cannot be used ({error.reason}). Make or import one: manage.py tls create"
        ) from error


def context_before_the_upgrade() -> ssl.SSLContext | None:
    """Give what the maintenance page is encrypted with, as far as the tables of the version before tell."""
    try:
        if not options.get(HTTPS):
            return None
        row = services.current()
        return contexts.server_context(row.key["pem"], row.chain, options.get(MINIMUM)) if row is not None else None
    except (DatabaseError, ValidationError, secrets.Undecipherable, ssl.SSLError) as error:
        log.warning("the maintenance page speaks plain HTTP: %s", error)
        return None


def _same(before: InForce, wished: InForce) -> bool:
    """Say whether connections are encrypted as before; a chain can be mended while the certificate stays."""
    old, new = before.certificate, wished.certificate
    if old is None or new is None:
        return False
    return (before.minimum, old.fingerprint, old.sent) == (wished.minimum, new.fingerprint, new.sent)


class Front:
    """The listening sockets of the web process."""

    def __init__(self, make_protocol: ProtocolFactory) -> None:
        self._make_protocol = make_protocol
        self._places = Places()
        self._context: ssl.SSLContext | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._taking: set[asyncio.Task[None]] = set()  # connections on their way to the server
        self._wake = asyncio.Event()
        self._redirect: asyncio.Task[None] | None = None
        self._redirect_wished = 0
        self._redirect_trouble = ""
        self._handed_redirect = False

    async def start(self, listening: list[socket.socket], redirecting: list[socket.socket]) -> None:
        """Read what holds, then take connections, and look again every few seconds and at SIGHUP."""
        wished, self._context = await asyncio.to_thread(_in_a_thread, InForce(), None)
        state.put(wished)
        self._handed_redirect = bool(redirecting)
        for one in listening:
            self._keep(self._listen(one, self._take))
        for one in redirecting:
            self._keep(self._listen(one, self._lead_on))
        self._follow_redirect_port(wished.redirect_port)
        self._keep(self._look_again())
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._wake.set)

    def stop(self) -> None:
        """Take no more connections; those that are open go on."""
        for task in self._tasks:
            task.cancel()

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return _keep_in(self._tasks, work)

    # --- what holds ---------------------------------------------------------------------------------------------
    async def _look_again(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOKED_AT_EVERY)
            self._wake.clear()
            before = state.now()
            try:
                wished, self._context = await asyncio.to_thread(_in_a_thread, before, self._context)
                self._say(before, wished)
                state.put(wished)
                self._follow_redirect_port(wished.redirect_port)
            except DatabaseError:
                continue  # what held still holds; the pages say that the database is away
            except Exception as error:  # whatever it is: what held still holds, and the next look may be luckier
                if before.trouble != str(error):
                    log.error("HTTPS stays as it was: %s", error)
                state.note_trouble(str(error))

    @staticmethod
    def _say(before: InForce, wished: InForce) -> None:
        if before.https != wished.https:
            log.info("new connections speak %s", "HTTPS" if wished.https else "plain HTTP")
        elif wished.certificate and not _same(before, wished):
            log.info("new connections see the certificate %s", wished.certificate.fingerprint[:16])

    def _follow_redirect_port(self, number: int) -> None:
        """Open the port that leads to HTTPS where the option says so; the supervisor opens that of the environment."""
        if self._handed_redirect or number == self._redirect_wished:
            return
        self._redirect_wished = number
        if self._redirect is not None:
            self._redirect.cancel()
            self._redirect = None
        if not number:
            return
        port = Port("redirect to HTTPS", "tcp", number, REDIRECT_VARIABLE, "")
        try:
            _number, opened = ports.open_port(port, ports.addresses(settings.BIND))
        except (ports.PortTaken, OSError) as error:
            if self._redirect_trouble != str(error):
                log.error("%s", error)
            self._redirect_trouble = str(error)
            state.note_trouble(str(error))
            self._redirect_wished = 0  # tried again at the next look
            return
        self._redirect_trouble = ""
        self._redirect = self._keep(self._listen_all([socket.socket(fileno=one) for one in opened]))

    async def _listen_all(self, opened: list[socket.socket]) -> None:
        try:
            await asyncio.gather(*(self._listen(one, self._lead_on) for one in opened))
        finally:
            for one in opened:
                one.close()

    # --- connections --------------------------------------------------------------------------------------------
    async def _listen(self, listening: socket.socket, take: Take) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listening)
            except OSError as error:
                if error.errno not in OUT_OF_DESCRIPTORS:
                    continue  # the other side has gone already
                log.error("no connection can be taken: %s", os.strerror(error.errno))
                await asyncio.sleep(1)
                continue
            give_back = self._places.take(address[0])
            if give_back is None:
                connection.close()
                await asyncio.sleep(0)  # who knocks without a pause keeps nobody else waiting
            else:
                _keep_in(self._taking, self._hold(take, connection, give_back))

    @staticmethod
    async def _hold(take: Take, connection: socket.socket, give_back: Callable[[], None]) -> None:
        """Give a connection on; its place is given back when it has ended."""
        try:
            if not await take(connection, give_back):
                give_back()
        except BaseException:
            give_back()
            raise

    async def _take(self, connection: socket.socket, gone: Callable[[], None]) -> bool:
        """Give a connection to the server, through TLS where HTTPS is on; say whether the server has it now."""
        loop = asyncio.get_running_loop()
        context = self._context
        make = partial(self._make_protocol, gone)
        try:
            if context is None:
                await loop.connect_accepted_socket(make, connection)
            elif await plain.first_byte(connection, FIRST_BYTE_WITHIN) == TLS_HANDSHAKE:
                await loop.connect_accepted_socket(
                    make, connection, ssl=context, ssl_handshake_timeout=HANDSHAKE_WITHIN
                )
            elif _asks_whether_we_live(connection):
                await loop.connect_accepted_socket(make, connection)
            else:
                return await self._lead_on(connection, gone)
        except (OSError, TimeoutError) as error:
            log.debug("a connection ended before it began: %s", error)
            connection.close()
            return False
        except BaseException:
            connection.close()
            raise
        return True

    async def _lead_on(self, connection: socket.socket, _gone: Callable[[], None]) -> bool:
        """Lead somebody who speaks plain HTTP to HTTPS; then the connection has ended."""
        own = connection.getsockname()[1]
        target = own if own in {settings.HTTP_PORT, settings.CLASSIC_PORT} else settings.HTTP_PORT
        await plain.lead_on(connection, target, state.now())
        return False


def _keep_in(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Begin something, and hold it as long as it goes on: the loop does not."""
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


def _asks_whether_we_live(connection: socket.socket) -> bool:
    """Say whether it is the supervisor's question, which the application itself is to answer; it never speaks TLS."""
    peer = parse(connection.getpeername()[0])
    if peer is None or not peer.is_loopback:
        return False
    return connection.recv(len(PULSE_LINE), socket.MSG_PEEK) == PULSE_LINE


def _in_a_thread(before: InForce, held: ssl.SSLContext | None) -> tuple[InForce, ssl.SSLContext | None]:
    try:
        return read(before, held)
    finally:
        let_go()
