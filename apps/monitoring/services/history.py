"""Reads history for charts and the API: samples for up to two days, roll-ups beyond, never more than 1,000 points."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

from apps.core import options
from apps.monitoring import layouts, packing
from apps.monitoring.models import RollUp, Sample, Sensor, Span
from apps.monitoring.packing import Numbers, shortest
from apps.monitoring.services import rollups
from apps.monitoring.services.periods import Periods

MOST_POINTS = 1000
RAW_FOR = timedelta(days=2)
HOUR, DAY = 3600, 86400
STEPS = (60, 120, 300, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY,
         30 * DAY)  # fmt: skip


class Point(NamedTuple):
    """What was measured from one moment on; None is "not measured"."""

    at: datetime
    minimum: float | None
    mean: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """The history of one sensor; ``step`` is the seconds that one point covers: for single samples, those between."""

    sensor: Sensor
    step: int
    points: list[Point]


def samples(sensor: Sensor, start: datetime, end: datetime, step: int | None = None) -> Series:
    """Give what a sensor measured from ``start`` up to ``end``, in steps of at least so many seconds."""
    resolution = _resolution(start, end, step)
    low, high = _milliseconds(start), _milliseconds(end)
    stored = list(_stored(sensor, low, high, resolution))
    if step is None and resolution == 0 and len(stored) <= MOST_POINTS:
        return Series(sensor, Periods.now().of(sensor.interface), [_single(at, value) for at, value, *_rest in stored])
    chosen = _step(start, end, step, resolution)
    return Series(sensor, chosen, list(_buckets(stored, chosen)))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _resolution(start: datetime, end: datetime, step: int | None) -> int:
    """Give the seconds that one stored row covers: 0 for samples, an hour or a day for roll-ups."""
    length = end - start
    if length <= RAW_FOR and (step is None or step < HOUR):
        return 0
    # What is older than the hourly roll-ups are kept can only be had by days.
    oldest_hour = datetime.now(UTC) - timedelta(days=options.get("hourly_retention"))
    if step is not None and step >= DAY:
        return DAY
    return DAY if start < oldest_hour or length > timedelta(days=100) else HOUR


def _step(start: datetime, end: datetime, step: int | None, resolution: int) -> int:
    """Give a step that is neither finer than what is stored nor makes too many points."""
    least = max(step or 1, resolution, math.ceil((end - start).total_seconds() / (MOST_POINTS - 1)))
    if step is not None and least == step:
        return step
    return next((one for one in STEPS if one >= least), math.ceil(least / DAY) * DAY)


Row = tuple[int, float, float, float, float]  # ms, min, mean, max, count


def _stored(sensor: Sensor, low: int, high: int, resolution: int) -> Iterator[Row]:
    """Give the stored values of one sensor in the order of time; the part that is not rolled up yet comes raw."""
    raw_from = low
    if resolution:
        span = Span.DAY if resolution == DAY else Span.HOUR
        length = rollups.MILLISECONDS[span]
        yield from _rolled_up(sensor, span, low - low % length, high)
        raw_from = max(low, rollups.until(span))
        if span is Span.DAY and raw_from < high:
            hours = rollups.until(Span.HOUR)
            yield from _rolled_up(sensor, Span.HOUR, raw_from, min(high, hours))
            raw_from = max(raw_from, hours)
    if raw_from < high:
        yield from _raw(sensor, raw_from, high)


def _rolled_up(sensor: Sensor, span: Span, low: int, high: int) -> Iterator[Row]:
    rows = RollUp.objects.filter(interface=sensor.interface_id, span=span, at__gte=low, at__lt=high)
    for at, place, values in _placed(sensor.key, rows):
        least, mean, most, count = values.reshape(4, -1)[:, place].tolist()
        yield at, least, mean, most, count


def _raw(sensor: Sensor, low: int, high: int) -> Iterator[Row]:
    rows = Sample.objects.filter(interface=sensor.interface_id, at__gte=low, at__lt=high)
    for at, place, values in _placed(sensor.key, rows):
        value = float(values[place])
        yield at, value, value, value, 0.0 if math.isnan(value) else 1.0


def _placed(key: str, rows: Any) -> Iterator[tuple[int, int, Numbers]]:
    """Give moment, the sensor's place and the values of each row that lists the sensor."""
    places: dict[int, int | None] = {}
    for at, layout_id, packed in rows.order_by("at").values_list("at", "layout_id", "values").iterator(2000):
        if layout_id not in places:
            keys = [sensor.key for sensor in layouts.sensors_of(layout_id)]
            places[layout_id] = keys.index(key) if key in keys else None
        place = places[layout_id]
        if place is not None:
            yield at, place, packing.unpack(packed)


def _single(at: int, value: float) -> Point:
    shown = shortest(value)
    return Point(datetime.fromtimestamp(at / 1000, UTC), shown, shown, shown)


def _buckets(stored: Iterable[Row], step: int) -> Iterator[Point]:
    """Put rows together by steps that begin at whole multiples of the step since 1970."""
    rows = np.array(list(stored), dtype=np.float64).reshape(-1, 5)
    if not len(rows):
        return
    starts = rows[:, 0] // (step * 1000)
    edges = np.flatnonzero(np.diff(starts)) + 1
    for part in np.split(rows, edges):
        begins = datetime.fromtimestamp(int(part[0, 0] // (step * 1000)) * step, UTC)
        measured = part[part[:, 4] > 0]
        if not len(measured):
            yield Point(begins, None, None, None)
            continue
        mean = float((measured[:, 2] * measured[:, 4]).sum() / measured[:, 4].sum())
        yield Point(begins, shortest(measured[:, 1].min()), float(f"{mean:.7g}"), shortest(measured[:, 3].max()))
