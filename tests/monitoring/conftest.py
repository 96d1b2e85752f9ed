"""Fake devices for the tests of monitoring, and processes that start without memories."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache

from apps.components.models import ManagementInterface
from apps.monitoring import layouts
from apps.simulators.snmp_replay import Recording, ReplayAgent, serve
from tests.controllers import rack, thread  # noqa: F401 - fixtures
from tests.factories import make_component, make_credential, make_interface


@pytest.fixture(autouse=True)
def _no_memories() -> Iterator[None]:
    """What a process remembers of the database must not outlive the database of a test."""
    cache.clear()
    layouts.forget()
    yield
    cache.clear()
    layouts.forget()


def fake_device(address: str = "", **parameters: Any) -> ManagementInterface:
    """Register a fake device that was never polled."""
    about: dict[str, Any] = {"driver": "fake", "credential": make_credential("password"), "parameters": parameters}
    if address:
        about["address"] = address
    category = parameters.pop("category", "server")
    return make_interface(make_component(category=category), polled=False, **about)


@pytest.fixture
def snmp_device() -> Iterator[Callable[[Recording], int]]:
    """Give what starts an SNMP agent from a recording, on a thread of its own; it answers with its port."""
    loop = asyncio.new_event_loop()
    runner = threading.Thread(target=loop.run_forever, daemon=True)
    runner.start()
    running: list[ReplayAgent] = []

    def start(recording: Recording) -> int:
        running.append(asyncio.run_coroutine_threadsafe(serve(recording), loop).result(20))
        return running[-1].port

    yield start
    for agent in running:
        loop.call_soon_threadsafe(agent.close)
    loop.call_soon_threadsafe(loop.stop)
    runner.join(10)
    loop.close()
