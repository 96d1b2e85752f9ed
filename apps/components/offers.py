"""Offers of credentials to devices: with one that nobody has accepted yet, two devices are asked, the others wait.

Controllers of a fleet often share an account. Offered to all of them at once, a password that has become wrong would
lock it everywhere before the first refusal is read. So each piece of work (a shard of polls, a job, a check) lets two
go ahead, and these two are counted over all processes (``fleet_offers``), together with the refusals of the present
version. What holds:

- A password that no device takes is refused by two devices at most, whoever asks at the same time, until it is changed
  or somebody has a connection checked by hand. A check offers it to two once more, and others count those with theirs.
- A device that stays silent says nothing of a password, but others cannot wait for ever: an outage has to be seen. When
  those that were asked have been silent for PATIENCE, two more are asked, and from then on twice as many every WIDER
  seconds, until the first one answers. Only a device that was asked meanwhile and answers late adds a refusal to two.
- While Redis is away each piece of work counts for itself; refusals that are written down count always.

A device that two pieces of work ask at once is one device. A credential of no more than two devices is not counted.
"""

import asyncio
import uuid
from collections import defaultdict
from dataclasses import dataclass, field

from apps.components import fleet_offers
from apps.components.fleet_offers import ENOUGH, Say

PATIENCE = 5.0  # seconds for those who were asked to find out whether a credential is good
WIDER = 0.5  # seconds, after the patience, from which on twice as many are asked
LOOK = 0.2  # seconds between looks at what other processes have found out


@dataclass(frozen=True, slots=True)
class Login:
    """One version of a credential, and how it stands with it."""

    credential: int
    version: int
    devices: int = 0  # that use it
    refused: frozenset[int] = frozenset()  # components that did, as far as it is written down; two say enough
    by_hand: bool = False  # somebody wants to know: earlier refusals do not count

    @property
    def is_counted(self) -> bool:
        """Say whether so many devices use it that others need to know who was asked."""
        return self.devices > ENOUGH


@dataclass(slots=True)
class _Known:
    """What one piece of work knows of a login."""

    refused: set[int] = field(default_factory=set)
    is_accepted: bool = False
    is_spent: bool = False  # enough devices refused it elsewhere
    asked: dict[str, float] = field(default_factory=dict)  # offers that wait for an answer: since when
    since: float = 0.0  # by the clock of all processes: acceptances from then on count
    is_looking: bool = False  # somebody looks at what other processes find out
    waiting: "list[asyncio.Future[None]]" = field(default_factory=list)

    def tell(self) -> None:
        """Let those who wait look again."""
        waiting, self.waiting = self.waiting, []
        for told in waiting:
            if not told.done():
                told.set_result(None)

    async def news(self) -> None:
        """Wait for news, or until it is time for a look."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(told)
        try:
            async with asyncio.timeout(LOOK):
                await told
        except TimeoutError:
            pass

    async def look(self) -> None:
        """Wait as the one who then looks for all who wait here."""
        self.is_looking = True
        try:
            await self.news()
        finally:
            self.is_looking = False


class Offers:
    """Which components refused each login, and which were accepted, since some lines were made together.

    It belongs to the event loop in which these lines are opened.
    """

    def __init__(self) -> None:
        self._known: defaultdict[tuple[int, int], _Known] = defaultdict(_Known)

    async def begin(self, login: Login, component: int) -> "Offer | None":
        """Wait until a login may be offered to a component; None when enough of the others have refused it."""
        known = self._known[login.credential, login.version]
        offer = Offer(known, login, component)
        began = _clock()
        while True:
            refused = len(known.refused if login.by_hand else known.refused | login.refused)
            if known.is_spent or refused >= ENOUGH:
                return None
            if known.is_accepted:
                return offer
            most = _most(_clock() - began)
            if known.is_looking or _unanswered(known) + refused >= most:
                await known.news()
                continue
            match offer.ask(most):
                case Say.ASK:
                    return offer
                case Say.ACCEPTED:
                    known.is_accepted = True
                    known.tell()
                case Say.SPENT:
                    known.is_spent = True
                    known.tell()
                case Say.WAIT:
                    await known.look()


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _unanswered(known: _Known) -> int:
    """Count those that were asked and may still answer; who has been silent for long holds up nobody."""
    limit = _clock() - PATIENCE
    return sum(1 for at in known.asked.values() if at > limit)


def _most(waited: float) -> int:
    """Give how many may be asked at once by somebody who has waited so long."""
    if waited <= PATIENCE:
        return ENOUGH
    return ENOUGH << min(int((waited - PATIENCE) / WIDER), 16)


class Offer:
    """One login that is being offered to one component, until the device has let us in, or has not."""

    def __init__(self, known: _Known, login: Login, component: int) -> None:
        self._known = known
        self._login = login
        self._component = component
        self._name = ""  # under which it is counted

    def ask(self, most: int) -> Say:
        """Count it as under way, here and over all processes, unless there is nothing to ask."""
        name = uuid.uuid4().hex[:12]
        if self._login.is_counted:
            say, self._known.since = fleet_offers.ask(self._login, name, most, PATIENCE, self._known.since)
            if say is not Say.ASK:
                return say
        self._name = name
        self._known.asked[name] = _clock()
        return Say.ASK

    def accept(self) -> None:
        """Say that the device has let us in, as far as one can tell."""
        is_news, self._known.is_accepted = not self._known.is_accepted, True
        self._end(Say.ACCEPTED if is_news or self._login.by_hand else Say.NOTHING)

    def refuse(self) -> None:
        """Say that the device refused it."""
        is_news = self._component not in self._known.refused and len(self._known.refused) < ENOUGH
        self._known.is_accepted = False
        self._known.refused.add(self._component)
        if is_news and not self._name and self._login.is_counted:  # it had let us in before it refused
            fleet_offers.tell(self._login, Say.REFUSED, self._component)
        self._end(Say.REFUSED)

    def end(self) -> None:
        """Say that nothing more comes of it; whatever was said before stands."""
        self._end(Say.NOTHING)

    def _end(self, say: Say) -> None:
        if self._name:
            del self._known.asked[self._name]
            if self._login.is_counted:
                fleet_offers.tell(self._login, say, self._component, self._name)
            self._name = ""
            self._known.tell()
