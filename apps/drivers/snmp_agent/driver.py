"""Reads a server, or anything else with a plain SNMP agent: load, memory, disks and ports."""

from collections.abc import Sequence

from apps.drivers.contract import Health, HealthReport, Inventory, InventoryItem, Reading, Sensors
from apps.drivers.snmp import oids, ports, processors, storage, system
from apps.drivers.snmp.conversation import SnmpDriver
from apps.drivers.snmp.values import Cells, Scalars, object_identifier, text
from apps.protocols.errors import Unsupported


class SnmpAgentDriver(SnmpDriver, Health, Inventory, Sensors):
    """One conversation with the SNMP agent of a server."""

    mibs = (processors.HOST_RESOURCES, processors.UCD_SNMP)

    async def read_health(self) -> HealthReport:
        """Tell of ports that went down, of failing processors and disks, and of tables that cannot be read."""
        port_facts = await self._port_facts()
        device_facts = processors.device_facts(await self._host_tables())
        return HealthReport((*port_facts, *device_facts, *self._unreadable))

    async def read_sensors(self) -> Sequence[Reading]:
        """Read load, memory, disks, processes and, as rates since the last contact, the traffic of the ports."""
        scalars = await self._scalars()
        tables = await self._host_tables()
        disks = storage.storages(tables, tables)
        cpu = processors.cpu_ticks(scalars)
        interval = await self._interval({processors.TICKS: cpu} if cpu else None)
        await self._remember_absence()
        return (
            *processors.cpu_readings(tables, interval),
            *storage.memory_readings(storage.memory(disks, scalars)),
            *storage.disk_readings(disks),
            *processors.host_readings(scalars),
            *ports.readings(await self._ports(), interval),
        )

    async def read_inventory(self) -> Sequence[InventoryItem]:
        """List the operating system, processors, memory, disks and ports."""
        about = await self._about()
        tables = await self._host_tables()
        disks = storage.storages(tables, tables)
        return (
            about,
            *processors.inventory(tables),
            *storage.inventory(disks, storage.memory(disks, await self._scalars())),
            *ports.inventory(await self._ports()),
        )

    async def _host_tables(self) -> Cells:
        return await self._tables(processors.HOST_RESOURCES)

    async def _meet(self, found: Scalars) -> None:
        """Refuse an agent that is too old."""
        self._agent_version = await self._read_version(text(found.get(oids.SYS_DESCR)))
        system.refuse_old_agent(self._agent_version)

    async def _read_version(self, description: str | None) -> str | None:
        wanted = str(self.target.parameters.get("agent_version_oid") or "").strip()
        if not wanted:
            return system.agent_version(description, None)
        oid = object_identifier(wanted)
        if oid is None:
            raise Unsupported("%(oid)s is not an object identifier", oid=wanted)
        return system.agent_version(description, (await self._client.get(self._agent, [oid])).get(oid))


DRIVER = SnmpAgentDriver
