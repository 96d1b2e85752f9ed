"""What is kept of a section between two contacts, so that one that is slow, or not due, does not vanish."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from apps.drivers.contract import POWER_OFF, Limits, Quantity, Reading, State, StateKind, Status
from apps.drivers.redfish.health import TOO_SLOW, Told
from apps.drivers.redfish.values import sensor

_MOST = 500  # readings or states; what is kept is small
_BEFORE_EPOCH = 0.0


@dataclass(frozen=True, slots=True)
class Kept:
    """One section as it was when it last answered."""

    told: Told
    read_at: float = _BEFORE_EPOCH  # seconds since 1970; 0: kept for its sensors only
    rests_until: float = _BEFORE_EPOCH  # after it was too slow
    trouble: str = ""

    def to_state(self) -> dict[str, Any]:
        """Give the JSON form."""
        found: dict[str, Any] = {
            "sensors": [_row(reading, bool(self.read_at)) for reading in self.told.readings[:_MOST]],
            "states": [
                [one.key, one.name, one.kind.value, list(one.words), one.status.value]
                for one in self.told.states[:_MOST]
            ],
        }
        if self.read_at:
            found["at"] = int(self.read_at)
        if self.rests_until:
            found |= {"rests": round(self.rests_until), "trouble": self.trouble}
        return found

    @classmethod
    def from_state(cls, found: Any) -> Self | None:
        """Read the JSON form; None when it is not one, which only costs a question."""
        if not isinstance(found, Mapping):
            return None
        try:
            told = Told([_reading(*row) for row in found["sensors"]], [_state(*row) for row in found["states"]])
            return cls(
                told,
                float(found.get("at") or 0),
                float(found.get("rests") or 0),
                str(found.get("trouble") or ""),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def silent(self) -> Told:
        """Give the section as it is while it does not answer: its states as they were, no values."""
        readings = [replace(one, value=None, status=None, why=TOO_SLOW) for one in self.told.readings]
        return Told(readings, list(self.told.states))


def with_powered_off(told: Told, before: Told) -> Told:
    """Add the sensors that a machine has only while it is on."""
    present = {reading.sensor.key for reading in told.readings}
    missing = [
        replace(one, value=None, status=None, why=POWER_OFF) for one in before.readings if one.sensor.key not in present
    ]
    return Told([*told.readings, *missing], told.states)


def _row(reading: Reading, with_value: bool) -> list[Any]:
    point, limits = reading.sensor, reading.sensor.limits
    four = [limits.lower_critical, limits.lower_warning, limits.upper_warning, limits.upper_critical]
    row: list[Any] = [point.key, point.name, point.quantity.value, point.unit]
    row.append(four if any(limit is not None for limit in four) else [])
    return [*row, reading.value] if with_value else row


def _reading(
    key: str, name: str, quantity: str, unit: str, four: Iterable[float | None], *value: float | None
) -> Reading:
    limits = list(four)
    point = sensor(key, name, Quantity(quantity), unit, Limits(*limits) if limits else Limits())
    found = value[0] if value else None
    return Reading(point, found, why=POWER_OFF if value and found is None else "")


def _state(key: str, name: str, kind: str, words: list[str], status: str) -> State:
    return State(key, name, StateKind(kind), tuple(words), Status(status))
