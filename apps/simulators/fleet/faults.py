"""What can be wrong with a simulated device, by command or by a plan that repeats; all of it a function of time."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """A fault lasts; the happenings at the end are over at once and only send a trap."""

    DEAD = "dead"  # never answers
    SLOW = "slow"  # answers late: strength is the seconds
    LOSSY = "lossy"  # loses questions: strength is the share
    WRONG_COMMUNITY = "wrong-community"  # knows another community, or another password of its user
    REBOOT = "reboot"  # is away, and its counters begin anew: also while its controller holds it off
    HIGH_LOAD = "high-load"
    DISK_FULL = "disk-full"  # part is the number of the disk, strength the share in use
    HOT = "hot"  # strength is the degrees on top
    LINK_DOWN = "link-down"  # part is the number of the port
    ON_BATTERY = "on-battery"
    BATTERY_WORN = "battery-worn"  # must be replaced, holds a third of its charge
    PSU_FAILED = "psu-failed"  # one of two
    FAN_STOPPED = "fan-stopped"
    DRIVE_FAILED = "drive-failed"  # one of a mirror
    DRIVE_PULLED = "drive-pulled"  # one of a mirror is taken out
    POWER_LOST = "power-lost"  # one of two lines
    CONTROLLER_SILENT = "controller-silent"
    CONTROLLER_SLOW = "controller-slow"
    SESSION_FULL = "session-full"
    WRONG_PASSWORD = "wrong-password"  # noqa: S105
    WRONG_CERTIFICATE = "wrong-certificate"
    CONFIGURED = "configured"  # somebody changed the configuration
    SELF_TEST = "self-test"  # the UPS tested itself
    INTRUDER = "intruder"  # somebody asked with a wrong community

    @property
    def is_moment(self) -> bool:
        """Say whether it is over at once."""
        return self in _MOMENTS

    @property
    def is_controllers(self) -> bool:
        """Say whether only a server with a controller can have it: the controller tells of it, or is wrong itself."""
        return self in _CONTROLLERS


_MOMENTS = frozenset({FaultKind.CONFIGURED, FaultKind.SELF_TEST, FaultKind.INTRUDER})
_CONTROLLERS = frozenset(
    {
        FaultKind.PSU_FAILED,
        FaultKind.FAN_STOPPED,
        FaultKind.DRIVE_FAILED,
        FaultKind.DRIVE_PULLED,
        FaultKind.POWER_LOST,
        FaultKind.CONTROLLER_SILENT,
        FaultKind.CONTROLLER_SLOW,
        FaultKind.SESSION_FULL,
        FaultKind.WRONG_PASSWORD,
        FaultKind.WRONG_CERTIFICATE,
    }
)
STRENGTHS = {
    FaultKind.SLOW: 1.5,
    FaultKind.LOSSY: 0.3,
    FaultKind.HIGH_LOAD: 0.97,
    FaultKind.DISK_FULL: 0.98,
    FaultKind.HOT: 32.0,
}
REBOOT_LASTS = 45.0  # seconds


@dataclass(frozen=True, slots=True)
class Edge:
    """The moment at which a fault begins or ends."""

    at: float
    fault: "Fault"
    begins: bool


@dataclass(slots=True)
class Fault:
    """One thing that is wrong from ``since`` to ``until`` (None: for good), or ``lasts`` of every ``every`` seconds."""

    kind: FaultKind
    since: float
    until: float | None = None
    every: float = 0.0
    lasts: float = 0.0
    part: int = 0  # the number of the port or disk; 0 where the kind has none
    strength: float | None = None
    held: bool = False  # by its controller, which keeps it off: nobody else ends it

    @property
    def size(self) -> float:
        """Give how bad it is in the unit of its kind."""
        return self.strength if self.strength is not None else STRENGTHS.get(self.kind, 1.0)

    def begun(self, moment: float) -> float | None:
        """Give when the spell began that holds at a moment, None when there is none."""
        if moment < self.since or (self.until is not None and moment >= self.until):
            return None
        if not self.every:
            return self.since
        began = self.since + math.floor((moment - self.since) / self.every) * self.every
        return began if moment < began + self.lasts else None

    def length(self, start: float, end: float) -> float:
        """Give how many seconds of a stretch of time it held."""
        start = max(start, self.since)
        end = end if self.until is None else min(end, self.until)
        if end <= start:
            return 0.0
        if not self.every:
            return end - start
        held = []
        for moment in (start, end):
            whole, rest = divmod(moment - self.since, self.every)
            held.append(whole * self.lasts + min(rest, self.lasts))
        return held[1] - held[0]

    def last_spell(self, moment: float) -> tuple[float, float] | None:
        """Give begin and end of the last spell that was over at a moment."""
        over = [spell for spell in self._spells(moment - 2 * self.every, moment) if spell[1] <= moment]
        return over[-1] if over else None

    def edges(self, after: float, until: float) -> list[Edge]:
        """Give the begins and ends within a stretch of time, its end included."""
        found = []
        for began, ended in self._spells(after, until):
            if after < began:
                found.append(Edge(began, self, True))
            if after < ended <= until and not self.kind.is_moment:
                found.append(Edge(ended, self, False))
        return found

    def _spells(self, after: float, until: float) -> list[tuple[float, float]]:
        """Give the spells that begin not after ``until``, without those that had ended long before."""
        last = math.inf if self.until is None else self.until
        if not self.every:
            return [(self.since, last)] if self.since <= until else []
        found = []
        turn = max(0, math.floor((after - self.lasts - self.since) / self.every))
        while (began := self.since + turn * self.every) <= min(until, last):
            found.append((began, min(began + self.lasts, last)))
            turn += 1
        return found


class Faults:
    """All that is, was and will be wrong with one device."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self.all = list(faults)

    def __bool__(self) -> bool:
        return bool(self.all)

    def of(self, kind: FaultKind, part: int | None = None) -> list[Fault]:
        """Give the faults of a kind, of one part or of any."""
        return [one for one in self.all if one.kind is kind and (part is None or one.part == part)]

    def now(self, kind: FaultKind, moment: float, part: int | None = None) -> Fault | None:
        """Give a fault of a kind that holds at a moment."""
        if not self.all:
            return None
        return next((one for one in self.of(kind, part) if one.begun(moment) is not None), None)

    def length(self, kind: FaultKind, start: float, end: float, part: int | None = None) -> float:
        """Give how long a kind of fault held in a stretch of time; two at once count once each."""
        return sum(one.length(start, end) for one in self.of(kind, part)) if self.all else 0.0

    def last_edge(self, kind: FaultKind, moment: float, part: int | None = None) -> float | None:
        """Give when a kind of fault last began or ended."""
        times = []
        for one in self.of(kind, part):
            if (began := one.begun(moment)) is not None:
                times.append(began)
            elif (spell := one.last_spell(moment)) is not None:
                times.append(spell[1])
        return max(times, default=None)

    def edges(self, after: float, until: float) -> list[Edge]:
        """Give all begins and ends within a stretch of time, in order."""
        return sorted((edge for one in self.all for edge in one.edges(after, until)), key=lambda edge: edge.at)

    def end(self, moment: float, kind: FaultKind | None = None) -> int:
        """End what holds now, or only what is of one kind, also what would repeat; gives how many."""
        ended = 0
        for one in self.all:
            if one.held or not (kind is None or one.kind is kind):
                continue
            if one.since <= moment and (one.until is None or one.until > moment):
                one.until = moment
                ended += 1
        return ended
