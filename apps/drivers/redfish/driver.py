"""Reads and steers a server through its management controller's Redfish service."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from apps.drivers.contract import (
    Health,
    HealthReport,
    Identity,
    IdentityFacts,
    Inventory,
    InventoryItem,
    InventoryKind,
    Reading,
    Sensors,
    State,
    StateKind,
    States,
    Status,
)
from apps.drivers.redfish import orders, parts, storage, supply
from apps.drivers.redfish.configuring import RedfishSettings
from apps.drivers.redfish.log_reading import RedfishLogs
from apps.drivers.redfish.ordering import RedfishOrders
from apps.drivers.redfish.sections import SECTIONS
from apps.drivers.redfish.subscribing import RedfishSubscriptions
from apps.drivers.redfish.turns import in_turn
from apps.drivers.redfish.values import Resource, link, objects
from apps.protocols.errors import AuthenticationFailed, ContactError

POWER_NAME = "Power state"
HAS_TIME = 2.0  # seconds; an inventory may take longer than a poll


class RedfishDriver(
    RedfishOrders, RedfishLogs, RedfishSettings, RedfishSubscriptions, Identity, Health, Inventory, Sensors, States
):
    """One conversation with the controller of one server: who it is, how it is, what it is made of."""

    async def identify(self) -> IdentityFacts:
        """Name the system, not its controller."""
        system = await self._system()
        managers, nics = await in_turn(
            _if_told(found) for found in (self._managers(), self._members(system, "EthernetInterfaces"))
        )
        return parts.identity(system, managers, nics)

    async def read_health(self) -> HealthReport:
        """Tell what is wrong with parts, and which sections could not be read."""
        _told, unread = await self._told()
        return HealthReport((*self._facts(await self.read_states()), *unread))

    async def read_sensors(self) -> Sequence[Reading]:
        """Read temperatures, fans, voltages, power, and the life that drives have left."""
        told, _unread = await self._told()
        return told.readings

    async def read_states(self) -> Sequence[State]:
        """Give how the machine is powered, and how each part is by its own word."""
        told, _unread = await self._told()
        system = await self._system()
        word = orders.POWER_WORDS.get(str(system.get("PowerState")))
        found = [] if word is None else [State("power", POWER_NAME, StateKind.POWER, (word,))]
        further = (parts.overall(system), self._start(system))
        return (*found, *(one for one in further if one is not None), *told.states)

    async def read_inventory(self) -> Sequence[InventoryItem]:
        """List the parts. A section that does not answer is one item that says so, and costs no other."""
        system = await self._system()
        sections = (
            (InventoryKind.PROCESSOR, "processors", self._processors),
            (InventoryKind.MEMORY, "memory", self._memory),
            (InventoryKind.STORAGE, "storage", self._storage),
            (InventoryKind.NETWORK, "network", self._network),
            (InventoryKind.SOFTWARE, "firmware", self._firmware),
            (InventoryKind.OTHER, "power", self._supplies),
            (InventoryKind.OTHER, "managers", self._manager_items),
        )
        found = await in_turn((self._listed(*section) for section in sections), waits=HAS_TIME)
        about = replace(parts.about(system), partial=orders.is_off(system) or self._is_starting(system) is True)
        return (about, *(item for items in found for item in items))

    async def _listed(
        self, kind: InventoryKind, section: str, items: Callable[[], Awaitable[Iterable[InventoryItem]]]
    ) -> list[InventoryItem]:
        async def read() -> list[InventoryItem]:
            return [replace(item, section=section) for item in await items()]

        try:
            return await self._limited(read)
        except AuthenticationFailed:
            raise
        except ContactError as error:
            name = SECTIONS[section]
            return [
                InventoryItem(kind, f"unread.{section}", name, Status.UNKNOWN, {"Not read": str(error)}, section, error)
            ]

    async def _processors(self) -> Iterable[InventoryItem]:
        return parts.processors(await self._members(await self._system(), "Processors"))

    async def _memory(self) -> Iterable[InventoryItem]:
        return parts.memory(await self._members(await self._system(), "Memory"))

    async def _storage(self) -> Iterable[InventoryItem]:
        if arrays := await self._arrays():
            return storage.items(arrays)
        return storage.simple_items(await self._members(await self._system(), "SimpleStorage"))

    async def _network(self) -> Iterable[InventoryItem]:
        found: list[InventoryItem] = []
        for chassis in await self._chassis():
            adapters = await self._members(chassis, "NetworkAdapters")
            found += parts.adapters(adapters)
            for adapter in adapters:
                ports = await self._members(adapter, "Ports") or await self._members(adapter, "NetworkPorts")
                found += parts.network_ports(adapter, ports)
        found += parts.nics(await self._members(await self._system(), "EthernetInterfaces"))
        for manager in await self._managers():
            found += parts.manager_nics(manager, await self._members(manager, "EthernetInterfaces"))
        return found

    async def _firmware(self) -> Iterable[InventoryItem]:
        path = link(self._client.root, "UpdateService")
        return parts.firmware(await self._members(await self._get(path), "FirmwareInventory") if path else [])

    async def _supplies(self) -> Iterable[InventoryItem]:
        found: list[InventoryItem] = []
        for chassis, prefix in await self._places():
            if path := link(chassis, "Power"):
                found += supply.items(objects(await self._get(path), "PowerSupplies"), prefix)
            elif path := link(chassis, "PowerSubsystem"):
                found += supply.items(await self._members(await self._get(path), "PowerSupplies"), prefix)
        return found

    async def _manager_items(self) -> Iterable[InventoryItem]:
        return parts.manager_items(await self._managers())


async def _if_told(read: Awaitable[list[Resource]]) -> list[Resource]:
    """Read resources; none where the device does not give them."""
    try:
        return await read
    except ContactError:
        return []


DRIVER = RedfishDriver
