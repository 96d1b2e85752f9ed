"""What the tests of control share: fake machines, jobs that are handed to nobody, and looks without pauses."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.components import contact
from apps.components import tasks as component_tasks
from apps.components.models import Component, ManagementInterface
from apps.control import conversations, tasks
from apps.control.services import running
from apps.control.services.ordering import operate
from apps.control.settings import running as settings_running
from apps.core.actors import Actor, ActorKind
from apps.core.models import Job, JobStep
from apps.monitoring import layouts
from tests.factories import make_component, make_credential, make_interface, make_user


@pytest.fixture(autouse=True)
def _hidden_drivers(settings):
    settings.HIDDEN_DRIVERS_OFFERED = True


@pytest.fixture(autouse=True)
def _no_memories():
    contact.connections.clear()
    layouts.forget()
    yield
    layouts.forget()


@pytest.fixture(autouse=True)
def _in_no_hurry(monkeypatch):
    """Look again at once, and hear within moments of what else happens."""
    monkeypatch.setattr(conversations, "PAUSES", ())
    monkeypatch.setattr(conversations, "LAST_PAUSE", 0.0)
    monkeypatch.setattr(running, "LISTENING", 0.02)
    monkeypatch.setattr(settings_running.SettingsRound, "pause", lambda self: timedelta(0))


@pytest.fixture
def queued(monkeypatch) -> list[int]:
    """Give the jobs that were handed to workers."""
    told: list[int] = []
    for task in (tasks.run_operation, tasks.run_settings, component_tasks.run_refresh):
        monkeypatch.setattr(task, "apply_async", lambda args, **how: told.append(args[0]))
    return told


@pytest.fixture
def impatient(monkeypatch):
    """Give every order a single further look."""
    monkeypatch.setattr(running, "looking_for", lambda operation, arguments: timedelta(0))


@pytest.fixture
def admin() -> Actor:
    """Give an administrator as an actor."""
    user = make_user("administrator")
    return Actor(ActorKind.USER, user.username, user, "127.0.0.1")


@pytest.fixture
def client_of() -> Callable[[Any], APIClient]:
    """Give an API client that is signed in as a user."""

    def sign_in(user: Any) -> APIClient:
        client = APIClient()
        client.force_login(user)
        return client

    return sign_in


def machine(component: Component | None = None, *, power: str = "on", **parameters: Any) -> ManagementInterface:
    """Make a fake machine that is on or off."""
    device = {"power": power, "plan": [], "boot": ["none", True, None], "lamp": False}
    kept = {**device, "orders": [], "ordered": 0, "cleared": 0, "gone": 0}
    return make_interface(
        component or make_component(),
        driver="fake",
        credential=make_credential("password"),
        parameters=parameters,
        state={"contact": 1, "machine": kept},
    )


def received(interface: ManagementInterface) -> list[str]:
    """Give what a fake machine was ordered."""
    interface.refresh_from_db()
    return list(interface.state.get("machine", {}).get("orders", []))


def run(job: Job) -> list[JobStep]:
    """Carry a job out as a worker does, and give its steps."""
    (tasks.run_settings if job.kind.startswith("settings") else tasks.run_operation).run(job.pk)
    return list(JobStep.objects.filter(job=job).order_by("pk"))


def order(actor: Actor, machines: Sequence[ManagementInterface], operation: str = "power", **arguments: Any) -> Job:
    """Order something of machines."""
    return operate(operation, arguments, [one.component for one in machines], actor)
