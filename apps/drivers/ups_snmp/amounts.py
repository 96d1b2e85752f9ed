"""Reads amounts kindly: agents say -1, 0 or their largest number for what they do not measure, in odd units."""

from typing import Any

from apps.drivers.snmp.values import number

_MOST_VOLTS = 1000  # no UPS has so many: the agent counts tenths
_MOST_TENTHS_OF_HERTZ = 1000  # nor so many: the agent counts hundredths


def within(value: Any, lowest: float, highest: float, scale: float = 1.0) -> float | None:
    """Give a number times ``scale``; None for one that cannot be (the limits are the agent's, before scaling)."""
    found = number(value)
    return round(found * scale, 3) if found is not None and lowest <= found <= highest else None


def positive(value: Any) -> float | None:
    """Give a number that is more than nothing."""
    return within(value, 1, 2**31 - 2)


def percent(value: Any, scale: float = 1.0) -> float | None:
    """Give a share of a whole in %."""
    return within(value, 0, 100 / scale, scale)


def volts(value: Any) -> float | None:
    """Give RMS volts."""
    found = within(value, 0, 10_000)
    return found / 10 if found is not None and found >= _MOST_VOLTS else found


def amperes(value: Any, scale: float = 0.1) -> float | None:
    """Give a current, which agents count in tenths."""
    return within(value, 0, 100_000, scale)


def watts(value: Any) -> float | None:
    """Give a power."""
    return within(value, 0, 10_000_000)


def load(value: Any, scale: float = 1.0) -> float | None:
    """Give a load in % of what the UPS can give, which may be more than all."""
    return within(value, 0, 300 / scale, scale)


def hertz(value: Any) -> float | None:
    """Give a frequency, which agents count in tenths."""
    found = positive(value)
    if found is None:
        return None
    return found / 100 if found >= _MOST_TENTHS_OF_HERTZ else found / 10


def celsius(value: Any, scale: float = 1.0) -> float | None:
    """Give a temperature."""
    return within(value, -40 / scale, 150 / scale, scale)
