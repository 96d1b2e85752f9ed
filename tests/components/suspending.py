"""What tests of suspend periods share: rules, a clock, and what the commit would have started."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from django.test import TestCase

from apps.components.models import Component, SuspendPeriod
from apps.components.services import suspend_periods
from apps.core.actors import SYSTEM, Actor
from apps.core.recurrence import Repeat, Rule
from apps.groups.models import Group

SUNDAY = datetime(2026, 11, 22, tzinfo=UTC)  # it is one


def at(text: str) -> datetime:
    """Give a moment: ``11-22 06:00`` of the year of these tests, in universal time."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


@contextmanager
def when(moment: datetime | str) -> Iterator[None]:
    """Stop the clock."""
    with time_machine.travel(at(moment) if isinstance(moment, str) else moment, tick=False):
        yield


def nightly(first: str = "2026-11-01T22:00", hours: float = 8, zone: str = "UTC", **more: Any) -> Rule:
    """Give the rule of a night."""
    return Rule(zone, datetime.fromisoformat(first), timedelta(hours=hours), Repeat.DAILY, **more)


def single(first: str, hours: float | None, zone: str = "UTC") -> Rule:
    """Give the rule of one time."""
    length = None if hours is None else timedelta(hours=hours)
    return Rule(zone, datetime.fromisoformat(first), length)


def plan(target: Component | Group, rule: Rule, name: str = "Backup", actor: Actor = SYSTEM, **more: Any) -> Any:
    """Plan a period with everything that follows its commit."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        return suspend_periods.create(target, name, rule, actor, **more)


def suspended() -> set[str]:
    """Name the components that are suspended."""
    return set(Component.objects.filter(suspended=True).values_list("name", flat=True))


def names() -> list[str]:
    """Name the periods that there are."""
    return list(SuspendPeriod.objects.values_list("name", flat=True))
