"""When the disk is full: what is stored grows as it did in the last days, until retention takes as much as comes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

FOREVER = 3650.0  # days beyond which nobody plans


@dataclass(frozen=True, slots=True)
class Stream:
    """Something that is written steadily: what there is of it, what comes a day, and how much of it is kept."""

    rows: float
    per_day: float
    each: float  # bytes
    kept_for: int | None = None  # days
    kept_at_most: int | None = None  # rows

    @property
    def most(self) -> float:
        """Give the rows from which on as many go as come."""
        by_age = math.inf if self.kept_for is None else self.kept_for * self.per_day
        return min(by_age, math.inf if self.kept_at_most is None else self.kept_at_most)

    @property
    def filled_in(self) -> float:
        """Give the days until then."""
        if self.per_day <= 0 or self.rows >= self.most:
            return 0.0
        return (self.most - self.rows) / self.per_day

    @property
    def growth(self) -> float:
        """Give the bytes a day by which it grows now."""
        return self.per_day * self.each if self.filled_in > 0 else 0.0

    def grown(self, days: float) -> float:
        """Give the bytes by which it will have grown."""
        return self.per_day * self.each * min(days, self.filled_in)


def growth(streams: Sequence[Stream]) -> float:
    """Give the bytes a day by which all grow now."""
    return sum(stream.growth for stream in streams)


def days_until(room: float, streams: Sequence[Stream]) -> float | None:
    """Give the days until so many bytes are used up; None when what is kept never needs them, in ten years at least."""
    if room <= 0:
        return 0.0
    bends = sorted({stream.filled_in for stream in streams if 0 < stream.filled_in < FOREVER} | {FOREVER})
    start = 0.0
    for bend in bends:
        used = sum(stream.grown(start) for stream in streams)
        speed = sum(stream.per_day * stream.each for stream in streams if stream.filled_in > start)
        if speed > 0 and used + speed * (bend - start) >= room:
            return start + (room - used) / speed
        start = bend
    return None
