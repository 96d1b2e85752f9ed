"""How a resource is by its own word: ``Status`` with its State and its Health (DSP2046, common object Status)."""

from dataclasses import dataclass, field

from apps.drivers.contract import NOT_MEASURED, POWER_OFF, Reading, Sensor, State, StateKind, Status
from apps.drivers.redfish.values import Resource, nested, text

TOO_SLOW = "not answered in time"

HEALTHS = {
    "Critical": ("Critical", Status.CRITICAL),
    "Warning": ("Warning", Status.WARNING),
    "OK": ("Working", Status.NORMAL),
}
CONDITIONS = {  # values of Status.State that say more than that it works
    "Disabled": "Switched off",
    "StandbyOffline": "Waiting to be switched on",
    "StandbySpare": "Spare",
    "InTest": "Being tested",
    "Starting": "Starting",
    "UnavailableOffline": "Not available",
    "Deferring": "Not responding for now",
    "Quiesced": "At rest",
    "Updating": "Being updated",
    "Degraded": "Degraded",
}
_IDLE = frozenset({"Disabled", "StandbyOffline", "UnavailableOffline", "Deferring"})


@dataclass(slots=True)
class Told:
    """What one section of a device says: values and states."""

    readings: list[Reading] = field(default_factory=list)
    states: list[State] = field(default_factory=list)

    def add(self, other: "Told") -> None:
        """Take over what another section says."""
        self.readings += other.readings
        self.states += other.states


def verdict(source: Resource, *, rollup: bool = False) -> Status | None:
    """Give the health of a resource, or with that of its parts; None where it says nothing."""
    status = nested(source, "Status")
    said = text(status, "HealthRollup", "Health") if rollup else text(status, "Health", "HealthRollup")
    return HEALTHS[said][1] if said in HEALTHS else None


def state(key: str, name: str, kind: StateKind, source: Resource) -> State | None:
    """Make a state of what a resource says of itself; None where it says nothing."""
    status = nested(source, "Status")
    health, condition = verdict(source), CONDITIONS.get(str(status.get("State")))
    if health is None and condition is None:
        return None if status.get("State") != "Enabled" else State(key, name, kind, (HEALTHS["OK"][0],))
    said = [
        word for word, found in HEALTHS.values() if found is health and (health is not Status.NORMAL or not condition)
    ]
    told = (*said, condition) if condition else tuple(said)
    return State(key, name, kind, tuple(told), health or Status.NORMAL)


def judged(sensor: Sensor, value: float | None, source: Resource, *, powered_off: bool) -> Reading | None:
    """Make a reading; None where the place of the sensor is empty.

    While the machine is off, its parts say 0 or nothing: neither is a measurement.
    """
    condition = nested(source, "Status").get("State")
    if condition == "Absent":
        return None
    if powered_off and (value is None or condition in _IDLE):
        return Reading(sensor, None, why=POWER_OFF)
    if value is None:
        return Reading(sensor, None, why=NOT_MEASURED)
    found = verdict(source)
    return Reading(sensor, value, found if found in (Status.WARNING, Status.CRITICAL) else None)
