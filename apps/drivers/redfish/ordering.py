"""Orders to a machine: its power, what it starts from, its lamp, and the cap of its power."""

from dataclasses import replace
from datetime import timedelta

from apps.drivers.contract import (
    Boot,
    BootOverride,
    Lamp,
    Power,
    PowerAction,
    PowerCap,
    PowerDrawn,
    PowerMeter,
    PowerReport,
    PowerState,
    State,
    Traces,
)
from apps.drivers.redfish import orders, parts, supply
from apps.drivers.redfish.sections import RedfishSections
from apps.drivers.redfish.values import Resource, link, nested, text
from apps.protocols.errors import AuthenticationFailed, ContactError, Unsupported

SETTLES_WITHIN = 15.0  # seconds; a machine that was just switched off refuses to be switched on for a moment


class RedfishOrders(RedfishSections, Power, Boot, Lamp, PowerMeter, PowerCap):
    """What a conversation can order, and how that is at the moment."""

    async def read_power(self) -> PowerReport:
        """Ask for the state, and for the reset types that are offered."""
        system = await self._system()
        return PowerReport(orders.power_state(system), frozenset(await self._ways(system)))

    async def read_traces(self, before: Traces | None = None) -> Traces:
        """Give when it was reset last, and whether its firmware is at work, as far as the service tells."""
        system = await self._system()
        return Traces(start=text(system, "LastResetTime") or "", starting=self._is_starting(system))

    def _start(self, system: Resource) -> State | None:
        """Say how far the machine has started."""
        return orders.start(system)

    def _is_starting(self, system: Resource) -> bool | None:
        return orders.is_starting(system)

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
