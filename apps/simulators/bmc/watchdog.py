"""The watchdog of a simulated machine: whoever set it has to touch it in time, else it acts (IPMI 2.0 §27)."""

from apps.simulators.bmc import hardware
from apps.simulators.bmc.machine import Handle, Machine, Order

_NOTHING, _RESET, _POWER_DOWN, _POWER_CYCLE = range(4)
_ORDERS = {_RESET: Order.RESET, _POWER_DOWN: Order.OFF, _POWER_CYCLE: Order.CYCLE}
_QUIET = 0x80
TICKS = 10  # in a second


class Watchdog:
    """Counts down in tenths of a second."""

    def __init__(self, machine: Machine) -> None:
        self.use = self.action = self.before = self.expired = 0
        self.count = 0  # that it begins with
        self.is_set = self.runs = False
        self._machine = machine
        self._ends_at = 0.0
        self._timer: Handle | None = None

    @property
    def left(self) -> int:
        """Give the ticks that are left."""
        return max(0, round((self._ends_at - self._machine.clock()) * TICKS)) if self.runs else self.count

    def set(self, use: int, action: int, before: int, clear: int, count: int) -> None:
        """Set it; it begins to run once it is touched."""
        self.stop()
        self.use, self.action, self.before, self.count = use, action, before, count
        self.expired &= ~clear
        self.is_set = True

    def touch(self) -> None:
        """Let it begin anew."""
        self.stop()
        self.runs = True
        self._ends_at = self._machine.clock() + self.count / TICKS
        self._timer = self._machine.later(self.count / TICKS, self._expire)

    def stop(self) -> None:
        """Let it stand still."""
        self.runs = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self.stop()
        self.expired |= 1 << (self.use & 0x07)
        action = self.action & 0x07
        if not self.use & _QUIET:
            self._machine.note(hardware.WATCHDOG, min(action, _POWER_CYCLE))
        if action in _ORDERS and self._machine.is_on:
            self._machine.act_of_watchdog(_ORDERS[action])
