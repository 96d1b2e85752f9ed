"""Offers of credentials to devices: with one that nobody has accepted yet, two devices are asked, the others wait.

Controllers of a fleet often share an account. Offered to all of them at once, a password that has become wrong would
lock it everywhere before the first refusal is read.
"""

import asyncio
from collections import Counter, defaultdict

ENOUGH = 2  # devices that refuse a credential before it is used nowhere
PATIENCE = 5.0  # seconds for others to find out whether a credential is good; whoever has waited longer offers it


class Offers:
    """Which components refused each credential, and which were accepted, since some lines were made together.

    It belongs to the event loop in which these lines are opened.
    """

    def __init__(self) -> None:
        self._refused: defaultdict[int, set[int]] = defaultdict(set)
        self._accepted: set[int] = set()
        self._running: Counter[int] = Counter()
        self._waiting: defaultdict[int, list[asyncio.Future[None]]] = defaultdict(list)

    async def begin(self, credential: int, component: int) -> "Offer | None":
        """Wait until a credential may be offered to a component; None when enough of the others have refused it."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not (self._is_spent(credential) or self._is_free(credential)):
                    await self._news(credential)
        except TimeoutError:
            pass
        if self._is_spent(credential):
            return None
        self._running[credential] += 1
        return Offer(self, credential, component)

    def _is_spent(self, credential: int) -> bool:
        return len(self._refused[credential]) >= ENOUGH

    def _is_free(self, credential: int) -> bool:
        if credential in self._accepted:
            return True
        return self._running[credential] + len(self._refused[credential]) < ENOUGH

    async def _news(self, credential: int) -> None:
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[credential].append(told)
        await told

    def ended(self, credential: int) -> None:
        """Count one that is under way less, and let those who wait look again."""
        self._running[credential] -= 1
        for told in self._waiting.pop(credential, ()):
            if not told.done():
                told.set_result(None)

    def accepted(self, credential: int) -> None:
        """Keep that a device took it: nobody waits any more."""
        self._accepted.add(credential)

    def refused(self, credential: int, component: int) -> None:
        """Keep that a component refused it."""
        self._accepted.discard(credential)
        self._refused[credential].add(component)


class Offer:
    """One credential that is being offered to one component, until the device has let us in, or has not."""

    def __init__(self, offers: Offers, credential: int, component: int) -> None:
        self._offers = offers
        self._credential = credential
        self._component = component
        self._is_over = False

    def accept(self) -> None:
        """Say that the device has let us in, as far as one can tell."""
        self._offers.accepted(self._credential)
        self.end()

    def refuse(self) -> None:
        """Say that the device refused it."""
        self._offers.refused(self._credential, self._component)
        self.end()

    def end(self) -> None:
        """Say that nothing more comes of it; whatever was said before stands."""
        if not self._is_over:
            self._is_over = True
            self._offers.ended(self._credential)
