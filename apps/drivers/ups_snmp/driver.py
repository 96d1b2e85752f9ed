"""Reads an uninterruptible power supply through its network card."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from apps.drivers.contract import (
    Health,
    HealthReport,
    IdentityFacts,
    Inventory,
    InventoryItem,
    Reading,
    State,
    Ups,
)
from apps.drivers.snmp import ports, processors
from apps.drivers.snmp.conversation import SnmpDriver
from apps.drivers.ups_snmp import huawei, liebert, powernet, rfc1628, telling, xups
from apps.drivers.ups_snmp.unit import Unit


class UpsSnmpDriver(SnmpDriver, Health, Inventory, Ups):
    """One conversation with the network card of a UPS."""

    mibs = (rfc1628.MIB, powernet.MIB, powernet.PDU, xups.MIB, huawei.MIB, liebert.MIB)

    async def identify(self) -> IdentityFacts:
        """Name the UPS behind the card, not the card."""
        unit, card = await self._unit(), await super().identify()
        return replace(
            card,
            manufacturer=unit.manufacturer or card.manufacturer,
            model=unit.model or card.model,
            serial_number=unit.serial_number or card.serial_number,
            agent_version=unit.firmware or card.agent_version,
        )

    async def read_health(self) -> HealthReport:
        """Tell of what the UPS complains of, and of the card's port."""
        found = await self.read_states()
        silent = telling.silent_alarms(await self._unit(), found)
        facts = [state.fact for state in found if state.key not in silent]
        return HealthReport(
            (*(fact for fact in facts if fact is not None), *await self._port_facts(), *self._unreadable)
        )

    async def read_states(self) -> Sequence[State]:
        """Give where the power comes from, how the battery is, the last test, and each active alarm."""
        return tuple(telling.states(await self._unit()))

    async def read_sensors(self) -> Sequence[Reading]:
        """Read battery, input, bypass and output, and the traffic of the card's port."""
        unit = await self._unit()
        interval = await self._interval()
        await self._remember_absence()
        return (
            *telling.readings(unit),
            *processors.host_readings(await self._scalars()),
            *ports.readings(await self._ports(), interval),
        )

    async def read_inventory(self) -> Sequence[InventoryItem]:
        """List the UPS, its battery and the card's ports."""
        return (await self._about(), *telling.parts(await self._unit()), *ports.inventory(await self._ports()))

    async def _unit(self) -> Unit:
        async def read() -> Unit:
            scalars, now = await self._scalars(), datetime.now(UTC)
            found = Unit()
            # The standard first; makers fill in what it does not say.
            for mibs in (rfc1628, powernet, xups, huawei, liebert):
                found = found.completed(mibs.unit(scalars, await self._tables(mibs.MIB), now))
            return found

        return await self._once("unit", read)


DRIVER = UpsSnmpDriver
