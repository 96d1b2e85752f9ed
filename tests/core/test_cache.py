"""The cache in a real Valkey: however many tasks and threads ask, the process connects no more than it needs."""

import asyncio
import contextvars
from collections.abc import Iterator

import pytest
import redis
from django.core.cache import caches

from tests.core.broker import Broker

ALIAS = "in-valkey"


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory, settings) -> Iterator[Broker]:
    started = Broker(tmp_path_factory.mktemp("b"))
    url = f"unix://{started.socket}"
    settings.CACHES = {**settings.CACHES, ALIAS: {"BACKEND": "apps.core.cache.RedisCache", "LOCATION": url}}
    started.start()
    yield started
    started.stop()


def connections(broker: Broker) -> int:
    """Say how many connections the server was asked for, without this one."""
    with redis.Redis(unix_socket_path=str(broker.socket)) as client:
        return client.info("stats")["total_connections_received"]


def test_tasks_and_threads_of_copied_contexts_share_one_connection(broker: Broker) -> None:
    before = connections(broker)

    async def ask() -> list[int]:
        return [await asyncio.to_thread(caches[ALIAS].incr, "asked") for _ in range(20)]

    for _ in range(20):
        contextvars.copy_context().run(caches[ALIAS].set, "asked", 0)
    assert asyncio.run(ask()) == list(range(1, 21))
    assert connections(broker) - before - 1 == 1  # the count itself connects once more


def test_a_server_that_came_back_is_connected_to_again(broker: Broker) -> None:
    caches[ALIAS].set("name", "before")
    broker.stop()
    with pytest.raises(redis.ConnectionError):
        caches[ALIAS].get("name")
    broker.start()
    assert caches[ALIAS].get("name") is None
    caches[ALIAS].set("name", "after")
    assert caches[ALIAS].get("name") == "after"
