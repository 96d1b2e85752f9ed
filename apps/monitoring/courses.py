"""The course of every sensor over the last hours, as the small drawings beside their values want it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np

from apps.monitoring import layouts, packing
from apps.monitoring.models import Sample

POINTS = 48

Course = list[float | None]


def courses(interface_ids: Iterable[int], since: datetime) -> dict[tuple[int, str], Course]:
    """Give at most 48 values per sensor, by interface and key, from the oldest to the newest; None is a gap."""
    rows = Sample.objects.filter(interface__in=list(interface_ids), at__gte=int(since.timestamp() * 1000))
    by_interface: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
    for interface_id, layout_id, packed in rows.order_by("at").values_list("interface_id", "layout_id", "values"):
        by_interface[interface_id].append((layout_id, packed))
    return {
        (interface_id, key): course
        for interface_id, kept in by_interface.items()
        for key, course in _courses(kept).items()
    }


def _courses(rows: Sequence[tuple[int, bytes]]) -> Mapping[str, Course]:
    """Follow the sensors that the newest row lists back through rows that may list others."""
    keys = [sensor.key for sensor in layouts.sensors_of(rows[-1][0])]
    if not keys:
        return {}
    places: dict[int, tuple[list[int], list[int]]] = {}
    table = np.full((len(rows), len(keys)), np.nan)
    for line, (layout_id, packed) in enumerate(rows):
        if layout_id not in places:
            where = {sensor.key: place for place, sensor in enumerate(layouts.sensors_of(layout_id))}
            shared = [(mine, where[key]) for mine, key in enumerate(keys) if key in where]
            places[layout_id] = ([mine for mine, _theirs in shared], [theirs for _mine, theirs in shared])
        mine, theirs = places[layout_id]
        table[line, mine] = packing.unpack(packed)[theirs]
    parts = [_mean(part) for part in np.array_split(table, min(POINTS, len(rows)))]
    columns = np.stack(parts).T.tolist()
    return {
        key: [None if value != value else value for value in column] for key, column in zip(keys, columns, strict=True)
    }


def _mean(
    part: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """Give the mean of what was measured in each column."""
    measured = ~np.isnan(part)
    count = measured.sum(axis=0)
    total = np.where(measured, part, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
