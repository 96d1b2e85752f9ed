"""From decoded answers to readings, states, facts and events in words."""

from dataclasses import replace

import pytest

from apps.drivers.bmc import discrete, kinds, log, parts, readings, words
from apps.drivers.contract import Fact, InventoryKind, Limits, Quantity, Reading, Sensor, State, StateKind, Status
from apps.protocols.ipmi.about import DeviceId, Lan
from apps.protocols.ipmi.chassis import ChassisStatus
from apps.protocols.ipmi.event_log import log_record
from apps.protocols.ipmi.fru import Fru, fru
from apps.protocols.ipmi.measuring import Measured
from apps.protocols.ipmi.records import Factors, FruRecord, Records, SensorRecord
from tests.ipmi_sim import EVENTS, entry, fru_area

CPU = SensorRecord(0x20, 0, 2, "CPU1 Temp", 3, 1, 0x01, 0x01, numeric=0, unit=1)
FAN = SensorRecord(0x20, 0, 4, "Fan1", 29, 1, 0x04, 0x01, numeric=0, unit=18, factors=Factors(m=100))
PSU = SensorRecord(0x20, 0, 33, "PSU2 Status", 10, 2, 0x08, 0x6F)


def test_a_reading_has_the_controllers_limits_and_its_word() -> None:
    told = Measured(CPU, 96.0, frozenset({3, 4}))
    (reading,) = readings.readings([told], {CPU: {0: 5.0, 1: 3.0, 3: 85.0, 4: 95.0, 5: 100.0}}, powered=True)
    assert reading == Reading(
        Sensor("20.0.02", "CPU1 Temp", Quantity.TEMPERATURE, "°C", Limits(3.0, 5.0, 85.0, 95.0)), 96.0, Status.CRITICAL
    )


def test_without_a_word_the_limits_decide_and_non_recoverable_ones_stand_for_critical() -> None:
    (reading,) = readings.readings([Measured(CPU, 40.0)], {CPU: {5: 100.0}}, powered=True)
    assert reading.status is None
    assert reading.sensor.limits == Limits(upper_critical=100.0)


def test_what_a_powered_off_machine_cannot_give() -> None:
    silent, still = Measured(CPU, None, available=False), Measured(FAN, 0.0, frozenset({0, 1}))
    off = readings.readings([silent, still], {}, powered=False)
    assert [(one.value, one.why, one.status) for one in off] == [(None, "not available (power off)", None)] * 2
    on = readings.readings([silent, still], {}, powered=True)
    assert [(one.value, one.why, one.status) for one in on] == [
        (None, "not measured", None),
        (0.0, "", Status.CRITICAL),
    ]
    (state,) = discrete.states([Measured(PSU, None, available=False)], powered=False)
    assert (state.words, state.status, state.fact) == (("not available (power off)",), Status.UNKNOWN, None)


def test_units_that_are_shown_in_another_one() -> None:
    fahrenheit = replace(CPU, unit=2)
    (reading,) = readings.readings([Measured(fahrenheit, 212.0)], {fahrenheit: {4: 203.0}}, powered=True)
    assert (reading.value, reading.sensor.unit, reading.sensor.limits.upper_critical) == (100.0, "°C", 95.0)
    assert readings.sensor(replace(FAN, unit=0, percent=True)).quantity is Quantity.FAN
    assert readings.sensor(replace(FAN, unit=0, percent=True)).unit == "%"
    assert readings.sensor(replace(CPU, unit=6, sensor_type=0x0B)).quantity is Quantity.POWER
    assert readings.sensor(replace(CPU, name="")).name == "Temperature 2"


def test_a_state_tells_the_worst_first() -> None:
    (state,) = discrete.states([Measured(PSU, None, frozenset({0, 3}))], powered=True)
    assert state == State("20.0.21", "PSU2 Status", StateKind.POWER, ("Input lost", "Present"), Status.CRITICAL)
    assert state.fact == Fact(
        "state.20.0.21", Status.CRITICAL, "%(part)s: %(what)s", {"part": "PSU2 Status", "what": "Input lost"}
    )
    nothing, own = discrete.states(
        [Measured(PSU, None), Measured(replace(PSU, reading_type=0x70), None, frozenset({2}))], powered=True
    )
    assert (nothing.words, nothing.status) == (("Nothing reported",), Status.NORMAL)
    assert (own.words, own.status) == (("Unknown state",), Status.NORMAL)


def test_a_limit_without_a_number_is_a_state() -> None:
    hot = replace(CPU, numeric=3)
    (state,) = discrete.states([Measured(hot, None, frozenset({3, 6, 7}))], powered=True)
    assert (state.words, state.status) == (("Rose above the upper warning limit",), Status.WARNING)


