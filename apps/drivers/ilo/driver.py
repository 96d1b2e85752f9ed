"""Reads and steers a server through its iLO."""

from collections.abc import Iterable, Sequence

from apps.drivers.contract import InventoryItem, PowerAction, State
from apps.drivers.ilo import smart_storage, told, traps
from apps.drivers.redfish import orders, storage
from apps.drivers.redfish.driver import RedfishDriver
from apps.drivers.redfish.settings import Destinations
from apps.drivers.redfish.turns import in_turn
from apps.drivers.redfish.values import Resource, identifier, link, nested, oem
from apps.protocols.errors import Unsupported

LOGS = frozenset({"IML", "IEL"})  # integrated management log, iLO event log


class IloDriver(RedfishDriver):
    """One conversation with one iLO."""

    critical_is_caution = True
    clock_settable = False  # it takes its time from NTP servers, or from the machine

    async def read_states(self) -> Sequence[State]:
        """Give what every Redfish service gives, and what the iLO sums up itself."""
        found = await super().read_states()
        has_storage = any(one.key.startswith(("drive.", "volume.", "controller.")) for one in found)
        return (*found, *told.states(await self._system(), storage_told=has_storage))

    def _start(self, system: Resource) -> State | None:
        return told.start(system) or super()._start(system)

    def _is_starting(self, system: Resource) -> bool | None:
        found = told.is_starting(system)
        return found if found is not None else super()._is_starting(system)

    async def _storage(self) -> Iterable[InventoryItem]:
        arrays = await self._arrays()
        return [told.with_hint(item, arrays) for item in await super()._storage()]

    async def _arrays(self) -> list[storage.Array]:
        """Read Storage; where there is nothing in it, SmartStorage."""
        found = [one for one in await super()._arrays() if one.drives or one.controllers]
        return found or await self._once("smart storage", self._read_smart_storage)

    async def _read_smart_storage(self) -> list[storage.Array]:
        own = oem(await self._system())
        path = link(own, "Links", "SmartStorage") or link(own, "links", "SmartStorage")
        if path is None:
            return []

        async def one(controller: Resource) -> storage.Array:
            places = nested(controller, "Links") or nested(controller, "links")
            drives = await self._members(places, "PhysicalDrives")
            volumes = await self._members(places, "LogicalDrives")
            return smart_storage.array(controller, drives, volumes)

        try:
            root = await self._get(path)
        except Unsupported:
            return []
        places = nested(root, "Links") or nested(root, "links")
        return await in_turn(map(one, await self._members(places, "ArrayControllers")))

    async def _ways(self, system: Resource) -> dict[PowerAction, orders.Way]:
        """Switch off and on by the maker's own action: the standard one of an iLO has no such reset type."""
        return {**told.cold_boot(system), **await super()._ways(system)}

    async def _own_clock(self, manager: Resource) -> Resource:
        path = link(oem(manager), "Links", "DateTimeService")
        return await self._at(path or f"{str(link(manager)).rstrip('/')}/DateTime")

    async def _own_traps(self, manager: Resource, services: Resource) -> Resource:
        path = link(oem(services), "Links", "SNMPService")
        return await self._at(path or f"{str(link(manager)).rstrip('/')}/SnmpService")

    async def _own_destinations(self, own_traps: Resource) -> Destinations | None:
        path = link(own_traps, "SNMPAlertDestinations")
        rows = await self._members(own_traps, "SNMPAlertDestinations")
        return Destinations(traps.AlertDestinations(), path, rows) if path is not None else None

    async def _logs(self) -> list[Resource]:
        return [one for one in await super()._logs() if identifier(one) in LOGS]


DRIVER = IloDriver
