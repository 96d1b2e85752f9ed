"""Reads a switch, a router or an access point."""

from collections.abc import Sequence

from apps.drivers.contract import Health, HealthReport, Inventory, InventoryItem, Reading, Sensors
from apps.drivers.snmp import ports, processors, storage
from apps.drivers.snmp.conversation import SnmpDriver


class NetworkSnmpDriver(SnmpDriver, Health, Inventory, Sensors):
    """One conversation with a network device."""

    mibs = (processors.HOST_RESOURCES, processors.UCD_SNMP)

    async def read_health(self) -> HealthReport:
        """Tell of ports that went down."""
        return HealthReport((*await self._port_facts(), *self._unreadable))

    async def read_sensors(self) -> Sequence[Reading]:
        """Read load, memory and, as rates since the last contact, the traffic of the ports."""
        scalars, tables = await self._scalars(), await self._tables(processors.HOST_RESOURCES)
        cpu = processors.cpu_ticks(scalars)
        interval = await self._interval({processors.TICKS: cpu} if cpu else None)
        await self._remember_absence()
        return (
            *processors.cpu_readings(tables, interval),
            *storage.memory_readings(storage.memory(storage.storages(tables, tables), scalars)),
            *processors.host_readings(scalars),
            *ports.readings(await self._ports(), interval),
        )

    async def read_inventory(self) -> Sequence[InventoryItem]:
        """List the device and its ports."""
        return (await self._about(), *ports.inventory(await self._ports()))


DRIVER = NetworkSnmpDriver
