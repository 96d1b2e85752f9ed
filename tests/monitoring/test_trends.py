"""Straight lines, when something is full, and when nothing is said about it."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from apps.monitoring.services.trends import Forecast, Trend, forecast, line_through

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def through(values: list[float], every: timedelta = DAY) -> Trend:
    times = np.array([(START + number * every).timestamp() * 1000 for number in range(len(values))])
    return line_through(times, np.array(values), START + (len(values) - 1) * every)


def test_a_straight_growth_is_met_exactly():
    trend = through([50.0 + 2 * number for number in range(11)])
    assert (trend.per_day, trend.at_end, trend.share) == (pytest.approx(2), pytest.approx(70), pytest.approx(1))
    told = forecast(trend)
    assert (told.per_day, told.days, told.fit) == (pytest.approx(2), pytest.approx(15), pytest.approx(1))


@pytest.mark.parametrize(
    ("values", "every", "told"),
    [
        ([40.0] * 20, DAY, Forecast(None, None, None)),  # nothing changes: nothing to explain
        ([40.0, 41.0, 42.0, 43.0, 44.0, 45.0, 46.0], DAY, Forecast(None, None, None)),  # seven values
        ([40.0 + n for n in range(10)], timedelta(minutes=10), Forecast(None, None, None)),  # an hour and a half
    ],
)
def test_too_little_says_nothing(values, every, told):
    assert forecast(through(values, every)) == told


def test_what_jumps_about_has_no_day():
    trend = through([40.0, 60.0, 35.0, 70.0, 42.0, 66.0, 39.0, 71.0, 45.0, 68.0])
    assert trend.share < 0.8
    assert forecast(trend).days is None


def test_what_shrinks_is_never_full():
    told = forecast(through([90.0 - number for number in range(12)]))
    assert told.days is None
    assert told.per_day == pytest.approx(-1)


def test_nobody_sees_further_than_thirty_times_the_range():
    near, far = through([10.0 + 0.31 * n for n in range(11)]), through([10.0 + 0.2 * n for n in range(11)])
    assert forecast(near).days == pytest.approx((100 - 13.1) / 0.31)
    assert forecast(far).days is None


def test_what_is_full_is_full_today():
    assert forecast(through([90.0 + number for number in range(11)])).days == 0.0


def test_a_single_value_has_no_line():
    trend = line_through(np.array([START.timestamp() * 1000]), np.array([5.0]), START)
    assert (trend.points, math.isnan(trend.share), trend.is_drawn) == (1, True, False)
