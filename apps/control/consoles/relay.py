"""The web process's side: a browser's WebSocket on one hand, the console process's Unix socket on the other.

The handshake is asked as an ordinary request of the same headers, so that the checks of pages decide: address, name of
the host, session, second factor, group, permission, and the origin. They are asked again when somebody signed out or
when anything changed by which one may do something, and every half minute; what somebody typed since then counts as
something that he did.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

from django.utils import translation
from django.utils.translation import gettext

from apps.control.consoles import frames
from apps.core import events, stream
from apps.core.phrases import Phrase

RELAYED = "esm.relayed"  # in the scope of the request that asks whether a WebSocket may come in
PATH = re.compile(r"/components/[0-9]{1,18}/console/attach/")
RECHECK = 30.0  # seconds
RECHECKED_AT_MOST_EVERY = 1.0  # seconds, however much changes
REMEMBERED = 4.0  # seconds after which no process goes by addresses any more that it read before a change
ASKED_WITHIN = 15.0
ENCODINGS = frozenset({"utf-8", "cp932"})  # as which typed text may go to the machine
LARGEST_TYPED = 32 * 1024  # characters of one message
HANDED_ON = frozenset({"ping", "take", "break", "close"})
MOST_CELLS = 1000

GOING_AWAY, REFUSED, NO_PROCESS, ENDED = 1001, 4403, 4503, 4000  # codes of closing

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class Relayed:
    """An ASGI application: WebSockets of consoles are ours, everything else is the other's."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a WebSocket, or hand a request on."""
        if scope["type"] == "websocket":
            await _Relay(self._application, scope, receive, send).run()
        else:
            await self._application(scope, receive, send)


