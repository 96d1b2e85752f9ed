"""People at their browsers, and devices that have answered."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from apps.components.models import ManagementInterface
from apps.monitoring import layouts
from apps.monitoring.services import inventory, polling
from tests.factories import make_component, make_credential, make_interface, make_user


@pytest.fixture(autouse=True)
def _no_memories():
    """What a process remembers of the database must not outlive the database of a test."""
    cache.clear()
    layouts.forget()
    yield
    cache.clear()
    layouts.forget()


@pytest.fixture
def browser_of() -> Callable[..., Client]:
    """Give a browser in which somebody of a role on a group is signed in."""

    def sign_in(role: str | None = "administrator", group: Any = None) -> Client:
        client = Client(REMOTE_ADDR="127.0.0.1")
        client.force_login(make_user(role, group))
        return client

    return sign_in


@pytest.fixture
def browser(browser_of: Callable[..., Client]) -> Client:
    """Give an administrator's browser."""
    return browser_of()


@pytest.fixture
def polled() -> Callable[..., ManagementInterface]:
    """Give a fake device that was polled once, with its inventory; parameters are the driver's."""

    def make(name: str = "", group: Any = None, **parameters: Any) -> ManagementInterface:
        interface = make_interface(
            make_component(name, group),
            polled=False,
            driver="fake",
            credential=make_credential("password"),
            parameters=parameters,
        )
        assert polling.poll([interface.pk]) == {interface.pk: None}
        inventory.read([interface.pk])
        interface.refresh_from_db()
        return interface

    return make
