"""APC and its descendants, NEC's Smart-UPS among them (PowerNet-MIB).

Rack PDUs have the same cards and are often registered with them: they say who they are and what they give.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.values import Cells, Scalars, cell, indexes, line, number, ticks
from apps.drivers.ups_snmp import amounts
from apps.drivers.ups_snmp.unit import Alarm, Battery, Condition, Line, Outcome, Source, Test, Unit

_UPS, _PDU, _PROBE = "1.3.6.1.4.1.318.1.1.1", "1.3.6.1.4.1.318.1.1.12", "1.3.6.1.4.1.318.1.1.10.2.3.2.1"
MODEL = f"{_UPS}.1.1.1.0"
NAME = f"{_UPS}.1.1.2.0"
FIRMWARE = f"{_UPS}.1.2.1.0"
SERIAL_NUMBER = f"{_UPS}.1.2.3.0"
BATTERY_STATUS = f"{_UPS}.2.1.1.0"
TIME_ON_BATTERY = f"{_UPS}.2.1.2.0"
REPLACED_ON = f"{_UPS}.2.1.3.0"
CAPACITY = f"{_UPS}.2.2.1.0"
BATTERY_TEMPERATURE = f"{_UPS}.2.2.2.0"
TIME_REMAINING = f"{_UPS}.2.2.3.0"
REPLACE_INDICATOR = f"{_UPS}.2.2.4.0"
BAD_PACKS = f"{_UPS}.2.2.6.0"
BATTERY_VOLTAGE = f"{_UPS}.2.2.8.0"
BATTERY_CURRENT = f"{_UPS}.2.2.9.0"
PRECISE_CAPACITY = f"{_UPS}.2.3.1.0"
PRECISE_BATTERY_TEMPERATURE = f"{_UPS}.2.3.2.0"
PRECISE_BATTERY_VOLTAGE = f"{_UPS}.2.3.4.0"
PRECISE_BATTERY_CURRENT = f"{_UPS}.2.3.5.0"
INPUT_VOLTAGE = f"{_UPS}.3.2.1.0"
INPUT_FREQUENCY = f"{_UPS}.3.2.4.0"
PRECISE_INPUT_VOLTAGE = f"{_UPS}.3.3.1.0"
PRECISE_INPUT_FREQUENCY = f"{_UPS}.3.3.4.0"
OUTPUT_STATUS = f"{_UPS}.4.1.1.0"
OUTPUT_VOLTAGE = f"{_UPS}.4.2.1.0"
OUTPUT_FREQUENCY = f"{_UPS}.4.2.2.0"
OUTPUT_LOAD = f"{_UPS}.4.2.3.0"
OUTPUT_CURRENT = f"{_UPS}.4.2.4.0"
OUTPUT_POWER = f"{_UPS}.4.2.8.0"
PRECISE_OUTPUT_VOLTAGE = f"{_UPS}.4.3.1.0"
PRECISE_OUTPUT_FREQUENCY = f"{_UPS}.4.3.2.0"
PRECISE_OUTPUT_LOAD = f"{_UPS}.4.3.3.0"
PRECISE_OUTPUT_CURRENT = f"{_UPS}.4.3.4.0"
TEST_RESULT = f"{_UPS}.7.2.3.0"
TEST_DATE = f"{_UPS}.7.2.4.0"
COMMUNICATION = f"{_UPS}.8.1.0"
FLAGS = f"{_UPS}.11.1.1.0"
PDU_FIRMWARE = f"{_PDU}.1.3.0"
PDU_MODEL = f"{_PDU}.1.5.0"
PDU_SERIAL_NUMBER = f"{_PDU}.1.6.0"
PDU_POWER = f"{_PDU}.1.16.0"

PHASE_INPUT_VOLTAGE = f"{_UPS}.9.2.3.1.3"
PHASE_INPUT_CURRENT = f"{_UPS}.9.2.3.1.6"
PHASE_OUTPUT_VOLTAGE = f"{_UPS}.9.3.3.1.3"
PHASE_OUTPUT_CURRENT = f"{_UPS}.9.3.3.1.4"
PHASE_OUTPUT_LOAD = f"{_UPS}.9.3.3.1.10"
PHASE_OUTPUT_POWER = f"{_UPS}.9.3.3.1.13"
PROBE_TEMPERATURE = f"{_PROBE}.4"
PROBE_UNIT = f"{_PROBE}.5"

MIB = Mib(
    "PowerNet-MIB",
    root=_UPS,
    scalars=(
        MODEL,
        NAME,
        FIRMWARE,
        SERIAL_NUMBER,
        BATTERY_STATUS,
        TIME_ON_BATTERY,
        REPLACED_ON,
        CAPACITY,
        BATTERY_TEMPERATURE,
        TIME_REMAINING,
        REPLACE_INDICATOR,
        BAD_PACKS,
        BATTERY_VOLTAGE,
        BATTERY_CURRENT,
        PRECISE_CAPACITY,
        PRECISE_BATTERY_TEMPERATURE,
        PRECISE_BATTERY_VOLTAGE,
        PRECISE_BATTERY_CURRENT,
        INPUT_VOLTAGE,
        INPUT_FREQUENCY,
        PRECISE_INPUT_VOLTAGE,
        PRECISE_INPUT_FREQUENCY,
        OUTPUT_STATUS,
        OUTPUT_VOLTAGE,
        OUTPUT_FREQUENCY,
        OUTPUT_LOAD,
        OUTPUT_CURRENT,
        OUTPUT_POWER,
        PRECISE_OUTPUT_VOLTAGE,
        PRECISE_OUTPUT_FREQUENCY,
        PRECISE_OUTPUT_LOAD,
        PRECISE_OUTPUT_CURRENT,
        TEST_RESULT,
        TEST_DATE,
        COMMUNICATION,
        FLAGS,
    ),
    columns=(
        PHASE_INPUT_VOLTAGE,
        PHASE_INPUT_CURRENT,
        PHASE_OUTPUT_VOLTAGE,
        PHASE_OUTPUT_CURRENT,
        PHASE_OUTPUT_LOAD,
        PHASE_OUTPUT_POWER,
        PROBE_TEMPERATURE,
        PROBE_UNIT,
    ),
    rows_at_once=4,
)
PDU = Mib("PowerNet-MIB (PDU)", root=_PDU, scalars=(PDU_FIRMWARE, PDU_MODEL, PDU_SERIAL_NUMBER, PDU_POWER))

_SOURCES = {
    2: Source.ONLINE,
    3: Source.BATTERY,
    4: Source.BOOST,
    5: Source.SLEEPING,
    6: Source.BYPASS,
    7: Source.OFF,
    8: Source.RESTARTING,
    9: Source.BYPASS,
    10: Source.FAULT_BYPASS,
    11: Source.SLEEPING,
    12: Source.TRIM,
    13: Source.ECO,
    14: Source.ONLINE,  # hot standby
    15: Source.BATTERY_TEST,
    16: Source.FAULT_BYPASS,
    17: Source.BYPASS,
    18: Source.ECO,
    19: Source.ONLINE,
    20: Source.ECO,
    21: Source.ONLINE,
    22: Source.ONLINE,
    23: Source.ONLINE,
    24: Source.BATTERY,
    25: Source.ONLINE,
    26: Source.ONLINE,
    27: Source.ONLINE,
    28: Source.BATTERY_TEST,
}
_CONDITIONS = {1: Condition.UNKNOWN, 2: Condition.NORMAL, 3: Condition.LOW, 4: Condition.FAULTY}
_OUTCOMES = {1: Outcome.PASSED, 2: Outcome.FAILED, 3: Outcome.ABORTED, 4: Outcome.RUNNING}
_TO_BE_REPLACED, _NO_COMMUNICATION, _FAHRENHEIT = 2, 2, 2

# upsBasicStateOutputState: a text of flags, counted from 1, and what each is among the well-known alarms of RFC 1628.
# What the output status and the battery status say already is not among them.
_FLAGS = {
    9: 8,
    22: 22,
    24: 7,
    25: 13,
    26: 5,
    27: 5,
    28: 5,
    37: 18,
    38: 18,
    41: 16,
    42: 18,
    43: 18,
    45: 5,
    47: 10,
    48: 18,
    49: 18,
    50: 18,
    56: 20,
}
_OWN_FLAGS = {33: "No battery is connected", 53: "Emergency power off"}


def unit(scalars: Scalars, cells: Cells, now: datetime) -> Unit:
    """Read the MIB's values: where there is a precise one, that one."""
    phases = [PHASE_INPUT_VOLTAGE, PHASE_INPUT_CURRENT, "", ""]
    inputs = _phases(cells, phases) or _line(
        _either(scalars, PRECISE_INPUT_VOLTAGE, INPUT_VOLTAGE, 0, 10_000),
    )
    outputs = _phases(
        cells, [PHASE_OUTPUT_VOLTAGE, PHASE_OUTPUT_CURRENT, PHASE_OUTPUT_POWER, PHASE_OUTPUT_LOAD]
    ) or _line(
        _either(scalars, PRECISE_OUTPUT_VOLTAGE, OUTPUT_VOLTAGE, 0, 10_000),
        _either(scalars, PRECISE_OUTPUT_CURRENT, OUTPUT_CURRENT, 0, 100_000),
        amounts.watts(scalars.get(OUTPUT_POWER)),
    )
    says_ups = scalars.get(OUTPUT_STATUS) is not None
    return Unit(
        manufacturer="APC" if says_ups or scalars.get(PDU_MODEL) is not None else None,
        model=line(scalars.get(MODEL)) or line(scalars.get(PDU_MODEL)),
        firmware=line(scalars.get(FIRMWARE)) or line(scalars.get(PDU_FIRMWARE)),
        serial_number=line(scalars.get(SERIAL_NUMBER)) or line(scalars.get(PDU_SERIAL_NUMBER)),
        name=line(scalars.get(NAME)),
        source=_SOURCES.get(number(scalars.get(OUTPUT_STATUS)) or 0),
        battery=_battery(scalars, now),
        inputs=inputs,
        input_frequency=_either(scalars, PRECISE_INPUT_FREQUENCY, INPUT_FREQUENCY, 1, 1000),
        outputs=outputs,
        output_frequency=_either(scalars, PRECISE_OUTPUT_FREQUENCY, OUTPUT_FREQUENCY, 1, 1000),
        load=_either(scalars, PRECISE_OUTPUT_LOAD, OUTPUT_LOAD, 0, 3000),
        power=amounts.watts(scalars.get(PDU_POWER)),
        ambient_temperature=_ambient(cells),
        alarms=tuple(_alarms(scalars)),
        test=_test(scalars),
    )


