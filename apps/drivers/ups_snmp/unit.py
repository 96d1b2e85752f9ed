"""An uninterruptible power supply as its MIBs tell of it, whichever they are."""

from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Source(StrEnum):
    """Where the power of the output comes from."""

    ONLINE = "online"
    BATTERY = "battery"
    BATTERY_TEST = "battery-test"
    BYPASS = "bypass"
    FAULT_BYPASS = "fault-bypass"
    BOOST = "boost"
    TRIM = "trim"
    ECO = "eco"
    OFF = "off"
    SLEEPING = "sleeping"
    RESTARTING = "restarting"
    OTHER = "other"


class Condition(StrEnum):
    """How a battery is; a battery may be low and in need of replacement at once."""

    NORMAL = "normal"
    LOW = "low"
    DEPLETED = "depleted"
    FAULTY = "faulty"
    REPLACE = "replace"
    DISCONNECTED = "disconnected"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """How the last self test went."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    ABORTED = "aborted"
    RUNNING = "running"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Line:
    """One phase of an input, a bypass or an output; None is "not measured"."""

    number: int
    voltage: float | None = None  # V
    current: float | None = None  # A
    power: float | None = None  # W
    load: float | None = None  # % of what the UPS can give


@dataclass(frozen=True, slots=True)
class Battery:
    """The batteries as a whole; None is "not measured"."""

    conditions: tuple[Condition, ...] | None = None
    charge: float | None = None  # %
    runtime: float | None = None  # s, at the present load
    temperature: float | None = None  # °C
    voltage: float | None = None  # V
    current: float | None = None  # A
    on_battery_since: datetime | None = None  # UTC
    replaced_on: str | None = None  # as the device writes it


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that the UPS itself complains of now."""

    key: str
    text: str
    number: int | None = None  # of the well-known alarms of RFC 1628; None: one of the maker's own
    critical: bool = False  # of the maker's own
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Test:
    """The last self test."""

    outcome: Outcome
    at: datetime | None = None
    said: str | None = None  # the device's own date or words, where no time can be made of them


@dataclass(frozen=True, slots=True)
class Unit:
    """Everything about one UPS. None and empty mean "this MIB does not say"."""

    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    serial_number: str | None = None
    name: str | None = None
    rated_power: float | None = None  # VA
    source: Source | None = None
    battery: Battery = field(default_factory=Battery)
    inputs: tuple[Line, ...] = ()
    input_frequency: float | None = None  # Hz
    bypasses: tuple[Line, ...] = ()
    bypass_frequency: float | None = None
    outputs: tuple[Line, ...] = ()
    output_frequency: float | None = None
    load: float | None = None  # % of the whole, where lines do not say it
    power: float | None = None  # W of the whole output, where lines do not say it
    ambient_temperature: float | None = None  # °C
    alarms: tuple[Alarm, ...] = ()
    test: Test | None = None

    def completed(self, other: Self) -> Self:
        """Fill in from another MIB what this one does not say."""
        return _completed(self, other)


def _completed(one: T, other: T) -> T:
    changed: dict[str, Any] = {}
    for each in fields(one):  # type: ignore[arg-type]
        mine, theirs = getattr(one, each.name), getattr(other, each.name)
        if mine is None or mine == ():
            changed[each.name] = theirs
        elif theirs is None or theirs == ():
            continue
        elif isinstance(mine, Battery):
            both = dict.fromkeys((*(mine.conditions or ()), *(theirs.conditions or ())))
            changed[each.name] = replace(_completed(mine, theirs), conditions=tuple(both) or None)
        elif isinstance(mine, Test) and mine.outcome is theirs.outcome:
            changed[each.name] = _completed(mine, theirs)
        elif isinstance(mine, tuple) and isinstance(mine[0], Line):
            by_number = {line.number: line for line in theirs}
            changed[each.name] = tuple(_completed(line, by_number.get(line.number, line)) for line in mine)
    return replace(one, **changed)  # type: ignore[type-var]
