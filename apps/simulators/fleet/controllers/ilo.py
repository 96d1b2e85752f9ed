"""A server of a fleet as its iLO shows it."""

from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from apps.simulators.fleet.agents import Agents
from apps.simulators.fleet.controllers.shared import HOTTER, Side
from apps.simulators.fleet.faults import FaultKind
from apps.simulators.fleet.kinds.server import Server
from apps.simulators.fleet.places import ILO_PASSWORD, USERNAME, address_of
from apps.simulators.redfish import Fault, Machine, Service, serve

STARTS_IN = 40.0  # seconds from power on until the agent answers
_STARTS = frozenset({"ForceRestart", "GracefulRestart", "ColdBoot"})

Certificate = tuple[Path, Path]
"""The files of a certificate and of its key."""


class IloSide(Side):
    """The power of one server, and what is measured of it."""

    shown: ClassVar = {
        FaultKind.CONTROLLER_SILENT: Fault.SILENT,
        FaultKind.CONTROLLER_SLOW: Fault.SLOW,
        FaultKind.SESSION_FULL: Fault.SESSION_FULL,
        FaultKind.WRONG_CERTIFICATE: Fault.WRONG_CERTIFICATE,
        FaultKind.WRONG_PASSWORD: Fault.WRONG_PASSWORD,
        FaultKind.PSU_FAILED: Fault.PSU_FAILED,
        FaultKind.FAN_STOPPED: Fault.FAN_STOPPED,
        FaultKind.DRIVE_FAILED: Fault.DRIVE_FAILED,
        FaultKind.DRIVE_PULLED: Fault.DRIVE_PULLED,
        FaultKind.POWER_LOST: Fault.POWER_LOST,
    }

    def __init__(self, agents: Agents, server: Server) -> None:
        super().__init__(agents, server)
        self.service: Service | None = None
        self.machine = Machine(
            name=server.full_name,
            serial=server.serial_number,
            uuid=str(server.uuid),
            manufacturer=server.manufacturer,
            model=server.model,
            mac=server.mac(2).hex(":").upper(),
            system=server.system,
            clock=agents.clock.now,
            look=self.measure,
            switched=self.switched,
        )

    async def serve(self, port: int, certificate: Certificate, other_certificate: Certificate) -> None:
        """Answer from now on."""
        self.service = await serve(
            self.machine,
            address_of(self.server.spec.address),
            port,
            certificate=certificate,
            other_certificate=other_certificate,
            username=USERNAME,
            password=ILO_PASSWORD,
        )

    async def close(self) -> None:
        """Answer no more."""
        if self.service is not None:
            await self.service.close()

    def begin(self, fault: StrEnum) -> None:
        """Let a fault begin; a service tells it to who wants to know."""
        (self.service or self.machine).begin(Fault(fault))

    def mend(self, fault: StrEnum) -> None:
        """Let it end."""
        (self.service or self.machine).mend(Fault(fault))

    def measure(self, machine: Machine) -> None:
        """Bring the controller's values up to date."""
        moment = self.moment()
        machine.watts, machine.inlet = round(moment.watts), round(moment.room)
        machine.processor = round(moment.temperature + HOTTER)
        self.follow()

    def switched(self, kind: str) -> None:
        """Let the agent be away as long as the machine is off or starts."""
        if not self.machine.is_on:
            self.absence.last(None)
        elif kind in _STARTS or (kind != "Nmi" and self.absence.is_known):
            self.absence.last(STARTS_IN)
