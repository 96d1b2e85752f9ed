"""Counts what something asks of the database."""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from django.db import connection
from django.test.utils import CaptureQueriesContext

MEMORIES = (
    "apps.core.options",
    "apps.core.cautions",
    "apps.access.services.addresses",
    "apps.alerts.services.catalogue",
)


@contextmanager
def lasting_memories() -> Iterator[None]:
    """Let a process trust what it remembers for ever: whether a look falls due meanwhile is the clock's business."""
    with ExitStack() as stack:
        for module in MEMORIES:
            stack.enter_context(patch(f"{module}.FRESH", math.inf))
        yield


def statements_of(act: Callable[[], object]) -> int:
    """Give how many statements an act needs once its process remembers what it keeps.

    The least of three, because a session writes down every now and then that somebody is there.
    """
    counts = []
    with lasting_memories():
        for _time in range(3):
            with CaptureQueriesContext(connection) as captured:
                act()
            counts.append(len(captured))
    return min(counts)
