"""What is made of the values of a UPS: kindly read amounts, several MIBs put together, and what each word means."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.drivers.contract import Status
from apps.drivers.snmp import oids
from apps.drivers.ups_snmp import amounts, liebert, powernet, rfc1628, telling, xups
from apps.drivers.ups_snmp.unit import Alarm, Battery, Condition, Line, Outcome, Source, Unit
from apps.drivers.ups_snmp.unit import Test as SelfTest

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def worst(unit: Unit) -> dict[str, tuple[str, Status]]:
    return {state.key: (state.words[0], state.status) for state in telling.states(unit)}


@pytest.mark.parametrize(
    ("source", "status"),
    [
        (Source.ONLINE, Status.NORMAL),
        (Source.BATTERY, Status.WARNING),
        (Source.BYPASS, Status.WARNING),
        (Source.FAULT_BYPASS, Status.CRITICAL),
        (Source.OFF, Status.CRITICAL),
        (Source.BATTERY_TEST, Status.NORMAL),
        (Source.OTHER, Status.UNKNOWN),
    ],
)
def test_where_the_power_comes_from_decides(source: Source, status: Status) -> None:
    assert worst(Unit(source=source))["source"][1] is status


@pytest.mark.parametrize(
    ("conditions", "words", "status"),
    [
        ((Condition.NORMAL,), ("Normal",), Status.NORMAL),
        ((Condition.NORMAL, Condition.REPLACE), ("Needs to be replaced",), Status.WARNING),
        ((Condition.REPLACE, Condition.LOW), ("Low", "Needs to be replaced"), Status.CRITICAL),
        ((Condition.DEPLETED,), ("Depleted",), Status.CRITICAL),
        ((Condition.UNKNOWN,), ("Not known",), Status.UNKNOWN),
    ],
)
def test_a_battery_says_the_worst_first(conditions, words, status) -> None:
    (state,) = telling.states(Unit(battery=Battery(conditions=conditions)))
    assert (state.words, state.status) == (words, status)


def test_every_source_condition_and_outcome_has_its_words_and_a_good_one_makes_no_fact() -> None:
    assert telling.SOURCES.keys() == set(Source)
    assert telling.CONDITIONS.keys() == set(Condition)
    assert telling.OUTCOMES.keys() == set(Outcome)
    assert list(telling.ALARMS) == list(range(1, 25))  # upsWellKnownAlarms of RFC 1628
    assert len({key for key, *_ in telling.ALARMS.values()}) == 24
    (state,) = telling.states(Unit(source=Source.ONLINE))
    assert state.fact is None


def test_an_alarm_that_says_what_a_state_says_already_is_shown_but_is_no_second_cause() -> None:
    unit = Unit(source=Source.BATTERY, alarms=(Alarm("x", "x", 2), Alarm("y", "y", 8)))
    found = list(telling.states(unit))
    assert [state.key for state in found] == ["source", "alarm.on-battery", "alarm.overload"]
    assert telling.silent_alarms(unit, found) == {"alarm.on-battery"}
    online = Unit(source=Source.ONLINE, alarms=(Alarm("x", "x", 2),))
    assert telling.silent_alarms(online, list(telling.states(online))) == set()


def test_the_standard_counts_and_the_maker_fills_in() -> None:
    standard = Unit(model="A", battery=Battery((Condition.NORMAL,), charge=80), outputs=(Line(1, voltage=230),))
    maker = Unit(
        model="B",
        serial_number="1",
        battery=Battery((Condition.REPLACE,), charge=81, temperature=30),
        outputs=(Line(1, voltage=231, load=40), Line(2, voltage=1)),
        test=SelfTest(Outcome.PASSED, NOW),
    )
    both = standard.completed(maker)
    assert (both.model, both.serial_number, both.test) == ("A", "1", maker.test)
    assert both.battery == Battery((Condition.NORMAL, Condition.REPLACE), charge=80, temperature=30)
    assert both.outputs == (Line(1, voltage=230, load=40),)


@pytest.mark.parametrize(
    ("read", "value", "seen"),
    [
        (amounts.volts, 230, 230.0),
        (amounts.volts, 2369, 236.9),
        (amounts.volts, -1, None),
        (amounts.hertz, 500, 50.0),
        (amounts.hertz, 4999, 49.99),
        (amounts.hertz, 0, None),
        (amounts.percent, 100, 100.0),
        (amounts.percent, 101, None),
        (amounts.load, 104, 104.0),
        (amounts.amperes, 183, 18.3),
        (amounts.celsius, 255, None),
        (amounts.watts, b"410", 410.0),
        (amounts.positive, 2**31 - 1, None),
    ],
)
def test_amounts_are_read_kindly(read, value, seen) -> None:
    assert read(value) == seen


def test_no_minutes_of_a_battery_that_is_full_and_well_are_not_measured_but_those_of_a_low_one_are() -> None:
    full = {rfc1628.BATTERY_STATUS: 2, rfc1628.CHARGE_REMAINING: 100, rfc1628.MINUTES_REMAINING: 0}
    assert rfc1628.unit(full, {}, NOW).battery.runtime is None
    assert rfc1628.unit({**full, rfc1628.BATTERY_STATUS: 3}, {}, NOW).battery.runtime == 0


def test_times_are_told_by_the_clock_of_the_agent() -> None:
    scalars = {
        oids.SYS_UP_TIME: 500_000,
        rfc1628.OUTPUT_SOURCE: 5,
        rfc1628.SECONDS_ON_BATTERY: 90,
        rfc1628.TEST_RESULT: 1,
        rfc1628.TEST_START: 100_000,
    }
    unit = rfc1628.unit(scalars, {}, NOW)
    (source, test) = telling.states(unit)
    assert source.at == NOW - timedelta(seconds=90)
    assert test.at == NOW - timedelta(seconds=4000)


def test_lines_beyond_those_that_the_agent_counts_are_none() -> None:
    cells = {rfc1628.INPUT_VOLTAGE: {"1": 238, "2": 0, "3": 0}, rfc1628.INPUT_POWER: {"1": 0, "2": 0, "3": 0}}
    unit = rfc1628.unit({rfc1628.INPUT_LINES: 1}, cells, NOW)
    assert unit.inputs == (Line(1, voltage=238.0),)


class TestPowerNet:
    """APC, and NEC's Smart-UPS."""

    def test_the_precise_value_counts_and_the_plain_one_stands_in(self) -> None:
        both = {powernet.PRECISE_CAPACITY: 643, powernet.CAPACITY: 64}
        assert powernet.unit(both, {}, NOW).battery.charge == 64.3
        assert powernet.unit({powernet.CAPACITY: 64}, {}, NOW).battery.charge == 64.0

    @pytest.mark.parametrize(
        ("status", "source"),
        [
            (2, "On line"),
            (3, "On battery"),
            (7, "Output off"),
            (12, "Lowering a high voltage"),
            (28, "On battery for a test"),
        ],
    )
    def test_the_output_status_is_understood(self, status: int, source: str) -> None:
        assert worst(powernet.unit({powernet.OUTPUT_STATUS: status}, {}, NOW))["source"][0] == source

    def test_flags_are_alarms(self) -> None:
        flags = ["0"] * 64
        for place in (2, 9, 25, 26, 27, 33, 53):
            flags[place - 1] = "1"
        unit = powernet.unit({powernet.FLAGS: "".join(flags).encode()}, {}, NOW)
        assert worst(unit) == {
            "alarm.overload": ("The output is overloaded", Status.CRITICAL),
            "alarm.charger": ("The charger failed", Status.WARNING),
            "alarm.temperature": ("The temperature is out of range", Status.WARNING),
            "alarm.flag-33": ("No battery is connected", Status.CRITICAL),
            "alarm.flag-53": ("Emergency power off", Status.CRITICAL),
        }

    def test_a_card_that_cannot_talk_to_its_ups_says_so(self) -> None:
        unit = powernet.unit({powernet.COMMUNICATION: 2}, {}, NOW)
        assert worst(unit) == {"alarm.communication": ("The network card cannot talk to the UPS", Status.WARNING)}

    def test_three_phases_are_lines(self) -> None:
        cells = {
            powernet.PHASE_OUTPUT_VOLTAGE: {"1.1.1": 230, "1.1.2": 231, "1.1.3": 229},
            powernet.PHASE_OUTPUT_LOAD: {"1.1.1": 40, "1.1.2": 55, "1.1.3": -1},
        }
        unit = powernet.unit({powernet.OUTPUT_STATUS: 2, powernet.OUTPUT_VOLTAGE: 230}, cells, NOW)
        assert unit.outputs == (Line(1, 230.0, load=40.0), Line(2, 231.0, load=55.0), Line(3, 229.0))
        readings = {reading.sensor.key: reading.value for reading in telling.readings(unit)}
        assert readings["output.load"] == 55.0

    @pytest.mark.parametrize(
        ("said", "seen"),
        [
            ("06/01/2026", (datetime(2026, 6, 1, tzinfo=UTC), None)),
            ("Unknown", (None, None)),
            ("1 juin", (None, "1 juin")),
        ],
    )
    def test_the_date_of_a_test_is_a_date_or_the_cards_own_words(self, said: str, seen) -> None:
        test = powernet.unit({powernet.TEST_RESULT: 1, powernet.TEST_DATE: said.encode()}, {}, NOW).test
        assert test is not None
        assert (test.at, test.said) == seen


def test_eaton_alarms_are_those_of_the_standard_and_good_news_are_none() -> None:
    cells = {
        xups.ALARM_DESCR: {"1": f"{xups.KNOWN_ALARMS}.7", "2": f"{xups.KNOWN_ALARMS}.5", "3": "1.3.6.1.4.1.534.9.9"}
    }
    unit = xups.unit({}, cells, NOW)
    assert [(alarm.number, alarm.key) for alarm in unit.alarms] == [
        (8, f"{xups.KNOWN_ALARMS}.7"),
        (None, "1.3.6.1.4.1.534.9.9"),
    ]


def test_a_liebert_that_discharges_is_on_battery() -> None:
    scalars = {liebert.CHARGE_STATUS: 4, liebert.MINUTES_REMAINING: 12, liebert.CAPACITY: 70, liebert.TEST_RESULT: 2}
    unit = liebert.unit(scalars, {}, NOW)
    assert (unit.source, unit.battery.runtime, unit.battery.charge) == (Source.BATTERY, 720.0, 70.0)
    assert liebert.unit({liebert.MINUTES_REMAINING: 65535}, {}, NOW) == Unit()
