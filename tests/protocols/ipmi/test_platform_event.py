"""Platform event traps in octets: what is read of one, and how one is acknowledged."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from apps.protocols.ipmi.platform_event import NoPlatformEvent, acknowledgement, read

MACHINE = UUID("44454c4c-4a00-1052-8044-b7c04f4d3153")
FAN_TOO_SLOW = (
    MACHINE.bytes
    + bytes.fromhex("0102 365b1f80 003c")  # number 258, local time, an hour before UTC
    + bytes.fromhex("20 20 10 20 30 1d 01 52051a0000000000 19 00000157 0f21 c1")
)


def test_all_that_is_told() -> None:
    event = read(0x040102, FAN_TOO_SLOW)
    assert (event.machine, event.number) == (MACHINE, 258)
    assert event.at == datetime(2026, 11, 24, 20, 5, 4, tzinfo=UTC)
    assert (event.severity, event.sensor_type, event.event_type, event.offset) == (0x10, 0x04, 0x01, 2)
    assert event.asserted
    assert not read(0x040182, FAN_TOO_SLOW).asserted
    assert (event.owner, event.sensor, event.data[:3].hex()) == (0x20, 0x30, "52051a")


@pytest.mark.parametrize("octets", [bytes.fromhex("365b1f80 ffff"), bytes.fromhex("365b1f80 0000")])
def test_a_clock_without_a_zone_is_taken_as_utc(octets: bytes) -> None:
    told = FAN_TOO_SLOW[:18] + octets + FAN_TOO_SLOW[24:]
    assert read(0x040102, told).at == datetime(2026, 11, 24, 21, 5, 4, tzinfo=UTC)


def test_without_a_clock_there_is_no_time() -> None:
    assert read(0x040102, FAN_TOO_SLOW[:18] + bytes(4) + FAN_TOO_SLOW[22:]).at is None


@pytest.mark.parametrize(
    ("specific", "octets"), [(0x040102, FAN_TOO_SLOW[:45]), (0, FAN_TOO_SLOW), (1 << 24, FAN_TOO_SLOW)]
)
def test_what_is_none(specific: int, octets: bytes) -> None:
    with pytest.raises(NoPlatformEvent):
        read(specific, octets)


def test_the_acknowledgement_names_the_event_and_belongs_to_no_session() -> None:
    told = acknowledgement(read(0x040102, FAN_TOO_SLOW))
    assert told[:14].hex(" ") == "06 00 ff 07 00 00 00 00 00 00 00 00 00 13"
    assert told[14:20].hex(" ") == "20 10 d0 81 00 17"
    assert told[20:-1].hex(" ") == "02 01 80 1f 5b 36 20 20 30 52 05 1a"
    assert sum(told[17:]) % 256 == 0
