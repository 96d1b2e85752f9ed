"""The size of the database over time, as charts take it."""

from datetime import datetime
from typing import Any

from apps.system.models import CapacityMeasurement


def sizes_over_time() -> dict[str, Any]:
    """Give the size at every measurement that is kept: each of the last two days, before them one a day."""
    found = CapacityMeasurement.objects.order_by("at").values_list("at", "size")
    points: list[list[datetime | int]] = [[at, size, size, size] for at, size in found]
    return {"sensor": "database", "unit": "B", "step": 86400, "points": points}
