"""UPS-MIB (RFC 1628)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from apps.drivers.snmp import oids
from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.values import Cells, Scalars, cell, indexes, line, number, object_identifier, ticks
from apps.drivers.ups_snmp import amounts
from apps.drivers.ups_snmp.unit import Alarm, Battery, Condition, Line, Outcome, Source, Test, Unit

_UPS = "1.3.6.1.2.1.33.1"
IDENT_MANUFACTURER = f"{_UPS}.1.1.0"
IDENT_MODEL = f"{_UPS}.1.2.0"
IDENT_SOFTWARE_VERSION = f"{_UPS}.1.3.0"
IDENT_NAME = f"{_UPS}.1.5.0"
BATTERY_STATUS = f"{_UPS}.2.1.0"
SECONDS_ON_BATTERY = f"{_UPS}.2.2.0"
MINUTES_REMAINING = f"{_UPS}.2.3.0"
CHARGE_REMAINING = f"{_UPS}.2.4.0"
BATTERY_VOLTAGE = f"{_UPS}.2.5.0"
BATTERY_CURRENT = f"{_UPS}.2.6.0"
BATTERY_TEMPERATURE = f"{_UPS}.2.7.0"
INPUT_LINES = f"{_UPS}.3.2.0"
OUTPUT_SOURCE = f"{_UPS}.4.1.0"
OUTPUT_FREQUENCY = f"{_UPS}.4.2.0"
OUTPUT_LINES = f"{_UPS}.4.3.0"
BYPASS_FREQUENCY = f"{_UPS}.5.1.0"
BYPASS_LINES = f"{_UPS}.5.2.0"
TEST_RESULT = f"{_UPS}.7.3.0"
TEST_DETAIL = f"{_UPS}.7.4.0"
TEST_START = f"{_UPS}.7.5.0"
RATED_VA = f"{_UPS}.9.5.0"

INPUT_FREQUENCY = f"{_UPS}.3.3.1.2"
INPUT_VOLTAGE = f"{_UPS}.3.3.1.3"
INPUT_CURRENT = f"{_UPS}.3.3.1.4"
INPUT_POWER = f"{_UPS}.3.3.1.5"
OUTPUT_VOLTAGE = f"{_UPS}.4.4.1.2"
OUTPUT_CURRENT = f"{_UPS}.4.4.1.3"
OUTPUT_POWER = f"{_UPS}.4.4.1.4"
OUTPUT_LOAD = f"{_UPS}.4.4.1.5"
BYPASS_VOLTAGE = f"{_UPS}.5.3.1.2"
ALARM_DESCR = f"{_UPS}.6.2.1.2"
ALARM_TIME = f"{_UPS}.6.2.1.3"
WELL_KNOWN_ALARMS = f"{_UPS}.6.3"

MIB = Mib(
    "UPS-MIB",
    root="1.3.6.1.2.1.33",
    scalars=(
        IDENT_MANUFACTURER,
        IDENT_MODEL,
        IDENT_SOFTWARE_VERSION,
        IDENT_NAME,
        BATTERY_STATUS,
        SECONDS_ON_BATTERY,
        MINUTES_REMAINING,
        CHARGE_REMAINING,
        BATTERY_VOLTAGE,
        BATTERY_CURRENT,
        BATTERY_TEMPERATURE,
        INPUT_LINES,
        OUTPUT_SOURCE,
        OUTPUT_FREQUENCY,
        OUTPUT_LINES,
        BYPASS_FREQUENCY,
        BYPASS_LINES,
        TEST_RESULT,
        TEST_DETAIL,
        TEST_START,
        RATED_VA,
    ),
    columns=(
        INPUT_FREQUENCY,
        INPUT_VOLTAGE,
        INPUT_CURRENT,
        INPUT_POWER,
        OUTPUT_VOLTAGE,
        OUTPUT_CURRENT,
        OUTPUT_POWER,
        OUTPUT_LOAD,
        BYPASS_VOLTAGE,
    ),
    of_events=(ALARM_DESCR, ALARM_TIME),
    rows_at_once=4,
)

_CONDITIONS = {1: Condition.UNKNOWN, 2: Condition.NORMAL, 3: Condition.LOW, 4: Condition.DEPLETED}
_SOURCES = {
    1: Source.OTHER,
    2: Source.OFF,
    3: Source.ONLINE,
    4: Source.BYPASS,
    5: Source.BATTERY,
    6: Source.BOOST,
    7: Source.TRIM,
}
_OUTCOMES = {
    1: Outcome.PASSED,
    2: Outcome.WARNING,
    3: Outcome.FAILED,
    4: Outcome.ABORTED,
    5: Outcome.RUNNING,
    6: Outcome.NEVER,
}


def unit(scalars: Scalars, cells: Cells, now: datetime) -> Unit:
    """Read the MIB's values, kindly: agents have other units than they should, and lines that are none."""
    battery = _battery(scalars, now)
    inputs = _lines(scalars, cells, INPUT_LINES, (INPUT_VOLTAGE, INPUT_CURRENT, INPUT_POWER, ""))
    if not any(each.power for each in inputs):
        # An input takes what the output gives: zeros everywhere are how agents say that they do not measure it.
        inputs = tuple(replace(each, power=None) for each in inputs)
    outputs = _lines(scalars, cells, OUTPUT_LINES, (OUTPUT_VOLTAGE, OUTPUT_CURRENT, OUTPUT_POWER, OUTPUT_LOAD))
    bypasses = _lines(scalars, cells, BYPASS_LINES, (BYPASS_VOLTAGE, "", "", ""))
    frequencies = [found for each in cells.get(INPUT_FREQUENCY, {}).values() if (found := amounts.hertz(each))]
    return Unit(
        manufacturer=line(scalars.get(IDENT_MANUFACTURER)),
        model=line(scalars.get(IDENT_MODEL)),
        firmware=line(scalars.get(IDENT_SOFTWARE_VERSION)),
        name=line(scalars.get(IDENT_NAME)),
        rated_power=amounts.positive(scalars.get(RATED_VA)),
        source=_SOURCES.get(number(scalars.get(OUTPUT_SOURCE)) or 0),
        battery=battery,
        inputs=inputs,
        input_frequency=frequencies[0] if frequencies and inputs else None,
        bypasses=bypasses,
        bypass_frequency=amounts.hertz(scalars.get(BYPASS_FREQUENCY)) if bypasses else None,
        outputs=outputs,
        output_frequency=amounts.hertz(scalars.get(OUTPUT_FREQUENCY)) if outputs else None,
        alarms=tuple(_alarms(scalars, cells, now)),
        test=_test(scalars, now),
    )


