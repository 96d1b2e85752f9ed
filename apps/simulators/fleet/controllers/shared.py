"""What both kinds of controllers have in common with the agent beside them: what is wrong with one server."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, cast

from apps.simulators.fleet.agents import Agents
from apps.simulators.fleet.controllers.absence import Absence
from apps.simulators.fleet.faults import FaultKind
from apps.simulators.fleet.kinds.server import Server, ServerMoment

HOTTER = 20.0  # degrees, a processor than the air inside


class Side(ABC):
    """The side of a server that its controller shows."""

    shown: ClassVar[Mapping[FaultKind, StrEnum]] = {}

    def __init__(self, agents: Agents, server: Server) -> None:
        self.agents, self.server = agents, server
        self.absence = Absence(agents, server)
        self._wrong: frozenset[FaultKind] = frozenset()

    def moment(self, at: float | None = None) -> ServerMoment:
        """Give the server at a moment, None: now."""
        if at is None:
            return cast(ServerMoment, self.server.when(self.agents.clock.now()))
        return ServerMoment(self.server, at)

    def follow(self) -> None:
        """Let begin at the controller what is wrong with the server since the last look, and end what is mended."""
        if not self.server.faults:
            return
        moment = self.moment()
        wrong = frozenset(kind for kind in self.shown if moment.fault(kind))
        for kind in sorted(wrong ^ self._wrong):
            (self.begin if kind in wrong else self.mend)(self.shown[kind])
        self._wrong = wrong

    @abstractmethod
    def begin(self, fault: StrEnum) -> None:
        """Let a fault begin at the controller."""

    @abstractmethod
    def mend(self, fault: StrEnum) -> None:
        """Let it end."""

    @abstractmethod
    async def close(self) -> None:
        """Answer no more."""
