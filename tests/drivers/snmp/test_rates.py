"""Counters become rates; wraps are mended, resets and impossible jumps give no value."""

import pytest

from apps.drivers.snmp import rates
from apps.drivers.snmp.rates import Interval, Snapshot

WRAP32, WRAP64 = 2**32, 2**64
TICKS_WRAP = 2**32 / 100


def interval(before: int | None, now: int | None, seconds: float = 60.0, uptime: tuple[float, float] = (1e6, 1e6 + 60)):
    return Interval.between(
        Snapshot(1000.0, uptime[0], {"x": [before]}), Snapshot(1000.0 + seconds, uptime[1], {"x": [now]})
    )


def test_a_counter_that_grows_gives_its_increase_per_second() -> None:
    assert interval(1000, 7000).rate("x", 0, 64).value == 100.0


@pytest.mark.parametrize(("bits", "wrap"), [(32, WRAP32), (64, WRAP64)])
def test_a_wrap_is_mended(bits: int, wrap: int) -> None:
    assert interval(wrap - 1000, 5000).rate("x", 0, bits, fastest=1e6).value == 100.0


def test_a_counter_that_fell_without_a_wrap_gives_no_value() -> None:
    assert interval(5_000_000, 100).rate("x", 0, 32) == rates.Rate(None, rates.WAS_RESET)
    assert interval(5_000_000, 100).rate("x", 0, 64) == rates.Rate(None, rates.WAS_RESET)
    assert interval(5_000_000, 100).rate("x", 0, 32, fastest=1e6) == rates.Rate(None, rates.TOO_FAST)


def test_a_rate_above_the_speed_of_the_port_gives_no_value() -> None:
    assert interval(0, 60 * 1_090_000).rate("x", 0, 64, fastest=1e6).value == 1_090_000
    assert interval(0, 60 * 1_110_000).rate("x", 0, 64, fastest=1e6) == rates.Rate(None, rates.TOO_FAST)


def test_a_narrow_counter_on_a_fast_port_says_nothing() -> None:
    assert interval(0, 600, 600).rate("x", 0, 32, fastest=125e6) == rates.Rate(None, rates.WRAPS_TOO_OFTEN)
    assert interval(0, 600, 20).rate("x", 0, 32, fastest=125e6).value == 30.0


def test_a_reboot_in_between_gives_no_value() -> None:
    assert interval(1000, 7000, uptime=(1e6, 20)).rate("x", 0, 64) == rates.Rate(None, rates.WAS_RESET)
    assert interval(1000, 7000, 600, uptime=(10, 300)).rate("x", 0, 64) == rates.Rate(None, rates.WAS_RESET)


def test_the_uptime_may_wrap_after_497_days() -> None:
    assert interval(0, 6000, uptime=(TICKS_WRAP - 20, 40)).rate("x", 0, 64).value == 100.0


def test_a_virtual_machine_that_was_paused_was_not_rebooted() -> None:
    assert interval(0, 3600, 3600, uptime=(1e6, 1e6 + 60)).rate("x", 0, 64).value == 1.0


def test_the_first_reading_gives_no_value() -> None:
    first = Interval.between(None, Snapshot(1000.0, None, {"x": [5]}))
    assert first.rate("x", 0, 64) == rates.Rate(None, rates.NEEDS_TWO_READINGS)


def test_a_new_port_gives_no_value_yet_and_a_missing_counter_none_at_all() -> None:
    assert interval(None, 5).rate("x", 0, 64) == rates.Rate(None, rates.NEEDS_TWO_READINGS)
    assert interval(5, None).rate("x", 0, 64) == rates.Rate(None, rates.NOT_COUNTED)


def test_readings_at_the_same_moment_or_before_the_last_one_give_no_value() -> None:
    assert interval(0, 5, 0.2).rate("x", 0, 64) == rates.Rate(None, rates.TOO_SOON)
    assert interval(0, 5, -3600).rate("x", 0, 64) == rates.Rate(None, rates.TOO_SOON)


@pytest.mark.parametrize("state", [None, 5, {}, {"at": "x", "counters": {}}, {"at": 1.0}, {"counters": {}}])
def test_a_state_that_is_none_of_ours_counts_as_none(state: object) -> None:
    assert Snapshot.from_state(state) is None


def test_a_snapshot_survives_its_json_form() -> None:
    snapshot = Snapshot(5.0, 7.0, {"if.1": [1, None]})
    assert Snapshot.from_state(snapshot.to_state()) == snapshot


def test_odd_values_in_a_state_cost_one_rate_only() -> None:
    before = Snapshot.from_state({"at": 940.0, "uptime": None, "counters": {"x": ["lots"]}})
    assert Interval.between(before, Snapshot(1000.0, 5.0, {"x": [5]})).rate("x", 0, 64).why == rates.NEEDS_TWO_READINGS
