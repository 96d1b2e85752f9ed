"""One thing after another over one connection; the next does not wait for long for a slow one."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")
WAITS = 0.5  # seconds until a slow one gets company: a connection costs more than all that is asked over it


async def in_turn(works: Iterable[Coroutine[Any, Any, T]], *, waits: float = WAITS) -> list[T]:
    """Give what they give, in their order; the first that fails ends all."""
    waiting = list(works)
    begun: list[asyncio.Task[T]] = []
    try:
        for work in waiting:
            begun.append(asyncio.create_task(work))
            done, _slow = await asyncio.wait(begun[-1:], timeout=waits)
            for one in done:
                one.result()
        return await asyncio.gather(*begun)
    finally:
        for one in begun:
            one.cancel()
        for work in waiting[len(begun) :]:
            work.close()
