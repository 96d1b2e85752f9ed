"""Answers from a script, after a delay, or with a fault; speaks to nobody."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from apps.drivers.contract import (
    Boot,
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
    Neighbour,
    Neighbours,
    Ports,
    PortsReport,
    Power,
    PowerAction,
    PowerCap,
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
from apps.drivers.fake import settings
from apps.drivers.fake.console import FakeLine, LoginPrompt
from apps.drivers.fake.machine import LATE, SETTLED, FakeMachine
from apps.drivers.fake.script import FakeDevice
from apps.protocols.errors import (
    AuthenticationFailed,
    ContactError,
    DeviceError,
    InUse,
    NotNow,
    Unreachable,
    Unsupported,
)

CAUSES = ("Power button", "Ordered through the controller")  # before the first order, and after it


class FakeDriver(
    Driver,
    Identity,
    Health,
    Inventory,
    Sensors,
    States,
    Ports,
    Neighbours,
    Power,
    Boot,
    Lamp,
    PowerMeter,
    PowerCap,
    EventLog,
    Console,
    Settings,
):
    """One conversation with a device that exists nowhere.

    ``state`` counts the contacts, so that scripts go on, and holds what became of the device by orders. The parameter
    ``obedience`` says how it takes them: at once, at a later contact, when they come again, never, or not at all.
    """

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        wanted = target.parameters
        past = target.state.get("contact")
        self._contact = (past if isinstance(past, int) else 0) + 1
        self._fault = str(wanted.get("fault") or "none")
        self._delay = int(wanted.get("delay") or 0) / 1000
        self._device = FakeDevice(
            address=target.address,
            seed=int(wanted.get("seed") or 0),
            script=str(wanted.get("script") or "steady"),
            contact=self._contact,
            sensors=int(wanted.get("sensors", 4)),
            ports=int(wanted.get("ports", 2)),
        )
        self._meter = str(wanted.get("meter") or "none")
        self._traces = str(wanted.get("traces") or "counted")
        self._obedience = str(wanted.get("obedience") or "prompt")
        self._machine = FakeMachine.load(target.state.get("machine")).at(self._contact)
        self._spoken_to = False

    @property
    def state(self) -> Mapping[str, Any]:
        """The number of contacts, and the machine once anybody ordered it something."""
        kept = {"machine": self._machine.dump()} if self._machine.ordered else {}
        return {"contact": self._contact, **kept}

    async def _ask(self) -> None:
        """Wait as the script says, and fail as it says: silence costs the whole timeout, as on a network."""
        if self._fault == "slow":
            await asyncio.sleep(self.target.timeout * 0.9)
        elif self._is_silent:
            await asyncio.sleep(self.target.timeout * (self.target.retries + 1))
            raise self._error("silent")
        elif self._fault != "none" and self._fault != "flapping":
            await asyncio.sleep(self._delay)
            raise self._error(self._fault)
        if self._delay and not self._spoken_to:
            await asyncio.sleep(self._delay)
        self._spoken_to = True

    @property
    def _is_silent(self) -> bool:
        flaps = self._fault == "flapping" and self._contact % 2 == 0
        return flaps or self._fault == "silent" or self._machine.vanished

    def _error(self, fault: str) -> ContactError:
        address = self.target.address
        match fault:
            case "refusing":
                return Unreachable(
                    "Nothing listens on port %(port)s of %(address)s", address=address, port=self.target.port
                )
            case "denied":
                return AuthenticationFailed("%(address)s refuses the login", address=address)
            case "garbage":
                return DeviceError("%(address)s answers with nonsense", address=address)
            case "old":
                return Unsupported("%(address)s is too old", address=address)
            case _:
                return Unreachable("%(address)s does not answer", stage=Stage.SIGN_IN, address=address)

    async def check(self) -> Sequence[CheckStep]:
        """Pass every stage, or fail as the script says."""
        await self._ask()
        return tuple(CheckStep(stage, "fake") for stage in (Stage.PORT, Stage.SIGN_IN, Stage.PROTOCOL))

    async def identify(self) -> IdentityFacts:
        """Give the scripted identity."""
        await self._ask()
        return self._device.identity()

    async def read_health(self) -> HealthReport:
        """Give the scripted faults."""
        await self._ask()
        return HealthReport(tuple(self._device.facts()))

    async def read_inventory(self) -> Sequence[InventoryItem]:
        """Give the scripted parts."""
        await self._ask()
        return tuple(self._device.inventory())

    async def read_sensors(self) -> Sequence[Reading]:
        """Give the scripted values."""
        await self._ask()
        return tuple(self._device.readings())

    async def read_ports(self) -> PortsReport:
        """Give the scripted ports."""
        await self._ask()
        return self._device.port_report()

    async def read_states(self) -> Sequence[State]:
        """Give the scripted states."""
        await self._ask()
        return tuple(self._device.states())

    async def read_neighbours(self) -> Sequence[Neighbour] | None:
        """Give the scripted neighbours once: they never change."""
        await self._ask()
        return tuple(self._device.neighbours()) if self._contact == 1 else None

    async def read_power(self) -> PowerReport:
        """Give the state at this contact."""
        await self._ask()
        cause = "" if self._traces == "none" else CAUSES[bool(self._machine.starts)]
        return PowerReport(PowerState(self._machine.power), frozenset(PowerAction), cause)

    async def set_power(self, action: PowerAction) -> None:
        """Do as ordered; what is off can only be switched on."""
        await self._take(f"power {action}")
        if self._machine.power == PowerState.OFF and action not in (PowerAction.ON, PowerAction.OFF):
            raise DeviceError("%(address)s is off", address=self.target.address)
        if self._obedience != "deaf":
            begin = self._contact + (LATE if self._obedience == "late" else 0)
            self._machine = self._machine.switched(action, begin).at(self._contact)

    async def read_traces(self, before: Traces | None = None) -> Traces | None:
        """Count its starts; the traces *none* tell of none."""
        await self._ask()
        if self._traces == "none":
            return None
        cause = CAUSES[bool(self._machine.starts)]
        return Traces(cause, f"{self._machine.starts}", f"{self._machine.interrupts}")

    async def read_boot(self) -> BootOverride:
        """Give what is set."""
        await self._ask()
        return self._machine.override

    async def set_boot(self, override: BootOverride) -> None:
        """Set it."""
        await self._take(f"boot {override.device}{'' if override.once else ' always'}")
        if self._obedience != "deaf":
            self._machine = self._machine.booting(override)

    async def read_lamp(self) -> bool | None:
        """Say whether it is lit."""
        await self._ask()
        return self._machine.lamp

    async def set_lamp(self, lit: bool, duration: timedelta | None = None) -> None:
        """Light it or put it out; a fake device has no clock that would put it out by itself."""
        await self._take("lamp on" if lit else "lamp off")
        if self._obedience != "deaf":
            self._machine = replace(self._machine, lamp=lit)

    async def read_power_drawn(self) -> PowerDrawn | None:
        """Give the scripted watts; the meter *idle* measures nothing while the machine is off."""
        await self._ask()
        if self._meter == "none":
            return None
        on = self._machine.power == PowerState.ON
        if self._meter == "idle" and not on:
            return PowerDrawn(None, cap=self._machine.cap)
        return self._device.drawn(on=on, cap=self._machine.cap)

    async def set_power_cap(self, watts: int | None) -> None:
        """Keep it; the machine draws no less than it needs."""
        await self._take("no cap" if watts is None else f"cap {watts}")
        if self._obedience != "deaf":
            self._machine = replace(self._machine, cap=watts)

    async def read_events(self, place: Mapping[str, Any]) -> LogPart:
        """Give what was written down since then."""
        await self._ask()
        return self._machine.events_since(place)

    async def clear_events(self) -> None:
        """Empty the log."""
        await self._take("clear log")
        if self._obedience != "deaf":
            self._machine = self._machine.emptied()

    async def open_console(self, *, take: bool = False) -> SerialLine:
        """Show a login prompt; in the obedience *refusing* another program holds the line."""
        await self._ask()
        if self._obedience == "refusing" and not take:
            raise InUse("The console of %(address)s is in use by another program", address=self.target.address)
        return FakeLine(LoginPrompt(f"fake-{self.target.address}".replace(":", "-")))

    async def clear_console(self, mark: str) -> None:
        """Leave nothing behind."""
        await self._ask()

    async def read_settings(self) -> SettingsReport:
        """Give what it came with, and what was changed since."""
        await self._ask()
        return settings.report(self.target, self._machine.settings, self._machine.waiting)

    async def write_settings(self, changes: Mapping[str, SettingValue]) -> AsyncIterator[Sequence[str]]:
        """Take one setting after another; passwords are taken and not kept."""
        for name in settings.in_order(changes):
            yield (name,)
            await self._take(f"set {name}")
            if self._obedience == "restarting":
                waiting = settings.kept(self._machine.waiting, name, changes[name])
                self._machine, self.wants_restart = replace(self._machine, waiting=waiting), True
            elif self._obedience == "late":
                settling = (*self._machine.settling, (self._contact + SETTLED, name, changes[name]))
                self._machine = replace(self._machine, settling=settling)
            elif self._obedience != "deaf":
                kept = settings.kept(self._machine.settings, name, changes[name])
                self._machine = replace(self._machine, settings=kept, vanished=self._obedience == "vanishing")

    async def send_test_alert(self, row: str) -> None:
        """Write down that it was asked to; nothing is sent."""
        await self._take(f"test alert {row}")

    async def reset_settings(self) -> None:
        """Forget what was changed."""
        await self._take("reset settings")
        if self._obedience != "deaf":
            self._machine = replace(self._machine, settings={})

    async def restart_controller(self) -> None:
        """Have what waits for it count."""
        await self._take("restart controller")
        self._machine = self._machine.restarted()

    async def _take(self, order: str) -> None:
        """Write an order down, as a device does that has received it, and refuse it where the script says so."""
        await self._ask()
        is_new = order not in self._machine.orders
        self._machine = self._machine.taking(order)
        if self._obedience == "hesitant" and is_new:
            raise NotNow("%(address)s is busy", address=self.target.address)
        if self._obedience == "refusing":
            raise DeviceError("%(address)s refuses the order", address=self.target.address)


DRIVER = FakeDriver
