"""One thing after another over one connection; the next does not wait for long for a slow one."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")
WAITS = 0.5  # seconds until a slow one gets company: a connection costs more than all that is asked over it


async def in_turn(works: Iterable[Coroutine[Any, Any, T]], *, waits: float = WAITS) -> list[T]:
    """Give what they give, in their order; the first that fails ends all.

    One task does them all as long as none is slow: a task and a timer for each would cost as much as a short question.
    """
    waiting = list(works)
    found: dict[int, T] = {}
    clock = asyncio.get_running_loop().time
    begun, began = 0, clock()  # how many were begun, and when the last of them

    async def go_on() -> None:
        nonlocal begun, began
        while begun < len(waiting):
            place, begun, began = begun, begun + 1, clock()
            found[place] = await waiting[place]

    helpers = {asyncio.create_task(go_on())}
    try:
        while helpers:
            left = began + waits - clock() if begun < len(waiting) else None
            done, helpers = await asyncio.wait(helpers, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
            if begun < len(waiting) and clock() >= began + waits:
                helpers.add(asyncio.create_task(go_on()))
        return [found[place] for place in range(len(waiting))]
    finally:
        for one in helpers:
            one.cancel()
        for work in waiting[begun:]:
            work.close()
