"""Counts what something asks of the database."""

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext


def statements_of(act: Callable[[], object]) -> int:
    """Give how many statements an act needs once its process remembers what it keeps: the least of three times."""
    counts = []
    for _time in range(3):
        with CaptureQueriesContext(connection) as captured:
            act()
        counts.append(len(captured))
    return min(counts)
