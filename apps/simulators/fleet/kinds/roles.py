"""What simulated servers are for, which decides how large they are, how busy, and what fills their disks."""

from dataclasses import dataclass

GIB = 1024**3
MEGABYTE = 10**6


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system: its size, and between which shares of it its level moves in how many days."""

    mount: str
    drive: str  # what Windows calls it
    size: int  # GiB
    low: float
    high: float
    days: float


@dataclass(frozen=True, slots=True)
class Role:
    """A kind of work."""

    processors: int
    memory: int  # GiB
    load: float  # the mean, from 0 to 1
    daily: float  # the share of the mean by which it swings over a day
    peak: float  # the hour in which it is highest
    noise: float
    memory_used: float  # the share in use without load
    traffic: float  # octets a second that come in, on the average
    disks: tuple[Disk, ...]


_SYSTEM = Disk("/", "C:", 60, 0.31, 0.44, 61)
_LOGS = Disk("/var", "D:", 120, 0.28, 0.78, 23)

ROLES = {
    "web": Role(8, 32, 0.30, 0.62, 14.5, 0.45, 0.42, 6.5 * MEGABYTE, (_SYSTEM, _LOGS)),
    "app": Role(16, 64, 0.34, 0.55, 11.0, 0.40, 0.55, 3.8 * MEGABYTE, (_SYSTEM, _LOGS)),
    "db": Role(
        32,
        256,
        0.38,
        0.40,
        15.0,
        0.35,
        0.74,
        9.0 * MEGABYTE,
        (_SYSTEM, _LOGS, Disk("/data", "E:", 2000, 0.52, 0.83, 88)),
    ),
    "cache": Role(8, 128, 0.16, 0.50, 14.0, 0.30, 0.81, 14.0 * MEGABYTE, (_SYSTEM,)),
    "file": Role(
        8, 32, 0.14, 0.55, 10.5, 0.55, 0.38, 18.0 * MEGABYTE, (_SYSTEM, Disk("/srv", "F:", 6000, 0.58, 0.85, 120))
    ),
    "batch": Role(
        24, 96, 0.36, 0.60, 2.5, 0.35, 0.47, 5.0 * MEGABYTE, (_SYSTEM, Disk("/work", "W:", 1500, 0.15, 0.72, 4))
    ),
    "office": Role(4, 16, 0.17, 0.60, 10.0, 0.50, 0.52, 1.2 * MEGABYTE, (_SYSTEM, _LOGS)),
    "factory": Role(4, 16, 0.26, 0.28, 13.0, 0.30, 0.49, 0.9 * MEGABYTE, (_SYSTEM, _LOGS)),
}
DEFAULT = "app"
