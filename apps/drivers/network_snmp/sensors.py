"""The sensors of a device's parts (ENTITY-SENSOR-MIB, RFC 3433, and Cisco's older twin of it)."""

from collections.abc import Iterator

from apps.drivers.contract import Quantity, Reading
from apps.drivers.network_snmp.told import Told
from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.values import cell, indexes, number, sensor

_STANDARD, _CISCO = "1.3.6.1.2.1.99.1.1.1", "1.3.6.1.4.1.9.9.91.1.1.1.1"
TYPE, SCALE, PRECISION, VALUE, OPER_STATUS = 1, 2, 3, 4, 5

# EntitySensorDataType: quantity and unit.
_TYPES = {
    3: (Quantity.VOLTAGE, "V"),
    4: (Quantity.VOLTAGE, "V"),
    5: (Quantity.CURRENT, "A"),
    6: (Quantity.POWER, "W"),
    7: (Quantity.FREQUENCY, "Hz"),
    8: (Quantity.TEMPERATURE, "°C"),
    9: (Quantity.HUMIDITY, "%"),
    10: (Quantity.FAN, "rpm"),
}
_UNITS = 9  # EntitySensorDataScale: no prefix
_OK, _UNAVAILABLE = 1, 2
_LARGEST = 1_000_000_000  # agents answer ±1,000,000,000 for what is beyond their scale (RFC 3433 §3.1)


def column(root: str, number_of_column: int) -> str:
    """Give a column of entPhySensorTable."""
    return f"{root}.{number_of_column}"


MIBS = tuple(
    Mib(name, columns=tuple(column(root, each) for each in range(TYPE, OPER_STATUS + 1)), root=root, rows_at_once=25)
    for name, root in (("ENTITY-SENSOR-MIB", _STANDARD), ("CISCO-ENTITY-SENSOR-MIB", _CISCO))
)


def readings(told: Told) -> Iterator[Reading]:
    """Give every sensor of a part; those of transceivers belong to their ports and are left out."""
    for root in (_STANDARD, _CISCO):
        rows = [index for index in indexes(told.cells, column(root, VALUE)) if index in told.parts]
        for index in rows:
            kind, scale, precision, value, status = (
                number(cell(told.cells, column(root, each), index)) for each in range(TYPE, OPER_STATUS + 1)
            )
            known = _TYPES.get(kind or 0)
            if known is None or status not in (_OK, _UNAVAILABLE):
                continue
            quantity, unit = known
            one = sensor(f"sensor.{index}", told.parts[index].name, quantity, unit)
            if status == _UNAVAILABLE or value is None or abs(value) >= _LARGEST:
                yield Reading(one, None, why="not available")
            else:
                exponent = 3 * ((scale or _UNITS) - _UNITS) - (precision or 0)
                yield Reading(one, round(value * 10.0**exponent, 6))
        if rows:
            return
