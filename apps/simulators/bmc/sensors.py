"""What a sensor of a simulated machine is, and how its value becomes bytes (IPMI 2.0 §36, §42)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from apps.simulators.bmc.faults import Fault

THRESHOLD, REDUNDANCY, SPECIFIC = 0x01, 0x0B, 0x6F  # event/reading type codes
LOWER_CRITICAL, UPPER_WARNING, UPPER_CRITICAL = 2, 7, 9  # events of thresholds that were passed
# Bits of a comparison with the limits (§35.14), and the event that tells of each.
PASSED = {0: 0, 1: 2, 2: 4, 3: 7, 4: 9, 5: 11}


class Severity(IntEnum):
    """As events and traps rank it (IPMI Platform Event Trap Format 1.0, table 2)."""

    INFORMATION = 0x02
    OK = 0x04
    WARNING = 0x08
    CRITICAL = 0x10


@dataclass(frozen=True, slots=True)
class Moment:
    """How a machine is at a moment: all that sensors are read from."""

    on: bool
    load: float  # 0 to 1
    wave: float  # -1 to 1: what moves besides
    watts: float
    inlet: float = 23.0  # °C, of the air that comes in
    processor: float = 40.0  # °C, while it is on
    opened: bool = False
    faults: frozenset[Fault] = frozenset()


Reader = Callable[[Moment], float | None]
"""The value in the sensor's unit, or the bits that are set; None: cannot be read now."""


@dataclass(frozen=True, slots=True)
class Limits:
    """In the sensor's unit; None: has none."""

    lower_warning: float | None = None
    lower_critical: float | None = None
    upper_warning: float | None = None
    upper_critical: float | None = None


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor. ``step`` and ``exponent``: value = raw x step x 10^exponent."""

    number: int
    name: str
    kind: int  # sensor type, table 42-3
    entity: int
    instance: int
    read: Reader | None  # None: tells events alone
    reading_type: int = THRESHOLD
    unit: int = 0
    step: int = 1
    exponent: int = 0
    signed: bool = False
    percent: bool = False
    limits: Limits = Limits()
    asserts: int = 0  # events that are noted when they begin, by bit
    deasserts: int = 0  # and when they end
    states: int = 0  # bits that can be set
    severities: tuple[tuple[int, Severity], ...] = ()

    @property
    def measures(self) -> bool:
        """It gives a number."""
        return self.reading_type == THRESHOLD

    def raw(self, value: float) -> int:
        """Give the byte that stands for a value, the nearest one that there is."""
        number = round(value / (self.step * 10.0**self.exponent))
        return max(-128, min(127, number)) & 0xFF if self.signed else max(0, min(255, number))

    def ordinal(self, raw: int) -> int:
        """Give a raw byte as a number that can be compared."""
        return raw - 256 if self.signed and raw > 127 else raw

    def first_limits(self) -> tuple[int, bytes]:
        """Give mask and six raw values, in the order of Get Sensor Thresholds (§35.9)."""
        own = self.limits
        values = (own.lower_warning, own.lower_critical, None, own.upper_warning, own.upper_critical, None)
        mask = sum(1 << place for place, value in enumerate(values) if value is not None)
        return mask, bytes(0 if value is None else self.raw(value) for value in values)

    def passed(self, raw: int, mask: int, limits: bytes) -> int:
        """Compare a raw value with the limits; gives bits as in §35.14."""
        here, bits = self.ordinal(raw), 0
        for place in range(6):
            if mask >> place & 1:
                limit = self.ordinal(limits[place])
                if here <= limit if place < 3 else here >= limit:
                    bits |= 1 << place
        return bits

    def severity(self, offset: int, *, asserted: bool) -> Severity:
        """How grave an event is."""
        if not asserted:
            return Severity.OK
        if self.measures:
            return Severity.CRITICAL if offset in (2, 3, 4, 5, 8, 9, 10, 11) else Severity.WARNING
        return dict(self.severities).get(offset, Severity.INFORMATION)
