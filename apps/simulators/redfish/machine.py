"""One simulated server: how it is powered, what is wrong with it, what it wrote down."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from apps.simulators.redfish.configuration import Configuration


class Fault(StrEnum):
    """What may be wrong with the service or the machine behind it."""

    SILENT = "silent"  # takes connections and never answers
    SLOW = "slow"  # what is below ``Service.slow_below``, else storage alone, takes ``Machine.slowness`` seconds
    DIES = "dies"  # answers ``Service.lasts`` further requests, then breaks off every connection, and forgets who is in
    SESSION_FULL = "session-full"
    WRONG_CERTIFICATE = "wrong-certificate"
    WRONG_PASSWORD = "wrong-password"  # noqa: S105
    PSU_FAILED = "psu-failed"
    FAN_STOPPED = "fan-stopped"
    DRIVE_FAILED = "drive-failed"
    DRIVE_PULLED = "drive-pulled"  # it is not there any more
    POWER_LOST = "power-lost"  # one of two lines
    LOST_BY_CHANGE = "lost-by-change"  # takes a change of its network or services, and answers nobody any more
    MUTE = "mute"  # takes subscriptions and sends nothing


# Faults of the machine: what the management log says when they begin, its severity, and its class.
_NOTED = {
    Fault.PSU_FAILED: ("System Power Supply: General Failure (Power Supply 2)", "Critical", "Power"),
    Fault.FAN_STOPPED: ("Fan Failure (Fan 2, Location System)", "Critical", "Fan Failure"),
    Fault.DRIVE_FAILED: ("Drive Failure (Box 1, Bay 2)", "Critical", "Drive Array"),
    Fault.DRIVE_PULLED: ("Drive Removed (Box 1, Bay 2)", "Caution", "Drive Array"),
    Fault.POWER_LOST: ("System Power Supply: Input Power Loss (Power Supply 2)", "Caution", "Power"),
}
_RESETS = ("On", "ForceOff", "GracefulShutdown", "ForceRestart", "Nmi", "PushPowerButton", "GracefulRestart")


@dataclass(slots=True)
class Entry:
    """One entry of a log, severity in the words of the maker."""

    number: int
    at: datetime
    text: str
    severity: str
    source: str


LEAST = 0.75  # of its watts, which slowing down to the utmost leaves


@dataclass(slots=True)
class Machine:
    """A server. ``clock`` gives seconds since 1970; it may be a test's own."""

    name: str = "web-01"
    serial: str = "SIM0000001"
    uuid: str = "30373237-3132-4d32-3235-303130304650"
    manufacturer: str = "HPE"
    model: str = "ProLiant DL360 Gen11"
    mac: str = "02:5E:00:00:00:01"
    system: tuple[str, str] = ("Red Hat Enterprise Linux", "9.4")  # name and version of what runs on it
    watts: float = 214.0
    inlet: float = 22.0  # °C
    processor: float = 40.0  # °C
    look: "Callable[[Machine], None] | None" = None  # called before each answer: brings what is measured up to date
    switched: Callable[[str], None] | None = None  # told of each reset type that was carried out
    switches_off_in: float = 0.0  # seconds in which it cannot be switched on again
    slowness: float = 30.0
    clock: Callable[[], float] = time.time
    is_on: bool = True
    lit: bool = False
    boot: dict[str, Any] = field(default_factory=lambda: {"Enabled": "Disabled", "Target": "None", "Mode": "UEFI"})
    cap: int = 0
    faults: set[Fault] = field(default_factory=set)
    iml: list[Entry] = field(default_factory=list)
    iel: list[Entry] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)  # reset types that were carried out
    configuration: Configuration = field(default_factory=Configuration)
    tests_itself_for: float = 10.0  # seconds of each start
    _off_at: float = float("-inf")
    _tests_until: float = float("-inf")

    def __post_init__(self) -> None:
        """Write the first entries of the logs."""
        self.note(self.iml, "Server power restored", "Repaired", "Power")
        self.note(self.iel, "Server power restored.", "Informational", "iLO")

    def note(self, log: list[Entry], text: str, severity: str, source: str) -> None:
        """Write into a log."""
        at = datetime.fromtimestamp(self.clock(), UTC).replace(microsecond=0)
        log.append(Entry(len(log) + 1, at, text, severity, source))

    def begin(self, fault: Fault) -> None:
        """Let a fault begin."""
        if fault not in self.faults:
            self.faults.add(fault)
            if fault in _NOTED:
                self.note(self.iml, *_NOTED[fault])

    def mend(self, fault: Fault) -> None:
        """Let it end; the log says so by a changed entry, as an iLO does, and by a new one."""
        if fault in self.faults:
            self.faults.remove(fault)
            if fault in _NOTED:
                text, _severity, source = _NOTED[fault]
                self.note(self.iml, text, "Repaired", source)

    @property
    def is_throttled(self) -> bool:
        """Say whether its processors are slowed down to keep to the cap."""
        return self.is_on and 0 < self.cap < self.watts

    @property
    def drawn(self) -> float:
        """Give what it draws while it is on: the cap, but no less than all slowing down saves."""
        return max(float(self.cap), float(round(self.watts * LEAST))) if self.is_throttled else self.watts

    @property
    def power_state(self) -> str:
        """Give it in the words of Redfish."""
        return "On" if self.is_on else "PoweringOff" if self._is_settling() else "Off"

    @property
    def post_state(self) -> str:
        """Say how far it has started, in the words of the maker."""
        if not self.is_on:
            return "PowerOff"
        return "InPost" if self.clock() < self._tests_until else "FinishedPost"

    def end_self_test(self) -> None:
        """Have it done with testing itself."""
        self._tests_until = float("-inf")

    def _is_settling(self) -> bool:
        return self.clock() < self._off_at + self.switches_off_in

    def reset(self, kind: str) -> int:
        """Carry out an order; gives the HTTP status."""
        if kind not in (*_RESETS, "ColdBoot"):
            return 400
        if kind == "On" and (self.is_on or self._is_settling()):
            return 409
        if kind not in ("On", "PushPowerButton") and not self.is_on:
            return 409
        self.orders.append(kind)
        if kind in ("ForceOff", "GracefulShutdown") or (kind == "PushPowerButton" and self.is_on):
            self.is_on, self._off_at = False, self.clock()
        elif kind in ("On", "PushPowerButton"):
            self.is_on = True
        if kind != "Nmi" and self.is_on:
            self._tests_until = self.clock() + self.tests_itself_for
        if kind != "Nmi" and self.boot["Enabled"] == "Once" and self.is_on:
            self.boot |= {"Enabled": "Disabled", "Target": "None"}
        self.note(self.iel, f"Server reset: {kind}.", "Informational", "iLO")
        if self.switched is not None:
            self.switched(kind)
        return 200

    @property
    def resets(self) -> tuple[str, ...]:
        """Give the reset types that it offers."""
        return _RESETS
