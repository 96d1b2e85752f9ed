"""Which sensors of a list stand for the whole device: what lists sort by, what the figures of the fleet are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.drivers.contract import Limits, Quantity, Sensor

_NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Foremost:
    """Places in a list of sensors."""

    cpu: int | None  # the first is that of all processors together
    memory: int | None  # real memory comes before swap
    disks: tuple[int, ...]
    temperature: int | None
    powers: tuple[int, ...]  # their sum is the device's
    traffic: tuple[int, ...]  # in and out of each port
    uptime: int | None


def choose(sensors: Sequence[Sensor]) -> Foremost:
    """Find them; what a device does not list is None or empty."""
    found: dict[str, list[int]] = {name: [] for name in ("cpu", "memory", "heat", "powers", "whole", "traffic", "up")}
    disks: list[int] = []
    limited: list[int] = []
    for place, sensor in enumerate(sensors):
        match sensor.quantity, sensor.unit:
            case Quantity.CPU, "%":
                found["cpu"].append(place)
            case Quantity.MEMORY, "%":
                found["memory"].append(place)
            case Quantity.STORAGE, "%":
                # What has no limits is read-only or removable: it may be full and nobody cares.
                (disks if sensor.limits == _NO_LIMITS else limited).append(place)
            case Quantity.TEMPERATURE, "°C" if _is_inlet(sensor):
                found["heat"].append(place)
            case Quantity.POWER, "W":
                found["whole" if sensor.key == "power" else "powers"].append(place)
            case Quantity.TRAFFIC, "bit/s":
                found["traffic"].append(place)
            case Quantity.UPTIME, "s":
                found["up"].append(place)
    return Foremost(
        cpu=_first(found["cpu"]),
        memory=_first(found["memory"]),
        disks=tuple(limited or disks),
        temperature=_first(found["heat"]),
        powers=tuple(found["whole"] or found["powers"]),
        traffic=tuple(found["traffic"]),
        uptime=_first(found["up"]),
    )


def _first(places: Sequence[int]) -> int | None:
    return places[0] if places else None


def _is_inlet(sensor: Sensor) -> bool:
    name = sensor.name.casefold()
    return "inlet" in name or "ambient" in name or "intake" in name
