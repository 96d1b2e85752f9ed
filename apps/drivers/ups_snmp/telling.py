"""From a unit to what the portal shows: readings, states, parts."""

from collections.abc import Iterator, Sequence

from apps.drivers.contract import (
    InventoryItem,
    InventoryKind,
    Limits,
    Quantity,
    Reading,
    State,
    StateKind,
    Status,
)
from apps.drivers.snmp.values import sensor
from apps.drivers.ups_snmp.unit import Alarm, Condition, Line, Outcome, Source, Unit

LOAD_LIMITS = Limits(upper_warning=90, upper_critical=100)

SOURCES = {
    Source.ONLINE: ("On line", Status.NORMAL),
    Source.BATTERY: ("On battery", Status.WARNING),
    Source.BATTERY_TEST: ("On battery for a test", Status.NORMAL),
    Source.BYPASS: ("On bypass", Status.WARNING),
    Source.FAULT_BYPASS: ("On bypass because of a fault", Status.CRITICAL),
    Source.BOOST: ("Raising a low voltage", Status.NORMAL),
    Source.TRIM: ("Lowering a high voltage", Status.NORMAL),
    Source.ECO: ("Economy mode", Status.NORMAL),
    Source.OFF: ("Output off", Status.CRITICAL),
    Source.SLEEPING: ("Output off until a set time", Status.WARNING),
    Source.RESTARTING: ("Restarting", Status.WARNING),
    Source.OTHER: ("Another source", Status.UNKNOWN),
}
CONDITIONS = {
    Condition.DEPLETED: ("Depleted", Status.CRITICAL),
    Condition.LOW: ("Low", Status.CRITICAL),
    Condition.FAULTY: ("Faulty", Status.CRITICAL),
    Condition.DISCONNECTED: ("Not connected", Status.CRITICAL),
    Condition.REPLACE: ("Needs to be replaced", Status.WARNING),
    Condition.UNKNOWN: ("Not known", Status.UNKNOWN),
    Condition.NORMAL: ("Normal", Status.NORMAL),
}
OUTCOMES = {
    Outcome.PASSED: ("Passed", Status.NORMAL),
    Outcome.WARNING: ("Passed with a warning", Status.WARNING),
    Outcome.FAILED: ("Failed", Status.WARNING),
    Outcome.ABORTED: ("Aborted", Status.NORMAL),
    Outcome.RUNNING: ("Running", Status.NORMAL),
    Outcome.NEVER: ("Not tested yet", Status.NORMAL),
}
# The well-known alarms of RFC 1628 (upsWellKnownAlarms): key, words, status, and the state that tells the same.
ALARMS = {
    1: ("battery-bad", "The battery needs to be replaced", Status.WARNING, "battery"),
    2: ("on-battery", "The UPS runs on battery", Status.WARNING, "source"),
    3: ("low-battery", "The battery is low", Status.CRITICAL, "battery"),
    4: ("depleted-battery", "The battery is depleted", Status.CRITICAL, "battery"),
    5: ("temperature", "The temperature is out of range", Status.WARNING, ""),
    6: ("input", "The input is out of range", Status.WARNING, ""),
    7: ("output", "The output is out of range", Status.CRITICAL, ""),
    8: ("overload", "The output is overloaded", Status.CRITICAL, ""),
    9: ("on-bypass", "The UPS runs on bypass", Status.WARNING, "source"),
    10: ("bypass", "The bypass is out of range", Status.WARNING, ""),
    11: ("output-off-as-requested", "The output was switched off as requested", Status.WARNING, "source"),
    12: ("off-as-requested", "The UPS was switched off as requested", Status.WARNING, "source"),
    13: ("charger", "The charger failed", Status.WARNING, ""),
    14: ("output-off", "The output is off", Status.CRITICAL, "source"),
    15: ("system-off", "The UPS is off", Status.CRITICAL, "source"),
    16: ("fan", "A fan failed", Status.WARNING, ""),
    17: ("fuse", "A fuse failed", Status.CRITICAL, ""),
    18: ("fault", "The UPS has a fault", Status.CRITICAL, ""),
    19: ("test", "The self test failed", Status.WARNING, "test"),
    20: ("communication", "The network card cannot talk to the UPS", Status.WARNING, ""),
    21: ("awaiting-power", "The output is off until power returns", Status.WARNING, "source"),
    22: ("shutdown-pending", "A shutdown is pending", Status.CRITICAL, ""),
    23: ("shutdown-imminent", "The output is about to be switched off", Status.CRITICAL, ""),
    24: ("test-in-progress", "A self test is running", Status.NORMAL, "test"),
}


