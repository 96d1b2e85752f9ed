"""How values read, in exact words."""

import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from apps.portal import phrasing

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "B", "0 B"),
        (1023, "B", "1,023 B"),
        (1024, "B", "1 KiB"),
        (1288490188.8, "B", "1.2 GiB"),
        (68719476736, "B", "64 GiB"),
        (1536, "B/s", "1.5 KiB/s"),
        (999_949, "bit/s", "1 Mbit/s"),
        (940_000_000, "bit/s", "940 Mbit/s"),
        (25_000_000_000, "bit/s", "25 Gbit/s"),
        (41.25, "%", "41.2 %"),
        (100.0, "%", "100 %"),
        (27, "°C", "27 °C"),
        (12.08, "V", "12.1 V"),
        (3.305, "V", "3.31 V"),
        (2180, "rpm", "2,180 rpm"),
        (0.5, "1/s", "0.5 /s"),
        (-5.5, "°C", "-5.5 °C"),
        (7, "", "7"),
        (0.0004, "s", "0.0004 s"),
        (float("nan"), "W", "not measured"),
        (float("inf"), "W", "not measured"),
    ],
)
def test_quantity(value: float, unit: str, text: str) -> None:
    assert phrasing.quantity(value, unit).replace(NBSP, " ") == text


@pytest.mark.parametrize(
    ("elapsed", "text"),
    [
        (timedelta(milliseconds=400), "just now"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=1200), "1200 d ago"),
        (timedelta(minutes=-5), "in 5 min"),
        (timedelta(days=-2), "in 2 d"),
    ],
)
def test_ago(elapsed: timedelta, text: str) -> None:
    assert phrasing.ago(elapsed) == text


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(days=84, hours=3, minutes=2), "84 d 3 h"),
        (timedelta(days=2, seconds=1), "2 d"),
        (133, "2 min 13 s"),
        (3600, "1 h"),
        (0, "0 ms"),
        (0.02, "20 ms"),
        (-90, "−1 min 30 s"),
    ],
)
def test_duration(span: timedelta | float, text: str) -> None:
    assert phrasing.duration(span).replace(NBSP, " ") == text


def test_a_moment_is_told_in_the_readers_zone() -> None:
    when = datetime(2026, 11, 23, 4, 25, 10, tzinfo=UTC)
    with timezone.override(zoneinfo.ZoneInfo("Asia/Tokyo")):
        assert phrasing.moment(when) == "2026-11-23 13:25:10 JST"
    assert phrasing.moment(when) == "2026-11-23 04:25:10 UTC"


def test_every_state_has_a_look_and_a_word() -> None:
    assert {state.code for state in phrasing.STATES.values()} == set("cwiusnqax")
    with translation.override("en"):
        assert phrasing.word_of("cancelling") == "Being cancelled"
        assert phrasing.word_of("a word of a newer version") == "a word of a newer version"
