"""Eaton and Powerware (XUPS-MIB), for what UPS-MIB does not tell."""

from collections.abc import Iterator
from datetime import datetime

from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.values import Cells, Scalars, cell, indexes, line, number, object_identifier
from apps.drivers.ups_snmp import amounts
from apps.drivers.ups_snmp.rfc1628 import moment
from apps.drivers.ups_snmp.unit import Alarm, Battery, Condition, Line, Outcome, Source, Test, Unit

_UPS = "1.3.6.1.4.1.534.1"
MANUFACTURER = f"{_UPS}.1.1.0"
MODEL = f"{_UPS}.1.2.0"
SOFTWARE_VERSION = f"{_UPS}.1.3.0"
SECONDS_REMAINING = f"{_UPS}.2.1.0"
BATTERY_VOLTAGE = f"{_UPS}.2.2.0"
BATTERY_CURRENT = f"{_UPS}.2.3.0"
CAPACITY = f"{_UPS}.2.4.0"
BATTERY_STATE = f"{_UPS}.2.5.0"
REPLACED_ON = f"{_UPS}.2.6.0"
BATTERY_FAILURE = f"{_UPS}.2.7.0"
BATTERY_AGED = f"{_UPS}.2.9.0"
BATTERY_LOW = f"{_UPS}.2.10.0"
INPUT_FREQUENCY = f"{_UPS}.3.1.0"
INPUT_PHASES = f"{_UPS}.3.3.0"
OUTPUT_LOAD = f"{_UPS}.4.1.0"
OUTPUT_FREQUENCY = f"{_UPS}.4.2.0"
OUTPUT_PHASES = f"{_UPS}.4.3.0"
OUTPUT_SOURCE = f"{_UPS}.4.5.0"
BYPASS_FREQUENCY = f"{_UPS}.5.1.0"
BYPASS_PHASES = f"{_UPS}.5.2.0"
AMBIENT_TEMPERATURE = f"{_UPS}.6.1.0"
TEST_STATUS = f"{_UPS}.8.2.0"

INPUT_VOLTAGE = f"{_UPS}.3.4.1.2"
INPUT_CURRENT = f"{_UPS}.3.4.1.3"
INPUT_POWER = f"{_UPS}.3.4.1.4"
OUTPUT_VOLTAGE = f"{_UPS}.4.4.1.2"
OUTPUT_CURRENT = f"{_UPS}.4.4.1.3"
OUTPUT_POWER = f"{_UPS}.4.4.1.4"
BYPASS_VOLTAGE = f"{_UPS}.5.3.1.2"
ALARM_DESCR = f"{_UPS}.7.2.1.2"
ALARM_TIME = f"{_UPS}.7.2.1.3"
KNOWN_ALARMS = f"{_UPS}.7"

MIB = Mib(
    "XUPS-MIB",
    root=_UPS,
    scalars=(
        MANUFACTURER,
        MODEL,
        SOFTWARE_VERSION,
        SECONDS_REMAINING,
        BATTERY_VOLTAGE,
        BATTERY_CURRENT,
        CAPACITY,
        BATTERY_STATE,
        REPLACED_ON,
        BATTERY_FAILURE,
        BATTERY_AGED,
        BATTERY_LOW,
        INPUT_FREQUENCY,
        INPUT_PHASES,
        OUTPUT_LOAD,
        OUTPUT_FREQUENCY,
        OUTPUT_PHASES,
        OUTPUT_SOURCE,
        BYPASS_FREQUENCY,
        BYPASS_PHASES,
        AMBIENT_TEMPERATURE,
        TEST_STATUS,
    ),
    columns=(
        INPUT_VOLTAGE,
        INPUT_CURRENT,
        INPUT_POWER,
        OUTPUT_VOLTAGE,
        OUTPUT_CURRENT,
        OUTPUT_POWER,
        BYPASS_VOLTAGE,
    ),
    of_events=(ALARM_DESCR, ALARM_TIME),
    rows_at_once=4,
)

