"""A server of a fleet as its IPMI controller shows it: sensors, log, serial console and traps."""

import ipaddress
from enum import StrEnum
from functools import partial
from typing import ClassVar

from apps.simulators.bmc import Controller, Fault, Machine, Measured, Pace, Product, Started, Switched, hardware
from apps.simulators.bmc.machine import Happening
from apps.simulators.fleet.agents import Agents
from apps.simulators.fleet.controllers.shared import HOTTER, Side
from apps.simulators.fleet.faults import FaultKind
from apps.simulators.fleet.kinds.linux import Linux
from apps.simulators.fleet.places import BMC_PASSWORD, CONSOLE_PASSWORD, USERNAME, address_of

BOOTS_IN = 20.0  # seconds from power on until login and agent are there
_PROCESSORS = ("CPU1 Temp", "CPU2 Temp")
_TOO_HOT = (75, 80)  # °C: a warning, and grave; below that no load of the fleet brings them


class BmcSide(Side):
    """The machine of one server, and its controller, which answers on the socket of the agents."""

    shown: ClassVar = {
        FaultKind.CONTROLLER_SILENT: Fault.SILENT,
        FaultKind.CONTROLLER_SLOW: Fault.SLOW,
        FaultKind.SESSION_FULL: Fault.SESSION_FULL,
        FaultKind.WRONG_PASSWORD: Fault.WRONG_PASSWORD,
        FaultKind.PSU_FAILED: Fault.PSU_FAILED,
        FaultKind.FAN_STOPPED: Fault.FAN_STOPPED,
        FaultKind.DRIVE_FAILED: Fault.DRIVE_FAILED,
        FaultKind.POWER_LOST: Fault.POWER_LOST,
    }

    def __init__(self, agents: Agents, server: Linux) -> None:
        super().__init__(agents, server)
        self.machine = machine = Machine(
            server.name,
            serial=server.serial_number,
            load=lambda at: self.moment(at).load,
            measure=self.measure,
            product=Product(server.manufacturer, server.model, " ".join(server.system), server.kernel),
            pace=Pace(boot=BOOTS_IN),
            clock=agents.clock.now,
        )
        machine.uuid = server.uuid
        machine.started_at = self.moment().started
        machine.watch(self.happened)
        for sensor in hardware.SENSORS:
            if sensor.name in _PROCESSORS:
                mask, raw = sensor.first_limits()
                machine.limits[sensor.number] = mask, raw[:3] + bytes(_TOO_HOT) + raw[5:]
        self.controller = self._controller(server)
        self._looked_at = agents.clock.now()

    def _controller(self, server: Linux) -> Controller:
        traps_to, address = self.agents.traps_to, address_of(server.spec.address)
        trap_port = traps_to[1] if traps_to else 0
        made = Controller(
            self.machine, address, self.agents.port, trap_port=trap_port, console_password=CONSOLE_PASSWORD
        )
        made.accounts.add(USERNAME, BMC_PASSWORD)
        made.has_dcmi = server.spec.power_meter
        if server.spec.alerts and traps_to:
            made.settings.destinations[1].address = ipaddress.IPv4Address(traps_to[0])
        own = ipaddress.IPv4Address(address).packed
        made.send = partial(self.agents.send_from, own)
        self.agents.beside[own] = made.receive
        return made

    def measure(self, at: float) -> Measured:
        """Give what its agent would say at a moment, too."""
        moment = self.moment(at)
        return Measured(moment.watts, moment.room, moment.temperature + HOTTER)

    def happened(self, machine: Machine, happening: Happening) -> None:
        """Let the agent be away as long as the machine is off or starts."""
        if isinstance(happening, Switched) and not happening.on:
            self.absence.last(None)
        elif isinstance(happening, Started):
            self.absence.last(machine.pace.boot)

    def follow(self) -> None:
        """Do as the agent beside it does: fail, become hot, start anew."""
        super().follow()
        after, self._looked_at = self._looked_at, self.agents.clock.now()
        if not self.server.faults:
            return
        for edge in self.server.faults.edges(after, self._looked_at):
            is_own = self.absence.holds(edge.fault)
            if edge.fault.kind is FaultKind.REBOOT and edge.begins and not is_own and self.machine.is_on:
                self.machine.restart()
        self.machine.look()

    def begin(self, fault: StrEnum) -> None:
        """Let a fault begin."""
        self.controller.begin(Fault(fault))

    def mend(self, fault: StrEnum) -> None:
        """Let it end."""
        self.controller.mend(Fault(fault))

    async def close(self) -> None:
        """Answer no more."""
        self.agents.beside.pop(ipaddress.IPv4Address(self.controller.address).packed, None)
        self.controller.close()
        self.machine.close()
