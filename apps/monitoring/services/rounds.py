"""Asks many devices at once and writes what they say: the loop's thread asks, the caller's thread writes.

Results are written every 200 or every 2 s, whichever comes first, so that nobody waits for the slowest device and a
kill loses little.
"""

import asyncio
import queue
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from apps.components.contact import Line
from apps.monitoring.services import event_loop

BATCH = 200
WAIT = 2.0  # seconds

R = TypeVar("R")


class _End:
    """Comes after the last result."""


_END: Final = _End()


def run(
    lines: Sequence[Line],
    ask: Callable[[Line, Callable[[R], None]], Awaitable[None]],
    write: Callable[[Sequence[R]], None],
    *,
    concurrency: int,
) -> None:
    """Ask every line at most ``concurrency`` at a time and write the answers in batches, in this thread.

    ``ask`` tells each answer as soon as it has it: it may have several.
    """
    if not lines:
        return
    results: queue.SimpleQueue[R | _End] = queue.SimpleQueue()
    asking = event_loop.submit(_ask_all(lines, ask, results, concurrency))
    asking.add_done_callback(lambda _: results.put(_END))
    try:
        _write_all(results, write)
    finally:
        asking.cancel()
    asking.result()


async def _ask_all(
    lines: Sequence[Line],
    ask: Callable[[Line, Callable[[R], None]], Awaitable[None]],
    results: "queue.SimpleQueue[R | _End]",
    concurrency: int,
) -> None:
    waiting = iter(lines)

    async def take_turns() -> None:
        for line in waiting:
            await ask(line, results.put)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(concurrency, len(lines))):
            group.create_task(take_turns())


def _write_all(results: "queue.SimpleQueue[R | _End]", write: Callable[[Sequence[R]], None]) -> None:
    batch: list[R] = []
    write_at = time.monotonic() + WAIT
    while True:
        try:
            result = results.get(timeout=max(0.0, write_at - time.monotonic()))
        except queue.Empty:
            result = None
        if isinstance(result, _End):
            break
        if result is not None:
            batch.append(result)
        if len(batch) >= BATCH or time.monotonic() >= write_at:
            if batch:
                write(batch)
                batch = []
            write_at = time.monotonic() + WAIT
    if batch:
        write(batch)
