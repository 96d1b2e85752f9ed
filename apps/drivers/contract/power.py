"""What a management controller does to its machine: power, boot device, lamp, and what the machine draws."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any


class PowerState(StrEnum):
    """Whether a machine is powered."""

    ON = "on"
    OFF = "off"


class PowerAction(StrEnum):
    """What one may order. All but ``SHUTDOWN`` and ``REBOOT`` act whatever the operating system is doing."""

    ON = "on"
    OFF = "off"
    CYCLE = "cycle"  # off, then on
    RESET = "reset"
    SHUTDOWN = "shutdown"  # the operating system is asked to end
    REBOOT = "reboot"  # it is asked to end and to start again
    NMI = "nmi"  # a diagnostic interrupt: the operating system writes its memory out


class ShutsDownBy(StrEnum):
    """Whom a driver asks to end the operating system; the order is that in which they are asked."""

    EXTENSION = "server-agent-extension"
    AGENT = "server-agent"  # honours its own setting that forbids remote shutdown; the others do not look at it
    UPDATE_AGENT = "express-update-agent"
    CONTROLLER = "controller"  # which only presses the power button for a moment


@dataclass(frozen=True, slots=True)
class PowerReport:
    """Whether a machine is powered, and what it may be ordered. None was not told.

    What is not among the actions is not offered; an agent whose own setting forbids a remote shutdown leaves that out.
    """

    state: PowerState | None
    actions: frozenset[PowerAction] | None = None
    restart_cause: str = ""  # an English phrase


@dataclass(frozen=True, slots=True)
class Traces:
    """What a start of the machine leaves at its controller: read before an order and after it, and compared."""

    cause: str = ""  # why it last started, an English phrase; empty: not told
    start: str = ""  # which start was the last: its time, or an entry of a log; empty: not told
    interrupt: str = ""  # which diagnostic interrupt was the last; empty: none is known
    starting: bool | None = None  # whether its firmware is at work; None: not told
    place: Mapping[str, Any] = field(default_factory=dict)  # where the driver goes on looking

    @property
    def tell(self) -> bool:
        """Say whether a start would be seen in them at all."""
        return bool(self.cause or self.start or self.place) or self.starting is not None

    def restarted_since(self, before: "Traces") -> bool:
        """Say whether the machine has started anew."""
        other_start = bool(self.start) and self.start != before.start
        other_cause = bool(self.cause) and self.cause != before.cause
        return other_start or other_cause or (self.starting is True and before.starting is False)

    def interrupted_since(self, before: "Traces") -> bool:
        """Say whether it was told to stop and write its memory out."""
        return bool(self.interrupt) and self.interrupt != before.interrupt


class Power(ABC):
    """Capability ``power``."""

    @abstractmethod
    async def read_power(self) -> PowerReport:
        """Ask for the state."""

    @abstractmethod
    async def set_power(self, action: PowerAction) -> None:
        """Order it once: a driver never repeats an order by itself, for a second reset is a second reset.

        Returns when the controller has taken the order, not when it is done. Raises Unsupported for what it cannot do.
        """

    async def read_traces(self, before: Traces | None = None) -> Traces | None:
        """Read what the last start left, and what came after ``before``; None where the controller tells of no start.

        It is asked around orders only, never in a poll.
        """
        return None


class BootDevice(StrEnum):
    """What a machine starts from."""

    NONE = "none"  # as its own setup says
    PXE = "pxe"
    DISK = "disk"
    CD = "cd"
    USB = "usb"
    SETUP = "setup"
    DIAGNOSTIC = "diagnostic"


@dataclass(frozen=True, slots=True)
class BootOverride:
    """From what a machine starts instead: the next time, or always."""

    device: BootDevice
    once: bool = True
    uefi: bool | None = None  # None: not told, or as it is


class Boot(ABC):
    """Capability ``boot``."""

    @abstractmethod
    async def read_boot(self) -> BootOverride:
        """Ask for what is set."""

    @abstractmethod
    async def set_boot(self, override: BootOverride) -> None:
        """Set it; raises Unsupported for a device that the controller does not know."""


class Lamp(ABC):
    """Capability ``lamp``: the light by which somebody finds the machine."""

    @abstractmethod
    async def read_lamp(self) -> bool | None:
        """Ask whether it is lit; None where the controller does not tell."""

    @abstractmethod
    async def set_lamp(self, lit: bool, duration: timedelta | None = None) -> None:
        """Light it until it is put out, or for a time; put it out."""


@dataclass(frozen=True, slots=True)
class PowerDrawn:
    """What a machine draws, in watts; minimum, mean and maximum over ``over``, where the controller keeps them."""

    watts: float | None
    minimum: float | None = None
    average: float | None = None
    maximum: float | None = None
    over: timedelta | None = None
    cap: float | None = None  # None: there is none
    throttled: bool | None = None  # whether processors are slowed down by it; None: not told
    sensor: str = ""  # the key of the sensor by which the driver tells the same watts; empty: by none


class PowerMeter(ABC):
    """Capability ``power_meter``."""

    @abstractmethod
    async def read_power_drawn(self) -> PowerDrawn | None:
        """Measure; None where this controller has no meter, or it cannot be asked now.

        Within a poll it comes after the sensors: what these had to fetch is not fetched again.
        """


class PowerCap(ABC):
    """Capability ``power_cap``: how much a machine may draw. ``PowerMeter`` says what it achieves."""

    @abstractmethod
    async def set_power_cap(self, watts: int | None) -> None:
        """Set it; None takes it away. Raises Unsupported where this controller has none."""