def _battery(scalars: Scalars, now: datetime) -> Battery:
    condition = _CONDITIONS.get(number(scalars.get(BATTERY_STATUS)) or 0)
    on_battery = amounts.positive(scalars.get(SECONDS_ON_BATTERY))
    charge = amounts.percent(scalars.get(CHARGE_REMAINING))
    minutes = amounts.within(scalars.get(MINUTES_REMAINING), 0, 60_000)
    if minutes == 0 and condition is Condition.NORMAL and charge:
        minutes = None  # a battery that is well and charged lasts longer than no time at all
    return Battery(
        conditions=(condition,) if condition else None,
        charge=charge,
        runtime=minutes * 60 if minutes is not None else None,
        temperature=amounts.within(scalars.get(BATTERY_TEMPERATURE), 0, 150),
        voltage=amounts.within(scalars.get(BATTERY_VOLTAGE), 0, 20_000, 0.1),
        current=amounts.within(scalars.get(BATTERY_CURRENT), -100_000, 100_000, 0.1),
        on_battery_since=now - timedelta(seconds=on_battery) if on_battery else None,
    )


def _lines(scalars: Scalars, cells: Cells, lines: str, columns: tuple[str, str, str, str]) -> tuple[Line, ...]:
    voltage, current, power, load = columns
    most = number(scalars.get(lines))
    found = []
    for index in indexes(cells, voltage, current, power, load):
        place = int(index.split(".")[0])
        if most is None or place <= most:
            found.append(
                Line(
                    place,
                    voltage=amounts.volts(cell(cells, voltage, index)),
                    current=amounts.amperes(cell(cells, current, index)),
                    power=amounts.watts(cell(cells, power, index)),
                    load=amounts.load(cell(cells, load, index)),
                )
            )
    return tuple(found)


def _alarms(scalars: Scalars, cells: Cells, now: datetime) -> Iterator[Alarm]:
    for index in indexes(cells, ALARM_DESCR):
        said = object_identifier(cell(cells, ALARM_DESCR, index))
        if said is None:
            continue
        known = said.startswith(f"{WELL_KNOWN_ALARMS}.")
        yield Alarm(
            key=said,
            text=said,
            number=int(said.split(".")[-1]) if known else None,
            at=moment(cell(cells, ALARM_TIME, index), scalars, now),
        )


def moment(value: Any, scalars: Scalars, now: datetime) -> datetime | None:
    """Give the time of a TimeStamp (sysUpTime when it happened, RFC 2579); 0 is "before the agent started"."""
    then, up = ticks(value), ticks(scalars.get(oids.SYS_UP_TIME))
    return now - (up - then) if then and up and up >= then else None


def _test(scalars: Scalars, now: datetime) -> Test | None:
    outcome = _OUTCOMES.get(number(scalars.get(TEST_RESULT)) or 0)
    if outcome is None:
        return None
    at = None if outcome is Outcome.NEVER else moment(scalars.get(TEST_START), scalars, now)
    return Test(outcome, at, line(scalars.get(TEST_DETAIL)))
