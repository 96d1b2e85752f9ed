"""What a device wrote down by itself: a system event log, an integrated management log."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.drivers.contract.states import Status


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One entry. ``key`` is the device's own number of it, unique until the log is cleared."""

    key: str
    at: datetime | None  # UTC; None where the device had no clock yet
    status: Status
    source: str  # the sensor's or the part's own name
    text: str  # English, with %(name)s places, or the device's own words
    params: Mapping[str, str] = field(default_factory=dict)
    asserted: bool = True  # False: it is over
    raw: str = ""  # hexadecimal, or the device's own JSON


@dataclass(frozen=True, slots=True)
class LogPart:
    """What came since the last look, oldest first, and where the next one begins."""

    events: tuple[LoggedEvent, ...]
    place: Mapping[str, Any]  # JSON, small; given back at the next look
    cleared: bool = False  # somebody emptied it since then: all that there is was read anew
    logs: tuple[str, ...] = ()  # of several logs, those that were emptied, as their keys begin; none named: all
    filled: float | None = None  # in %, where the device tells
    wraps: bool = False  # when it is full, the oldest entries make room: then that is no trouble


class EventLog(ABC):
    """Capability ``event_log``."""

    @abstractmethod
    async def read_events(self, place: Mapping[str, Any]) -> LogPart:
        """Read what came since a place; an empty one is the beginning."""

    @abstractmethod
    async def clear_events(self) -> None:
        """Empty the log."""
