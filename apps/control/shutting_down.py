"""Which way a shutdown takes to a machine that may be asked in several: whoever ends it in good order comes first.

An agent whose own setting forbids it does not offer it, and is no way at all; those that do not look at such a setting
offer it all the same (``PowerReport.actions``).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.drivers.contract import ShutsDownBy

ORDER = tuple(ShutsDownBy)


@dataclass(frozen=True, slots=True)
class Way:
    """A way of managing by which a machine can be shut down; ``trust``: 0 answered last, the others are worse."""

    interface: int
    by: ShutsDownBy
    trust: int = 0


def in_order(ways: Iterable[Way]) -> list[Way]:
    """Give the ways in which they are to be asked: agents in the operating system first, then the controller.

    What does not answer, or refuses the login, comes after all that do. Of two ways of the same kind the older one
    comes first.
    """
    return sorted(ways, key=lambda way: (way.trust, ORDER.index(way.by), way.interface))
