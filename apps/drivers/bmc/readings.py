"""From measured sensors to readings: quantity, unit, limits, and what a powered-off machine cannot give."""

from collections.abc import Callable, Mapping, Sequence

from apps.drivers.bmc.kinds import SENSOR_TYPES
from apps.drivers.contract import NOT_MEASURED, POWER_OFF, Limits, Quantity, Reading, Sensor, Status
from apps.protocols.ipmi.measuring import Measured, Thresholds
from apps.protocols.ipmi.records import SensorRecord

_BY_UNIT = {
    1: (Quantity.TEMPERATURE, "°C"),
    2: (Quantity.TEMPERATURE, "°C"),
    3: (Quantity.TEMPERATURE, "°C"),
    4: (Quantity.VOLTAGE, "V"),
    5: (Quantity.CURRENT, "A"),
    6: (Quantity.POWER, "W"),
    9: (Quantity.POWER, "VA"),
    17: (Quantity.OTHER, "CFM"),
    18: (Quantity.FAN, "rpm"),
    19: (Quantity.FREQUENCY, "Hz"),
    21: (Quantity.OTHER, "ms"),
    22: (Quantity.OTHER, "s"),
    23: (Quantity.OTHER, "min"),
    70: (Quantity.OTHER, "B"),
}
_BY_TYPE = {
    0x01: Quantity.TEMPERATURE,
    0x02: Quantity.VOLTAGE,
    0x03: Quantity.CURRENT,
    0x04: Quantity.FAN,
    0x07: Quantity.CPU,
    0x08: Quantity.POWER,
    0x0C: Quantity.MEMORY,
}
# Units that we show in another one.
_CONVERSIONS: Mapping[int, Callable[[float], float]] = {
    2: lambda fahrenheit: (fahrenheit - 32) / 1.8,
    3: lambda kelvin: kelvin - 273.15,
}
_STANDS_STILL = frozenset({Quantity.FAN, Quantity.VOLTAGE, Quantity.CURRENT, Quantity.POWER})
_WARNING_BITS, _CRITICAL_BITS = frozenset({0, 3}), frozenset({1, 2, 4, 5})


def name_of(record: SensorRecord) -> str:
    """Give a sensor's own name; one without a name is called by what it is of and its number."""
    return record.name or f"{SENSOR_TYPES.get(record.sensor_type, 'Sensor')} {record.number}"


def sensor(record: SensorRecord, thresholds: Thresholds | None = None) -> Sensor:
    """Describe a sensor that measures."""
    quantity, unit = _BY_UNIT.get(record.unit, (Quantity.OTHER, ""))
    if record.percent:
        quantity, unit = _BY_TYPE.get(record.sensor_type, Quantity.OTHER), "%"
    elif quantity is Quantity.OTHER and not unit and record.sensor_type == 0x04:
        quantity = Quantity.FAN
    if record.rate or record.modifier:
        quantity, unit = Quantity.OTHER, ""
    return Sensor(record.key, name_of(record), quantity, unit, _limits(record, thresholds or {}))


def _limits(record: SensorRecord, thresholds: Thresholds) -> Limits:
    """Take the critical limits, or the non-recoverable ones where a sensor has only these."""
    at = {place: converted(record, value) for place, value in thresholds.items()}
    return Limits(
        lower_critical=at.get(1, at.get(2)),
        lower_warning=at.get(0),
        upper_warning=at.get(3),
        upper_critical=at.get(4, at.get(5)),
    )


def converted(record: SensorRecord, value: float) -> float:
    """Give a value of the record's unit in the unit that we show."""
    convert = None if record.percent else _CONVERSIONS.get(record.unit)
    return round(convert(value), 3) if convert else value


def readings(
    measured: Sequence[Measured], thresholds: Mapping[SensorRecord, Thresholds], *, powered: bool | None
) -> list[Reading]:
    """Give a reading of every sensor that measures, in the controller's order."""
    return [_reading(one, thresholds.get(one.record, {}), powered) for one in measured if one.record.measures]


def _reading(one: Measured, thresholds: Thresholds, powered: bool | None) -> Reading:
    described = sensor(one.record, thresholds)
    if one.value is None:
        return Reading(described, None, why=POWER_OFF if powered is False else NOT_MEASURED)
    value = converted(one.record, one.value)
    if powered is False and value == 0 and described.quantity in _STANDS_STILL:
        return Reading(described, None, why=POWER_OFF)
    return Reading(described, value, _status(one.states))


def _status(states: frozenset[int]) -> Status | None:
    """Take the controller's word that a limit is passed: it knows of hysteresis; else the limits decide."""
    if states & _CRITICAL_BITS:
        return Status.CRITICAL
    if states & _WARNING_BITS:
        return Status.WARNING
    return None
