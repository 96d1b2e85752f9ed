"""Reads what a fleet, or a part of it, measured: the course of a quantity, and what each component had over a range.

Who asks says which components may be looked at; what was kept of others, or of ones that are gone, is passed over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from apps.monitoring import packing
from apps.monitoring.models import FleetQuantity, FleetSpan, FleetValues, RollUpProgress
from apps.monitoring.packing import Ids
from apps.monitoring.services.fleet import EVERY, WEEK, weeks_until
from apps.monitoring.services.history import DAY, HOUR, Point, step_for
from apps.monitoring.services.trends import Trend

SAMPLES_FOR = timedelta(days=2)  # longer ranges are read by hours
HOURS_FOR = timedelta(days=14)  # longer ones by days
DAYS_FOR = timedelta(days=100)  # longer ones by weeks
SAMPLES_ALONE_FOR = timedelta(hours=6)  # the totals of longer ranges are read by hours
STEP_OF = {FleetSpan.SAMPLE: EVERY, FleetSpan.HOUR: HOUR, FleetSpan.DAY: DAY, FleetSpan.WEEK: WEEK}
SUMMED = frozenset({FleetQuantity.POWER})

Floats = NDArray[np.float64]
Places = NDArray[np.int64] | slice  # a slice where they lie side by side, which they nearly always do: it is quicker


@dataclass(frozen=True, slots=True)
class Moment:
    """What the chosen components had over one stored span: their places among the chosen, and three numbers of each."""

    at: int  # ms
    span: FleetSpan
    places: Places
    low: Floats
    mean: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Course:
    """A quantity over time: of power the sum over the components, of others the mean and the extremes among them."""

    quantity: FleetQuantity
    step: int
    points: list[Point]
    measured: list[int]  # how many components each point stands on


@dataclass(frozen=True, slots=True)
class Totals:
    """What each chosen component had over a range; NaN where nothing was measured."""

    ids: Ids
    low: Floats
    mean: Floats
    high: Floats
    fits: "Fits"

    def highest(self, number: int) -> list[int]:
        """Give the places of the highest means, the highest first."""
        measured = np.flatnonzero(~np.isnan(self.mean))
        best = measured[np.argsort(-self.mean[measured], kind="stable")]
        return [int(place) for place in best[:number]]


@dataclass(frozen=True, slots=True)
class Fits:
    """A straight line through the values of each component: value per day, value at the end, and how well it fits."""

    per_day: Floats
    last: Floats
    share: Floats  # r², the share of the variance that the line explains
    points: NDArray[np.int64]
    days: Floats  # between the first and the last of its values

    def of(self, place: int) -> Trend:
        """Give that of one component."""
        return Trend(
            float(self.per_day[place]),
            float(self.last[place]),
            float(self.share[place]),
            int(self.points[place]),
            float(self.days[place]),
        )


def chosen(ids: Sequence[int]) -> Ids:
    """Give ids in the form that is asked with: sorted, each once."""
    return np.unique(np.array(ids, dtype=np.int64))


def course(quantity: FleetQuantity, ids: Ids, start: datetime, end: datetime, step: int | None = None) -> Course:
    """Give the course of a quantity over the chosen components, at most 1,000 points."""
    finest = STEP_OF[_spans(start, end)[0]]
    width = step_for(start, end, step, finest)
    buckets: dict[int, list[tuple[float, float, float, int]]] = {}
    for at, moments in _by_time(quantity, ids, start, end):
        summary = _summary(quantity, moments)
        if summary is not None:
            buckets.setdefault(at // 1000 // width * width, []).append(summary)
    points, measured = [], []
    for begins, parts in sorted(buckets.items()):
        table = np.array(parts)
        points.append(
            Point(
                datetime.fromtimestamp(begins, UTC),
                _short(table[:, 0].min()),
                _short(table[:, 1].mean()),
                _short(table[:, 2].max()),
            )
        )
        measured.append(int(table[:, 3].max()))
    return Course(quantity, width, points, measured)


def _by_time(quantity: FleetQuantity, ids: Ids, start: datetime, end: datetime) -> Iterator[tuple[int, list[Moment]]]:
    """Put the parts of the fleet at one moment together."""
    waiting: list[Moment] = []
    for moment in moments_of(quantity, ids, start, end):
        if waiting and (moment.at, moment.span) != (waiting[0].at, waiting[0].span):
            yield waiting[0].at, waiting
            waiting = []
        waiting.append(moment)
    if waiting:
        yield waiting[0].at, waiting


def _summary(quantity: FleetQuantity, moments: Sequence[Moment]) -> tuple[float, float, float, int] | None:
    number = sum(len(moment.mean) for moment in moments)
    if not number:
        return None
    low, mean, high = (
        np.concatenate([getattr(moment, name) for moment in moments]) for name in ("low", "mean", "high")
    )
    if quantity in SUMMED:
        # The highest of all at different times are nobody's highest together.
        return float(mean.sum()), float(mean.sum()), float(mean.sum()), number
    return float(low.min()), float(mean.mean()), float(high.max()), number


def totals(quantity: FleetQuantity, ids: Ids, start: datetime, end: datetime) -> Totals:
    """Give what each of the chosen components had over a range, and the straight line through its values."""
    size = len(ids)
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    total, weight = np.zeros(size), np.zeros(size)
    line = _Line(size, start)
    spans = _spans(start, end)
    if spans[0] == FleetSpan.SAMPLE and end - start > SAMPLES_ALONE_FOR:
        spans = (FleetSpan.HOUR, FleetSpan.SAMPLE)
    for moment in moments_of(quantity, ids, start, end, spans):
        places = moment.places
        low[places] = np.minimum(low[places], moment.low)
        high[places] = np.maximum(high[places], moment.high)
        hours = STEP_OF[moment.span] / HOUR
        total[places] += moment.mean * hours
        weight[places] += hours
        line.add(moment.at + STEP_OF[moment.span] * 500, places, moment.mean)
    some = weight > 0
    return Totals(
        ids,
        np.where(some, low, np.nan),
        np.divide(total, weight, out=np.full(size, np.nan), where=some),
        np.where(some, high, np.nan),
        line.fits(end),
    )


@dataclass(frozen=True, slots=True)
class Sums:
    """What lines of components had together over a range; each array ends with all of them together."""

    mean: Floats  # the sum of the means of the components, which a gap of one does not lower
    known: NDArray[np.int64]  # how many components measured anything
    peak: Floats  # the highest sum at one moment
    at: NDArray[np.int64]  # when that was (ms); 0: never
    measured: NDArray[np.int64]  # how many components were measured then
    step: NDArray[np.int64]  # the seconds that this moment covers


def sums(
    quantity: FleetQuantity, ids: Ids, line_of: NDArray[np.int64], lines: int, start: datetime, end: datetime
) -> Sums:
    """Sum a quantity up over lines of components, moment by moment; ``line_of`` is by the chosen components."""
    total, weight = np.zeros(len(ids)), np.zeros(len(ids))
    peak, at = np.full(lines + 1, -np.inf), np.zeros(lines + 1, dtype=np.int64)
    measured, step = np.zeros(lines + 1, dtype=np.int64), np.zeros(lines + 1, dtype=np.int64)
    for moment, parts in _by_time(quantity, ids, start, end):
        together, count = np.zeros(lines + 1), np.zeros(lines + 1, dtype=np.int64)
        seconds = STEP_OF[parts[0].span]
        for part in parts:
            places = line_of[part.places]
            together[:-1] += np.bincount(places, weights=part.mean, minlength=lines)
            count[:-1] += np.bincount(places, minlength=lines)
            total[part.places] += part.mean * seconds
            weight[part.places] += seconds
        together[-1], count[-1] = together[:-1].sum(), count[:-1].sum()
        higher = (count > 0) & (together > peak)
        peak[higher], at[higher], measured[higher], step[higher] = together[higher], moment, count[higher], seconds
    some = weight > 0
    means = np.divide(total, weight, out=np.zeros(len(ids)), where=some)
    mean = np.bincount(line_of, weights=means, minlength=lines)
    known = np.bincount(line_of[some], minlength=lines)
    return Sums(np.append(mean, mean.sum()), np.append(known, known.sum()), peak, at, measured, step)


class _Line:
    """Adds up what a straight line by least squares needs; time is in days since the beginning of the range."""

    def __init__(self, size: int, start: datetime) -> None:
        self._start = start.timestamp()
        self._count = np.zeros(size, dtype=np.int64)
        self._sums = np.zeros((5, size))  # t, y, tt, ty, yy
        self._first, self._last = np.full(size, np.inf), np.full(size, -np.inf)

    def add(self, at: int, places: Places, values: Floats) -> None:
        """Take the values of some components at one moment (ms)."""
        day = (at / 1000 - self._start) / DAY
        self._count[places] += 1
        terms = (np.full(len(values), day), values, np.full(len(values), day * day), day * values, values * values)
        for line, term in zip(self._sums, terms, strict=True):
            line[places] += term
        self._first[places] = np.minimum(self._first[places], day)
        self._last[places] = np.maximum(self._last[places], day)

    def fits(self, end: datetime) -> Fits:
        """Give the lines; NaN where there are fewer than two moments."""
        times, values, times2, both, values2 = self._sums
        count = self._count
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = times2 - times * times / count
            along = both - times * values / count
            variance = values2 - values * values / count
            per_day = np.where(spread > 1e-12, along / spread, np.nan)
            share = np.where((spread > 1e-12) & (variance > 1e-9), along * along / (spread * variance), np.nan)
            at_end = (end.timestamp() - self._start) / DAY
            last = values / count + per_day * (at_end - times / count)
        days = np.where(count > 1, self._last - self._first, 0.0)
        return Fits(per_day, last, np.clip(share, 0.0, 1.0), count, days)


def moments_of(
    quantity: FleetQuantity, ids: Ids, start: datetime, end: datetime, spans: Sequence[FleetSpan] = ()
) -> Iterator[Moment]:
    """Give what is stored of the chosen components, in the order of time, in spans that suit the range."""
    low, high = int(start.timestamp() * 1000), int(end.timestamp() * 1000)
    known: dict[bytes, tuple[Places, Places, int]] = {}
    for span, begin, stop in _stretches(quantity, spans or _spans(start, end), low, high):
        rows = FleetValues.objects.filter(span=span, quantity=quantity, at__gte=begin, at__lt=stop)
        columns = rows.order_by("at", "part").values_list("at", "components", "values")
        for at, packed_ids, packed in columns.iterator(500):
            listed = bytes(packed_ids)
            if listed not in known:
                known[listed] = _shared(packing.unpack_ids(listed), ids)
            theirs, places, number = known[listed]
            if not number:
                continue
            values = packing.unpack(packed)
            if span == FleetSpan.SAMPLE:
                mine = values[theirs].astype(np.float64)
                yield Moment(at, span, places, mine, mine, mine)
            else:
                lines = values.reshape(4, -1)[:3, theirs].astype(np.float64)
                yield Moment(at, span, places, lines[0], lines[1], lines[2])


def _shared(listed: Ids, ids: Ids) -> tuple[Places, Places, int]:
    """Give where those that both lists name stand in the first and in the second, and how many there are."""
    if not len(ids):
        return slice(0), slice(0), 0
    at = np.minimum(np.searchsorted(ids, listed), len(ids) - 1)
    same = np.flatnonzero(ids[at] == listed)
    return _side_by_side(same), _side_by_side(at[same]), len(same)


def _side_by_side(places: NDArray[np.int64]) -> Places:
    if len(places) and places[-1] - places[0] + 1 == len(places):
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


def _spans(start: datetime, end: datetime) -> tuple[FleetSpan, ...]:
    """Give the spans that a range is read by, the one that most of it comes from first."""
    length = end - start
    if length <= SAMPLES_FOR:
        return (FleetSpan.SAMPLE, FleetSpan.HOUR)
    if length <= HOURS_FOR:
        return (FleetSpan.HOUR, FleetSpan.SAMPLE)
    if length <= DAYS_FOR:
        return (FleetSpan.DAY, FleetSpan.HOUR, FleetSpan.SAMPLE)
    return (FleetSpan.WEEK, FleetSpan.DAY, FleetSpan.HOUR, FleetSpan.SAMPLE)


def _stretches(
    quantity: FleetQuantity, spans: Sequence[FleetSpan], low: int, high: int
) -> Iterator[tuple[FleetSpan, int, int]]:
    """Cut a range into stretches of one span each, in the order of time: nothing is counted twice."""
    if spans[0] == FleetSpan.SAMPLE:
        yield from _samples_and_hours(quantity, low, high)
        return
    done: dict[str, int] = dict(RollUpProgress.objects.values_list("span", "until"))
    if FleetSpan.WEEK in spans:
        done[FleetSpan.WEEK] = weeks_until()
    begin = low
    for span in spans:
        if span == FleetSpan.SAMPLE:
            yield span, begin, high
            return
        length = STEP_OF[span] * 1000
        stop = min(high, max(begin, done.get(span.value, 0)))
        yield span, begin - begin % length, stop
        begin = max(begin, stop)


def _samples_and_hours(quantity: FleetQuantity, low: int, high: int) -> Iterator[tuple[FleetSpan, int, int]]:
    """Give the samples, and the hours where nobody took any or they are not kept any more."""
    hour, every = HOUR * 1000, EVERY * 1000
    rows = FleetValues.objects.filter(span=FleetSpan.SAMPLE, quantity=quantity, at__gte=low, at__lt=high)
    since = covered = low
    for at in [*rows.order_by("at").values_list("at", flat=True).distinct(), high]:
        first = covered - covered % hour if covered == low else covered + -covered % hour
        last = at - at % hour
        if at - covered >= hour // 2 and last > first:
            yield FleetSpan.SAMPLE, since, covered
            yield FleetSpan.HOUR, first, last
            since = at
        covered = at + every
    yield FleetSpan.SAMPLE, since, high


def _short(value: float) -> float:
    """Give a number with the digits that a float32 has."""
    return float(f"{value:.7g}")
