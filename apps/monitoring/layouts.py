"""Layouts: the immutable lists of sensors that packed rows refer to, found by digest and kept in memory."""

import hashlib
import json
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache

from django.utils import timezone

from apps.core.writes import turn
from apps.drivers.contract import Limits, Quantity, Sensor
from apps.monitoring.foremost import Foremost, choose
from apps.monitoring.models import SensorLayout

TRUSTED = 3600.0  # seconds that a process trusts a digest's id; retention spares what was used within a day
KNOWN_AT_MOST = 20_000
NO_LIMITS: Limits = next(one.default for one in fields(Sensor) if one.name == "limits")  # type: ignore[assignment]

_known: dict[bytes, tuple[int, float]] = {}


def digest(sensors: Sequence[Sensor]) -> bytes:
    """Give 16 bytes that stand for exactly this list."""
    told = "\x1e".join(
        [
            "\x1f".join((sensor.key, sensor.name, sensor.quantity, sensor.unit))
            if sensor.limits is NO_LIMITS
            else "\x1f".join((sensor.key, sensor.name, sensor.quantity, sensor.unit, _limits_word(sensor.limits)))
            for sensor in sensors
        ]
    )
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).digest()


@lru_cache(maxsize=4096)
def _limits_word(limits: Limits) -> str:
    return "" if limits == NO_LIMITS else repr(_four(limits))


def _four(limits: Limits) -> tuple[float | None, float | None, float | None, float | None]:
    return limits.lower_critical, limits.lower_warning, limits.upper_warning, limits.upper_critical


def ids(wanted: Mapping[bytes, Sequence[Sensor]]) -> dict[bytes, int]:
    """Give the ids of these lists by digest; those that are new are written."""
    now = time.monotonic()
    found = {one: _known[one][0] for one in wanted if one in _known and _known[one][1] > now}
    missing = [one for one in wanted if one not in found]
    for start in range(0, len(missing), 200):
        found |= _looked_up({one: wanted[one] for one in missing[start : start + 200]}, now + TRUSTED)
    return found


def _looked_up(wanted: Mapping[bytes, Sequence[Sensor]], until: float) -> dict[bytes, int]:
    used_at = timezone.now()
    with turn():
        SensorLayout.objects.bulk_create(
            [
                SensorLayout(digest=one, sensors=_dumps(sensors), size=len(sensors), used_at=used_at)
                for one, sensors in wanted.items()
            ],
            update_conflicts=True,
            unique_fields=["digest"],
            update_fields=["used_at"],
        )
    rows = SensorLayout.objects.filter(digest__in=list(wanted)).values_list("digest", "pk")
    found = {bytes(one): pk for one, pk in rows}
    if len(_known) + len(found) > KNOWN_AT_MOST:
        _known.clear()
    _known.update({one: (pk, until) for one, pk in found.items()})
    return found


def forget() -> None:
    """Make this process look everything up again."""
    _known.clear()
    _sensors.cache_clear()
    foremost_of.cache_clear()


def _dumps(sensors: Sequence[Sensor]) -> bytes:
    rows = [
        [one.key, one.name, one.quantity, one.unit, None if one.limits == NO_LIMITS else _four(one.limits)]
        for one in sensors
    ]
    return zlib.compress(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def _loads(packed: bytes) -> tuple[Sensor, ...]:
    rows = json.loads(zlib.decompress(packed).decode("utf-8", "surrogatepass"))
    return tuple(
        Sensor(key, name, Quantity(quantity), unit, NO_LIMITS if limits is None else Limits(*limits))
        for key, name, quantity, unit, limits in rows
    )


def sensors_of(layout_id: int) -> tuple[Sensor, ...]:
    """Give the sensors of a layout; it never changes, so memory is as good as the database."""
    return _sensors(layout_id)


@lru_cache(maxsize=256)
def _sensors(layout_id: int) -> tuple[Sensor, ...]:
    return _loads(bytes(SensorLayout.objects.values_list("sensors", flat=True).get(pk=layout_id)))


@lru_cache(maxsize=256)
def foremost_of(layout_id: int) -> Foremost:
    """Give which sensors of a layout stand for the whole device."""
    return choose(sensors_of(layout_id))


def union(layout_ids: Iterable[int]) -> int:
    """Give the layout that has every sensor of these: the newest (last) list first, then what only others had."""
    distinct = list(dict.fromkeys(layout_ids))
    if len(distinct) == 1:
        return distinct[0]
    merged: dict[str, Sensor] = {}
    for layout_id in reversed(distinct):
        for sensor in sensors_of(layout_id):
            merged.setdefault(sensor.key, sensor)
    everything = tuple(merged.values())
    one = digest(everything)
    return ids({one: everything})[one]