def readings(unit: Unit) -> Iterator[Reading]:
    """Give what the unit measures; what it does not say is no sensor."""
    battery = unit.battery
    minutes = round(battery.runtime / 60, 1) if battery.runtime is not None else None
    whole = _whole_power(unit.outputs) if unit.power is None else unit.power
    loads = [line.load for line in unit.outputs if line.load is not None]
    worst = max(loads, default=unit.load)
    for key, name, quantity, unit_of, value in (
        ("battery.charge", "Battery charge", Quantity.CHARGE, "%", battery.charge),
        ("battery.runtime", "Battery runtime", Quantity.RUNTIME, "min", minutes),
        ("battery.temperature", "Battery temperature", Quantity.TEMPERATURE, "°C", battery.temperature),
        ("battery.voltage", "Battery voltage", Quantity.VOLTAGE, "V", battery.voltage),
        ("battery.current", "Battery current", Quantity.CURRENT, "A", battery.current),
        ("power", "Output power", Quantity.POWER, "W", whole),
        ("ambient.temperature", "Ambient temperature", Quantity.TEMPERATURE, "°C", unit.ambient_temperature),
    ):
        if value is not None:
            yield Reading(sensor(key, name, quantity, unit_of), value)
    if worst is not None:
        yield Reading(sensor("output.load", "Output load", Quantity.LOAD, "%", LOAD_LIMITS), worst)
    yield from _side("input", INPUT_NAMES, unit.inputs, unit.input_frequency)
    yield from _side("bypass", BYPASS_NAMES, unit.bypasses, unit.bypass_frequency)
    yield from _side("output", OUTPUT_NAMES, unit.outputs, unit.output_frequency)


INPUT_NAMES = ("Input voltage", "Input current", "Input power", "", "Input frequency")
BYPASS_NAMES = ("Bypass voltage", "Bypass current", "Bypass power", "", "Bypass frequency")
OUTPUT_NAMES = ("Output voltage", "Output current", "Output power", "Output load", "Output frequency")


def _side(part: str, names: Sequence[str], lines: Sequence[Line], frequency: float | None) -> Iterator[Reading]:
    several = len(lines) > 1
    for line in lines:
        suffix = f" L{line.number}" if several else ""
        for key, name, quantity, unit, value in (
            ("voltage", names[0], Quantity.VOLTAGE, "V", line.voltage),
            ("current", names[1], Quantity.CURRENT, "A", line.current),
            # One line is the whole output, which is told as such.
            ("power", names[2], Quantity.POWER, "W", line.power if several or part != "output" else None),
            ("load", names[3], Quantity.LOAD, "%", line.load if several else None),
        ):
            if value is not None:
                yield Reading(sensor(f"{part}.{line.number}.{key}", f"{name}{suffix}", quantity, unit), value)
    if frequency is not None:
        yield Reading(sensor(f"{part}.frequency", names[4], Quantity.FREQUENCY, "Hz"), frequency)


def _whole_power(lines: Sequence[Line]) -> float | None:
    powers = [line.power for line in lines if line.power is not None]
    return sum(powers) if powers and len(powers) == len(lines) else None


def states(unit: Unit) -> Iterator[State]:
    """Give where the power comes from, how the battery is, the last test, and each active alarm."""
    if unit.source is not None:
        word, status = SOURCES[unit.source]
        since = unit.battery.on_battery_since if unit.source is Source.BATTERY else None
        yield State("source", "Output source", StateKind.POWER, (word,), status, since)
    if unit.battery.conditions:
        # CONDITIONS is sorted by how bad they are; one that is bad leaves nothing normal.
        found = [CONDITIONS[one] for one in CONDITIONS if one in unit.battery.conditions]
        found = found[:-1] if len(found) > 1 and found[-1][1] is Status.NORMAL else found
        yield State("battery", "Battery", StateKind.BATTERY, tuple(word for word, _ in found), found[0][1])
    if unit.test is not None:
        word, status = OUTCOMES[unit.test.outcome]
        said = (unit.test.said,) if unit.test.said else ()
        yield State("test", "Self test", StateKind.TEST, (word, *said), status, unit.test.at)
    for alarm in unit.alarms:
        key, text, status, _ = _alarm(alarm)
        yield State(f"alarm.{key}", "Alarm", StateKind.ALARM, (text,), status, alarm.at)


def _alarm(alarm: Alarm) -> tuple[str, str, Status, str]:
    known = ALARMS.get(alarm.number or 0)
    own = (alarm.key, alarm.text, Status.CRITICAL if alarm.critical else Status.WARNING, "")
    return known if known is not None else own


def silent_alarms(unit: Unit, found: Sequence[State]) -> set[str]:
    """Give the keys of alarms that say again what another state says already: one cause is enough."""
    told = {state.key for state in found if state.status in (Status.WARNING, Status.CRITICAL)}
    return {f"alarm.{key}" for key, _, _, same in map(_alarm, unit.alarms) if same in told}


def parts(unit: Unit) -> Iterator[InventoryItem]:
    """List the battery."""
    if unit.battery.charge is not None or unit.battery.conditions:
        details: dict[str, str | int | float | None] = {}
        if unit.battery.replaced_on:
            details["Replaced on"] = unit.battery.replaced_on
        yield InventoryItem(InventoryKind.OTHER, "battery", "Battery", details=details)
