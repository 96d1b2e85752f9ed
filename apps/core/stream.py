"""The live stream of open pages: tells a page that something changed, never what.

One subscription per process is fanned out to all open streams. A stream says each topic at most once a second, sends a
comment when it has nothing to say, and ends when its session does. No ORM runs in the loop.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress
from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary

import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from apps.core.events import ACCESS, CHANNEL, TOPICS
from apps.core.registries import Registry

EVERY = 1.0  # seconds between two batches of one stream
HEARTBEAT = 15.0  # seconds without an event after which a comment is sent, so that proxies keep the connection
RECHECK = 30.0  # seconds between two looks at the session
RETRY = (0.5, 1.0, 2.0, 5.0)  # seconds to wait for the broker; the last one again and again
log = logging.getLogger(__name__)

# What else must hold for a session to be alive, such as not being idle: called with the session's request.
session_checks: Registry[Callable[[HttpRequest], bool]] = Registry("session check")


class Listener:
    """One open stream: the topics that it wants to hear of, and those that it has not told yet."""

    def __init__(self, wanted: Collection[str] = TOPICS) -> None:
        self.wanted = frozenset(wanted)
        self.topics: set[str] = set()
        self.woken = asyncio.Event()
        self.over = asyncio.Event()

    def hear(self, topic: str) -> None:
        """Remember a topic until the stream tells it."""
        if topic in self.wanted:
            self.topics.add(topic)
            self.woken.set()

    def end(self) -> None:
        """Have the stream end by itself."""
        self.over.set()
        self.woken.set()


class Hub:
    """The listeners of one event loop and their one subscription, which lives as long as anybody listens."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None

    def join(self, listener: Listener) -> None:
        """Start to listen, unless that was ended before it began."""
        if listener.over.is_set():
            return
        self.listeners.add(listener)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._subscribe())

    def leave(self, listener: Listener) -> None:
        """Stop to listen; the last one ends the subscription."""
        self.listeners.discard(listener)
        if not self.listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _subscribe(self) -> None:
        failures = 0
        while True:
            client = redis.asyncio.Redis.from_url(settings.EVENTS_REDIS_URL, socket_connect_timeout=2)
            try:
                async with client.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    if failures:
                        self._tell_all((*TOPICS, ACCESS))  # what was said meanwhile was not heard
                    failures = 0
                    async for message in channel.listen():
                        if message["type"] == "message":
                            self._tell_all((message["data"].decode(),))
            except (redis.RedisError, OSError) as error:
                log.debug("no events: %s", error)
            finally:
                with suppress(redis.RedisError, OSError):
                    await client.aclose()
            await asyncio.sleep(RETRY[min(failures, len(RETRY) - 1)])
            failures += 1

    def _tell_all(self, topics: tuple[str, ...]) -> None:
        for topic in topics:
            for listener in self.listeners:
                listener.hear(topic)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Give the hub of the running loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())


def end_all() -> None:
    """End the streams of the running loop: the server stops."""
    for listener in tuple(hub().listeners):
        listener.end()


@require_safe
async def stream(request: HttpRequest) -> HttpResponseBase:
    """Give the live stream to somebody signed in; a server that cannot hold it open answers that there is none."""
    if not hasattr(request, "scope"):
        return HttpResponse(status=204)  # tells the browser not to ask again; the page then asks by itself
    answer = StreamingHttpResponse(Lines(request.session.session_key), content_type="text/event-stream")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"  # or nginx would keep the events to itself
    return answer


class Lines:
    """What one stream says. Closing it does not wait for the garbage collector to find an abandoned generator."""

    def __init__(self, session_key: str | None) -> None:
        self._session_key = session_key
        self._loop = asyncio.get_running_loop()
        self._hub = hub()
        self._listener = Listener()

    def close(self) -> None:
        """Stop to listen; Django calls it from another thread when the response has ended or the client has left."""
        with suppress(RuntimeError):  # the loop is closed already, and its subscription with it
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._listener.end()
        self._hub.leave(self._listener)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        # The request's thread holds a database connection from the sign-in check; it is not kept for hours.
        await sync_to_async(let_go)()
        listener = self._listener
        checked_at = self._loop.time()
        try:
            self._hub.join(listener)
            yield b"retry: 3000\n\n"
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(listener.woken.wait(), min(HEARTBEAT, RECHECK))
                if listener.over.is_set():
                    return
                if self._loop.time() - checked_at >= RECHECK:
                    if not await sync_to_async(is_alive, thread_sensitive=False)(self._session_key):
                        return
                    checked_at = self._loop.time()
                topics, listener.topics = sorted(listener.topics), set()
                listener.woken.clear()
                yield b"".join(f"event: {topic}\ndata: 1\n\n".encode() for topic in topics) or b": nothing new\n\n"
                if topics:
                    await _pause(listener)
        finally:
            self._hub.leave(listener)


async def _pause(listener: Listener) -> None:
    """Wait out the second in which no topic is told again; the end of the server cuts it short."""
    with suppress(TimeoutError):
        await asyncio.wait_for(listener.over.wait(), EVERY)


def is_alive(session_key: str | None) -> bool:
    """Look whether a session still belongs to an active user who is not idle."""
    try:
        request: Any = HttpRequest()
        request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
        user = get_user(request)
        request.user = user
        return bool(user.is_authenticated and user.is_active) and all(check(request) for check in session_checks)
    finally:
        let_go()


def let_go() -> None:
    """Give back the database connections of this thread, which waits for a client now."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
