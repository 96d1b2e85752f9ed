"""Components that are never polled: every number follows from its place, one in fifty of them is not normal."""

from collections.abc import Sequence
from typing import Any

ONCE = 500  # rows of one statement


def write(count: int, groups: Sequence[Any]) -> None:
    """Add as many components with an interface each, spread over the groups in turn."""
    from apps.components.models import Component, ManagementInterface, Status
    from apps.core.writes import turn

    states = [Status.CRITICAL, Status.WARNING, Status.UNKNOWN]
    for start in range(0, count, ONCE):
        with turn():
            rows = Component.objects.bulk_create(
                Component(
                    name=f"node-{number:05}",
                    search_text=f"node-{number:05}",
                    group=groups[number % len(groups)],
                    status=states[number % 3] if number % 50 == 0 else Status.NORMAL,
                    cpu=float(number % 100),
                    disk=float(number % 97),
                    memory=float(number % 89),
                )
                for number in range(start, min(start + ONCE, count))
            )
            ManagementInterface.objects.bulk_create(
                ManagementInterface(
                    component=row, driver="fake", address=f"node-{row.pk}", enabled=False, next_poll_at=None
                )
                for row in rows
            )
