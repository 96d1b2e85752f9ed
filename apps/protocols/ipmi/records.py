"""Sensor data records: what a controller's sensors are called and how their bytes become values (IPMI 2.0 §43)."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

BMC_OWNER = 0x20
FULL, COMPACT, EVENT_ONLY, FRU_LOCATOR = 0x01, 0x02, 0x03, 0x11
THRESHOLD = 0x01  # event/reading type code of sensors that measure
_NOT_NUMERIC = 3
_NON_LINEAR = 12
_RECIPROCAL = 7

# Table 43-1, byte 24: what is done with the linear value.
_LINEARIZE: Mapping[int, Callable[[float], float]] = {
    0: lambda x: x,
    1: math.log,
    2: math.log10,
    3: math.log2,
    4: math.exp,
    5: lambda x: 10.0**x,
    6: lambda x: 2.0**x,
    7: lambda x: 1 / x,
    8: lambda x: x**2,
    9: lambda x: x**3,
    10: math.sqrt,
    11: math.cbrt,
}
_BCD = "0123456789 -.:,_"


@dataclass(frozen=True, slots=True)
class Factors:
    """y = L[(M x + B 10^k1) 10^k2] (IPMI 2.0 §36.3)."""

    m: int = 1
    b: int = 0
    b_exponent: int = 0
    result_exponent: int = 0

    @classmethod
    def from_bytes(cls, data: bytes) -> "Factors":
        """Read six bytes: M, M and tolerance, B, B and accuracy, accuracy, exponents."""
        return cls(
            m=_signed(data[0] | (data[1] & 0xC0) << 2, 10),
            b=_signed(data[2] | (data[3] & 0xC0) << 2, 10),
            b_exponent=_signed(data[5] & 0x0F, 4),
            result_exponent=_signed(data[5] >> 4, 4),
        )


@dataclass(frozen=True, slots=True)
class SensorRecord:
    """One sensor of a record: a record may describe several alike."""

    owner: int
    lun: int
    number: int
    name: str
    entity: int
    instance: int
    sensor_type: int
    reading_type: int
    readable: bool = True
    numeric: int = _NOT_NUMERIC  # 0 unsigned, 1 one's complement, 2 two's complement, 3 no number
    percent: bool = False
    unit: int = 0
    modifier: int = 0  # 0 none, 1 unit / second unit, 2 unit x second unit
    second_unit: int = 0
    rate: int = 0
    linearization: int = 0
    factors: Factors = Factors()
    readable_thresholds: int = 0
    initial_thresholds: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """Owner, unit number and sensor number: what the controller itself knows it by."""
        return f"{self.owner:02x}.{self.lun}.{self.number:02x}"

    @property
    def measures(self) -> bool:
        """It gives a number, not only states."""
        return self.numeric != _NOT_NUMERIC and self.reading_type == THRESHOLD

    @property
    def is_non_linear(self) -> bool:
        """Its factors differ with the value and are asked for with each."""
        return self.linearization >= _NON_LINEAR

    @property
    def is_reciprocal(self) -> bool:
        """A higher raw value is a lower one: what is called upper is lower."""
        return self.linearization == _RECIPROCAL

    def value(self, raw: int, factors: Factors | None = None) -> float | None:
        """Give what a raw byte means in the sensor's unit; None where the formula has no answer."""
        used = factors or self.factors
        number = _signed(raw, 8) if self.numeric == 2 else _ones(raw) if self.numeric == 1 else raw
        linear = (used.m * number + used.b * 10.0**used.b_exponent) * 10.0**used.result_exponent
        shape = 0 if self.is_non_linear else self.linearization
        try:
            return round(_LINEARIZE[shape](linear), 6)
        except (ArithmeticError, ValueError, KeyError):
            return None


@dataclass(frozen=True, slots=True)
class FruRecord:
    """A place where a part describes itself."""

    number: int
    name: str
    entity: int
    instance: int
    device_type: int
    logical: bool  # read through the controller, not on a bus behind it


@dataclass(frozen=True, slots=True)
class Records:
    """All that a controller's repository describes."""

    sensors: tuple[SensorRecord, ...] = ()
    frus: tuple[FruRecord, ...] = ()

    def name_of(self, owner: int, lun: int, number: int) -> str | None:
        """Give a sensor's name; owner and unit are left out where only one sensor has that number."""
        found = [one for one in self.sensors if one.number == number]
        exact = [one for one in found if (one.owner, one.lun) == (owner, lun)]
        names = {one.name for one in exact or found}
        return names.pop() if len(names) == 1 else None


