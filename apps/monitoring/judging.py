"""From a device's readings to what is kept of them: packed values, statuses, and what is beyond a limit.

Everything here is pure and runs inside the event loop, once for each value: it is written for speed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from django.utils.translation import gettext_noop

from apps.core.phrases import Phrase
from apps.drivers.contract import Limits, Reading, Sensor, Status
from apps.monitoring import layouts, packing
from apps.monitoring.foremost import Foremost, choose
from apps.monitoring.layouts import NO_LIMITS

LETTERS: Final = {Status.CRITICAL: "c", Status.WARNING: "w", Status.UNKNOWN: "u", Status.NORMAL: "n"}
STATUSES: Final = {letter: status for status, letter in LETTERS.items()}
BEYOND: Final = frozenset({Status.CRITICAL, Status.WARNING})
NOT_MEASURED = gettext_noop("not measured")
PLANS_AT_MOST = 2000

ABOVE = gettext_noop("%(sensor)s is %(value)s %(unit)s; the upper limit is %(limit)s %(unit)s")
BELOW = gettext_noop("%(sensor)s is %(value)s %(unit)s; the lower limit is %(limit)s %(unit)s")
ABOVE_PLAIN = gettext_noop("%(sensor)s is %(value)s; the upper limit is %(limit)s")
BELOW_PLAIN = gettext_noop("%(sensor)s is %(value)s; the lower limit is %(limit)s")
BY_DEVICE = gettext_noop("%(sensor)s is %(value)s %(unit)s, which the device calls out of range")
BY_DEVICE_PLAIN = gettext_noop("%(sensor)s is %(value)s, which the device calls out of range")
BY_DEVICE_ALONE = gettext_noop("The device calls %(sensor)s out of range")


@dataclass(frozen=True, slots=True)
class Breach:
    """A sensor that is beyond a limit, or out of range by the device's own word (then without limits)."""

    sensor: Sensor
    value: float | None
    status: Status
    limits: Limits | None

    @property
    def text(self) -> Phrase:
        """Say it in a sentence."""
        unit, params = self.sensor.unit, {"sensor": self.sensor.name}
        if self.value is None:
            return Phrase(BY_DEVICE_ALONE, params)
        params["value"] = plain(self.value)
        if unit:
            params["unit"] = unit
        if self.limits is None:
            return Phrase(BY_DEVICE if unit else BY_DEVICE_PLAIN, params)
        upper, limit = _crossed(self.value, self.limits)
        params["limit"] = plain(limit)
        if upper:
            return Phrase(ABOVE if unit else ABOVE_PLAIN, params)
        return Phrase(BELOW if unit else BELOW_PLAIN, params)


def _crossed(value: float, limits: Limits) -> tuple[bool, float]:
    """Give the worst limit that a value has reached, and whether it is an upper one."""
    for upper, limit in (
        (True, limits.upper_critical),
        (False, limits.lower_critical),
        (True, limits.upper_warning),
        (False, limits.lower_warning),
    ):
        if limit is not None and (value >= limit if upper else value <= limit):
            return upper, limit
    raise ValueError("no limit was reached")


