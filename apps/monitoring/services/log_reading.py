"""Reads a device's event log in the conversation of a poll, after all else. No database in here.

In the same conversation, because controllers have few sessions, and signing in costs more than the look; last and under
a limit of its own, so that a log which is long, slow or broken costs neither values nor status.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.components import contact
from apps.components.contact import Line
from apps.drivers.contract import EventLog, LogPart
from apps.protocols.errors import ContactError, Stage, Unreachable

WITHIN = 15.0  # seconds for what came since
FIRST_WITHIN = 45.0  # seconds for a log of which nothing is known
ROOM = 3.0  # seconds between the end of a look and that of the conversation


@dataclass(frozen=True, slots=True)
class Begin:
    """Where a look begins: the driver's place, how many looks were kept before, and by which way it is read.

    ``moved``: what was kept was read by another way, so from another log.
    """

    place: Mapping[str, Any] = field(default_factory=dict)
    looks: int = 0
    way: str = ""
    moved: bool = False

    @property
    def within(self) -> float:
        """Give the seconds that the look may take."""
        return WITHIN if self.place else FIRST_WITHIN


@dataclass(frozen=True, slots=True)
class Look:
    """What one look into the log of one interface's device gave."""

    component_id: int
    interface_id: int
    begin: Begin
    at: float  # seconds since 1970
    part: LogPart | None = None
    error: ContactError | None = None


async def look(device: EventLog, line: Line, begin: Begin) -> Look:
    """Look once; every way in which it may fail becomes part of the answer."""
    part: LogPart | None = None
    failed: ContactError | None = None
    address, within = line.target.address, begin.within
    try:
        async with asyncio.timeout(within):
            part = await device.read_events(begin.place)
    except ContactError as error:
        failed = error
    except TimeoutError:
        failed = Unreachable(contact.TOO_SLOW, stage=Stage.PROTOCOL, address=address, seconds=f"{within:g}")
    except Exception as error:
        failed = contact.mistake(line, error)
    return Look(line.component_id, line.interface_id, begin, time.time(), part, failed)