def records(raw: Iterator[bytes] | list[bytes]) -> Records:
    """Decode records in their order; what is unknown or cut short is left out."""
    sensors: list[SensorRecord] = []
    frus: list[FruRecord] = []
    for record in raw:
        try:
            if record[3] == FULL:
                sensors.append(_full(record))
            elif record[3] == COMPACT:
                sensors.extend(_compact(record))
            elif record[3] == EVENT_ONLY:
                sensors.extend(_event_only(record))
            elif record[3] == FRU_LOCATOR:
                frus.append(_fru(record))
        except IndexError:
            continue
    return Records(tuple(_once(sensors)), tuple(frus))


def _once(sensors: list[SensorRecord]) -> Iterator[SensorRecord]:
    """Leave out what is described twice: the first counts. Equal names get the place of the part behind them."""
    first: dict[str, SensorRecord] = {}
    for sensor in sensors:
        first.setdefault(sensor.key, sensor)
    names = Counter(sensor.name for sensor in first.values())
    for sensor in first.values():
        if names[sensor.name] > 1 and sensor.name:
            yield replace(sensor, name=f"{sensor.name} ({sensor.entity}.{sensor.instance})")
        else:
            yield sensor


def _full(record: bytes) -> SensorRecord:
    return replace(
        _measuring(record, _text(record[47], record[48:])),
        numeric=record[20] >> 6,
        linearization=record[23] & 0x7F,
        factors=Factors.from_bytes(record[24:30]),
        readable_thresholds=record[18] & 0x3F if record[11] & 0x0C else 0,
        # In the order in which Get Sensor Thresholds gives them.
        initial_thresholds=(record[41], record[40], record[39], record[38], record[37], record[36]),
    )


def _measuring(record: bytes, name: str) -> SensorRecord:
    return SensorRecord(
        owner=record[5],
        lun=record[6] & 0x03,
        number=record[7],
        name=name,
        entity=record[8],
        instance=record[9] & 0x7F,
        sensor_type=record[12],
        reading_type=record[13],
        percent=bool(record[20] & 0x01),
        unit=record[21],
        modifier=record[20] >> 1 & 0x03,
        second_unit=record[22],
        rate=record[20] >> 3 & 0x07,
    )


def _compact(record: bytes) -> Iterator[SensorRecord]:
    yield from _shared(_measuring(record, _text(record[31], record[32:])), record[23], record[24])


def _event_only(record: bytes) -> Iterator[SensorRecord]:
    one = SensorRecord(
        owner=record[5],
        lun=record[6] & 0x03,
        number=record[7],
        name=_text(record[16], record[17:]),
        entity=record[8],
        instance=record[9] & 0x7F,
        sensor_type=record[10],
        reading_type=record[11],
        readable=False,
    )
    yield from _shared(one, record[12], record[13])


def _shared(first: SensorRecord, sharing: int, offsets: int) -> Iterator[SensorRecord]:
    """Give the sensors that one record describes, each with its number behind the name (§43.2, bytes 24 and 25)."""
    count = max(1, sharing & 0x0F)
    if count == 1:
        yield first
        return
    for place in range(count):
        suffix = (offsets & 0x7F) + place
        yield replace(
            first,
            number=(first.number + place) & 0xFF,
            instance=first.instance + place if offsets & 0x80 else first.instance,
            name=first.name + (_letters(suffix) if sharing >> 4 & 0x03 == 1 else str(suffix)),
        )


def _letters(number: int) -> str:
    """A to Z, then AA to AZ, BA …"""
    return (chr(64 + number // 26) if number >= 26 else "") + chr(65 + number % 26)


def _fru(record: bytes) -> FruRecord:
    return FruRecord(
        number=record[6],
        name=_text(record[15], record[16:]),
        entity=record[12],
        instance=record[13] & 0x7F,
        device_type=record[10],
        logical=bool(record[7] & 0x80),
    )


def _text(kind_and_length: int, data: bytes) -> str:
    """Decode a name (§43.15): text, BCD plus, packed 6-bit, or Latin-1."""
    data = data[: kind_and_length & 0x1F]
    kind = kind_and_length >> 6
    if kind == 1:
        text = "".join(_BCD[byte >> 4] + _BCD[byte & 0x0F] for byte in data)
    elif kind == 2:
        text = unpacked(data)
    elif kind == 0:
        text = data.decode("utf-8", "replace")
    else:
        text = data.decode("latin-1")
    return text.replace("\0", "").strip()


def unpacked(data: bytes) -> str:
    """Decode 6-bit ASCII: four characters in three bytes, the low bits first."""
    number = int.from_bytes(data, "little")
    return "".join(chr(0x20 + (number >> 6 * place & 0x3F)) for place in range(len(data) * 8 // 6))


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value & 1 << bits - 1 else value


def _ones(value: int) -> int:
    return -(value ^ 0xFF) if value & 0x80 else value
