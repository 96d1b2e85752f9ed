"""Answers as the controllers of all servers that have one, and lets them see now and then what happened beside them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from apps.simulators.fleet.agents import Agents
from apps.simulators.fleet.controllers.bmc import BmcSide
from apps.simulators.fleet.controllers.ilo import Certificate, IloSide
from apps.simulators.fleet.controllers.shared import Side
from apps.simulators.fleet.kinds.linux import Linux
from apps.simulators.fleet.kinds.server import Server
from apps.simulators.fleet.plan import BMC, ILO
from apps.simulators.redfish.certificate import make

LOOKS_EVERY = 1.0  # seconds


class Controllers:
    """All controllers of a fleet; made by ``serve``, ended by ``close``."""

    def __init__(self, agents: Agents, sides: list[Side]) -> None:
        self.agents, self.sides = agents, sides
        self._looking = asyncio.get_running_loop().create_task(self._look()) if sides else None

    def __iter__(self) -> Iterator[Side]:
        return iter(self.sides)

    async def _look(self) -> None:
        """What happened in a past that is only being looked at is told to nobody."""
        while True:
            await asyncio.sleep(LOOKS_EVERY)
            if self.agents.clock.fixed is None:
                for side in self.sides:
                    side.follow()

    async def close(self) -> None:
        """Answer no more."""
        if self._looking is not None:
            self._looking.cancel()
        for side in self.sides:
            await side.close()


async def serve(agents: Agents, folder: Path, port: int) -> Controllers:
    """Answer from now on; iLOs at a TCP port with certificates that are kept, because portals pin them."""
    sides: list[Side] = []
    servers = [device for device in agents.fleet if isinstance(device, Server) and device.spec.controller]
    certificates: list[Certificate] = []
    for server in servers:
        if server.spec.controller == ILO:
            certificates = certificates or [_certificate(folder, name) for name in (ILO, f"other-{ILO}")]
            ilo = IloSide(agents, server)
            await ilo.serve(port, *certificates)
            sides.append(ilo)
        elif server.spec.controller == BMC and isinstance(server, Linux):
            sides.append(BmcSide(agents, server))
    return Controllers(agents, sides)


def _certificate(folder: Path, name: str) -> Certificate:
    present = folder / f"{name}-certificate.pem", folder / f"{name}-key.pem"
    if all(path.exists() for path in present):
        return present
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return make(folder, name)
