"""Fake devices for the tests of monitoring, and processes that start without memories."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from apps.components.models import ManagementInterface
from apps.monitoring import layouts
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
