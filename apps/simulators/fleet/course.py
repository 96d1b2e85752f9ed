"""The course of a simulated value: a function of time alone, so that any moment, past ones too, can be computed.

A ``Wave`` is a mean with sines around it. What it adds up to between two moments is known exactly, which makes
counters and the rates made of them one course. Times are seconds since 1970.
"""

import hashlib
import math
from collections.abc import Sequence
from typing import NamedTuple

EPOCH = 1_767_225_600.0  # 2026-01-01; sums are reckoned from here, so that they keep their fractions
HOUR, DAY, WEEK = 3600.0, 86_400.0, 604_800.0
TOKYO = 9 * HOUR
_NOISE = (5407.0, 1733.0, 607.0, 211.0, 71.0)  # seconds; no one a multiple of another, so that nothing repeats
_LOWEST = 0.04  # share of the mean under which a wave never falls

Part = tuple[float, float, float]
"""Amplitude, angular frequency, phase."""


def chance(*what: object) -> float:
    """Give a number from 0 up to 1 that looks random and is always the same for the same words."""
    digest = hashlib.blake2b("|".join(map(str, what)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64


def between(low: float, high: float, *what: object) -> float:
    """Give a number of a range, always the same for the same words."""
    return low + (high - low) * chance(*what)


def pick(choices: Sequence[str], *what: object) -> str:
    """Give one of some words, always the same one for the same words."""
    return choices[int(chance(*what) * len(choices))]


class Wave(NamedTuple):
    """A value that swings around its mean and is never negative."""

    mean: float
    parts: tuple[Part, ...]

    def at(self, moment: float) -> float:
        """Give the value at a moment."""
        since = moment - EPOCH
        sin = math.sin
        return self.mean + sum([size * sin(speed * since + phase) for size, speed, phase in self.parts])

    def until(self, moment: float) -> float:
        """Give what the value has added up to since the epoch; take the difference of two moments."""
        since = moment - EPOCH
        cos = math.cos
        return self.mean * since - sum([size / speed * cos(speed * since + phase) for size, speed, phase in self.parts])

    def over(self, seconds: float, moment: float) -> float:
        """Give the mean over the seconds before a moment."""
        return (self.until(moment) - self.until(moment - seconds)) / seconds


def wave(
    mean: float, *seed: object, daily: float = 0.0, noise: float = 0.0, peak: float = 14.0, weekly: float = 0.0
) -> Wave:
    """Make a wave whose swings are shares of the mean; ``peak`` is the hour of the day in Tokyo where it is highest."""
    parts: list[Part] = []

    def add(share: float, period: float, highest: float) -> None:
        speed = math.tau / period
        parts.append((share * mean, speed, math.pi / 2 - speed * highest))

    if daily:
        highest = peak * HOUR - TOKYO
        # The two together are lowest ten hours after they are highest: a night that is deepest before the morning.
        add(daily, DAY, highest + 0.5 * HOUR)
        add(daily * 0.2, DAY / 2, highest - 0.75 * HOUR)
    if weekly:
        add(weekly, WEEK, 6.5 * DAY)  # 2026-01-01 was a Thursday: highest in the middle of the week
    for place, period in enumerate(_NOISE if noise else ()):
        own = period * between(0.85, 1.15, "period", place, *seed)
        add(noise * (0.45, 0.3, 0.25, 0.2, 0.15)[place], own, period * chance("phase", place, *seed))
    swing = sum(abs(size) for size, _speed, _phase in parts)
    most = mean * (1 - _LOWEST)
    shrink = most / swing if swing > most else 1.0
    return Wave(mean, tuple((size * shrink, speed, phase) for size, speed, phase in parts))


def scaled(one: Wave, factor: float) -> Wave:
    """Give the same course at another height."""
    return Wave(one.mean * factor, tuple((size * factor, speed, phase) for size, speed, phase in one.parts))


def filling(low: float, high: float, period: float, moment: float, *seed: object) -> float:
    """Give the level of something that fills slowly and is cleared when it has reached its height."""
    turn = (moment - EPOCH) / period + chance("turn", *seed)
    return low + (high - low) * (turn - math.floor(turn))


def last_start(period: float, moment: float, *seed: object) -> tuple[int, float]:
    """Give how often something that happens once in a period has happened, and when it did last."""
    shift = chance("start", *seed) * period
    count = math.floor((moment - EPOCH + 40 * period - shift) / period)
    return count, EPOCH - 40 * period + shift + count * period
