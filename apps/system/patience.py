"""HTTP with deadlines for who sends: nobody keeps a connection by saying nothing, or half of something."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

HEAD_WITHIN = 15.0  # seconds from the connection, or from the first byte of a later request, to the whole head
BODY_SILENCE = 30.0  # seconds without a byte of a body that is waited for
FIRST_WORD = 0.5  # seconds that a connection has, when the portal stops, whose first request may be on its way
LINGER = 5.0  # seconds in which the rest of a body is thrown away that was answered before it was read


class Protocol(H11Protocol):
    """One connection. Between two requests it is uvicorn's ``timeout_keep_alive`` that ends it.

    While an answer is made or sent there is no deadline: live streams and long downloads go on.
    """

    def __init__(self, *words: Any, gone: Callable[[], None], **named: Any) -> None:
        """``gone`` is called once, when the connection has ended."""
        super().__init__(*words, **named)
        self._gone = gone
        if self.ws_protocol_class is not None:
            self.ws_protocol_class = partial(Socket, gone=gone)  # type: ignore[assignment]  # called like a class
        self._deadline: asyncio.TimerHandle | None = None
        self._waits_for = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Go on, and see what is waited for now."""
        super().data_received(data)
        if self._waits_for == "body":
            self._wait_for("")  # each piece has the whole time again
        self._watch()

    def on_response_complete(self) -> None:
        """See what is waited for now."""
        super().on_response_complete()
        self._watch()

    def shutdown(self) -> None:
        """End as the server stops: after the answer, or where nothing came yet, after a moment."""
        if self.cycle is None and not self.transport.is_closing():
            self.loop.call_later(FIRST_WORD, self._shut_down)
        else:
            super().shutdown()

    def _shut_down(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._wait_for("")
        super().connection_lost(exc)
        self._gone()

    def _watch(self) -> None:
        ours, theirs = self.conn.our_state, self.conn.their_state
        # A WebSocket may be quiet for long; as far as HTTP knows, the body of its request never comes.
        if self.transport.get_protocol() is not self or self.transport.is_closing():
            self._wait_for("")
        elif theirs is h11.SEND_BODY:
            self._wait_for("rest" if ours is h11.DONE else "body")
        elif theirs is h11.IDLE and (self.cycle is None or self.conn.trailing_data[0]):
            self._wait_for("head")
        else:
            self._wait_for("")

    def _wait_for(self, what: str) -> None:
        """Set the deadline of what is waited for; one that runs already is not moved."""
        if what == self._waits_for:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._waits_for, self._deadline = what, None
        if what:
            seconds = {"head": HEAD_WITHIN, "body": BODY_SILENCE, "rest": LINGER}[what]
            self._deadline = self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        waited_for = self._waits_for
        self._wait_for("")
        if waited_for == "body" and self.flow.read_paused:  # it is us who do not read
            self._watch()
        else:
            self.transport.abort()


class Socket(WebSocketsSansIOProtocol):
    """A connection that has become a WebSocket: pings, not deadlines, find out whether somebody is there."""

    def __init__(self, *words: Any, gone: Callable[[], None], **named: Any) -> None:
        """``gone`` is called once, when the connection has ended."""
        super().__init__(*words, **named)
        self._gone = gone

    def connection_lost(self, exc: Exception | None) -> None:
        """Give its place back."""
        super().connection_lost(exc)
        self._gone()
