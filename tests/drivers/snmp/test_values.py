"""Single values of odd agents."""

from datetime import UTC, datetime

import pytest

from apps.drivers.snmp import values
from apps.protocols.snmp import Absent


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        (b"plain", "plain"),
        (b"padded\x00\x00", "padded"),
        (b"  \r\n ", None),
        (b"", None),
        (b"one\r\ntwo", "one\ntwo"),
        (b"a\x00b\x07c", "a b c"),
        (b'"quoted"', "quoted"),
        ("東京".encode(), "東京"),
        ("サーバ室".encode("cp932"), "サーバ室"),
        ("ﾃﾞｰﾀ".encode("cp932"), "ﾃﾞｰﾀ"),
        ("Gerätehaus Zürich".encode("latin-1"), "Gerätehaus Zürich"),
        ("Générateur".encode("latin-1"), "Générateur"),
        ("Lan 1".encode("utf-16-le"), "Lan 1"),
        (b"\xff\xfe\xfd", "ÿþý"),
        (Absent.NO_SUCH_INSTANCE, None),
        (None, None),
        (7, None),
    ],
)
def test_a_text_is_read_whatever_its_encoding(raw: object, seen: str | None) -> None:
    assert values.text(raw) == seen


@pytest.mark.parametrize(
    ("raw", "seen"),
    [(5, 5), (b"42\x00", 42), (b"4.2", None), (b"", None), (True, None), (Absent.NO_SUCH_OBJECT, None), ("1.3", None)],
)
def test_a_number_may_come_as_digits(raw: object, seen: int | None) -> None:
    assert values.number(raw) == seen


@pytest.mark.parametrize(
    ("raw", "seen"),
    [(b"0.42", 0.42), (0.25, 0.25), (3, 3.0), (b"nan", None), (b"inf", None), (b"high", None), (None, None)],
)
def test_a_load_may_come_as_text(raw: object, seen: float | None) -> None:
    assert values.decimal(raw) == seen


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        (bytes.fromhex("525400aabb01"), "52:54:00:aa:bb:01"),
        (b"00:a0:24:01:02:03", "00:a0:24:01:02:03"),
        (b"00A0.2401.0203", "00:a0:24:01:02:03"),
        (bytes(6), None),
        (b"\xff" * 6, None),
        (bytes(20), None),
        (b"", None),
        ("text", None),
    ],
)
def test_a_mac_address_has_six_octets(raw: object, seen: str | None) -> None:
    assert values.mac_address(raw) == seen


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        (bytes.fromhex("07ea0b170d1e0f002b0900"), datetime(2026, 11, 23, 4, 30, 15, tzinfo=UTC)),
        (bytes.fromhex("07ea0b17041f1500"), datetime(2026, 11, 23, 4, 31, 21, tzinfo=UTC)),
        (b"2019-6-20,17:45:44.6", datetime(2019, 6, 20, 17, 45, 44, 600_000, tzinfo=UTC)),
        (b"2019-6-3,11:28:52.0,+8:0", datetime(2019, 6, 3, 3, 28, 52, tzinfo=UTC)),
        (bytes(8), None),
        (b"\xff" * 11, None),
        (b"yesterday", None),
        (5, None),
    ],
)
def test_a_date_is_read_in_all_its_forms(raw: object, seen: datetime | None) -> None:
    assert values.date_and_time(raw) == seen


def test_no_object_identifier_is_none() -> None:
    assert values.object_identifier("0.0") is None
    assert values.object_identifier(".1.3.6") == "1.3.6"
    assert values.object_identifier(b"1.3.6") is None
    assert values.object_identifier("no") is None


def test_rows_come_in_the_order_of_their_numbers() -> None:
    assert values.indexes({"c": {"10": 1, "9": 1}, "d": {"1": 1}}, "c", "d") == ["1", "9", "10"]
