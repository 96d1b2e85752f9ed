"""The live stream against a real Valkey: topics, coalescing, the end of a session, a broker that goes away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.db import transaction
from django.test import AsyncClient

from apps.accounts.models import Session, User
from apps.core import events, stream
from tests.core.broker import Broker
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)
DEADLINE = 10.0  # seconds


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory, settings) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("b"))
    settings.EVENTS_REDIS_URL = f"unix://{broker.socket}"
    events._client.cache_clear()
    broker.start()
    yield broker
    broker.stop()
    events._client.cache_clear()


@pytest.fixture
def quick(monkeypatch):
    """Let a second be shorter, so that nobody waits for it."""
    monkeypatch.setattr(stream, "EVERY", 0.2)
    monkeypatch.setattr(stream, "HEARTBEAT", 0.2)
    monkeypatch.setattr(stream, "RECHECK", 0.2)
    monkeypatch.setattr(stream, "RETRY", (0.05,))


class Reader:
    """One open stream, read as the server of the portal reads it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.lines = aiter(answer.streaming_content)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.lines

    async def aclose(self) -> None:
        """Leave, as when the browser closes the page: the server closes the response in a thread."""
        await sync_to_async(self.answer.close)()


async def open_stream() -> tuple[AsyncClient, Reader]:
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(make_user)())
    answer = await client.get("/events/stream/")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/event-stream"
    reader = Reader(answer)
    assert await anext(reader.lines) == b"retry: 3000\n\n"
    return client, reader


async def until(lines: Reader, wanted: bytes) -> bytes:
    """Read until something is said."""
    async with asyncio.timeout(DEADLINE):
        async for line in lines:
            if wanted in line:
                return line
    pytest.fail(f"the stream ended without {wanted!r}")


async def say(*topics: str, heard_by: int = 1) -> None:
    """Publish as a worker does, once the subscription stands."""
    async with asyncio.timeout(DEADLINE):
        while True:
            heard = [await sync_to_async(events._client().publish)(events.CHANNEL, topic) for topic in topics]
            if min(heard) >= heard_by:
                return
            await asyncio.sleep(0.02)


async def nobody_listens() -> None:
    """Wait until the last subscription has ended at the broker."""
    async with asyncio.timeout(DEADLINE):
        count = 1
        while count:
            [(_channel, count)] = await sync_to_async(events._client().pubsub_numsub)(events.CHANNEL)


async def test_nobody_listens_without_signing_in():
    answer = await AsyncClient().get("/events/stream/")
    assert answer.status_code == 401


@pytest.mark.usefixtures("broker", "quick")
async def test_topics_are_told_each_once_and_nothing_else():
    _client, lines = await open_stream()
    first = asyncio.create_task(until(lines, b"event"))
    await say("status")
    assert await first == b"event: status\ndata: 1\n\n"
    await say("job", "alert", "job", "not-a-topic", "alert")
    assert await until(lines, b"event") == b"event: alert\ndata: 1\n\nevent: job\ndata: 1\n\n"
    assert await until(lines, b":") == b": nothing new\n\n"
    await lines.aclose()


@pytest.mark.usefixtures("broker", "quick")
async def test_streams_share_one_subscription_that_ends_with_the_last():
    (_one, first), (_two, second) = await open_stream(), await open_stream()
    heard = asyncio.gather(until(first, b"event"), until(second, b"event"))
    await say("status")
    assert await heard == [b"event: status\ndata: 1\n\n"] * 2
    count = await sync_to_async(events._client().pubsub_numsub)(events.CHANNEL)
    assert count == [(events.CHANNEL.encode(), 1)]
    await first.aclose()
    await second.aclose()
    await nobody_listens()
    assert not stream.hub().listeners


@pytest.mark.usefixtures("broker", "quick")
@pytest.mark.parametrize("end", ["logout", "disable", "idle"])
async def test_the_stream_ends_with_the_session(end):
    client, lines = await open_stream()
    if end == "logout":
        await client.alogout()
    elif end == "disable":
        await User.objects.aupdate(is_active=False)
    else:
        await Session.objects.aupdate(active_at=datetime(2026, 1, 1, tzinfo=UTC))
    async with asyncio.timeout(DEADLINE):
        left = [line async for line in lines]
    assert all(line == b": nothing new\n\n" for line in left)


@pytest.mark.usefixtures("quick")
async def test_the_stream_outlives_the_broker(broker):
    _client, lines = await open_stream()
    await say("status")
    await until(lines, b"event: status")
    await sync_to_async(broker.stop)()
    assert await until(lines, b": nothing") == b": nothing new\n\n"
    await sync_to_async(broker.start)()
    # What was said meanwhile was not heard, so everything is told once.
    told = await until(lines, b"event")
    assert told.count(b"event: ") == len(events.TOPICS)
    await lines.aclose()


@pytest.mark.usefixtures("broker")
async def test_the_stop_of_the_server_ends_all_streams_at_once():
    _client, lines = await open_stream()
    rest = asyncio.create_task(_all(lines))
    await asyncio.sleep(0)
    stream.end_all()
    async with asyncio.timeout(1.0):
        await rest


async def _all(lines: Reader) -> list[bytes]:
    return [line async for line in lines]


@pytest.mark.usefixtures("broker")
def test_publishing_reaches_the_channel_only_after_the_commit():
    listener = redis.Redis.from_url(django_settings.EVENTS_REDIS_URL).pubsub()
    listener.subscribe(events.CHANNEL)
    assert listener.get_message(timeout=DEADLINE)["type"] == "subscribe"
    with transaction.atomic():
        events.publish("job", "alert")
        assert listener.get_message(timeout=0.05) is None
    said = [listener.get_message(timeout=DEADLINE)["data"] for _topic in range(2)]
    assert said == [b"job", b"alert"]