def test_what_is_wrong_with_the_chassis() -> None:
    assert discrete.chassis_facts(ChassisStatus(on=True)) == []
    found = discrete.chassis_facts(ChassisStatus(on=True, power_fault=True, intrusion=True, cooling_fault=True))
    assert [(fact.key, fact.status) for fact in found] == [
        ("chassis.power-fault", Status.CRITICAL),
        ("chassis.intrusion", Status.WARNING),
        ("chassis.cooling", Status.CRITICAL),
    ]


def test_entries_of_the_log_in_words() -> None:
    known = Records((CPU, PSU))
    events = [log.event(log_record(raw), known) for raw in EVENTS]
    assert [(one.key, one.source, one.status, one.asserted) for one in events] == [
        ("1", "CPU1 Temp", Status.CRITICAL, True),
        ("2", "PSU2 Status", Status.CRITICAL, True),
        ("3", "PSU2 Status", Status.NORMAL, False),
    ]
    assert events[0].text % events[0].params == "Rose above the upper critical limit: 96 °C (limit 95 °C)"
    assert events[1].text == "Input lost"
    assert events[1].raw == EVENTS[1].hex()


def test_entries_that_nobody_knows_keep_their_numbers() -> None:
    unknown = log.event(log_record(entry(4, 0, 0xC7, 9, 0x6F, 0x05, 0xFF, 0xFF)), Records())
    assert (unknown.source, unknown.text % unknown.params) == ("Sensor 9", "Event 5 of type 0x6F")
    own = log.event(log_record(bytes.fromhex("0900c180e8ca6a770000010203040506")), Records())
    assert own.text % own.params == "Record of the manufacturer's own (type 0xC1)"


def test_every_word_is_told_of_a_known_type() -> None:
    assert set(words.SPECIFIC) <= set(kinds.SENSOR_TYPES)
    assert words.meaning(0x29, 0x6F, 0) == ("Battery low", Status.WARNING)
    assert words.meaning(0x29, 0x0B, 1) == ("Redundancy lost", Status.WARNING)
    assert words.meaning(0x29, 0x70, 0) is None


def test_identity_and_inventory_come_from_what_the_machine_says() -> None:
    device = DeviceId(0x20, 1, "2.45", "2.0", 119, 0x1234, "", has_repository=True)
    lan = Lan(1, "192.0.2.17", 1, "02:00:00:00:20:17", "255.255.255.0", "192.0.2.1")
    facts = parts.identity(device, "a1b2c3d4-e5f6-4718-a93a-4b5c6d7e8f90", fru(fru_area()), lan)
    assert (facts.manufacturer, facts.model, facts.serial_number) == ("NEC", "Express5800/R120k-1M", "SRV0001")
    assert (facts.agent_version, facts.controller_mac_addresses) == ("2.45", ("02:00:00:00:20:17",))
    assert facts.mac_addresses == ()  # the machine is not woken by its controller's port
    assert parts.identity(device, None, None, Lan(1)).manufacturer == "NEC"
    (riser,) = parts.parts([(FruRecord(3, "Riser", 16, 1, 0, logical=True), None)], powered=False)
    assert riser.details == {"State": "not available (power off)"}
    assert parts.parts([(FruRecord(3, "Riser", 16, 1, 0, logical=True), None)], powered=True) == []
    (busy,) = parts.parts([(FruRecord(3, "Riser", 16, 1, 0, logical=True), Fru(whole=False))], powered=True)
    assert (riser.partial, busy.partial, busy.details) == (True, True, {})
    (server,) = parts.parts([(parts.MACHINE, fru(fru_area()))], powered=True)
    assert not server.partial
    assert (server.kind, server.name) == (InventoryKind.SYSTEM, "Express5800/R120k-1M")
    assert server.details["Made on"] == "2026-03-02"
    assert parts.controller(device, 3).details == {
        "Manufacturer": "NEC",
        "Product number": "4660",
        "Firmware version": "2.45",
        "IPMI version": "2.0",
        "Cipher suite": 3,
    }


FIRMWARE = SensorRecord(0x20, 0, 40, "Sys FW", 34, 1, 0x0F, 0x6F)


@pytest.mark.parametrize(
    ("measured", "powered", "words_told"),
    [
        ([Measured(FIRMWARE, None, frozenset({2}))], True, ("Firmware progress",)),
        ([Measured(FIRMWARE, None)], True, ("Power-on self test done",)),
        ([Measured(FIRMWARE, None, frozenset({2}))], False, ("Powered off",)),
        ([Measured(FIRMWARE, None, available=False)], True, None),
        ([Measured(PSU, None, frozenset({0}))], True, None),
    ],
)
def test_how_far_a_machine_has_started_is_told_by_the_sensor_of_its_firmware(measured, powered, words_told) -> None:
    told = {state.key: state for state in discrete.states(measured, powered=powered)}
    assert (told["post"].words if "post" in told else None) == words_told
    assert len(told) == len(measured) + (words_told is not None)
