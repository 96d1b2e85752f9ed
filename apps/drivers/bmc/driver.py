"""Manages a server through its management controller."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

from apps.drivers.bmc import discrete, log, parts, readings, settings
from apps.drivers.bmc.kinds import RESTART_CAUSES
from apps.drivers.bmc.line import BmcLine
from apps.drivers.contract import (
    Boot,
    BootDevice,
    BootOverride,
    CheckStep,
    Console,
    Driver,
    EventLog,
    Health,
    HealthReport,
    Identity,
    IdentityFacts,
    Inventory,
    InventoryItem,
    Lamp,
    LogPart,
    Power,
    PowerAction,
    PowerDrawn,
    PowerMeter,
    PowerReport,
    PowerState,
    Reading,
    Sensors,
    SerialLine,
    Settings,
    SettingsReport,
    SettingValue,
    Stage,
    State,
    States,
    Target,
    Traces,
)
from apps.protocols.errors import DeviceError, Unreachable, Unsupported
from apps.protocols.ipmi import IpmiConnection, IpmiSession, IpmiTarget, about, chassis, event_log, fru, measuring, sol
from apps.protocols.ipmi.records import Records
from apps.protocols.ipmi.repository import read_records

T = TypeVar("T")

EVENTS_AT_ONCE = 250  # the rest comes with the next look
LONGEST_LIGHT = 255  # seconds
CAUSE_KEPT = 3600.0  # seconds; who restarts and is on at every poll is asked once an hour why
_ACTIONS = {
    PowerAction.ON: chassis.ON,
    PowerAction.OFF: chassis.OFF,
    PowerAction.CYCLE: chassis.CYCLE,
    PowerAction.RESET: chassis.RESET,
    PowerAction.SHUTDOWN: chassis.SOFT,
    PowerAction.NMI: chassis.NMI,
}
_BOOT_DEVICES = {
    BootDevice.NONE: 0,
    BootDevice.PXE: 1,
    BootDevice.DISK: 2,
    BootDevice.DIAGNOSTIC: 4,
    BootDevice.CD: 5,
    BootDevice.SETUP: 6,
    BootDevice.USB: 15,
}
_BOOT_NAMES = {number: device for device, number in _BOOT_DEVICES.items()} | {3: BootDevice.DISK}


class BmcDriver(
    Driver, Identity, Health, Inventory, Sensors, States, Power, Boot, Lamp, PowerMeter, EventLog, Console, Settings
):
    """One conversation with a controller: one session, opened on entering and always closed."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._known: dict[str, Any] = {}
        self._connection: IpmiConnection | None = None
        self._line: BmcLine | None = None
        self._settings: settings.Told | None = None
        kept = target.state.get("cause")
        self._cause: Mapping[str, Any] = kept if isinstance(kept, Mapping) else {}

    async def __aenter__(self) -> Self:
        first = _ipmi_target(self.target)
        second = str(self.target.parameters.get("second_address") or "").strip()
        try:
            self._connection = await IpmiConnection(first).__aenter__()
        except Unreachable as error:
            # Only a controller that is not there: after a login that failed half-way, a second one would help nobody.
            if not second or error.stage not in (Stage.NAME, Stage.ROUTE, Stage.PORT):
                raise
            self._connection = await IpmiConnection(replace(first, address=second)).__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._line is not None:
                await self._line.close()
        finally:
            if self._connection is not None:
                await self._connection.close()

    async def _run(self, work: Callable[[IpmiSession], Awaitable[T]]) -> T:
        if self._connection is None:
            raise Unreachable("The conversation with %(address)s has ended", address=self.target.address)
        return await self._connection.run(work)

    async def _once(self, name: str, read: Callable[[], Awaitable[T]]) -> T:
        """Fetch something once in this conversation."""
        if name not in self._known:
            self._known[name] = await read()
        found: T = self._known[name]
        return found

    @property
    def state(self) -> Mapping[str, Any]:
        """Why the machine last started, when that was asked, and how it was powered then."""
        return {"cause": dict(self._cause)} if self._cause else {}

    async def check(self) -> Sequence[CheckStep]:
        """Sign in, and ask the controller who it is."""
        address = self._connection.target.address if self._connection else self.target.address
        suite = self._connection.suite if self._connection else None
        device = await self._device()
        return (
            CheckStep(Stage.PORT, "A management controller answers at %(address)s", {"address": address}),
            CheckStep(Stage.SIGN_IN, "Signed in with cipher suite %(suite)s", {"suite": str(suite)}),
            CheckStep(
                Stage.PROTOCOL,
                "%(maker)s, firmware %(firmware)s, IPMI %(version)s",
                {
                    "maker": parts.maker(device.manufacturer) or str(device.manufacturer),
                    "firmware": device.firmware,
                    "version": device.ipmi,
                },
            ),
        )

    async def identify(self) -> IdentityFacts:
        """Name the machine behind the controller."""
        device = await self._device()
        guid = await self._run(about.read_system_guid)
        return parts.identity(device, guid, await self._system_part(), await self._lan())

    async def read_health(self) -> HealthReport:
        """Tell of what the chassis and the discrete sensors complain of."""
        told = [state.fact for state in await self.read_states()]
        return HealthReport(
            (*discrete.chassis_facts(await self._chassis()), *(fact for fact in told if fact is not None))
        )

    async def read_sensors(self) -> Sequence[Reading]:
        """Read every sensor that measures, with its thresholds."""
        measured, records = await self._measured(), await self._records()
        limits = await self._once(
            "thresholds", lambda: self._run(lambda session: measuring.read_thresholds(session, records.sensors))
        )
        return tuple(readings.readings(measured, limits, powered=(await self._chassis()).on))

    async def read_states(self) -> Sequence[State]:
        """Read every discrete sensor."""
        return tuple(discrete.states(await self._measured(), powered=(await self._chassis()).on))

    async def read_inventory(self) -> Sequence[InventoryItem]:
        """List the controller, its LAN port, the machine and its parts."""
        suite = self._connection.suite if self._connection else None
        own, lan, records = parts.controller(await self._device(), suite), await self._lan(), await self._records()
        places = [one for one in records.frus if one.logical]
        if all(one.number for one in places):
            places.insert(0, parts.MACHINE)
        said = [(one, await self._part(one.number)) for one in places]
        return (own, parts.lan_port(lan), *parts.parts(said, powered=(await self._chassis()).on))

    async def read_power(self) -> PowerReport:
        """Tell whether the machine is powered now, and why it last started, which is asked once for each start."""
        self._known.pop("chassis", None)
        power = PowerState.ON if (await self._chassis()).on else PowerState.OFF
        kept = self._cause
        is_old = time.time() - float(kept.get("at", 0)) > CAUSE_KEPT
        if power is PowerState.ON and (is_old or kept.get("power") != power):
            await self._ask_cause()
        elif kept.get("power") != power:
            self._cause = {**kept, "power": power.value}
        return PowerReport(power, frozenset(_ACTIONS), str(self._cause.get("cause", "")))

    async def _ask_cause(self) -> str:
        number = await self._run(chassis.read_restart_cause)
        told = RESTART_CAUSES.get(number or 0, "")
        self._cause = {"power": PowerState.ON.value, "cause": told, "at": round(time.time())}
        return told

    async def read_traces(self, before: Traces | None = None) -> Traces:
        """Ask why it last started, and look into the event log for a start; a controller may keep neither."""
        cause = await self._ask_cause()
        place = before.place if before is not None else None
        if before is not None and not place:
            return Traces(cause)
        try:
            found = await self._run(lambda session: log.traces(session, place, EVENTS_AT_ONCE))
        except (DeviceError, Unsupported):
            return Traces(cause, place=place or {})
        return Traces(cause, found.start, found.interrupt, place=found.place)

    async def set_power(self, action: PowerAction) -> None:
        """Order it once."""
        if action not in _ACTIONS:
            raise Unsupported("A management controller cannot do this by IPMI: %(action)s", action=action.value)
        await self._run(lambda session: chassis.control(session, _ACTIONS[action]))

    async def read_boot(self) -> BootOverride:
        """Ask for the boot override."""
        flags = await self._run(chassis.read_boot)
        return BootOverride(_BOOT_NAMES.get(flags.device, BootDevice.NONE), flags.once, flags.uefi)

    async def set_boot(self, override: BootOverride) -> None:
        """Set the boot override."""
        flags = chassis.BootFlags(_BOOT_DEVICES[override.device], override.once, override.uefi)
        await self._run(lambda session: chassis.set_boot(session, flags))

    async def read_lamp(self) -> bool | None:
        """Ask whether the lamp is lit now."""
        self._known.pop("chassis", None)
        return (await self._chassis()).lamp

    async def set_lamp(self, lit: bool, duration: timedelta | None = None) -> None:
        """Light it, for as long as the standard can say at most, or put it out."""
        seconds = 0 if not lit else None if duration is None else round(duration.total_seconds())
        if seconds is not None and lit:
            seconds = min(max(seconds, 1), LONGEST_LIGHT)
        await self._run(lambda session: chassis.set_lamp(session, seconds))

    async def read_power_drawn(self) -> PowerDrawn | None:
        """Measure by DCMI. A controller that measures nothing while the machine is on has no meter."""
        measured = await self._run(chassis.read_power)
        if measured is None or (measured.current is None and (await self._chassis()).on):
            return None
        limit = await self._run(chassis.read_power_limit)
        if measured.current is None:
            return PowerDrawn(None, cap=None if limit is None else float(limit))
        return PowerDrawn(
            watts=float(measured.current),
            minimum=float(measured.minimum),
            average=float(measured.average),
            maximum=float(measured.maximum),
            over=timedelta(seconds=measured.seconds) if measured.seconds else None,
            cap=None if limit is None else float(limit),
            throttled=discrete.throttled(self._known.get("measured", ())),
        )

    async def read_events(self, place: Mapping[str, Any]) -> LogPart:
        """Read what came since, by the numbers of the entries."""
        info = await self._run(event_log.read_info)
        now = {"entries": info.entries, "added": info.added, "erased": info.erased}
        if place and all(place.get(name) == value for name, value in now.items()) and not place.get("more"):
            return LogPart((), dict(place), filled=info.filled)
        records = await self._records()
        found = await self._run(lambda session: log.read_since(session, place, info, EVENTS_AT_ONCE))
        events = tuple(log.event(entry, records) for entry in found.entries)
        return LogPart(events, {**now, **found.place}, found.cleared, filled=info.filled)

    async def clear_events(self) -> None:
        """Empty the log."""
        await self._run(event_log.clear)

    async def open_console(self, *, take: bool = False) -> SerialLine:
        """Open serial over LAN."""
        if self._connection is None:
            raise Unreachable("The conversation with %(address)s has ended", address=self.target.address)
        self._line = await BmcLine.open(self._connection, take=take)
        return self._line

    async def clear_console(self, mark: str) -> None:
        """End the line of a session that was left over, and the session."""
        await self._run(lambda session: sol.clear(session, mark))

    async def read_settings(self) -> SettingsReport:
        """Read what the controller is set to now."""
        self._settings = await self._run(settings.read)
        return settings.report(self._settings, self._login)

    async def write_settings(self, changes: Mapping[str, SettingValue]) -> AsyncIterator[Sequence[str]]:
        """Write each change by an order of its own."""
        told = self._settings if self._settings is not None else await self._run(settings.read)
        for names, order in settings.orders(told, changes, self._login, self.target.address):
            yield names
            await self._run(order)

    async def send_test_alert(self, row: str) -> None:
        """Have the controller send one at once (Alert Immediate)."""
        told = self._settings if self._settings is not None else await self._run(settings.read)
        await self._run(lambda session: settings.send_alert(session, told, row, self.target.address))

    async def reset_settings(self) -> None:
        """IPMI has no word for this."""
        raise Unsupported("A management controller cannot be set back by IPMI")

    async def restart_controller(self) -> None:
        """Order a cold reset of the controller alone."""
        await self._run(about.restart)

    @property
    def _login(self) -> str:
        return str(self.target.credential.get("username") or "")

    async def _device(self) -> about.DeviceId:
        return await self._once("device", lambda: self._run(about.read_device_id))

    async def _chassis(self) -> chassis.ChassisStatus:
        return await self._once("chassis", lambda: self._run(chassis.read_status))

    async def _lan(self) -> about.Lan:
        return await self._once("lan", lambda: self._run(about.read_lan))

    async def _records(self) -> Records:
        device = await self._device()
        return await self._once("records", lambda: self._run(lambda session: read_records(session, device)))

    async def _measured(self) -> list[measuring.Measured]:
        records = await self._records()
        return await self._once(
            "measured", lambda: self._run(lambda session: measuring.read_sensors(session, records.sensors))
        )

    async def _part(self, number: int) -> fru.Fru | None:
        return await self._once(f"fru {number}", lambda: self._run(lambda session: fru.read_fru(session, number)))

    async def _system_part(self) -> fru.Fru | None:
        return await self._part(parts.MACHINE.number)


def _ipmi_target(target: Target) -> IpmiTarget:
    if target.credential_kind != "password":
        raise Unsupported("A credential with a user name and a password is needed", stage=Stage.SIGN_IN)
    allowed = target.parameters.get("allow_suite_3")
    return IpmiTarget(
        address=target.address,
        port=target.port or 623,
        username=str(target.credential.get("username") or ""),
        password=str(target.credential.get("password") or ""),
        timeout=target.timeout,
        retries=target.retries,
        allow_suite_3=True if allowed is None else bool(allowed),
        source_port=int(target.parameters.get("source_port") or 0) or None,
    )


DRIVER = BmcDriver
