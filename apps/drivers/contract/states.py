"""How a device and its parts are, by their own word."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """The state of a device or of one of its parts; worst first by ``WORST_FIRST``."""

    CRITICAL = "critical"
    WARNING = "warning"
    UNKNOWN = "unknown"
    NORMAL = "normal"


WORST_FIRST: Mapping[str, int] = {status.value: rank for rank, status in enumerate(Status)}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is wrong with a device by its own word; becomes a status cause."""

    key: str
    status: Status
    message: str  # English, with %(name)s places
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The device's own verdict: no fact means that it is well."""

    facts: tuple[Fact, ...] = ()


class Health(ABC):
    """Capability ``health``."""

    @abstractmethod
    async def read_health(self) -> HealthReport:
        """Ask the device how it is."""


class StateKind(StrEnum):
    """What a state is told of; decides its icon and where it stands."""

    POWER = "power"  # where power comes from: lines, power supplies, redundancy of these
    BATTERY = "battery"
    COOLING = "cooling"
    TEMPERATURE = "temperature"
    PROCESSOR = "processor"
    MEMORY = "memory"
    STORAGE = "storage"
    MODULE = "module"
    CHASSIS = "chassis"  # doors, covers, intrusion
    TEST = "test"
    ALARM = "alarm"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class State:
    """A discrete sensor: what one part of a device says of itself in words, not in a number.

    A part may say several things at once ("Present", "Input lost"): the worst comes first. ``key`` is stable over polls
    and reboots.
    """

    key: str
    name: str  # the device's own, or one of ours, which is translated
    kind: StateKind
    words: tuple[str, ...]  # English phrases, or the device's own words
    status: Status = Status.NORMAL
    at: datetime | None = None  # UTC; since when, or when it happened, by the device's own word

    @property
    def fact(self) -> Fact | None:
        """Give the status cause that it makes; None where nothing is wrong, or nobody knows."""
        if self.status not in (Status.CRITICAL, Status.WARNING):
            return None
        return Fact(
            f"state.{self.key}",
            self.status,
            "%(part)s: %(what)s",
            {"part": self.name, "what": self.words[0] if self.words else self.status.value},
        )


class States(ABC):
    """Capability ``states``: discrete sensors. What is wrong among them is told by ``Health``, too."""

    @abstractmethod
    async def read_states(self) -> Sequence[State]:
        """Read every state once. Order and keys are stable as long as the device's parts are."""
