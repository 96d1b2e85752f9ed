"""Which way a shutdown takes to a machine that may be asked in several: whoever ends it in good order comes first."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.drivers.contract import ShutsDownBy

ORDER = tuple(ShutsDownBy)


@dataclass(frozen=True, slots=True)
class Way:
    """A way of managing by which a machine can be shut down; ``allowed`` is the agent's own setting, None: not told."""

    interface: int
    by: ShutsDownBy
    allowed: bool | None = None


def in_order(ways: Iterable[Way]) -> list[Way]:
    """Give the ways in which they are to be asked: agents in the operating system first, then the controller.

    Only the agent itself honours its setting that forbids remote shutdown; what asks past it shuts down all the same.
    Of two ways of the same kind the older one comes first.
    """
    willing = [way for way in ways if way.by is not ShutsDownBy.AGENT or way.allowed is not False]
    return sorted(willing, key=lambda way: (ORDER.index(way.by), way.interface))
