"""Which sensors of a list stand for the whole device: what lists sort by, what the figures of the fleet are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.drivers.contract import DRAWN, Limits, Quantity, Sensor

_NO_LIMITS = Limits()
_CONSUMPTION = frozenset(
    {"power consumption", "pwr consumption", "power meter", "total power", "system power", "sys power", "total pwr"}
)


@dataclass(frozen=True, slots=True)
class Foremost:
    """Places in a list of sensors."""

    cpu: int | None  # the first is that of all processors together
    memory: int | None  # real memory comes before swap
    disks: tuple[int, ...]
    temperature: int | None
    powers: tuple[int, ...]  # their sum is the device's; one alone where it measures the whole
    metered: bool  # whether that one does
    traffic: tuple[int, ...]  # in and out of each port
    uptime: int | None


def choose(sensors: Sequence[Sensor]) -> Foremost:
    """Find them; what a device does not list is None or empty."""
    found: dict[str, list[int]] = {name: [] for name in ("cpu", "memory", "heat", "powers", "traffic", "up")}
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
            case Quantity.TEMPERATURE, "°C" if is_inlet(sensor.name):
                found["heat"].append(place)
            case Quantity.POWER, "W":
                found["powers"].append(place)
            case Quantity.TRAFFIC, "bit/s":
                found["traffic"].append(place)
            case Quantity.UPTIME, "s":
                found["up"].append(place)
    whole = _whole(sensors, found["powers"])
    return Foremost(
        cpu=_first(found["cpu"]),
        memory=_first(found["memory"]),
        disks=tuple(limited or disks),
        temperature=_first(found["heat"]),
        powers=tuple(found["powers"]) if whole is None else (whole,),
        metered=whole is not None,
        traffic=tuple(found["traffic"]),
        uptime=_first(found["up"]),
    )


def _first(places: Sequence[int]) -> int | None:
    return places[0] if places else None


def _whole(sensors: Sequence[Sensor], powers: Sequence[int]) -> int | None:
    found = meter_among([(sensors[place].key, sensors[place].name) for place in powers])
    return None if found is None else powers[found]


def meter_among(powers: Sequence[tuple[str, str]]) -> int | None:
    """Find among sensors of power, by key and name, what measures all that the device draws.

    That is its meter, else what calls itself so; what its power supplies measure are parts of it.
    """
    keys = [key for key, _name in powers]
    for key in (DRAWN.key, "power"):
        if key in keys:
            return keys.index(key)
    return next((place for place, (_key, name) in enumerate(powers) if _is_consumption(name)), None)


def _is_consumption(name: str) -> bool:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split()) in _CONSUMPTION


def is_inlet(name: str) -> bool:
    """Say by its name whether a sensor measures the air that comes in."""
    name = name.casefold()
    return "inlet" in name or "ambient" in name or "intake" in name