def _battery(scalars: Scalars, now: datetime) -> Battery:
    condition = _CONDITIONS.get(number(scalars.get(BATTERY_STATUS)) or 0)
    conditions = [condition] if condition is not None else []
    if number(scalars.get(REPLACE_INDICATOR)) == _TO_BE_REPLACED or (number(scalars.get(BAD_PACKS)) or 0) > 0:
        conditions.append(Condition.REPLACE)
    remaining, on_battery = (ticks(scalars.get(oid)) for oid in (TIME_REMAINING, TIME_ON_BATTERY))
    return Battery(
        conditions=tuple(conditions) or None,
        charge=_either(scalars, PRECISE_CAPACITY, CAPACITY, 0, 1000),
        runtime=remaining.total_seconds() if remaining else None,
        temperature=_either(scalars, PRECISE_BATTERY_TEMPERATURE, BATTERY_TEMPERATURE, 1, 1500),
        voltage=_either(scalars, PRECISE_BATTERY_VOLTAGE, BATTERY_VOLTAGE, 1, 20_000),
        current=_either(scalars, PRECISE_BATTERY_CURRENT, BATTERY_CURRENT, 0, 100_000),
        on_battery_since=now - on_battery if on_battery else None,
        replaced_on=line(scalars.get(REPLACED_ON)),
    )


