"""What a device measures, and the limits under which a value is well."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from apps.drivers.contract.states import States, Status


class Quantity(StrEnum):
    """What a sensor measures; decides its unit, its icon, its chart and what lists sort by."""

    CPU = "cpu"
    MEMORY = "memory"
    STORAGE = "storage"
    PROCESSES = "processes"
    LOAD = "load"
    TRAFFIC = "traffic"
    ERRORS = "errors"
    UPTIME = "uptime"
    TEMPERATURE = "temperature"
    HUMIDITY = "humidity"
    FAN = "fan"
    POWER = "power"
    VOLTAGE = "voltage"
    CURRENT = "current"
    FREQUENCY = "frequency"
    CHARGE = "charge"  # of a battery, in %
    RUNTIME = "runtime"  # how long a battery lasts, in minutes
    LATENCY = "latency"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds of one sensor in the sensor's unit; None is "no limit", never 0."""

    lower_critical: float | None = None
    lower_warning: float | None = None
    upper_warning: float | None = None
    upper_critical: float | None = None

    def judge(self, value: float | None) -> Status:
        """Say what a value means under these limits; no value is unknown."""
        if value is None:
            return Status.UNKNOWN
        if _beyond(value, self.lower_critical, self.upper_critical):
            return Status.CRITICAL
        if _beyond(value, self.lower_warning, self.upper_warning):
            return Status.WARNING
        return Status.NORMAL


def _beyond(value: float, lower: float | None, upper: float | None) -> bool:
    return (lower is not None and value <= lower) or (upper is not None and value >= upper)


@dataclass(frozen=True, slots=True)
class Sensor:
    """A measuring point. ``key`` is stable over polls and reboots; ``name`` is the device's own."""

    key: str
    name: str
    quantity: Quantity
    unit: str  # "%", "°C", "W", "VA", "V", "A", "Hz", "rpm", "B", "bit/s", "1/s", "s", "min", "ms", ""
    limits: Limits = Limits()  # the device's or the driver's defaults


NOT_MEASURED = "not measured"
POWER_OFF = "not available (power off)"


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one sensor at one time; a value of None says why in ``why``."""

    sensor: Sensor
    value: float | None
    status: Status | None = None  # None: judged by the limits
    why: str = ""  # an English phrase: ``NOT_MEASURED``, ``POWER_OFF``, or one of the driver's own


DRAWN = Sensor("power.drawn", "Power consumption", Quantity.POWER, "W")
"""What a power meter measures, where the driver has no sensor of its own that says the same."""


class Sensors(ABC):
    """Capability ``sensors``."""

    @abstractmethod
    async def read_sensors(self) -> Sequence[Reading]:
        """Read every sensor once. Order and keys are stable as long as the device's parts are."""


class UpsPart(StrEnum):
    """Where in an uninterruptible power supply something is measured."""

    INPUT = "input"
    BYPASS = "bypass"
    BATTERY = "battery"
    OUTPUT = "output"


class Ups(Sensors, States):
    """Capability ``ups``: the device stands between the mains and what it feeds. No method: an agreement on keys.

    Keys of sensors begin with an ``UpsPart``: ``battery.charge``, ``battery.runtime``, and with the number of the line
    ``input.1.voltage``, ``output.1.load``; what counts for all lines has none (``output.frequency``). ``power`` is
    what the whole output gives. States: ``source`` (where the power of the output comes from), ``battery``, ``test``,
    and ``alarm.<name>`` for each active alarm.
    """
