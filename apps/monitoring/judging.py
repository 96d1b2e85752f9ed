"""From a device's readings to what is kept of them: packed values, statuses, and what is beyond a limit.

Everything here is pure and runs inside the event loop, once for each value: it is written for speed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_noop

from apps.core.phrases import Phrase
from apps.drivers.contract import Limits, Quantity, Reading, Sensor, Status
from apps.monitoring import layouts, packing
from apps.monitoring.layouts import NO_LIMITS

LETTERS: Final = {Status.CRITICAL: "c", Status.WARNING: "w", Status.UNKNOWN: "u", Status.NORMAL: "n"}
STATUSES: Final = {letter: status for status, letter in LETTERS.items()}
NOT_MEASURED = "not measured"

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
    values: tuple[float | None, ...]
    packed: bytes  # float32
    exact: bytes  # float64
    statuses: str
    whys: str
    breaches: tuple[Breach, ...]
    columns: Mapping[str, float | None]  # of the component: only those that this interface measures
    uptime: float | None


def snapshot(readings: Iterable[Reading], own: Mapping[str, Limits]) -> Snapshot:
    """Judge readings, by the user's ``own`` limits where there are some, else by the device's word or defaults."""
    sensors: list[Sensor] = []
    values: list[float | None] = []
    letters: list[str] = []
    whys: dict[str, list[int]] = {}
    breaches: list[Breach] = []
    seen: set[str] = set()
    for reading in readings:
        sensor, value = reading.sensor, reading.value
        key = sensor.key
        if key in seen:
            continue  # a device that lists a sensor twice; its place is taken
        seen.add(key)
        if value is not None and (value != value or value in (_INFINITE, -_INFINITE)):
            value = None
        status = reading.status
        if (key in own) or (status is None and sensor.limits is not NO_LIMITS and sensor.limits != NO_LIMITS):
            limits: Limits | None = own.get(key, sensor.limits)
            status = limits.judge(value) if limits is not None else Status.NORMAL
        else:
            limits = None
            if status is None:
                status = Status.UNKNOWN if value is None else Status.NORMAL
        if value is None:
            whys.setdefault(reading.why or NOT_MEASURED, []).append(len(sensors))
        if status is Status.CRITICAL or status is Status.WARNING:
            breaches.append(Breach(sensor, value, status, limits))
        sensors.append(sensor)
        values.append(value)
        letters.append(LETTERS[status])
    return Snapshot(
        digest=layouts.digest(sensors),
        sensors=tuple(sensors),
        values=tuple(values),
        packed=packing.pack(values),
        exact=packing.pack_exactly(values),
        statuses="".join(letters),
        whys=json.dumps(whys, ensure_ascii=False) if whys else "",
        breaches=tuple(breaches),
        columns=columns(sensors, values),
        uptime=next((v for s, v in zip(sensors, values, strict=True) if s.quantity is Quantity.UPTIME), None),
    )


_INFINITE = float("inf")


def columns(sensors: Sequence[Sensor], values: Sequence[float | None]) -> dict[str, float | None]:
    """Give what lists sort and facet by; a quantity that is not among the sensors is left out."""
    loads: list[float | None] = []
    memory: list[float | None] = []
    disks: list[float | None] = []
    limited_disks: list[float | None] = []
    inlets: list[float | None] = []
    powers: list[tuple[str, float | None]] = []
    for sensor, value in zip(sensors, values, strict=True):
        quantity, unit = sensor.quantity, sensor.unit
        if unit == "%":
            if quantity is Quantity.CPU:
                loads.append(value)
            elif quantity is Quantity.MEMORY:
                memory.append(value)
            elif quantity is Quantity.STORAGE:
                # What has no limits is read-only or removable: it may be full and nobody cares.
                (disks if sensor.limits == NO_LIMITS else limited_disks).append(value)
        elif quantity is Quantity.TEMPERATURE and unit == "°C" and _is_inlet(sensor):
            inlets.append(value)
        elif quantity is Quantity.POWER and unit == "W":
            powers.append((sensor.key, value))
    found: dict[str, float | None] = {}
    if loads:
        found["cpu"] = loads[0]  # the first is that of all processors together
    if memory:
        found["memory"] = memory[0]  # real memory comes before swap
    if limited_disks or disks:
        found["disk"] = max((v for v in limited_disks or disks if v is not None), default=None)
    if inlets:
        found["temperature"] = inlets[0]
    if powers:
        whole = [value for key, value in powers if key == "power"] or [value for _key, value in powers]
        measured = [value for value in whole if value is not None]
        found["power"] = sum(measured) if measured else None
    return {name: None if value is None else round(value, 2) for name, value in found.items()}


def _is_inlet(sensor: Sensor) -> bool:
    name = sensor.name.casefold()
    return "inlet" in name or "ambient" in name or "intake" in name
