"""What tests of remote batches share: a clock, rules without a length, and plans."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import time_machine
from django.test import TestCase

from apps.access.models import Grant
from apps.components.models import Component
from apps.control.models import RemoteBatch, RemoteBatchRun
from apps.control.services import batch_runs, remote_batches
from apps.control.services.remote_batches import Plan
from apps.core.actors import Actor, ActorKind
from apps.core.recurrence import Repeat, Rule


def at(text: str) -> datetime:
    """Give a moment: ``11-20 22:00`` of the year of these tests, in universal time."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


@contextmanager
def when(moment: datetime | str) -> Iterator[None]:
    """Stop the clock."""
    with time_machine.travel(at(moment) if isinstance(moment, str) else moment, tick=False):
        yield


def daily(first: str = "2026-11-20T20:00", zone: str = "UTC", **more: Any) -> Rule:
    """Give the rule of an evening."""
    return Rule(zone, datetime.fromisoformat(first), repeat=Repeat.DAILY, **more)


def actor_of(user: Any) -> Actor:
    """Give somebody as an actor."""
    return Actor(ActorKind.USER, user.username, user, "127.0.0.1")


def planned(
    actor: Actor, *components: Component, rule: Rule | None = None, action: str = "shutdown", **more: Any
) -> RemoteBatch:
    """Plan a batch of a power order."""
    facts = {"operation": "power", "arguments": {"action": action}, "name": "Night off", **more}
    return remote_batches.create(Plan(rule=rule or daily(), components=components, **facts), actor)


def tick(moment: datetime | str) -> int:
    """Let the clock tick at a moment, with what the commit would have started."""
    with when(moment), TestCase.captureOnCommitCallbacks(execute=True):
        return batch_runs.follow()


def runs() -> list[tuple[str, str, str]]:
    """Give all runs in their order: for when, what became of them, and why."""
    rows = RemoteBatchRun.objects.order_by("planned_at", "pk")
    return [(f"{row.planned_at:%m-%d %H:%M}", row.state, str(row.message)) for row in rows]


def lose_rights(user: Any) -> None:
    """Take all roles from somebody."""
    Grant.objects.filter(user=user).delete()
