"""Power: supplies, voltages and what the machine draws: Power, or PowerSubsystem and EnvironmentMetrics (DSP2064)."""

from collections.abc import Iterable
from datetime import timedelta

from apps.drivers.contract import InventoryItem, InventoryKind, PowerDrawn, Quantity, StateKind
from apps.drivers.redfish.health import Told, judged, state, verdict
from apps.drivers.redfish.thermal import limit, limits
from apps.drivers.redfish.values import (
    Resource,
    identifier,
    is_absent,
    known,
    nested,
    number,
    objects,
    oem,
    sensor,
    text,
    whole,
    with_unit,
)

CONSUMPTION = "Power consumption"
METER = "power"  # the key of what the machine draws
SUPPLY_NAME = "Power supply"
SUPPLY_NAMES = {1: "Power supply 1", 2: "Power supply 2", 3: "Power supply 3", 4: "Power supply 4"}  # by bay
SUPPLIES_NAME = "Power supplies"


def power(source: Resource, prefix: str, *, powered_off: bool) -> Told:
    """Read a Power resource; ``prefix`` keeps the keys of several chassis apart."""
    told = Told()
    for place, one in enumerate(objects(source, "PowerControl")):
        watts = number(one, "PowerConsumedWatts")
        if watts is None:
            continue
        name = CONSUMPTION if place == 0 else text(one, "Name") or CONSUMPTION
        key = f"{prefix}{METER}" if place == 0 else f"{prefix}power.{identifier(one)}"
        reading = judged(sensor(key, name, Quantity.POWER, "W"), watts, one, powered_off=False)
        if reading is not None:
            told.readings.append(reading)
    for one in objects(source, "Voltages"):
        if is_absent(one):
            continue
        name = text(one, "Name") or identifier(one)
        point = sensor(f"{prefix}voltage.{identifier(one)}", name, Quantity.VOLTAGE, "V", limits(one))
        reading = judged(point, number(one, "ReadingVolts"), one, powered_off=powered_off)
        if reading is not None:
            told.readings.append(reading)
    told.add(supplies(objects(source, "PowerSupplies"), prefix))
    for one in objects(source, "Redundancy"):
        name = text(one, "Name") or SUPPLIES_NAME
        found = state(f"{prefix}redundancy.power.{identifier(one)}", name, StateKind.POWER, one)
        if found is not None:
            told.states.append(found)
    return told


def supplies(found: Iterable[Resource], prefix: str) -> Told:
    """Read power supplies: how each is, what it gives and what it gets."""
    told = Told()
    for one in found:
        if is_absent(one):
            continue
        own = identifier(one)
        name = _supply_name(one)
        status = state(f"{prefix}psu.{own}", name, StateKind.POWER, one)
        if status is not None:
            told.states.append(status)
        for key, quantity, unit, value in (
            ("output", Quantity.POWER, "W", number(one, "PowerOutputWatts", "LastPowerOutputWatts")),
            ("input", Quantity.VOLTAGE, "V", number(one, "LineInputVoltage")),
        ):
            if value is not None:
                reading = judged(sensor(f"{prefix}psu.{own}.{key}", name, quantity, unit), value, {}, powered_off=False)
                told.readings += [reading] if reading is not None else []
    return told


def _supply_name(one: Resource) -> str:
    bay = whole(oem(one), "BayNumber")
    if bay is not None:
        return SUPPLY_NAMES.get(bay, f"{SUPPLY_NAME} {bay}")
    return text(one, "Name") or f"{SUPPLY_NAME} {identifier(one)}"


def consumption(metrics: Resource, prefix: str) -> Told:
    """Read what the machine draws from EnvironmentMetrics."""
    watts = number(nested(metrics, "PowerWatts"), "Reading")
    if watts is None:
        return Told()
    reading = judged(sensor(f"{prefix}{METER}", CONSUMPTION, Quantity.POWER, "W"), watts, {}, powered_off=False)
    return Told([reading] if reading is not None else [])


def drawn(source: Resource) -> PowerDrawn | None:
    """Read the meter of a Power resource; None where there is none."""
    for one in objects(source, "PowerControl"):
        watts = number(one, "PowerConsumedWatts")
        metrics = nested(one, "PowerMetrics")
        minutes = limit(metrics, "IntervalInMin")
        cap = limit(nested(one, "PowerLimit"), "LimitInWatts")
        if watts is not None or metrics or cap is not None:
            return PowerDrawn(
                watts=watts,
                minimum=number(metrics, "MinConsumedWatts"),
                average=number(metrics, "AverageConsumedWatts"),
                maximum=number(metrics, "MaxConsumedWatts"),
                over=timedelta(minutes=minutes) if minutes is not None else None,
                cap=cap,
            )
    return None


def drawn_by_metrics(metrics: Resource) -> PowerDrawn | None:
    """Read the meter of EnvironmentMetrics; None where there is none."""
    watts = nested(metrics, "PowerWatts")
    if number(watts, "Reading") is None:
        return None
    cap = nested(metrics, "PowerLimitWatts")
    seconds = limit(watts, "SensingInterval")
    return PowerDrawn(
        watts=number(watts, "Reading"),
        minimum=number(watts, "LowestReading"),
        average=number(watts, "AverageReading"),
        maximum=number(watts, "PeakReading"),
        over=timedelta(seconds=seconds) if seconds is not None else None,
        cap=None if cap.get("ControlMode") == "Disabled" else limit(cap, "SetPoint"),
    )


def items(found: Iterable[Resource], prefix: str) -> Iterable[InventoryItem]:
    """List power supplies."""
    for one in found:
        if is_absent(one):
            continue
        details: dict[str, str | int | float | None] = {
            "Manufacturer": text(one, "Manufacturer"),
            "Model": text(one, "Model"),
            "Serial number": text(one, "SerialNumber"),
            "Part number": text(one, "PartNumber", "SparePartNumber"),
            "Firmware": text(one, "FirmwareVersion"),
            "Highest output": with_unit(number(one, "PowerCapacityWatts"), "W"),
        }
        own = identifier(one)
        yield InventoryItem(InventoryKind.OTHER, f"{prefix}psu.{own}", _supply_name(one), verdict(one), known(details))
