"""The controllers of a fleet's servers: another side of the same machines, which stays when they are switched off.

A server is away while its controller holds it off and for a while after: by the same fault ``reboot`` that a plan can
name, so that counters and uptime begin anew. Identity, power and temperatures are the same on both sides.
"""

from ipaddress import IPv4Address
from pathlib import Path
from typing import cast

from apps.simulators.fleet.agents import Agents
from apps.simulators.fleet.faults import Fault, FaultKind
from apps.simulators.fleet.kinds.server import Server, ServerMoment
from apps.simulators.redfish import Fault as ControllerFault
from apps.simulators.redfish import Machine, Service
from apps.simulators.redfish import serve as serve_redfish
from apps.simulators.redfish.certificate import make

ILO = "ilo"
USERNAME, PASSWORD = "watcher", "simulated-controller-password"
BEHIND = 256  # how far a controller's address is from its server's
STARTS_IN = 40.0  # seconds from power on until the agent answers
_SHOWN = {FaultKind.PSU_FAILED: ControllerFault.PSU_FAILED, FaultKind.FAN_STOPPED: ControllerFault.FAN_STOPPED}
_STARTS = frozenset({"ForceRestart", "GracefulRestart", "ColdBoot"})


def address_of(address: str) -> str:
    """Give the address of the controller of the server at an address."""
    return str(IPv4Address(address) + BEHIND)


class Side:
    """What a controller and an agent have in common: the power of one server, and what is measured of it."""

    def __init__(self, agents: Agents, server: Server) -> None:
        self.agents, self.server = agents, server
        self._away: Fault | None = None
        self.machine = Machine(
            name=server.full_name,
            serial=server.serial_number,
            uuid=str(server.uuid),
            manufacturer=server.manufacturer,
            model=server.model,
            mac=server.mac(2).hex(":").upper(),
            clock=agents.clock.now,
            look=self.measure,
            switched=self.switched,
        )

    def measure(self, machine: Machine) -> None:
        """Bring the controller's values up to date."""
        moment = cast(ServerMoment, self.server.when(self.agents.clock.now()))
        machine.watts, machine.inlet = round(moment.watts), round(moment.room)
        machine.processor = round(moment.temperature + 20)
        for kind, shown in _SHOWN.items():
            if moment.fault(kind):
                machine.begin(shown)
            else:
                machine.mend(shown)

    def switched(self, kind: str) -> None:
        """Let the agent be away as long as the machine is off or starts."""
        now = self.agents.clock.now()
        if not self.machine.is_on:
            self._leave(now, None)
        elif kind in _STARTS:
            self._leave(now, now + STARTS_IN)
        elif kind != "Nmi" and self._away is not None:
            self._away.until = now + STARTS_IN
        self.agents.fleet.forget_moments()

    def _leave(self, since: float, until: float | None) -> None:
        if self._away is not None and (self._away.until is None or self._away.until > since):
            self._away.until = until
        else:
            self._away = self.server.add_fault(Fault(FaultKind.REBOOT, since, until))


async def serve(agents: Agents, folder: Path, port: int) -> list[Service]:
    """Answer as the controllers of all servers that have one; their certificate is kept, because portals pin it."""
    servers = [device for device in agents.fleet if isinstance(device, Server) and device.spec.controller == ILO]
    if not servers:
        return []
    certificate = _certificate(folder)
    return [
        await serve_redfish(
            Side(agents, server).machine,
            address_of(server.spec.address),
            port,
            certificate=certificate,
            username=USERNAME,
            password=PASSWORD,
        )
        for server in servers
    ]


def _certificate(folder: Path) -> tuple[Path, Path]:
    present = folder / f"{ILO}-certificate.pem", folder / f"{ILO}-key.pem"
    if all(path.exists() for path in present):
        return present
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return make(folder, ILO)
