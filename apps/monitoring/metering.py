"""What a power meter says becomes a reading like any other; what it says besides is kept beside the last values."""

from collections.abc import Sequence

from apps.drivers.contract import DRAWN, NOT_MEASURED, POWER_OFF, PowerDrawn, PowerState, Reading


def with_drawn(
    readings: Sequence[Reading] | None, drawn: PowerDrawn | None, power: PowerState | None
) -> Sequence[Reading] | None:
    """Add the measured power, unless the driver has it among its sensors. No value is never 0: it says why."""
    if drawn is None or drawn.sensor:
        return readings
    why = POWER_OFF if power is PowerState.OFF else NOT_MEASURED
    return (*(readings or ()), Reading(DRAWN, drawn.watts, why="" if drawn.watts is not None else why))


def row(drawn: PowerDrawn) -> tuple[float | None, float | None, float | None, float | None, float | None, bool | None]:
    """Give what is kept besides the watts: lowest, mean, highest, the seconds they are over, cap, throttling."""
    seconds = drawn.over.total_seconds() if drawn.over is not None else None
    return drawn.minimum, drawn.average, drawn.maximum, seconds, drawn.cap or None, drawn.throttled
