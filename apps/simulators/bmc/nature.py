"""What tells one simulated machine from another: its maker, its pace, its load, and what is measured of it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """What is measured of a machine that is on."""

    watts: float
    inlet: float  # °C
    processor: float  # °C


@dataclass(frozen=True, slots=True)
class Product:
    """Who made it, and what runs on it."""

    manufacturer: str = "NEC"
    model: str = "Express5800/R120k-2M"
    system: str = "Debian GNU/Linux 12"
    kernel: str = "6.1.0-27-amd64"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take, in seconds."""

    on: float = 1.0
    off: float = 0.5
    cycle: float = 3.0  # without power
    soft: float = 6.0  # the operating system shuts down
    boot: float = 4.0  # until the operating system is up


USUAL_PRODUCT, USUAL_PACE = Product(), Pace()

Load = Callable[[float], float]
"""How busy the machine is, 0 to 1, at a time in seconds since 1970."""
Measure = Callable[[float], Measured]
"""What is measured at such a time."""
