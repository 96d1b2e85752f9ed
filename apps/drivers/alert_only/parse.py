"""From a round trip to a reading."""

from apps.drivers.contract import Quantity, Reading, Sensor

LATENCY = Sensor("latency", "Round trip", Quantity.LATENCY, "ms")


def latency(seconds: float) -> Reading:
    """Give the round trip in milliseconds."""
    return Reading(LATENCY, seconds * 1000)