def plain(value: float) -> str:
    """Write a number for a sentence: four significant digits, whole numbers in full."""
    rounded = float(f"{value:.4g}") if abs(value) < 1000 else round(value)
    return str(int(rounded)) if rounded == int(rounded) else str(rounded)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All readings of an interface at one moment, ready to be written."""

    digest: bytes
    sensors: tuple[Sensor, ...]
    packed: bytes  # float32
    exact: bytes  # float64
    statuses: str
    whys: str
    breaches: tuple[Breach, ...]
    columns: Mapping[str, float | None]  # of the component: only those that this interface measures
    uptime: float | None


def snapshot(readings: Iterable[Reading], own: Mapping[str, Limits]) -> Snapshot:
    """Judge readings, by the user's ``own`` limits where there are some, else by the device's word or defaults."""
    told = list(readings)
    plan = _plan([reading.sensor for reading in told])
    if len(plan.places) != len(told):
        told = _each_once(told)
        plan = _plan([reading.sensor for reading in told])
    sensors = plan.sensors
    numbers = np.array([reading.value for reading in told], dtype=np.float64)
    measured = np.isfinite(numbers)  # NaN and infinity are no measurement
    letters = ["n"] * len(told)
    whys: dict[str, list[int]] = {}
    if not measured.all():
        numbers[~measured] = np.nan
        for place in np.flatnonzero(~measured).tolist():
            letters[place] = "u"
            whys.setdefault(told[place].why or NOT_MEASURED, []).append(place)
    values = [None if value != value else value for value in numbers.tolist()]
    breaches: list[Breach] = []
    by_device = [place for place, reading in enumerate(told) if reading.status is not None]
    by_user = [plan.places[key] for key in own if key in plan.places]
    for place in sorted({*plan.limited, *by_device, *by_user}) if by_device or by_user else plan.limited:
        sensor = sensors[place]
        letters[place], breach = _judge(sensor, values[place], told[place].status, own.get(sensor.key))
        if breach is not None:
            breaches.append(breach)
    found, uptime = columns(plan.foremost, values)
    return Snapshot(
        digest=plan.digest,
        sensors=sensors,
        packed=packing.pack(numbers),
        exact=packing.pack_exactly(numbers),
        statuses="".join(letters),
        whys=json.dumps(whys, ensure_ascii=False) if whys else "",
        breaches=tuple(breaches),
        columns=found,
        uptime=uptime,
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What follows from a list of sensors alone: the same at every poll."""

    sensors: tuple[Sensor, ...]
    digest: bytes
    places: Mapping[str, int]  # by key
    limited: tuple[int, ...]  # places of those that have limits of their own
    foremost: Foremost


_plans: dict[bytes, _Plan] = {}  # by digest
_recognised: dict[tuple[int, ...], _Plan] = {}  # by the identity of the sensors, which the plan keeps alive


def _plan(sensors: Sequence[Sensor]) -> _Plan:
    """Know a list again by its very objects, which most drivers share between polls; else by its digest."""
    identity = tuple(map(id, sensors))
    if (plan := _recognised.get(identity)) is not None:
        return plan
    digest = layouts.digest(sensors)
    if (plan := _plans.get(digest)) is not None:
        return plan
    if len(_plans) >= PLANS_AT_MOST:
        _plans.clear()
        _recognised.clear()
    plan = _plans[digest] = _recognised[identity] = _Plan(
        tuple(sensors),
        digest,
        {sensor.key: place for place, sensor in enumerate(sensors)},
        tuple(place for place, sensor in enumerate(sensors) if sensor.limits is not NO_LIMITS),
        choose(sensors),
    )
    return plan


def _each_once(readings: list[Reading]) -> list[Reading]:
    """Keep the first of the readings that a device gives twice under one key."""
    return list({reading.sensor.key: reading for reading in reversed(readings)}.values())[::-1]


def _judge(sensor: Sensor, value: float | None, status: Status | None, own: Limits | None) -> tuple[str, Breach | None]:
    limits = None
    if own is not None or status is None:
        limits = own if own is not None else sensor.limits
        status = limits.judge(value)
    breach = Breach(sensor, value, status, limits) if status in BEYOND else None
    return LETTERS[status], breach


def columns(chosen: Foremost, values: Sequence[float | None]) -> tuple[dict[str, float | None], float | None]:
    """Give what lists sort and facet by, where this interface measures it at all, and the seconds the device is up."""
    found: dict[str, float | None] = {}
    for name, place in (("cpu", chosen.cpu), ("memory", chosen.memory), ("temperature", chosen.temperature)):
        if place is not None:
            found[name] = values[place]
    if chosen.disks:
        found["disk"] = max(_measured(values, chosen.disks), default=None)
    if chosen.powers:
        powers = _measured(values, chosen.powers)
        found["power"] = sum(powers) if powers else None
    uptime = values[chosen.uptime] if chosen.uptime is not None else None
    return {name: None if value is None else round(value, 2) for name, value in found.items()}, uptime


def _measured(values: Sequence[float | None], places: Sequence[int]) -> list[float]:
    return [value for place in places if (value := values[place]) is not None]
