"""A server is away while its controller holds it off and for a while after, so that counters and uptime begin anew."""

from apps.simulators.fleet.agents import Agents
from apps.simulators.fleet.faults import Fault, FaultKind
from apps.simulators.fleet.kinds.server import Server


class Absence:
    """Keeps one server away: by the same fault ``reboot`` that a plan can name."""

    def __init__(self, agents: Agents, server: Server) -> None:
        self._agents, self._server = agents, server
        self._fault: Fault | None = None

    def holds(self, fault: Fault) -> bool:
        """Say whether it is this one."""
        return fault is self._fault

    @property
    def is_known(self) -> bool:
        """Say whether it ever was away."""
        return self._fault is not None

    def last(self, seconds: float | None) -> None:
        """Be away from now on for so long, None: until somebody says how long."""
        now, fault = self._agents.clock.now(), self._fault
        until = None if seconds is None else now + seconds
        if fault is not None and (fault.until is None or fault.until > now):
            fault.until = until
        else:
            self._fault = self._server.add_fault(Fault(FaultKind.REBOOT, now, until, held=True))
        self._agents.fleet.forget_moments()
