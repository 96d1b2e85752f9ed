"""What the tests of components share: an actor, celery that is only listened to, a portal with the fake driver."""

import pytest

from apps.components import contact, tasks
from apps.core.actors import Actor, ActorKind


@pytest.fixture(autouse=True)
def _hidden_drivers(settings):
    settings.HIDDEN_DRIVERS_OFFERED = True


@pytest.fixture(autouse=True)
def _no_contacts_yet():
    contact.connections.clear()
    contact.log_ons.clear()


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
