"""Who says nothing, or stops in the middle, does not keep his connection; who listens does."""

import asyncio
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.asyncio.client import connect

from apps.system import patience
from apps.system.patience import Protocol

WITHIN = 20.0  # seconds
GET = b"GET / HTTP/1.1\r\nHost: portal\r\n\r\n"
POST = b"POST /%s HTTP/1.1\r\nHost: portal\r\nContent-Length: 4\r\n\r\n"

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Place:
    """A server with short patience: how long is said by each test."""

    def __init__(self) -> None:
        self.ended = 0
        self.go_on = asyncio.Event()
        self.read: list[bytes] = []
        self.port = 0
        self.shared = ServerState()

    async def application(self, scope: dict, receive, send) -> None:
        """Answer with the body; at once on /early, when the test says so on /stream. Echo what a WebSocket says."""
        if scope["type"] == "websocket":
            await self._echo(receive, send)
            return
        if scope["path"] != "/early":
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return
                self.read.append(message["body"])
                more = message["more_body"]
        headers = [(b"content-length", b"4" if scope["path"] == "/stream" else b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["path"] == "/stream":
            await send({"type": "http.response.body", "body": b"li", "more_body": True})
            await self.go_on.wait()
            await send({"type": "http.response.body", "body": b"ve"})
            return
        await send({"type": "http.response.body", "body": b"ok"})

    async def _echo(self, receive, send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})

    def _gone(self) -> None:
        self.ended += 1

    async def start(self) -> asyncio.Server:
        config = uvicorn.Config(self.application, interface="asgi3", lifespan="off", log_config=None, access_log=False)
        config.ws = "websockets-sansio"
        config.timeout_keep_alive = 15
        config.load()
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        make = lambda: Protocol(config=config, server_state=self.shared, app_state={}, gone=self._gone)  # noqa: E731
        return await asyncio.get_running_loop().create_server(make, sock=listening)

    async def opened(self, sent: bytes = b"") -> Connection:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        return reader, writer


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    made = Place()
    server = await made.start()
    yield made
    made.go_on.set()
    server.close()


async def rest(connection: Connection) -> bytes:
    """Give everything until the other side hangs up, however it does."""
    found = b""
    try:
        async with asyncio.timeout(WITHIN):
            while data := await connection[0].read(1000):
                found += data
    except ConnectionError:
        pass
    finally:
        connection[1].close()
    return found


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: portal\r\nX-"])
async def test_a_head_that_does_not_come_whole_ends_the_connection(place: Place, monkeypatch, sent: bytes) -> None:
    monkeypatch.setattr(patience, "HEAD_WITHIN", 0.2)
    assert await rest(await place.opened(sent)) == b""
    assert place.ended == 1


async def test_a_trickle_does_not_move_the_deadline(place: Place, monkeypatch) -> None:
    monkeypatch.setattr(patience, "HEAD_WITHIN", 0.3)
    connection = await place.opened(b"GET / HTTP/1.1\r\n")
    async with asyncio.timeout(WITHIN):
        while not place.ended:
            connection[1].write(b"X")
            await asyncio.sleep(0.05)
    assert await rest(connection) == b""


async def test_half_a_second_request_ends_it_too_and_a_pause_between_two_does_not(place: Place, monkeypatch) -> None:
    monkeypatch.setattr(patience, "HEAD_WITHIN", 0.2)
    connection = await place.opened(GET)
    async with asyncio.timeout(WITHIN):
        assert (await connection[0].readuntil(b"ok")).startswith(b"HTTP/1.1 200 OK\r\n")
        await asyncio.sleep(0.4)  # longer than a head may take
        connection[1].write(GET)
        assert (await connection[0].readuntil(b"ok")).startswith(b"HTTP/1.1 200 OK\r\n")
    connection[1].write(b"GET /")
    assert await rest(connection) == b""


async def test_a_body_that_stops_ends_the_connection(place: Place, monkeypatch) -> None:
    monkeypatch.setattr(patience, "BODY_SILENCE", 0.3)
    assert await rest(await place.opened(POST % b"" + b"ab")) == b""
    assert b"".join(place.read) == b"ab"


async def test_each_piece_of_a_body_has_the_whole_time(place: Place, monkeypatch) -> None:
    monkeypatch.setattr(patience, "BODY_SILENCE", 1.0)
    connection = await place.opened(POST % b"")
    for piece in (b"a", b"b", b"c", b"d"):
        await asyncio.sleep(0.4)
        connection[1].write(piece)
    async with asyncio.timeout(WITHIN):
        assert (await connection[0].readuntil(b"ok")).startswith(b"HTTP/1.1 200 OK\r\n")
    connection[1].close()
    assert b"".join(place.read) == b"abcd"


async def test_a_live_stream_goes_on_without_a_word_of_the_listener(place: Place, monkeypatch) -> None:
    for name in ("HEAD_WITHIN", "BODY_SILENCE", "LINGER"):
        monkeypatch.setattr(patience, name, 0.1)
    connection = await place.opened(b"GET /stream HTTP/1.1\r\nHost: portal\r\n\r\n")
    async with asyncio.timeout(WITHIN):
        await connection[0].readuntil(b"li")
        await asyncio.sleep(0.4)
        place.go_on.set()
        assert await connection[0].readexactly(2) == b"ve"
    connection[1].close()


async def test_a_websocket_may_be_silent_for_longer_than_a_body(place: Place, monkeypatch) -> None:
    monkeypatch.setattr(patience, "BODY_SILENCE", 0.2)
    async with asyncio.timeout(WITHIN), connect(f"ws://127.0.0.1:{place.port}/", proxy=None) as silent:
        assert await rest(await place.opened(POST % b"" + b"ab")) == b""  # a body that began later has ended by now
        await silent.send("still here")
        assert await silent.recv() == "still here"
    assert place.ended == 2


async def test_who_was_answered_before_he_had_sent_everything_reads_the_answer_and_must_end(
    place: Place, monkeypatch
) -> None:
    monkeypatch.setattr(patience, "LINGER", 0.3)
    connection = await place.opened(POST % b"early" + b"ab")
    assert (await rest(connection)).endswith(b"ok")
    assert (place.read, place.ended) == ([], 1)


async def test_a_request_on_its_way_is_answered_while_the_portal_stops(place: Place) -> None:
    early, silent = await place.opened(), await place.opened()
    while len(place.shared.connections) < 2:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    for connection in list(place.shared.connections):
        connection.shutdown()
    early[1].write(GET)
    assert await rest(early) == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    assert await rest(silent) == b""
    assert place.ended == 2


async def test_a_socket_of_a_web_page_may_be_quiet(monkeypatch):
    """Only what is sent in pieces has a deadline; what became a WebSocket is asked by pings."""
    for name in ("HEAD_WITHIN", "BODY_SILENCE"):
        monkeypatch.setattr(patience, name, 0.1)
    heard: list[str] = []

    async def application(scope: dict, receive, send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            heard.append(message["text"])
            await send({"type": "websocket.send", "text": message["text"]})

    config = uvicorn.Config(application, interface="asgi3", lifespan="off", log_config=None, ws="websockets-sansio")
    config.load()
    ended = asyncio.Event()
    make = lambda: Protocol(config=config, server_state=ServerState(), app_state={}, gone=ended.set)  # noqa: E731
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    place = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with aiohttp.ClientSession() as session, session.ws_connect(place) as opened:
        await opened.send_str("one")
        assert await opened.receive_str(timeout=WITHIN) == "one"
        with pytest.raises(TimeoutError):
            await opened.receive(timeout=0.5)  # five times what a body has
        await opened.send_str("two")
        assert await opened.receive_str(timeout=WITHIN) == "two"
    await asyncio.wait_for(ended.wait(), WITHIN)
    assert heard == ["one", "two"]
    server.close()
