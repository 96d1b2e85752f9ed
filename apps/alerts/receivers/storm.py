"""Keeps a storm of alerts within bounds: a token bucket per origin and one over all."""

from collections import Counter, OrderedDict
from dataclasses import dataclass

BURST = 10  # seconds' worth that may come at once
ORIGINS = 10_000  # remembered; sender addresses can be forged, memory cannot grow with them


@dataclass(slots=True)
class Bucket:
    """Fills steadily up to its size; each alert takes one token out. Times are monotonic seconds."""

    tokens: float
    at: float

    def take(self, rate: float, now: float) -> bool:
        """Take one token; False when there is none."""
        self.tokens = min(rate * BURST, self.tokens + max(now - self.at, 0.0) * rate)
        self.at = max(now, self.at)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class StormGuard:
    """Lets through what an origin, and all together, may send; counts the rest by origin until it is reported."""

    def __init__(self) -> None:
        self._origins: OrderedDict[str, Bucket] = OrderedDict()
        self._total: Bucket | None = None
        self.suppressed: Counter[str] = Counter()

    def admits(self, origin: str, now: float, origin_rate: float, total_rate: float) -> bool:
        """Say whether one more alert of an origin is taken."""
        bucket = self._origins.get(origin)
        if bucket is None:
            bucket = self._origins[origin] = Bucket(origin_rate * BURST, now)
            if len(self._origins) > ORIGINS:
                self._origins.popitem(last=False)
        else:
            self._origins.move_to_end(origin)
        if self._total is None:
            self._total = Bucket(total_rate * BURST, now)
        if bucket.take(origin_rate, now) and self._total.take(total_rate, now):
            return True
        if origin in self.suppressed or len(self.suppressed) < ORIGINS:
            self.suppressed[origin] += 1
        else:
            self.suppressed[""] += 1
        return False
