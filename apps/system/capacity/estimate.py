"""How large the database will be for a fleet that one has in mind, beside what the guide reckons."""

from dataclasses import dataclass

GUIDE_BASE, GUIDE_DEVICE, GUIDE_IPMI, GUIDE_ALERT, GUIDE_POWER = 10 * 10**6, 10_000, 60_000, 1_000, 3_000
GUIDE_POWER_VALUES = 60  # an hour of one value a minute
ROW = 60  # bytes of a packed row that do not depend on how many values it has: numbers, time, its place in the index
FIXED_SAMPLE = FIXED_ROLL_UP = ROW


@dataclass(frozen=True, slots=True)
class Weights:
    """What things take, in bytes; ``measured`` names those that were measured in this database."""

    base: float
    component: float  # without its sensors
    sensor: float
    sample_value: float
    roll_up_value: float
    alert: float
    measured: frozenset[str] = frozenset()

    def sample(self, values: float) -> float:
        """Give the bytes of one poll with so many values."""
        return FIXED_SAMPLE + values * self.sample_value

    def roll_up(self, values: float) -> float:
        """Give the bytes of one roll-up of so many values."""
        return FIXED_ROLL_UP + values * self.roll_up_value


# Used for what a database has too little of. Taken from a small database of eighty values a component that were
# random, and so could not be packed any tighter: what real devices say takes less.
TYPICAL = Weights(base=500_000, component=7_000, sensor=100, sample_value=4, roll_up_value=17, alert=1_500)


@dataclass(frozen=True, slots=True)
class Fleet:
    """What somebody plans to watch."""

    components: int
    values: int  # of each component
    interval: int  # seconds between two polls
    alerts: float  # a day


@dataclass(frozen=True, slots=True)
class Kept:
    """For how many days things are kept; None without an end."""

    samples: int
    hourly: int
    daily: int
    alerts: int | None
    alerts_at_most: int | None = None


def size(fleet: Fleet, days: float, kept: Kept, weights: Weights) -> float:
    """Give the bytes of the database after so many days."""
    polls = 86400 / fleet.interval
    each = (
        weights.component
        + fleet.values * weights.sensor
        + polls * min(days, kept.samples) * weights.sample(fleet.values)
        + 24 * min(days, kept.hourly) * weights.roll_up(fleet.values)
        + min(days, kept.daily) * weights.roll_up(fleet.values)
    )
    alerts = fleet.alerts * (days if kept.alerts is None else min(days, kept.alerts))
    if kept.alerts_at_most is not None:
        alerts = min(alerts, kept.alerts_at_most)
    return weights.base + fleet.components * each + alerts * weights.alert


def guide(fleet: Fleet, days: float, *, management_controller: bool = False) -> float:
    """Give the bytes by the guide's chapter 2, 1: 10 MB, 10 KB a device, up to 60 KB more for a management controller
    and 1 KB an alert; its 3 KB a device are an hour of measured power, which it keeps no longer."""
    device = GUIDE_DEVICE + GUIDE_POWER + (GUIDE_IPMI if management_controller else 0)
    return GUIDE_BASE + fleet.components * device + fleet.alerts * days * GUIDE_ALERT
