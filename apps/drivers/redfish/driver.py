"""Reads and steers a server through its management controller's Redfish service."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from apps.drivers.contract import (
    Boot,
    BootOverride,
    EventLog,
    Health,
    HealthReport,
    Identity,
    IdentityFacts,
    Inventory,
    InventoryItem,
    InventoryKind,
    Lamp,
    LogPart,
    Power,
    PowerAction,
    PowerCap,
    PowerDrawn,
    PowerMeter,
    PowerReport,
    PowerState,
    Reading,
    Sensors,
    State,
    StateKind,
    States,
    Status,
    Traces,
)
from apps.drivers.redfish import log, orders, parts, storage, supply
from apps.drivers.redfish.configuring import RedfishSettings
from apps.drivers.redfish.conversation import SECTIONS
from apps.drivers.redfish.subscribing import RedfishSubscriptions
from apps.drivers.redfish.values import Resource, identifier, link, nested, objects, text
from apps.protocols.errors import AuthenticationFailed, ContactError, Unsupported
from apps.protocols.redfish import Refused

SETTLES_WITHIN = 15.0  # seconds; a machine that was just switched off refuses to be switched on for a moment
MOST_LOGS = 6
MOST_ENTRIES = 2_000
MOST_LINKED = 200  # entries that have to be read one by one
POWER_NAME = "Power state"
NO_LOG = "%(address)s keeps no log that can be read"
NO_CLEARING = "%(address)s cannot empty its logs"


class RedfishDriver(
    RedfishSubscriptions,
    Identity,
    Health,
    Inventory,
    Sensors,
    States,
    Power,
    Boot,
    Lamp,
    PowerMeter,
    PowerCap,
    EventLog,
    RedfishSettings,
):
    """One conversation with the controller of one server."""

    # --- what it is and how it is -------------------------------------------------------------------------------------

    async def identify(self) -> IdentityFacts:
        """Name the system, not its controller."""
        system = await self._system()
        managers, nics = await asyncio.gather(
            self._managers(), self._members(system, "EthernetInterfaces"), return_exceptions=True
        )
        for found in (managers, nics):
            if isinstance(found, BaseException) and not isinstance(found, ContactError):
                raise found
        return parts.identity(
            system,
            managers if isinstance(managers, list) else [],
            nics if isinstance(nics, list) else [],
        )

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

    def _start(self, system: Resource) -> State | None:
        """Say how far the machine has started."""
        return orders.start(system)

    def _is_starting(self, system: Resource) -> bool | None:
        return orders.is_starting(system)

    async def read_inventory(self) -> Sequence[InventoryItem]:
        """List the parts. A section that does not answer is one item that says so, and costs no other."""
        system = await self._system()
        found = await asyncio.gather(
            self._listed(InventoryKind.PROCESSOR, "processors", self._processors()),
            self._listed(InventoryKind.MEMORY, "memory", self._memory()),
            self._listed(InventoryKind.STORAGE, "storage", self._storage()),
            self._listed(InventoryKind.NETWORK, "network", self._network()),
            self._listed(InventoryKind.SOFTWARE, "firmware", self._firmware()),
            self._listed(InventoryKind.OTHER, "power", self._supplies()),
            self._listed(InventoryKind.OTHER, "managers", self._manager_items()),
        )
        return (parts.about(system), *(item for items in found for item in items))

    async def _listed(
        self, kind: InventoryKind, section: str, items: Awaitable[Iterable[InventoryItem]]
    ) -> list[InventoryItem]:
        async def read() -> list[InventoryItem]:
            return [replace(item, section=section) for item in await items]

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

    # --- orders -------------------------------------------------------------------------------------------------------

    async def read_power(self) -> PowerReport:
        """Ask for the state, and for the reset types that are offered."""
        system = await self._system()
        return PowerReport(orders.power_state(system), frozenset(await self._ways(system)))

    async def read_traces(self, before: Traces | None = None) -> Traces:
        """Give when it was reset last, and whether its firmware is at work, as far as the service tells."""
        system = await self._system()
        return Traces(start=text(system, "LastResetTime") or "", starting=self._is_starting(system))

    async def set_power(self, action: PowerAction) -> None:
        """Order a reset type, once; only a machine that is just being switched off is told again to switch on."""
        system = await self._system()
        found = (await self._ways(system)).get(action)
        if found is None:
            raise Unsupported(orders.NO_ACTION, address=self.target.address)
        target, kind = found
        off = orders.power_state(system) is PowerState.OFF or system.get("PowerState") == "PoweringOff"
        settling = SETTLES_WITHIN if action is PowerAction.ON and off else 0.0
        await self._order(self._client.post(target, dict(ResetType=kind), while_settling=settling))

    async def _ways(self, system: Resource) -> dict[PowerAction, orders.Way]:
        action = orders.reset(system)
        path = orders.action_info(action)
        offered = orders.reset_types(action, await self._get(path) if path else {})
        return orders.ways(text(action, "target"), offered)

    async def read_boot(self) -> BootOverride:
        """Ask for the boot override."""
        system = await self._system()
        if not nested(system, "Boot"):
            raise Unsupported(orders.NO_BOOT, address=self.target.address)
        return orders.boot(system)

    async def set_boot(self, override: BootOverride) -> None:
        """Set the boot override."""
        path, system = await self._ordered_system()
        change = orders.boot_change(system, override, self.target.address)
        await self._order(self._client.patch(path, change))

    async def read_lamp(self) -> bool | None:
        """Ask the system, then its chassis."""
        for _path, source in await self._lamps():
            if (lit := orders.lamp(source)) is not None:
                return lit
        return None

    async def set_lamp(self, lit: bool, duration: timedelta | None = None) -> None:
        """Light it or put it out."""
        if lit and duration is not None:
            raise Unsupported(orders.NO_LAMP_TIME, address=self.target.address)
        for path, source in await self._lamps():
            if (change := orders.lamp_change(source, lit)) is not None:
                await self._order(self._client.patch(path, change))
                return
        raise Unsupported(orders.NO_LAMP, address=self.target.address)

    async def _lamps(self) -> list[tuple[str, Resource]]:
        found = [await self._ordered_system()]
        if orders.lamp(found[0][1]) is None:
            found += [(path, one) for one in await self._chassis() if (path := link(one)) is not None]
        return found

    async def read_power_drawn(self) -> PowerDrawn | None:
        """Read the meter of the first chassis that has one; a poll in which power did not answer asks no more."""
        if "power" in self._unread:
            return None
        for chassis, prefix in await self._places():
            found = None
            if path := link(chassis, "Power"):
                found = supply.drawn(await self._get(path))
            elif path := link(chassis, "EnvironmentMetrics"):
                found = supply.drawn_by_metrics(await self._get(path))
            if found is not None:
                throttled = await self._throttled() if found.cap is not None else None
                return replace(found, sensor=f"{prefix}{supply.METER}", throttled=throttled)
        return None

    async def _throttled(self) -> bool | None:
        """Say whether any processor is slowed down; asked of machines with a cap only. None where none tells."""
        try:
            return parts.throttled(await self._limited(self._processor_resources))
        except AuthenticationFailed:
            raise
        except ContactError:
            return None

    async def _processor_resources(self) -> list[Resource]:
        return await self._members(await self._system(), "Processors")

    async def set_power_cap(self, watts: int | None) -> None:
        """Set the cap of the first chassis that has one, or take it away; 0 is none."""
        for chassis in await self._chassis():
            for name, change_of in (("Power", orders.cap_change), ("EnvironmentMetrics", orders.cap_change_by_metrics)):
                path = link(chassis, name)
                if path is not None and (change := change_of(await self._get(path), watts or None)) is not None:
                    await self._order(self._client.patch(path, change))
                    return
        raise Unsupported(orders.NO_CAP, address=self.target.address)

    # --- logs ---------------------------------------------------------------------------------------------------------

    async def read_events(self, place: Mapping[str, Any]) -> LogPart:
        """Read what came into the logs of the system and of its controllers since a place."""
        services = await self._logs()
        if not services:
            raise Unsupported(NO_LOG, address=self.target.address)
        looks, places, full, emptied = [], {}, [], []
        for service in services:
            name = identifier(service)
            before = place.get(name)
            path, most = str(link(service, "Entries")), log.most_of(service)
            entries, skips = await self._entries(path, before)
            found = log.look(entries.found, before, name, skipped=entries.skipped, most=most)
            if found.cleared and entries.skipped:  # so those that were left out are new, too
                entries, skips = await self._entries(path, None)
                found = log.look(entries.found, before, name, skipped=entries.skipped, most=most)
            looks.append(found)
            emptied += [f"{name}/"] if found.cleared else []
            count = entries.skipped + len(entries.found)
            places[name] = {**found.place, "count": count, "skips": skips} if found.place else {}
            full.append(log.Filled(log.filled(service, count), log.wraps(service)))
        events = [event for look in looks for event in look.events]
        if len(looks) > 1 and all(event.at is not None for event in events):
            events.sort(key=lambda event: str(event.at))
        fullest = log.fullest(full)
        return LogPart(tuple(events), places, bool(emptied), tuple(emptied), fullest.share, fullest.wraps)

    async def clear_events(self) -> None:
        """Empty the logs that are read."""
        targets = [
            target
            for service in await self._logs()
            if (target := text(nested(service, "Actions", "#LogService.ClearLog"), "target")) is not None
        ]
        if not targets:
            raise Unsupported(NO_CLEARING, address=self.target.address)
        for target in targets:
            await self._order(self._client.post(target, {}))

    async def _logs(self) -> list[Resource]:
        found = list(await self._members(await self._system(), "LogServices"))
        for manager in await self._managers():
            found += await self._members(manager, "LogServices")
        readable = [one for one in found if link(one, "Entries") and one.get("ServiceEnabled") is not False]
        return list({identifier(one): one for one in readable[:MOST_LOGS]}.values())

    async def _entries(self, path: str, before: Any) -> tuple[log.Entries, bool]:
        """Read the entries of a log: those after the last known one, where the service can leave others out."""
        place = before if isinstance(before, Mapping) else {}
        count, last, skips = place.get("count"), str(place.get("last") or ""), place.get("skips", True)
        if isinstance(count, int) and count > 1 and last and skips:
            try:
                found = await self._client.listed(f"{path}?$skip={count - 1}", most=MOST_ENTRIES)
                if found and identifier(found[0]) == last:
                    return log.Entries(await self._client.resolve(found[:MOST_LINKED]), count - 1), True
            except (Refused, Unsupported):
                pass
            skips = False
        listed = await self._client.listed(path, most=MOST_ENTRIES)
        number = len(listed)
        if any(len(one) == 1 for one in listed):
            listed = log.newest(listed, last, MOST_LINKED)
        return log.Entries(await self._client.resolve(listed), number - len(listed)), bool(skips)


DRIVER = RedfishDriver
