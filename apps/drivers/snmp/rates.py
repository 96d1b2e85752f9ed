"""From two readings of a counter to a rate: wraps are mended, resets and impossible jumps give no value."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

NEEDS_TWO_READINGS = "needs two readings"
TOO_SOON = "read again too soon"
WAS_RESET = "the counters were reset"
TOO_FAST = "faster than the port can be"
WRAPS_TOO_OFTEN = "the counter is too small for this speed"
NOT_COUNTED = "not counted by the device"

SHORTEST = 1.0  # seconds between two readings that make a rate
HEADROOM = 1.1  # counters are sampled a moment before or after the clock is
_UPTIME_WRAP = 2**32 / 100  # seconds after which TimeTicks start again
_PLAUSIBLE_WRAP = 0.5  # share of its range that a counter of unknown speed may pass: more was a jump back to zero


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All counters of a device at one moment, as the next contact gets them back (JSON)."""

    taken_at: float  # seconds since 1970
    uptime: float | None  # seconds
    counters: Mapping[str, Sequence[int | None]] = field(default_factory=dict)

    def to_state(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "at": self.taken_at,
            "uptime": self.uptime,
            "counters": {key: list(values) for key, values in self.counters.items()},
        }

    @classmethod
    def from_state(cls, state: Any) -> Self | None:
        """Read the JSON form; None when it is not one, which only costs one rate."""
        if not isinstance(state, Mapping) or not isinstance(state.get("counters"), Mapping):
            return None
        taken_at, uptime = state.get("at"), state.get("uptime")
        if not isinstance(taken_at, int | float):
            return None
        return cls(float(taken_at), float(uptime) if isinstance(uptime, int | float) else None, state["counters"])


class Rate(NamedTuple):
    """A value per second, or why there is none."""

    value: float | None
    why: str = ""


_NOT_COUNTED, _NEEDS_TWO_READINGS = Rate(None, NOT_COUNTED), Rate(None, NEEDS_TWO_READINGS)
_UNCHANGED = Rate(0.0)


@dataclass(frozen=True, slots=True)
class Interval:
    """The time between two snapshots; ``why`` says what makes it useless."""

    before: Snapshot | None
    now: Snapshot
    seconds: float
    why: str = ""

    @classmethod
    def between(cls, before: Snapshot | None, now: Snapshot) -> Self:
        """Compare two snapshots: was there a first one, long enough ago, without a restart in between?"""
        if before is None:
            return cls(None, now, 0.0, NEEDS_TWO_READINGS)
        seconds = now.taken_at - before.taken_at
        if seconds < SHORTEST:
            return cls(before, now, seconds, TOO_SOON)
        if _restarted(before.uptime, now.uptime, seconds):
            return cls(before, now, seconds, WAS_RESET)
        return cls(before, now, seconds)

    def rate(self, key: str, place: int, bits: int, fastest: float | None = None) -> Rate:
        """Give the increase per second of one counter; ``fastest`` is what the thing can do at most."""
        return self.rates(key, [(place, bits, fastest)])[0]

    def rates(self, key: str, counters: Iterable[tuple[int, int, float | None]]) -> list[Rate]:
        """Give the increase per second of several counters of one thing, each by its place, bits and fastest rate."""
        current = self.now.counters[key]
        if self.why or self.before is None:
            useless = Rate(None, self.why)
            return [_NOT_COUNTED if current[place] is None else useless for place, _bits, _fastest in counters]
        earlier = self.before.counters.get(key, ())
        counted = len(earlier)
        return [
            _rate(current[place], earlier[place] if place < counted else None, self.seconds, bits, fastest)
            for place, bits, fastest in counters
        ]


def _rate(current: int | None, previous: Any, seconds: float, bits: int, fastest: float | None) -> Rate:
    if current is None:
        return _NOT_COUNTED
    if not isinstance(previous, int):
        return _NEEDS_TWO_READINGS
    if bits == 32 and fastest and fastest * seconds > 2**32:
        return Rate(None, WRAPS_TOO_OFTEN)
    increase = current - previous
    if not increase:
        return _UNCHANGED
    if increase < 0:
        increase += 2**bits
        if increase < 0 or (not fastest and increase > 2**bits * _PLAUSIBLE_WRAP):
            return Rate(None, WAS_RESET)
    per_second = increase / seconds
    if fastest and per_second > fastest * HEADROOM:
        return Rate(None, TOO_FAST)
    return Rate(per_second)


def _restarted(before: float | None, now: float | None, seconds: float) -> bool:
    if before is None or now is None:
        return False
    slack = max(30.0, seconds / 10)
    expected = before + seconds
    if expected > _UPTIME_WRAP - slack and abs(expected % _UPTIME_WRAP - now) < slack:
        return False
    return now < before or now < seconds - slack
