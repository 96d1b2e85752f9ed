"""Values are functions of time: any moment can be computed, and counters are what their rates add up to."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from apps.simulators.fleet.course import EPOCH, HOUR, TOKYO, filling, last_start, wave
from apps.simulators.fleet.faults import Fault, FaultKind, Faults

DAY = 86_400.0
moments = st.floats(EPOCH - 30 * DAY, EPOCH + 700 * DAY)


@given(moments, st.floats(0.001, 1e9))
def test_a_wave_is_positive_and_always_the_same(moment: float, mean: float) -> None:
    one, other = (wave(mean, "web", daily=0.9, noise=0.9, weekly=0.5) for _ in range(2))
    assert 0 < one.at(moment) < 2 * mean
    assert one.at(moment) == other.at(moment)


def test_a_counter_is_what_its_rate_adds_up_to() -> None:
    traffic = wave(5e6, "web", daily=0.6, noise=0.5)
    start = EPOCH + 140 * DAY
    summed = sum(traffic.at(start + second + 0.5) for second in range(7200))
    assert abs(traffic.until(start + 7200) - traffic.until(start) - summed) < 7200 * 5e6 * 1e-5


def test_the_day_has_its_height_in_the_afternoon_of_tokyo() -> None:
    load = wave(0.3, "web", daily=0.6, peak=14.0)
    days = EPOCH + 100 * DAY
    by_hour = {hour: load.over(HOUR, days + (hour + 1) * HOUR - TOKYO) for hour in range(24)}
    assert max(by_hour, key=lambda hour: by_hour[hour]) in (13, 14)
    assert min(by_hour, key=lambda hour: by_hour[hour]) in (3, 4)


@given(moments)
def test_a_disk_fills_until_it_is_cleared(moment: float) -> None:
    now, later = (filling(0.3, 0.8, 20 * DAY, moment + after, "web", 2) for after in (0, HOUR))
    assert 0.3 <= now < 0.8
    assert later > now or (later < 0.31 and now > 0.79)


@given(moments)
def test_a_device_started_some_time_ago(moment: float) -> None:
    count, started = last_start(45 * DAY, moment, "web")
    assert 0 <= moment - started < 45 * DAY
    assert last_start(45 * DAY, moment + 45 * DAY, "web")[0] == count + 1


# --- faults -----------------------------------------------------------------------------------------------------------


def _edges(fault: Fault, after: float, until: float) -> list[tuple[float, bool]]:
    return [(edge.at, edge.begins) for edge in fault.edges(after, until)]


def test_a_fault_that_repeats() -> None:
    fault = Fault(FaultKind.LINK_DOWN, 1000.0, every=600.0, lasts=120.0, part=7)
    assert [fault.begun(at) for at in (999, 1000, 1119.9, 1120, 1600, 1719)] == [None, 1000, 1000, None, 1600, 1600]
    assert fault.length(0, 1000) == 0
    assert fault.length(1060, 1660) == 120
    assert fault.length(0, 1000 + 10 * 600) == 1200
    assert _edges(fault, 900, 1720) == [(1000, True), (1120, False), (1600, True), (1720, False)]
    assert _edges(fault, 1000, 1120) == [(1120, False)]
    assert fault.last_spell(1599) == (1000, 1120)
    assert fault.last_spell(1050) is None


def test_a_fault_that_is_mended_ends_at_once() -> None:
    faults = Faults([Fault(FaultKind.DEAD, 1000.0, every=600.0, lasts=120.0), Fault(FaultKind.HOT, 1000.0)])
    assert faults.end(1030.0, FaultKind.DEAD) == 1
    assert faults.now(FaultKind.DEAD, 1031) is None
    assert faults.now(FaultKind.HOT, 1031) is not None
    assert faults.length(FaultKind.DEAD, 0, 5000) == 30
    assert [(edge.at, edge.begins) for edge in faults.edges(0, 5000)] == [(1000, True), (1000, True), (1030, False)]


def test_what_is_over_at_once_begins_and_never_ends() -> None:
    fault = Fault(FaultKind.SELF_TEST, 1000.0, every=600.0)
    assert _edges(fault, 0, 1700) == [(1000, True), (1600, True)]


@given(st.floats(1, 1000), st.floats(0, 1), st.lists(st.floats(0, 10_000), min_size=2, max_size=6))
def test_lengths_add_up(every: float, share: float, moments: list[float]) -> None:
    fault = Fault(FaultKind.DEAD, 500.0, every=every, lasts=every * share)
    moments.sort()
    parts = sum(fault.length(start, end) for start, end in pairwise(moments))
    assert abs(parts - fault.length(moments[0], moments[-1])) < 1e-6
    held = sum(min(e, moments[-1]) - b for b, e in fault._spells(0, moments[-1]) if b < moments[-1])
    assert abs(fault.length(0, moments[-1]) - held) < 1e-6
