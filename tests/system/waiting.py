"""Waits on the thing itself, with a deadline."""

import time
from collections.abc import Callable
from typing import Any

STOP_DEADLINE = 12.0  # seconds; the portal promises five and kills what is left after 4.2, a busy machine gets more


FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.25  # seconds; who asks a portal fifty times a second keeps a processor busy


def until(
    condition: Callable[[], object], what: str, seconds: float = 15, longest_pause: float = LONGEST_PAUSE
) -> None:
    """Return once the condition holds; fail naming it when it does not in time. It is looked at ever less often."""
    deadline, pause = time.monotonic() + seconds, FIRST_PAUSE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(pause)
        pause = min(pause * 1.2, longest_pause)


def until_answer(ask: Callable[[], Any], holds: Callable[[Any], object], what: str, seconds: float) -> Any:
    """Ask until the answer is as wanted, and give it; fail with the last one when it is not in time."""
    answer: Any = None

    def is_wanted() -> object:
        nonlocal answer
        answer = ask()
        return holds(answer)

    try:
        until(is_wanted, what, seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}; last answer: {answer}") from None
    return answer
