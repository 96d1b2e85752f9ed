"""Reads and steers a server through its iLO."""

from collections.abc import Iterable, Sequence

from apps.drivers.contract import InventoryItem, PowerAction, State
from apps.drivers.ilo import smart_storage, told
from apps.drivers.redfish import orders, storage
from apps.drivers.redfish.driver import RedfishDriver
from apps.drivers.redfish.turns import in_turn
from apps.drivers.redfish.values import Resource, identifier, link, nested, oem
from apps.protocols.errors import Unsupported

LOGS = frozenset({"IML", "IEL"})  # integrated management log, iLO event log


class IloDriver(RedfishDriver):
    """One conversation with one iLO."""

    critical_is_caution = True

    async def read_states(self) -> Sequence[State]:
        """Give what every Redfish service gives, and what the iLO sums up itself."""
        found = await super().read_states()
        has_storage = any(one.key.startswith(("drive.", "volume.", "controller.")) for one in found)
        return (*found, *told.states(await self._system(), storage_told=has_storage))

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

    async def _logs(self) -> list[Resource]:
        return [one for one in await super()._logs() if identifier(one) in LOGS]


DRIVER = IloDriver
