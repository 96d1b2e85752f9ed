"""Sensor data records, FRU areas and log entries, byte by byte."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from apps.protocols.ipmi.about import DeviceId, device_id, system_guid
from apps.protocols.ipmi.chassis import (
    BootFlags,
    ChassisStatus,
    PowerReading,
    boot_flags,
    chassis_status,
    power_reading,
)
from apps.protocols.ipmi.event_log import LogInfo, log_info, log_record
from apps.protocols.ipmi.fru import fru
from apps.protocols.ipmi.measuring import measured, thresholds
from apps.protocols.ipmi.records import Factors, SensorRecord, records, unpacked
from tests.ipmi_sim import entry, fru_area

# As OpenIPMI's sdrcomp makes them: a full record, a compact one that stands for two sensors, a place of a part.
FULL = (
    bytes.fromhex("0100510134 200002 0301 4108 0101 000000003f00 80010000 0600000000e0") + bytes(17) + b"\xc9CPU1 Temp"
)
COMPACT = bytes.fromhex("020051021e 200020 0a01 0000 086f 000000000000 c00000 0201 000000000000") + b"\xc3PSU"
EVENT_ONLY = bytes.fromhex("0400510310 20002a 0a01 086f 0000 0000") + b"\xc4Lost"
PART = bytes.fromhex("0300511111 200080 0000 1000 1701 00") + b"\xc6System"


def test_a_full_record_gives_its_formula_and_its_name() -> None:
    (sensor,) = records([FULL]).sensors
    assert sensor == SensorRecord(
        owner=0x20,
        lun=0,
        number=2,
        name="CPU1 Temp",
        entity=3,
        instance=1,
        sensor_type=1,
        reading_type=1,
        numeric=2,
        unit=1,
        factors=Factors(m=6, b=0, b_exponent=0, result_exponent=-2),
        readable_thresholds=0x3F,
        initial_thresholds=(0, 0, 0, 0, 0, 0),
    )
    assert sensor.key == "20.0.02"
    assert sensor.value(202) == -3.24  # two's complement: -54
    assert sensor.value(100) == 6.0


def test_a_compact_record_stands_for_several_sensors() -> None:
    sensors = records([COMPACT]).sensors
    assert [(one.number, one.name, one.measures) for one in sensors] == [(0x20, "PSU1", False), (0x21, "PSU2", False)]


def test_records_of_events_and_parts_and_those_that_are_cut_short() -> None:
    found = records([EVENT_ONLY, PART, FULL[:30], b"", bytes.fromhex("0500511205ffffffffff"), FULL, FULL])
    assert [(one.number, one.name, one.readable) for one in found.sensors] == [
        (0x2A, "Lost", False),
        (2, "CPU1 Temp", True),
    ]
    assert [(one.number, one.name, one.entity, one.logical) for one in found.frus] == [(0, "System", 23, True)]
    assert found.name_of(0x20, 0, 2) == "CPU1 Temp"
    assert found.name_of(0x41, 0, 2) == "CPU1 Temp"  # another number for the controller, but only one such sensor
    assert found.name_of(0x20, 0, 99) is None


def test_sensors_of_one_name_are_told_apart_by_the_place_of_their_part() -> None:
    second = bytearray(FULL)
    second[7], second[9] = 3, 2
    assert [one.name for one in records([FULL, bytes(second)]).sensors] == ["CPU1 Temp (3.1)", "CPU1 Temp (3.2)"]


@pytest.mark.parametrize(
    ("linearization", "raw", "value"),
    [
        (0, 10, 10.0),
        (1, 10, round(math.log(10), 6)),
        (3, 8, 3.0),
        (6, 3, 8.0),
        (7, 4, 0.25),
        (8, 3, 9.0),
        (10, 9, 3.0),
        (11, 27, 3.0),
        (7, 0, None),
        (1, 0, None),
    ],
)
def test_what_is_done_with_the_linear_value(linearization: int, raw: int, value: float | None) -> None:
    sensor = SensorRecord(0x20, 0, 1, "", 0, 0, 1, 1, numeric=0, linearization=linearization)
    assert sensor.value(raw) == value


def test_the_three_ways_to_write_a_number() -> None:
    def of(numeric: int, raw: int) -> float | None:
        return SensorRecord(0x20, 0, 1, "", 0, 0, 1, 1, numeric=numeric).value(raw)

    assert [of(0, 0xFB), of(1, 0xFB), of(2, 0xFB)] == [251.0, -4.0, -5.0]


def test_factors_are_signed_ten_bit_numbers() -> None:
    assert Factors.from_bytes(bytes((0xFF, 0xC0, 0x01, 0x40, 0x00, 0xD2))) == Factors(-1, 257, 2, -3)


def test_a_reading_that_is_not_there_is_no_zero() -> None:
    (sensor,) = records([FULL]).sensors
    assert measured(sensor, bytes((0, 0x60, 0))).available is False
    assert measured(sensor, bytes((0, 0x80, 0))).available is False
    assert measured(sensor, b"\x10").value is None
    there = measured(sensor, bytes((100, 0xC0, 0xC0 | 0b011000)))
    assert (there.value, there.states) == (6.0, {3, 4})


def test_thresholds_are_those_that_the_mask_names() -> None:
    plain = SensorRecord(0x20, 0, 1, "", 0, 0, 1, 1, numeric=0)
    assert thresholds(plain, 0b011010, (5, 3, 0, 85, 95, 100)) == {1: 3.0, 3: 85.0, 4: 95.0}
    reciprocal = SensorRecord(0x20, 0, 1, "", 0, 0, 4, 1, numeric=0, linearization=7)
    assert thresholds(reciprocal, 0b000010, (0, 4, 0, 0, 0, 0)) == {4: 0.25}


def test_six_bit_text_is_four_characters_in_three_bytes() -> None:
    assert unpacked(bytes.fromhex("29dca6")) == "IPMI"  # the example of the standard


def test_a_part_says_who_made_it() -> None:
    said = fru(fru_area())
    assert said is not None
    assert said.product == {
        "manufacturer": "NEC",
        "product": "Express5800/R120k-1M",
        "part_number": "N8100-3021Y",
        "version": "1.0",
        "serial_number": "SRV0001",
        "asset_tag": "ASSET-7",
    }
    assert said.chassis == {"part_number": "CH-100", "serial_number": "CHS0001"}
    assert said.board["serial_number"] == "BRD0001"
    assert said.made_at == datetime(2026, 3, 2, tzinfo=UTC)


def test_what_is_no_part_or_cut_short_gives_what_there_is() -> None:
    assert fru(b"\xff" * 64) is None
    assert fru(b"") is None
    short = fru(fru_area()[:40])
    assert short is not None
    assert short.product == {}


def test_an_entry_of_the_log() -> None:
    told = log_record(entry(7, 0, 0x08, 33, 0xEF, 0x03, 0xFF, 0xFF))
    assert (told.number, told.sensor, told.sensor_type, told.event_type, told.offset) == (7, 33, 0x08, 0x6F, 3)
    assert told.asserted is False
    assert told.at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    assert log_record(bytes.fromhex(told.raw), timedelta(hours=9)).at == datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def test_entries_before_the_clock_was_set_and_makers_own_ones() -> None:
    before = bytearray(entry(1, 0, 1, 1, 1, 0, 0, 0))
    before[3:7] = (1234).to_bytes(4, "little")
    assert log_record(bytes(before)).at is None
    own = log_record(bytes.fromhex("0900 c1 80e8ca6a 770000 010203040506".replace(" ", "")))
    assert (own.is_event, own.manufacturer, own.kind) == (False, 119, 0xC1)
    assert own.at is not None
    assert log_record(bytes.fromhex("0900e0" + "ff" * 13)).at is None


def test_how_full_the_log_is() -> None:
    assert log_info(bytes.fromhex("51 0300 f000 00000001 00000002 0a")) == LogInfo(3, 240, 0x01000000, 0x02000000)
    assert LogInfo(15, 240, 0, 0).filled == 50.0
    assert log_info(bytes.fromhex("51 0300 ffff 00000000 00000000 0a")).filled is None


def test_who_the_controller_is() -> None:
    told = device_id(bytes.fromhex("20 81 02 45 02 bf 770000 3412 01020304"), "192.0.2.1")
    assert told == DeviceId(0x20, 1, "2.45", "2.0", 119, 0x1234, "01020304", has_repository=True)


@pytest.mark.parametrize(
    "sent",
    [
        "d4c3b2a1f6e51847a93a4b5c6d7e8f90",  # as SMBIOS stores it
        "908f7e6d5c4b3aa91847f6e5d4c3b2a1",  # last byte first
    ],
)
def test_the_uuid_is_found_however_it_is_sent(sent: str) -> None:
    assert system_guid(bytes.fromhex(sent)) == "a1b2c3d4-e5f6-4718-a93a-4b5c6d7e8f90"


def test_no_uuid_is_no_uuid() -> None:
    assert system_guid(b"\x00" * 16) is None
    assert system_guid(b"\xff" * 16) is None
    assert system_guid(b"short") is None


def test_chassis_boot_and_power_meter() -> None:
    assert chassis_status(bytes((0x09, 0x00, 0x61))) == ChassisStatus(
        on=True, power_fault=True, intrusion=True, lamp=True
    )
    assert chassis_status(bytes((0x00, 0x00, 0x00))).lamp is None
    assert boot_flags(bytes((1, 5, 0xE0, 0x04, 0, 0, 0))) == BootFlags(1, once=False, uefi=True)
    assert boot_flags(bytes((1, 5, 0x80, 0x08, 0, 0, 0))) == BootFlags(2, once=True, uefi=False)
    assert boot_flags(bytes((1, 5, 0x00, 0x08, 0, 0, 0))) == BootFlags(0)
    measuring = bytes.fromhex("dc b400 6400 2c01 aa00 00000000 e8030000 40")
    assert power_reading(measuring) == PowerReading(180, 100, 300, 170, 1.0)
    assert power_reading(measuring[:-1] + b"\x00") == PowerReading(None, 100, 300, 170, 1.0)
