"""Keeps the Sensor rows true: new ones are added, changed ones updated, and those that a device dropped marked gone.

At most polls nothing is new, which is seen by comparing two short texts.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from apps.components.models import ManagementInterface
from apps.core import rows
from apps.core.writes import turn
from apps.drivers.contract import Sensor as Point
from apps.monitoring.judging import STATUSES, Snapshot
from apps.monitoring.models import LastValues, Sensor

ROWS_AT_ONCE = 500
KEYS_AT_ONCE = 400
Measured = tuple[int, Snapshot, int]  # interface, readings, layout


@dataclass(slots=True)
class _Changes:
    """What is to be written."""

    upserts: list[Sequence[Any]] = field(default_factory=list)
    statuses: dict[tuple[int, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    gone: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))


def keep(batch: Sequence[Measured]) -> None:
    """Compare with what was known and write the differences."""
    wanted = [interface_id for interface_id, _readings, _layout in batch]
    last = LastValues.objects.filter(interface__in=wanted).order_by()
    before = {pk: (layout, statuses) for pk, layout, statuses in last.values_list("pk", "layout_id", "statuses")}
    changes = _Changes()
    relisted = []
    for interface_id, readings, layout_id in batch:
        known_layout, known_statuses = before.get(interface_id, (None, ""))
        if known_layout != layout_id:
            relisted.append((interface_id, readings))
        elif known_statuses != readings.statuses:
            for point, old, new in zip(readings.sensors, known_statuses, readings.statuses, strict=True):
                if old != new:
                    changes.statuses[interface_id, new].append(point.key)
    if relisted:
        _relist(relisted, changes)
    _write(changes)


def _relist(batch: Sequence[tuple[int, Snapshot]], changes: _Changes) -> None:
    known: dict[int, dict[str, tuple[Any, ...]]] = defaultdict(dict)
    asked = [interface_id for interface_id, _readings in batch]
    found = Sensor.objects.filter(interface__in=asked).order_by()
    for pk, key, *rest in found.values_list("interface_id", "key", "name", "quantity", "unit", "status", "gone_at"):
        known[pk][key] = tuple(rest)
    now = rows.moment(timezone.now())
    for interface_id, readings in batch:
        mine = known[interface_id]
        for point, letter in zip(readings.sensors, readings.statuses, strict=True):
            facts = _facts(point, letter)
            if mine.get(point.key) != (*facts, None):
                changes.upserts.append((interface_id, point.key, *facts, now))
        keys = {point.key for point in readings.sensors}
        changes.gone[interface_id] += [key for key, row in mine.items() if key not in keys and row[-1] is None]


def _facts(point: Point, letter: str) -> tuple[str, str, str, str]:
    return point.name[:300], point.quantity.value, point.unit, STATUSES[letter].value


def _write(changes: _Changes) -> None:
    table = Sensor._meta.db_table
    for start in range(0, len(changes.upserts), ROWS_AT_ONCE):
        part = changes.upserts[start : start + ROWS_AT_ONCE]
        with turn():
            present = set(
                ManagementInterface.objects.filter(pk__in={row[0] for row in part}).values_list("pk", flat=True)
            )
            rows.insert(
                Sensor,
                ("interface_id", "key", "name", "quantity", "unit", "status", "since"),
                [row for row in part if row[0] in present],
                "ON CONFLICT (interface_id, key) DO UPDATE SET name = excluded.name, quantity = excluded.quantity,"
                f" unit = excluded.unit, gone_at = NULL, since = CASE WHEN {table}.status = excluded.status"
                f" THEN {table}.since ELSE excluded.since END, status = excluded.status",
            )
    now = timezone.now()
    for changed in _by_rows(changes.statuses):
        with turn():
            for (interface_id, letter), keys in changed:
                _of(interface_id, keys).update(status=STATUSES[letter].value, since=now)
    for gone in _by_rows(changes.gone):
        with turn():
            for interface_id, keys in gone:
                _of(interface_id, keys).update(gone_at=now)


def _of(interface_id: int, keys: Sequence[str]) -> Any:
    return Sensor.objects.filter(interface=interface_id, key__in=keys)


def _by_rows(changes: Mapping[Any, list[str]]) -> Iterator[list[tuple[Any, list[str]]]]:
    """Cut changes into transactions of so many rows."""
    part: list[tuple[Any, list[str]]] = []
    count = 0
    for what, keys in changes.items():
        for start in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[start : start + KEYS_AT_ONCE]
            if part and count + len(some) > ROWS_AT_ONCE:
                yield part
                part, count = [], 0
            part.append((what, some))
            count += len(some)
    if part:
        yield part