def _either(scalars: Scalars, precise: str, plain: str, lowest: float, highest: float) -> float | None:
    """Give a value that some cards know in tenths and others in wholes; the limits are in tenths."""
    found = amounts.within(scalars.get(precise), lowest, highest, 0.1)
    return found if found is not None else amounts.within(scalars.get(plain), lowest / 10, highest / 10)


def _line(voltage: float | None, current: float | None = None, power: float | None = None) -> tuple[Line, ...]:
    found = Line(1, voltage, current, power)
    return (found,) if (voltage, current, power) != (None, None, None) else ()


def _phases(cells: Cells, columns: list[str]) -> tuple[Line, ...]:
    """Read the lines of a unit with several; with one only, the simple values are more precise."""
    voltage, current, power, load = columns
    rows = indexes(cells, *columns)
    found = tuple(
        Line(
            place,
            voltage=amounts.volts(cell(cells, voltage, index)),
            current=amounts.amperes(cell(cells, current, index)),
            power=amounts.watts(cell(cells, power, index)),
            load=amounts.load(cell(cells, load, index)),
        )
        # The first number of an index is that of the input or output; only the first of these is its main one.
        for place, index in enumerate((row for row in rows if row.split(".")[0] == "1"), 1)
    )
    return found if len(found) > 1 else ()


def _ambient(cells: Cells) -> float | None:
    for index in indexes(cells, PROBE_TEMPERATURE):
        value = amounts.within(cell(cells, PROBE_TEMPERATURE, index), 1, 250)
        if value is not None:
            is_fahrenheit = number(cell(cells, PROBE_UNIT, index)) == _FAHRENHEIT
            return round((value - 32) / 1.8, 1) if is_fahrenheit else value
    return None


def _alarms(scalars: Scalars) -> Iterator[Alarm]:
    told = set()
    flags = line(scalars.get(FLAGS)) or ""
    for place, flag in enumerate(flags, 1):
        known = _FLAGS.get(place)
        if flag != "1" or known in told:
            continue
        if known is not None:
            told.add(known)
            yield Alarm(f"flag-{place}", "", known)
        elif place in _OWN_FLAGS:
            yield Alarm(f"flag-{place}", _OWN_FLAGS[place], critical=True)
    if number(scalars.get(COMMUNICATION)) == _NO_COMMUNICATION and 20 not in told:
        yield Alarm("communication", "", 20)


def _test(scalars: Scalars) -> Test | None:
    outcome = _OUTCOMES.get(number(scalars.get(TEST_RESULT)) or 0)
    if outcome is None:
        return None
    said = line(scalars.get(TEST_DATE)) or ""
    try:
        # mm/dd/yyyy of the card's own clock; the time of day is not told.
        at = datetime.strptime(said, "%m/%d/%Y").replace(tzinfo=UTC)
    except ValueError:
        known = said and said.casefold() != "unknown"
        return Test(outcome, said=said) if known else Test(outcome)
    return Test(outcome, at)
