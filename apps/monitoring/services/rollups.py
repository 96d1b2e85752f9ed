"""Rolls samples up into hours, and hours into days: minimum, mean, maximum and number of values of each sensor.

Each span is written whole, so doing it again changes nothing; how far they have come is one row, so that a standstill
is caught up.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.utils import timezone

from apps.components.models import ManagementInterface
from apps.core import options, rows
from apps.core.writes import turn
from apps.monitoring import layouts, packing
from apps.monitoring.models import FleetSpan, RollUp, RollUpProgress, Sample, Span
from apps.monitoring.packing import Numbers
from apps.monitoring.services import fleet

MILLISECONDS = {Span.HOUR: 3_600_000, Span.DAY: 86_400_000}
LATE = 120_000  # ms after the end of an hour, by which the last of its samples are written
AT_ONCE = 200  # interfaces

Row = tuple[int, bytes]  # layout, packed values


def roll_up(span: Span, now: datetime | None = None) -> int:
    """Do every span that has ended and is not done yet; gives how many spans of time were done."""
    length = MILLISECONDS[span]
    done = 0
    while (start := _next(span, now or timezone.now())) is not None:
        _roll_up(span, start, start + length)
        with turn():
            RollUpProgress.objects.update_or_create(span=span, defaults={"until": start + length})
        done += 1
    if span is Span.DAY and done:
        fleet.roll_up_weeks(until(span))
    return done


def until(span: Span) -> int:
    """Give up to which moment (ms) the roll-ups are complete; 0 when there are none."""
    return RollUpProgress.objects.filter(span=span).values_list("until", flat=True).first() or 0


def _next(span: Span, now: datetime) -> int | None:
    """Give where the next span to be done begins, None when all that ended is done."""
    length = MILLISECONDS[span]
    ended = int(now.timestamp() * 1000) - LATE
    if span is Span.DAY:
        ended = min(ended, until(Span.HOUR))
    start = until(span) or _beginning(span)
    if start is None:
        return None
    if span is Span.HOUR:
        # After a long standstill nothing older than what is kept needs to be looked for.
        start = max(start, ended - options.get("sample_retention") * MILLISECONDS[Span.DAY])
    start -= start % length
    return start if start + length <= ended else None


def _beginning(span: Span) -> int | None:
    source: Any = Sample.objects.all() if span is Span.HOUR else RollUp.objects.filter(span=Span.HOUR)
    first: int | None = source.order_by("pk").values_list("at", flat=True).first()
    return first


def _roll_up(span: Span, start: int, end: int) -> None:
    gatherer = fleet.Gatherer()
    last = 0
    while True:
        # By interfaces, because their index begins with it; a thousand short reads are cheaper than one whole scan.
        some = ManagementInterface.objects.filter(pk__gt=last).order_by("pk")
        owners = {
            pk: (owner, driver) for pk, owner, driver in some.values_list("pk", "component_id", "driver")[:AT_ONCE]
        }
        if not owners:
            break
        ids = list(owners)
        last = ids[-1]
        source: Any = Sample.objects.all() if span is Span.HOUR else RollUp.objects.filter(span=Span.HOUR)
        found: dict[int, list[Row]] = defaultdict(list)
        mine = source.filter(interface__in=ids, at__gte=start, at__lt=end).order_by("interface_id", "at")
        for interface_id, layout_id, values in mine.values_list("interface_id", "layout_id", "values"):
            found[interface_id].append((layout_id, bytes(values)))
        if found:
            combined = dict(_combined(span, found))
            for interface_id, (layout_id, table) in combined.items():
                component_id, driver = owners[interface_id]
                gatherer.add(component_id, interface_id, driver, layout_id, table)
            packed = {pk: (layout_id, packing.pack(table.reshape(-1))) for pk, (layout_id, table) in combined.items()}
            _write(span, start, packed)
    gatherer.write(FleetSpan(span.value), start)


def _combined(span: Span, found: Mapping[int, Sequence[Row]]) -> Iterator[tuple[int, tuple[int, Numbers]]]:
    """Give the layout and the table (min, mean, max, count; sensors) of each interface, in their order."""
    combine = of_samples if span is Span.HOUR else of_roll_ups
    for interface_id, mine in found.items():
        layout_id = layouts.union(layout for layout, _values in mine)
        yield interface_id, (layout_id, combine(aligned(mine, layout_id, span)))


def _write(span: Span, start: int, made: Mapping[int, Row]) -> None:
    with turn():
        present = ManagementInterface.objects.filter(pk__in=list(made)).values_list("pk", flat=True)
        rows.insert(
            RollUp,
            ("interface_id", "span", "at", "layout_id", "values"),
            [(pk, span.value, start, *made[pk]) for pk in present],
            "ON CONFLICT (interface_id, span, at) DO UPDATE SET layout_id = excluded.layout_id,"
            ' "values" = excluded."values"',
        )


def aligned(mine: Iterable[Row], layout_id: int, span: Span) -> Numbers:
    """Unpack rows of several layouts onto one: samples as (rows, sensors), roll-ups as (rows, 4, sensors)."""
    size = len(layouts.sensors_of(layout_id))
    found: list[Numbers] = []
    for own_layout, packed in mine:
        values: Numbers = packing.unpack(packed).astype(np.float64)
        if span is Span.DAY:
            values = values.reshape(4, -1)
        if own_layout != layout_id:
            values = _moved(values, own_layout, layout_id, size)
        found.append(values)
    return np.array(found)


def _moved(values: Numbers, own_layout: int, layout_id: int, size: int) -> Numbers:
    places = {sensor.key: place for place, sensor in enumerate(layouts.sensors_of(layout_id))}
    target = [places[sensor.key] for sensor in layouts.sensors_of(own_layout)]
    moved = np.full((*values.shape[:-1], size), math.nan)
    moved[..., target] = values
    return moved


def of_samples(samples: Numbers) -> Numbers:
    """Give min, mean, max and count of each column; a column without a value has a count of 0 and no others."""
    measured = ~np.isnan(samples)
    count = measured.sum(axis=0)
    total = np.where(measured, samples, 0.0).sum(axis=0)
    low = np.where(measured, samples, np.inf).min(axis=0)
    high = np.where(measured, samples, -np.inf).max(axis=0)
    return _four(low, total, high, count)


def of_roll_ups(hours: Numbers) -> Numbers:
    """Give min, mean, max and count over roll-ups of shorter spans; means weigh as many values as they stand for."""
    low, mean, high, count = hours[:, 0], hours[:, 1], hours[:, 2], np.nan_to_num(hours[:, 3])
    measured = count > 0
    total = np.where(measured, mean * count, 0.0).sum(axis=0)
    return _four(
        np.where(measured, low, np.inf).min(axis=0),
        total,
        np.where(measured, high, -np.inf).max(axis=0),
        count.sum(axis=0),
    )


def _four(low: Numbers, total: Numbers, high: Numbers, count: Any) -> Numbers:
    some = count > 0
    mean = np.divide(total, count, out=np.full(total.shape, math.nan), where=some)
    return np.stack([np.where(some, low, math.nan), mean, np.where(some, high, math.nan), count.astype(np.float64)])
