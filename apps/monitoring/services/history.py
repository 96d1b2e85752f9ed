"""Reads history for charts and the API: samples for up to two days, roll-ups beyond, never more than 1,000 points."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apps.core import options
from apps.monitoring import layouts, packing
from apps.monitoring.models import RollUp, Sample, Sensor, Span
from apps.monitoring.packing import Numbers, shortest
from apps.monitoring.services import rollups
from apps.monitoring.services.periods import Periods
from apps.monitoring.services.trends import Trend, line_through

MOST_POINTS = 1000
RAW_FOR = timedelta(days=2)
HOUR, DAY = 3600, 86400
STEPS = (60, 120, 300, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY,
         30 * DAY)  # fmt: skip
UNLISTED = -1.0  # stands for the number of values where a row does not list a sensor at all


class Point(NamedTuple):
    """What was measured from one moment on; None is "not measured"."""

    at: datetime
    minimum: float | None
    mean: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """The history of one sensor.

    ``step`` is the seconds that one point covers: for single samples, those between. ``apart`` is how many seconds two
    points may lie apart in the ordinary course of things; more is a gap.
    """

    sensor: Sensor
    step: int
    points: list[Point]
    apart: int


def samples(sensor: Sensor, start: datetime, end: datetime, step: int | None = None) -> Series:
    """Give what a sensor measured from ``start`` up to ``end``, in steps of at least so many seconds."""
    return several([sensor], start, end, step)[0]


def several(sensors: Sequence[Sensor], start: datetime, end: datetime, step: int | None = None) -> list[Series]:
    """Give what sensors measured, all in the same steps; the rows of an interface are read once for all of its own.

    Where every stored sample is a point, each sensor has its own step: the seconds between two polls of its interface.
    """
    resolution = _resolution(start, end, step)
    low, high = _milliseconds(start), _milliseconds(end)
    stored = _stored(sensors, low, high, resolution)
    periods = Periods.now()
    longest = {one.pk: 0 if resolution else periods.longest(one.interface) for one in sensors}
    if step is None and resolution == 0 and all(len(rows) <= MOST_POINTS for rows in stored.values()):
        steps = {one.pk: periods.of(one.interface) for one in sensors}
        return [
            Series(
                one,
                steps[one.pk],
                [_single(at, value) for at, value in stored[one.pk][:, :2].tolist()],
                max(steps[one.pk], longest[one.pk]),
            )
            for one in sensors
        ]
    chosen = step_for(start, end, step, resolution)
    return [
        Series(one, chosen, list(_buckets(stored[one.pk], chosen)), max(chosen, longest[one.pk])) for one in sensors
    ]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a sensor had over a range: lowest, mean, highest, and the line through its values."""

    low: float
    mean: float
    high: float
    trend: Trend


def summaries(sensors: Sequence[Sensor], start: datetime, end: datetime) -> dict[int, Summary]:
    """Put the ranges of sensors into a few numbers, by the sensors' own; one that measured nothing is left out."""
    resolution = _resolution(start, end, None)
    low, high = _milliseconds(start), _milliseconds(end)
    found: dict[int, Summary] = {}
    for pk, rows in _stored(sensors, low, high, resolution).items():
        measured = rows[rows[:, 4] > 0]
        if len(measured):
            mean = (measured[:, 2] * measured[:, 4]).sum() / measured[:, 4].sum()
            found[pk] = Summary(
                float(measured[:, 1].min()),
                float(mean),
                float(measured[:, 3].max()),
                line_through(measured[:, 0], measured[:, 2], end),
            )
    return found


def _by_interface(sensors: Iterable[Sensor]) -> dict[int, list[Sensor]]:
    found: dict[int, list[Sensor]] = defaultdict(list)
    for sensor in sensors:
        found[sensor.interface_id].append(sensor)
    return found


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


def step_for(start: datetime, end: datetime, step: int | None, resolution: int) -> int:
    """Give a step that is neither finer than what is stored nor makes too many points."""
    least = max(step or 1, resolution, math.ceil((end - start).total_seconds() / (MOST_POINTS - 1)))
    if step is not None and least == step:
        return step
    return next((one for one in STEPS if one >= least), math.ceil(least / DAY) * DAY)


