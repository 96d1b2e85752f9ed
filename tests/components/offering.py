"""Devices that take or refuse a login, asked by one piece of work in an event loop of its own.

As a program it is another process: ``python -m tests.components.offering`` with the number of its first device.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable

from apps.components import offers
from apps.components.offers import Login, Offers

DEVICES = 20
LONG = 60.0  # seconds: a patience that a busy machine does not use up
Answer = Callable[[int], Awaitable[bool]]


async def refuses(_component: int) -> bool:
    """Take a moment, as a device does, and refuse."""
    await asyncio.sleep(0.3)
    return False


async def takes(_component: int) -> bool:
    """Take a moment, and take it."""
    await asyncio.sleep(0.05)
    return True


def work(components: Iterable[int], answer: Answer, login: Login) -> list[int]:
    """Offer a login to all components at once; gives those that were asked."""
    asked: list[int] = []

    async def one(known: Offers, component: int) -> None:
        offer = await known.begin(login, component)
        if offer is None:
            return
        asked.append(component)
        try:
            if await answer(component):
                offer.accept()
            else:
                offer.refuse()
        finally:
            offer.end()

    async def all_of_them() -> None:
        known = Offers()
        await asyncio.gather(*(one(known, component) for component in components))

    asyncio.run(all_of_them())
    return asked


if __name__ == "__main__":
    first = int(sys.argv[1])
    offers.PATIENCE = LONG
    sys.stdin.readline()  # together with the others
    found = work(range(first, first + DEVICES), refuses, Login(7, 3, devices=2 * DEVICES))
    print(*found)
