"""Answers from a script, after a delay, or with a fault; speaks to nobody."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from apps.drivers.contract import (
    CheckStep,
    Driver,
    Health,
    HealthReport,
    Identity,
    IdentityFacts,
    Inventory,
    InventoryItem,
    Neighbour,
    Neighbours,
    Ports,
    PortsReport,
    Reading,
    Sensors,
    Stage,
    State,
    States,
    Target,
)
from apps.drivers.fake.script import FakeDevice
from apps.protocols.errors import AuthenticationFailed, ContactError, DeviceError, Unreachable, Unsupported


class FakeDriver(Driver, Identity, Health, Inventory, Sensors, States, Ports, Neighbours):
    """One conversation with a device that exists nowhere. ``state`` counts the contacts, so that scripts go on."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        wanted = target.parameters
        past = target.state.get("contact")
        self._contact = (past if isinstance(past, int) else 0) + 1
        self._fault = str(wanted.get("fault") or "none")
        self._delay = int(wanted.get("delay") or 0) / 1000
        self._device = FakeDevice(
            address=target.address,
            seed=int(wanted.get("seed") or 0),
            script=str(wanted.get("script") or "steady"),
            contact=self._contact,
            sensors=int(wanted.get("sensors", 4)),
            ports=int(wanted.get("ports", 2)),
        )
        self._spoken_to = False

    @property
    def state(self) -> Mapping[str, Any]:
        """The number of contacts."""
        return {"contact": self._contact}

    async def _ask(self) -> None:
        """Wait as the script says, and fail as it says: silence costs the whole timeout, as on a network."""
        if self._fault == "slow":
            await asyncio.sleep(self.target.timeout * 0.9)
        elif self._fault == "silent" or (self._fault == "flapping" and self._contact % 2 == 0):
            await asyncio.sleep(self.target.timeout * (self.target.retries + 1))
            raise self._error("silent")
        elif self._fault != "none" and self._fault != "flapping":
            await asyncio.sleep(self._delay)
            raise self._error(self._fault)
        if self._delay and not self._spoken_to:
            await asyncio.sleep(self._delay)
        self._spoken_to = True

    def _error(self, fault: str) -> ContactError:
        address = self.target.address
        match fault:
            case "refusing":
                return Unreachable(
                    "Nothing listens on port %(port)s of %(address)s", address=address, port=self.target.port
                )
            case "denied":
                return AuthenticationFailed("%(address)s refuses the login", address=address)
            case "garbage":
                return DeviceError("%(address)s answers with nonsense", address=address)
            case "old":
                return Unsupported("%(address)s is too old", address=address)
            case _:
                return Unreachable("%(address)s does not answer", stage=Stage.SIGN_IN, address=address)

    async def check(self) -> Sequence[CheckStep]:
        """Pass every stage, or fail as the script says."""
        await self._ask()
        return tuple(CheckStep(stage, "fake") for stage in (Stage.PORT, Stage.SIGN_IN, Stage.PROTOCOL))

    async def identify(self) -> IdentityFacts:
        """Give the scripted identity."""
        await self._ask()
        return self._device.identity()

    async def read_health(self) -> HealthReport:
        """Give the scripted faults."""
        await self._ask()
        return HealthReport(tuple(self._device.facts()))

    async def read_inventory(self) -> Sequence[InventoryItem]:
        """Give the scripted parts."""
        await self._ask()
        return tuple(self._device.inventory())

    async def read_sensors(self) -> Sequence[Reading]:
        """Give the scripted values."""
        await self._ask()
        return tuple(self._device.readings())

    async def read_ports(self) -> PortsReport:
        """Give the scripted ports."""
        await self._ask()
        return self._device.port_report()

    async def read_states(self) -> Sequence[State]:
        """Give the scripted states."""
        await self._ask()
        return tuple(self._device.states())

    async def read_neighbours(self) -> Sequence[Neighbour] | None:
        """Give the scripted neighbours once: they never change."""
        await self._ask()
        return tuple(self._device.neighbours()) if self._contact == 1 else None


DRIVER = FakeDriver
