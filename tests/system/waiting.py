"""Waits on the thing itself, with a deadline."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object], what: str, seconds: float = 15) -> None:
    """Return once the condition holds; fail naming it when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.02)
