"""Fans and temperatures: Thermal, or the newer ThermalSubsystem and Sensors (DSP2064)."""

from collections.abc import Iterable
from dataclasses import replace

from apps.drivers.contract import Limits, Quantity, Sensor, StateKind
from apps.drivers.redfish.health import Told, judged, state
from apps.drivers.redfish.values import Resource, identifier, is_absent, nested, number, objects, sensor, text

FAN_NAME = "Fan"
FANS_NAME = "Fans"
TEMPERATURE_NAME = "Temperature"

_KINDS = {  # ReadingType → what it is, its unit
    "Temperature": (Quantity.TEMPERATURE, "°C"),
    "Humidity": (Quantity.HUMIDITY, "%"),
    "Power": (Quantity.POWER, "W"),
    "Current": (Quantity.CURRENT, "A"),
    "Voltage": (Quantity.VOLTAGE, "V"),
    "Rotational": (Quantity.FAN, "rpm"),
    "Frequency": (Quantity.FREQUENCY, "Hz"),
    "Percent": (Quantity.OTHER, "%"),
    "EnergykWh": (Quantity.OTHER, "kWh"),
}


def limit(source: Resource, *names: str) -> float | None:
    """Give the first threshold that is one: controllers write 0 where there is none."""
    found = (number(source, name) for name in names)
    return next((value for value in found if value), None)


def limits(source: Resource, *, critical_is_caution: bool = False) -> Limits:
    """Read thresholds of Thermal and Power.

    ``critical_is_caution``: with makers that have two of three levels and call them Critical and Fatal.
    """
    upper = [limit(source, f"UpperThreshold{level}") for level in ("NonCritical", "Critical", "Fatal")]
    lower = [limit(source, f"LowerThreshold{level}") for level in ("NonCritical", "Critical", "Fatal")]
    for three in (upper, lower):
        if critical_is_caution and three[0] is None and three[1] is not None and three[2] is not None:
            three[0], three[1] = three[1], three[2]
    return Limits(
        lower_critical=lower[1] if lower[1] is not None else lower[2],
        lower_warning=lower[0],
        upper_warning=upper[0],
        upper_critical=upper[1] if upper[1] is not None else upper[2],
    )


def thermal(source: Resource, prefix: str, *, powered_off: bool, critical_is_caution: bool = False) -> Told:
    """Read a Thermal resource; ``prefix`` keeps the keys of several chassis apart."""
    told = Told()
    for one in objects(source, "Temperatures"):
        if is_absent(one):
            continue
        point = sensor(
            f"{prefix}temperature.{identifier(one)}",
            text(one, "Name") or f"{TEMPERATURE_NAME} {identifier(one)}",
            Quantity.TEMPERATURE,
            "°C",
            limits(one, critical_is_caution=critical_is_caution),
        )
        reading = judged(point, number(one, "ReadingCelsius"), one, powered_off=powered_off)
        if reading is not None:
            told.readings.append(reading)
    for one in objects(source, "Fans"):
        percent = text(one, "ReadingUnits", "Units") == "Percent"
        point = sensor(
            f"{prefix}fan.{identifier(one)}",
            text(one, "Name", "FanName") or f"{FAN_NAME} {identifier(one)}",
            Quantity.FAN,
            "%" if percent else "rpm",
            limits(one),
        )
        _fan(told, one, point, number(one, "Reading", "CurrentReading"), powered_off)
    for one in objects(source, "Redundancy"):
        _redundancy(told, one, f"{prefix}redundancy.fans")
    return told


def fans(found: Iterable[Resource], prefix: str, *, powered_off: bool) -> Told:
    """Read the fans of a ThermalSubsystem."""
    told = Told()
    for one in found:
        speed = nested(one, "SpeedPercent")
        turns = number(speed, "SpeedRPM")
        unit = "%" if turns is None else "rpm"
        name = text(one, "Name") or f"{FAN_NAME} {identifier(one)}"
        point = sensor(f"{prefix}fan.{identifier(one)}", name, Quantity.FAN, unit)
        _fan(told, one, point, turns if turns is not None else number(speed, "Reading"), powered_off)
    return told


def sensors(found: Iterable[Resource], prefix: str, *, powered_off: bool) -> Told:
    """Read resources of the type Sensor; those of fans and of kinds that we do not know are left out."""
    told = Told()
    for one in found:
        quantity, unit = _KINDS.get(str(one.get("ReadingType")), (None, ""))
        if quantity is None or quantity is Quantity.FAN or is_absent(one):
            continue
        thresholds = nested(one, "Thresholds")
        levels = {
            name: limit(nested(thresholds, name), "Reading")
            for name in ("UpperCaution", "UpperCritical", "UpperFatal", "LowerCaution", "LowerCritical", "LowerFatal")
        }
        found_limits = Limits(
            lower_critical=_first(levels["LowerCritical"], levels["LowerFatal"]),
            lower_warning=levels["LowerCaution"],
            upper_warning=levels["UpperCaution"],
            upper_critical=_first(levels["UpperCritical"], levels["UpperFatal"]),
        )
        name = text(one, "Name") or identifier(one)
        point = sensor(f"{prefix}sensor.{identifier(one)}", name, quantity, unit, found_limits)
        reading = judged(point, number(one, "Reading"), one, powered_off=powered_off)
        if reading is not None:
            told.readings.append(reading)
    return told


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _fan(told: Told, one: Resource, point: Sensor, value: float | None, powered_off: bool) -> None:
    if is_absent(one):
        return
    # While the machine is off, a fan at rest is no failed fan.
    reading = judged(point, value or None if powered_off else value, one, powered_off=powered_off)
    if reading is not None:
        told.readings.append(replace(reading, status=None))  # that it failed is a state, and one cause is enough
    found = state(point.key, point.name, StateKind.COOLING, one)
    if found is not None:
        told.states.append(found)


def _redundancy(told: Told, one: Resource, key: str) -> None:
    found = state(f"{key}.{identifier(one)}", text(one, "Name") or FANS_NAME, StateKind.COOLING, one)
    if found is not None:
        told.states.append(found)