class _Relay:
    """One WebSocket."""

    def __init__(self, application: Application, scope: Scope, receive: Receive, send: Send) -> None:
        self._application = application
        self._scope = scope
        self._receive = receive
        self._send = send
        self._language = "en"
        self._typed = False
        self._writer: asyncio.StreamWriter | None = None
        self._closed = False
        self._listener = stream.Listener([events.ACCESS])
        self._was_told = False  # that something changed; then one looks twice

    async def run(self) -> None:
        await self._receive()  # websocket.connect
        status, told = await self._ask(automatic=False)
        if status != HTTPStatus.OK:
            await self._deny(status)
            return
        await self._send({"type": "websocket.accept"})
        self._language = told["language"]
        try:
            reader, self._writer = await asyncio.open_unix_connection(frames.path(), limit=frames.LARGEST)
        except OSError:
            await self._lost()
            return
        try:
            stream.hub().join(self._listener)
            first = {"do": "attach", "interface": told["interface"], "person": told["person"], "take": self._takes}
            self._say(first)
            await self._both(reader)
        finally:
            stream.hub().leave(self._listener)
            self._writer.close()

    @property
    def _takes(self) -> bool:
        return b"take=1" in self._scope.get("query_string", b"").split(b"&")

    async def _both(self, reader: asyncio.StreamReader) -> None:
        """Carry both ways until one of the two ends, or the session does."""
        tasks = [asyncio.ensure_future(work) for work in (self._upward(), self._downward(reader), self._again())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # --- asking whether he may --------------------------------------------------------------------------------

    async def _ask(self, *, automatic: bool) -> tuple[int, dict[str, Any]]:
        """Ask the view of this address; gives its status and what it said."""
        if not PATH.fullmatch(self._scope["path"]):
            return HTTPStatus.NOT_FOUND, {}
        headers = [one for one in self._scope["headers"] if one[0] not in (b"connection", b"upgrade", b"x-automatic")]
        if automatic:
            headers.append((b"x-automatic", b"1"))
        scope = {
            **{name: self._scope[name] for name in ("asgi", "path", "raw_path", "query_string", "root_path")},
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "https" if self._scope.get("scheme") == "wss" else "http",
            "headers": headers,
            "client": self._scope.get("client"),
            "server": self._scope.get("server"),
            RELAYED: True,
        }
        status, body = 0, b""
        asked = False

        async def receive() -> Message:
            nonlocal asked
            if asked:
                await asyncio.Future()
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Mapping[str, Any]) -> None:
            nonlocal status, body
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                body += message.get("body", b"")

        try:
            async with asyncio.timeout(ASKED_WITHIN):
                await self._application(scope, receive, send)
        except TimeoutError:
            return HTTPStatus.SERVICE_UNAVAILABLE, {}
        return status, json.loads(body) if status == HTTPStatus.OK else {}

    async def _again(self) -> None:
        """Ask again and again; the first no ends it."""
        while True:
            await self._until_asked_again()
            typed, self._typed = self._typed, False
            status, told = await self._ask(automatic=not typed)
            if status == HTTPStatus.SERVICE_UNAVAILABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                continue  # we could not be told; the next time will do
            if status != HTTPStatus.OK:
                with translation.override(self._language):
                    sentence = gettext("You are not signed in any more, or may not open this console any more.")
                self._say({"do": "barred"})
                await self._tell({"is": "over", "text": sentence})
                await self._close(REFUSED)
                return
            self._say({"do": "person", "person": told["person"]})

    async def _part(self) -> None:
        """Look once more when the page is gone: whoever signs out leaves it, and nobody need wait for his return."""
        status, _told = await self._ask(automatic=True)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._say({"do": "barred"})

    async def _until_asked_again(self) -> None:
        """Wait until it is time, or until something happened to who may do what; not more often than once a second."""
        began = asyncio.get_running_loop().time()
        listener = self._listener
        try:
            await asyncio.wait_for(listener.woken.wait(), REMEMBERED if self._was_told else RECHECK)
        except TimeoutError:
            self._was_told = False
            return
        if listener.over.is_set():
            await asyncio.Future()  # the server stops, and closes this WebSocket itself
        await asyncio.sleep(began + RECHECKED_AT_MOST_EVERY - asyncio.get_running_loop().time())
        listener.woken.clear()
        self._was_told = True

    async def _deny(self, status: int) -> None:
        """Answer the handshake as the page would have been answered."""
        if "websocket.http.response" in self._scope.get("extensions", {}):
            refused = status if status >= HTTPStatus.BAD_REQUEST else HTTPStatus.FORBIDDEN
            await self._send({"type": "websocket.http.response.start", "status": int(refused), "headers": []})
            await self._send({"type": "websocket.http.response.body", "body": b""})
        else:
            await self._send({"type": "websocket.close", "code": REFUSED})

    # --- carrying ---------------------------------------------------------------------------------------------

    async def _upward(self) -> None:
        """Hand on what the browser sends."""
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                self._closed = True
                await self._part()
                return
            data, text = message.get("bytes"), message.get("text")
            if data:
                self._typed = True
                self._say(bytes(data[:LARGEST_TYPED]))
            elif text:
                self._take(text)
            if self._writer is not None:
                with contextlib.suppress(ConnectionError):
                    await self._writer.drain()

    def _take(self, text: str) -> None:
        """Hand on one message of the page, as far as it is one that we know."""
        try:
            message = json.loads(text)
            doing = message["do"]
        except (ValueError, TypeError, KeyError):
            return
        if doing == "type" and isinstance(message.get("text"), str) and message.get("encoding") in ENCODINGS:
            self._typed = True
            self._say(message["text"][:LARGEST_TYPED].encode(message["encoding"], errors="replace"))
        elif doing == "resize":
            columns, rows = message.get("columns"), message.get("rows")
            if all(type(one) is int and 0 < one <= MOST_CELLS for one in (columns, rows)):
                self._say({"do": "resize", "columns": columns, "rows": rows})
        elif doing in HANDED_ON:
            number = message.get("n")
            self._say({"do": doing, "n": number if type(number) is int else 0})
            self._typed = self._typed or doing in ("take", "break")

    async def _downward(self, reader: asyncio.StreamReader) -> None:
        """Hand on what the console process says; its sentences in the reader's language."""
        ended = False
        while (frame := await frames.read(reader)) is not None:
            if isinstance(frame, bytes):
                await self._send({"type": "websocket.send", "bytes": frame})
                continue
            if phrase := frame.pop("phrase", ""):
                with translation.override(self._language):
                    frame["text"] = str(Phrase.loads(phrase))
            ended = ended or frame.get("phase") == "ended" or frame.get("is") == "refused"
            await self._tell(frame)
        if ended:
            await self._close(ENDED)
        else:
            await self._lost()

    async def _lost(self) -> None:
        """Say that the console process is gone."""
        with translation.override(self._language):
            sentence = gettext("The console process is not there. It is started anew by itself; then connect again.")
        await self._tell({"is": "over", "text": sentence})
        await self._close(NO_PROCESS)

    def _say(self, frame: frames.Frame) -> None:
        if self._writer is not None:
            self._writer.write(frames.pack(frame))

    async def _tell(self, message: dict[str, Any]) -> None:
        await self._send({"type": "websocket.send", "text": json.dumps(message)})

    async def _close(self, code: int) -> None:
        if not self._closed:
            self._closed = True
            await self._send({"type": "websocket.close", "code": code})