_SOURCES = {
    1: Source.OTHER,
    2: Source.OFF,
    3: Source.ONLINE,
    4: Source.BYPASS,
    5: Source.BATTERY,
    6: Source.BOOST,
    7: Source.TRIM,
    8: Source.ONLINE,  # parallel, for capacity
    9: Source.ONLINE,  # parallel, for redundancy
    10: Source.ECO,
    11: Source.BYPASS,  # for maintenance
    12: Source.ECO,
}
_BATTERY_STATES = {
    **dict.fromkeys((1, 2, 3, 4, 7), Condition.NORMAL),  # charging, discharging, floating, resting, under test
    5: Condition.UNKNOWN,
    6: Condition.DISCONNECTED,
    8: Condition.FAULTY,
}
_OUTCOMES = {2: Outcome.PASSED, 3: Outcome.FAILED, 4: Outcome.RUNNING, 6: Outcome.ABORTED}
_ALARMS = {3: 2, 4: 3, 7: 8, 8: 18, 9: 4, 10: 18, 11: 9, 12: 10, 13: 14, 14: 6, 16: 23}  # theirs → RFC 1628's
_IGNORED = {5, 6, 17}  # power is back, battery is well again, on inverter: no alarms
_YES, _FOREVER = 1, 65535


def unit(scalars: Scalars, cells: Cells, now: datetime) -> Unit:
    """Read the MIB's values."""
    return Unit(
        manufacturer=line(scalars.get(MANUFACTURER)),
        model=line(scalars.get(MODEL)),
        firmware=line(scalars.get(SOFTWARE_VERSION)),
        source=_SOURCES.get(number(scalars.get(OUTPUT_SOURCE)) or 0),
        battery=_battery(scalars),
        inputs=_lines(scalars, cells, INPUT_PHASES, (INPUT_VOLTAGE, INPUT_CURRENT, INPUT_POWER)),
        input_frequency=amounts.hertz(scalars.get(INPUT_FREQUENCY)),
        bypasses=_lines(scalars, cells, BYPASS_PHASES, (BYPASS_VOLTAGE, "", "")),
        bypass_frequency=amounts.hertz(scalars.get(BYPASS_FREQUENCY)),
        outputs=_lines(scalars, cells, OUTPUT_PHASES, (OUTPUT_VOLTAGE, OUTPUT_CURRENT, OUTPUT_POWER)),
        output_frequency=amounts.hertz(scalars.get(OUTPUT_FREQUENCY)),
        load=amounts.load(scalars.get(OUTPUT_LOAD)),
        ambient_temperature=amounts.celsius(scalars.get(AMBIENT_TEMPERATURE)),
        alarms=tuple(_alarms(scalars, cells, now)),
        test=_test(scalars),
    )


def _battery(scalars: Scalars) -> Battery:
    conditions = {_BATTERY_STATES.get(number(scalars.get(BATTERY_STATE)) or 0)}
    for oid, condition in (
        (BATTERY_FAILURE, Condition.FAULTY),
        (BATTERY_AGED, Condition.REPLACE),
        (BATTERY_LOW, Condition.LOW),
    ):
        if number(scalars.get(oid)) == _YES:
            conditions.add(condition)
    conditions.discard(None)
    seconds = amounts.within(scalars.get(SECONDS_REMAINING), 0, 10_000_000)
    return Battery(
        conditions=tuple(condition for condition in Condition if condition in conditions) or None,
        charge=amounts.percent(scalars.get(CAPACITY)),
        runtime=seconds if seconds != _FOREVER else None,
        voltage=amounts.within(scalars.get(BATTERY_VOLTAGE), 0, 2000),
        current=amounts.within(scalars.get(BATTERY_CURRENT), -10_000, 10_000),
        replaced_on=line(scalars.get(REPLACED_ON)),
    )


def _lines(scalars: Scalars, cells: Cells, phases: str, columns: tuple[str, str, str]) -> tuple[Line, ...]:
    most = number(scalars.get(phases))
    voltage, current, power = columns
    return tuple(
        Line(
            int(index),
            voltage=amounts.volts(cell(cells, voltage, index)),
            current=amounts.amperes(cell(cells, current, index), 1.0),
            power=amounts.positive(cell(cells, power, index)),
        )
        for index in indexes(cells, *columns)
        if index.isdigit() and (most is None or int(index) <= most)
    )


def _alarms(scalars: Scalars, cells: Cells, now: datetime) -> Iterator[Alarm]:
    for index in indexes(cells, ALARM_DESCR):
        said = object_identifier(cell(cells, ALARM_DESCR, index))
        if said is None:
            continue
        place = int(said.split(".")[-1]) if said.startswith(f"{KNOWN_ALARMS}.") else 0
        if place not in _IGNORED:
            at = moment(cell(cells, ALARM_TIME, index), scalars, now)
            yield Alarm(said, said, _ALARMS.get(place), at=at)


def _test(scalars: Scalars) -> Test | None:
    outcome = _OUTCOMES.get(number(scalars.get(TEST_STATUS)) or 0)
    return Test(outcome) if outcome is not None else None
