"""The calculator as pages and the API offer it: what may be asked, and what is answered."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.system.capacity import estimate
from apps.system.capacity.estimate import Fleet, Kept, Weights


@dataclass(frozen=True, slots=True)
class Limit:
    """One number that is asked for, and what it may be."""

    name: str
    label: Promise | str
    low: int
    high: int


LIMITS = (
    Limit("components", _("Components"), 0, 1_000_000),
    Limit("values", _("Values of each component"), 0, 100_000),
    Limit("interval", _("Seconds between two polls"), 60, 86_400),
    Limit("alerts", _("Alerts a day"), 0, 100_000_000),
)
DAY, WEEK, MONTH = 1, 7, 30
NAMES: dict[str, Promise | str] = {
    "day": _("After a day"),
    "week": _("After a week"),
    "month": _("After a month"),
    "kept": _("When all is kept as long as the options say"),
}


def plan(fleet: Fleet, kept: Kept, weights: Weights) -> list[dict[str, Any]]:
    """Give the size after a day, a week, a month, and when every retention has come to its end."""
    longest = max(kept.samples, kept.hourly, kept.daily, kept.alerts or 0)
    return [
        {
            "name": name,
            "label": NAMES[name],
            "days": days,
            "size": round(estimate.size(fleet, days, kept, weights)),
            "guide": round(estimate.guide(fleet, days)),
        }
        for name, days in (("day", DAY), ("week", WEEK), ("month", MONTH), ("kept", longest))
    ]


def in_words(weights: Weights) -> dict[str, float]:
    """Give what things take, by name."""
    return {name: getattr(weights, name) for name in Weights.__slots__ if name != "measured"}
