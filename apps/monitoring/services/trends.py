"""Straight lines through what was measured, and when something is full if it goes on like this."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

FULL = 100.0  # %
GOOD = 0.8  # share of the variance that a line must explain to be believed
ENOUGH = 8  # values
SHORTEST = 0.25  # days: the shortest course that a line is drawn through
AS_FAR = 30  # times the length of the course: further ahead nobody can see
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Trend:
    """A line by least squares: value per day, value at the end of the range, r², and what it is drawn through."""

    per_day: float
    at_end: float
    share: float  # NaN where all values are equal: there is nothing to explain
    points: int
    days: float  # between the first and the last value

    @property
    def holds(self) -> bool:
        """Say whether it explains the values well enough to be believed."""
        return self.is_drawn and self.share >= GOOD

    @property
    def is_drawn(self) -> bool:
        """Say whether there is enough to draw a line through."""
        return self.points >= ENOUGH and self.days >= SHORTEST and self.share == self.share


@dataclass(frozen=True, slots=True)
class Forecast:
    """When something is full; ``days`` is None where no line fits, it does not grow, or the day is too far away."""

    per_day: float | None  # percentage points
    days: float | None
    fit: float | None  # r²


def forecast(trend: Trend) -> Forecast:
    """Say when a line reaches 100 %; nothing is said where it does not fit well enough."""
    if not trend.is_drawn:
        return Forecast(None, None, None)
    if not trend.holds or trend.per_day <= 0:
        return Forecast(trend.per_day, None, trend.share)
    days = max(0.0, (FULL - trend.at_end) / trend.per_day)
    return Forecast(trend.per_day, days if days <= AS_FAR * trend.days else None, trend.share)


def line_through(times: NDArray[Any], values: NDArray[Any], end: datetime) -> Trend:
    """Draw a line through values at moments (ms)."""
    if len(times) < 2:
        return Trend(0.0, float("nan"), float("nan"), len(times), 0.0)
    days = (times / 1000 - end.timestamp()) / DAY
    middle, mean = days.mean(), values.mean()
    spread, along = ((days - middle) ** 2).sum(), ((days - middle) * (values - mean)).sum()
    variance = ((values - mean) ** 2).sum()
    per_day = float(along / spread) if spread > 0 else 0.0
    share = float(along**2 / (spread * variance)) if spread > 0 and variance > 1e-9 else float("nan")
    return Trend(per_day, float(mean - per_day * middle), share, len(times), float(np.ptp(days)))