def _stored(sensors: Sequence[Sensor], low: int, high: int, resolution: int) -> dict[int, NDArray[np.float64]]:
    """Give for each sensor the stored rows of time (ms), min, mean, max and count, in the order of time.

    What is not rolled up yet comes raw. A row that does not list the sensor is left out. How many statements it costs
    does not depend on how many sensors or interfaces there are.
    """
    wanted = _by_interface(sensors)
    keys = {interface_id: [sensor.key for sensor in mine] for interface_id, mine in wanted.items()}
    moments: dict[int, list[int]] = defaultdict(list)
    tables: dict[int, list[NDArray[np.float64]]] = defaultdict(list)  # (4, sensors) each
    for interface_id, at, table in _rows(keys, low, high, resolution):
        moments[interface_id].append(at)
        tables[interface_id].append(table)
    found: dict[int, NDArray[np.float64]] = {}
    for interface_id, mine in wanted.items():
        times = np.array(moments[interface_id], dtype=np.float64)
        values = np.array(tables[interface_id], dtype=np.float64).reshape(len(times), 4, len(mine))
        for place, sensor in enumerate(mine):
            rows = np.column_stack([times, values[:, :, place]])
            found[sensor.pk] = rows[rows[:, 4] != UNLISTED]
    return found


Keys = Mapping[int, Sequence[str]]  # of the wanted sensors, by interface
TableRow = tuple[int, int, NDArray[np.float64]]  # interface, moment (ms), (4, sensors)


def _rows(keys: Keys, low: int, high: int, resolution: int) -> Iterator[TableRow]:
    raw_from = low
    if resolution:
        span = Span.DAY if resolution == DAY else Span.HOUR
        length = rollups.MILLISECONDS[span]
        yield from _rolled_up(keys, span, low - low % length, high)
        raw_from = max(low, rollups.until(span))
        if span is Span.DAY and raw_from < high:
            hours = rollups.until(Span.HOUR)
            yield from _rolled_up(keys, Span.HOUR, raw_from, min(high, hours))
            raw_from = max(raw_from, hours)
    if raw_from < high:
        yield from _raw(keys, raw_from, high)


def _rolled_up(keys: Keys, span: Span, low: int, high: int) -> Iterator[TableRow]:
    rows = RollUp.objects.filter(interface__in=list(keys), span=span, at__gte=low, at__lt=high)
    for interface_id, at, mine, theirs, values in _placed(keys, rows):
        table = _unlisted(len(keys[interface_id]))
        table[:, mine] = values.reshape(4, -1)[:, theirs]
        yield interface_id, at, table


def _raw(keys: Keys, low: int, high: int) -> Iterator[TableRow]:
    rows = Sample.objects.filter(interface__in=list(keys), at__gte=low, at__lt=high)
    for interface_id, at, mine, theirs, values in _placed(keys, rows):
        table = _unlisted(len(keys[interface_id]))
        chosen = values[theirs]
        table[:3, mine] = chosen
        table[3, mine] = ~np.isnan(chosen)
        yield interface_id, at, table


def _unlisted(size: int) -> NDArray[np.float64]:
    table = np.full((4, size), np.nan)
    table[3] = UNLISTED
    return table


def _placed(keys: Keys, rows: Any) -> Iterator[tuple[int, int, list[int], list[int], Numbers]]:
    """Give of each row that lists any of the sensors its moment, which they are, where they stand, and the values."""
    places: dict[tuple[int, int], tuple[list[int], list[int]]] = {}
    columns = rows.order_by("interface_id", "at").values_list("interface_id", "at", "layout_id", "values")
    for interface_id, at, layout_id, packed in columns.iterator(2000):
        if (interface_id, layout_id) not in places:
            listed = {sensor.key: place for place, sensor in enumerate(layouts.sensors_of(layout_id))}
            shared = [(place, listed[key]) for place, key in enumerate(keys[interface_id]) if key in listed]
            places[interface_id, layout_id] = ([mine for mine, _at in shared], [theirs for _mine, theirs in shared])
        mine, theirs = places[interface_id, layout_id]
        if mine:
            yield interface_id, at, mine, theirs, packing.unpack(packed)


def _single(at: float, value: float) -> Point:
    shown = shortest(value)
    return Point(datetime.fromtimestamp(at / 1000, UTC), shown, shown, shown)


def _buckets(rows: NDArray[np.float64], step: int) -> Iterator[Point]:
    """Put rows together by steps that begin at whole multiples of the step since 1970."""
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
