"""What the tests of components share: an actor, celery that is only listened to, a portal with the fake driver."""

import pytest

from apps.components import contact, tasks
from apps.core.actors import Actor, ActorKind
from apps.monitoring import layouts
from tests.peers import snmpd

__all__ = ["snmpd"]


@pytest.fixture(autouse=True)
def _hidden_drivers(settings):
    settings.HIDDEN_DRIVERS_OFFERED = True


@pytest.fixture(autouse=True)
def _no_memories():
    """Let no test see what the process remembers of the one before, whose rows are gone."""
    contact.connections.clear()
    contact.log_ons.clear()
    layouts.forget()
    yield
    layouts.forget()


@pytest.fixture
def queued(monkeypatch):
    """Give the jobs that were handed to workers, as (task, job id)."""
    told: list[tuple[str, int]] = []
    for name in ("run_check", "run_refresh"):
        task = getattr(tasks, name)
        monkeypatch.setattr(
            task, "apply_async", lambda args, *, queue, expires, name=name: told.append((name, args[0]))
        )
    return told


@pytest.fixture
def admin():
    """Give an administrator as an actor."""
    from tests.factories import make_user

    user = make_user("administrator")
    return Actor(ActorKind.USER, user.username, user, "127.0.0.1")


@pytest.fixture
def client_of():
    """Give an API client that is signed in as a user."""
    from rest_framework.test import APIClient

    def sign_in(user) -> APIClient:
        client = APIClient()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def api(client_of):
    """Give an administrator's API client."""
    from tests.factories import make_user

    return client_of(make_user("administrator"))
