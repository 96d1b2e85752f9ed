"""Reads a switch, a router or an access point: ports, neighbours, load, and the health of its hardware."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from apps.drivers.contract import (
    Health,
    HealthReport,
    Inventory,
    InventoryItem,
    Neighbour,
    Neighbours,
    Reading,
    Sensors,
    State,
    States,
)
from apps.drivers.network_snmp import hardware
from apps.drivers.network_snmp.told import Told, load_readings
from apps.drivers.snmp import entity, lldp, oids, ports, processors, storage
from apps.drivers.snmp.conversation import SnmpDriver
from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.values import number
from apps.protocols.errors import DeviceError

_HOST = Mib("HOST-RESOURCES-MIB", oids.HOST, (*oids.STORAGE, *oids.PROCESSORS), root="1.3.6.1.2.1.25")
_UCD = Mib("UCD-SNMP-MIB", oids.UCD, root="1.3.6.1.4.1.2021")
_PARTS_KEPT = 86400.0  # seconds, unless the device says that its parts changed
_NEIGHBOURS_KEPT = 3600.0  # seconds, where the device says that nothing changed
_NEIGHBOURS_ASKED = 600.0  # seconds, where it does not say


class NetworkSnmpDriver(SnmpDriver, Health, Inventory, Sensors, States, Neighbours):
    """One conversation with a network device.

    ``state`` keeps what its parts are called (``parts``) and of when the neighbours are (``lldp``).
    """

    mibs = (_HOST, _UCD, entity.ENTITY, lldp.LLDP, *hardware.MIBS)

    async def read_health(self) -> HealthReport:
        """Tell of ports that went down, of parts that fail, and of tables that cannot be read."""
        facts = [state.fact for state in await self.read_states()]
        found = (fact for fact in facts if fact is not None)
        return HealthReport((*await self._port_facts(), *found, *self._unreadable))

    async def read_states(self) -> Sequence[State]:
        """Give how fans, power supplies and other parts are."""
        return hardware.states(await self._told())

    async def read_sensors(self) -> Sequence[Reading]:
        """Read load, memory, temperatures and, as rates since the last contact, the traffic of the ports."""
        told = await self._told()
        cpu = processors.cpu_ticks(told.scalars)
        interval = await self._interval({processors.TICKS: cpu} if cpu else None)
        await self._remember_absence()
        loads = [*load_readings(hardware.loads(told))]
        named = {reading.sensor.key for reading in loads}
        host = (
            *processors.cpu_readings(told.cells, interval),
            *storage.memory_readings(storage.memory(storage.storages(told.cells, told.cells), told.scalars)),
        )
        return (
            *loads,
            # What the maker tells is more than what a general agent does.
            *(reading for reading in host if reading.sensor.key.split(".")[0] not in named),
            *processors.host_readings(told.scalars),
            *hardware.readings(told),
            *ports.readings(await self._ports(), interval),
        )

    async def read_inventory(self) -> Sequence[InventoryItem]:
        """List the device, its parts and its ports."""
        cells = await self._parts_table((*entity.PART_COLUMNS, entity.SERIAL_NUMBER, entity.MODEL_NAME))
        return (await self._about(), *entity.inventory(cells), *ports.inventory(await self._ports()))

    async def read_neighbours(self) -> Sequence[Neighbour] | None:
        """Read the neighbours that LLDP knows, unless the device says that they are still the same."""
        before = self.target.state.get("lldp")
        before = before if isinstance(before, Mapping) else {}
        scalars = await self._scalars()
        if lldp.LLDP in self._found["absent mibs"]:
            self._state["lldp"] = {"absent": True}
            return None if before.get("absent") else ()
        changed, now = number(scalars.get(lldp.LAST_CHANGE)), time.time()
        if changed is not None and changed == before.get("changed"):
            kept = _NEIGHBOURS_KEPT
        else:
            kept = _NEIGHBOURS_ASKED if changed is None else 0.0
        if _age(before, now) < kept:
            return None
        try:
            remote = await self._client.table(self._agent, lldp.REMOTE)
            local = await self._client.table(self._agent, lldp.LOCAL) if remote[lldp.CHASSIS_ID] else {}
        except DeviceError:
            return None  # the last ones stay; a fault that lasts is told by the other tables
        self._state["lldp"] = {"at": now, "changed": changed}
        return lldp.neighbours(remote, local, await self._ports())

    async def _told(self) -> Told:
        async def read() -> Told:
            cells: dict[str, Any] = {}
            scalars = await self._scalars()
            for mib in (_HOST, *hardware.MIBS):
                cells |= await self._tables(mib)
            tells_of_parts = any(mib not in self._found["absent mibs"] for mib in hardware.MIBS)
            return Told(scalars, cells, await self._parts() if tells_of_parts else {})

        return await self._once("told", read)

    async def _parts(self) -> dict[str, entity.Part]:
        """Give what the parts are called: as remembered, unless they changed or a day has passed."""
        scalars, now = await self._scalars(), time.time()
        if entity.ENTITY in self._found["absent mibs"]:
            return {}
        changed = number(scalars.get(entity.LAST_CHANGE))
        before = self.target.state.get("parts")
        if isinstance(before, Mapping) and before.get("changed") == changed and _age(before, now) < _PARTS_KEPT:
            known = entity.from_state(before.get("parts"))
            if known is not None:
                return known
        found = entity.parts(await self._parts_table(entity.PART_COLUMNS))
        self._state["parts"] = {"at": now, "changed": changed, "parts": entity.to_state(found)}
        return found

    async def _parts_table(self, columns: Sequence[str]) -> Any:
        await self._scalars()
        if entity.ENTITY in self._found["absent mibs"]:
            return {}
        try:
            return await self._client.table(self._agent, columns)
        except DeviceError:
            return {}  # names of parts are no reason to lose the rest


def _age(kept: Mapping[str, Any], now: float) -> float:
    at = kept.get("at")
    return now - at if isinstance(at, int | float) and at <= now else float("inf")


DRIVER = NetworkSnmpDriver
