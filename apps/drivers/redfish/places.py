"""Where the chassis of a system lead: remembered for a while, so that a poll need not ask for it."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.drivers.redfish.values import Resource, link

TRUSTED = 540.0  # seconds
_LEAD_ON = frozenset({"Thermal", "ThermalSubsystem", "Power", "PowerSubsystem", "EnvironmentMetrics", "Sensors"})


def links_of(chassis: Resource) -> Resource:
    """Give what is remembered of a chassis: what it is called, and the links that polls follow."""
    named = {name: chassis[name] for name in ("@odata.id", "Id", "Name") if isinstance(chassis.get(name), str)}
    return named | {name: {"@odata.id": path} for name in _LEAD_ON if (path := link(chassis, name)) is not None}


def remembered(kept: Any, paths: Sequence[str], now: float) -> list[Resource] | None:
    """Give the chassis that were remembered of a system that names these; None where it is too long ago, or others."""
    if not isinstance(kept, Mapping) or kept.get("of") != paths:
        return None
    at, found = kept.get("at"), kept.get("chassis")
    if not isinstance(at, int) or not 0 <= now - at < TRUSTED or not isinstance(found, list) or not found:
        return None
    return found if all(isinstance(one, dict) for one in found) else None
