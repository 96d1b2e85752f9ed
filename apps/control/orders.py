"""What is said to a device for each operation, and how one sees that it was done. No database in here."""

# mypy: disable-error-code="type-abstract"
# Capabilities are abstract classes, and are only asked for.

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias, TypeVar

from django.utils.translation import gettext_noop

from apps.control import operations
from apps.control.operations import Arguments
from apps.core.phrases import Phrase
from apps.drivers.contract import (
    Boot,
    BootDevice,
    BootOverride,
    Driver,
    EventLog,
    Lamp,
    LoggedEvent,
    Power,
    PowerAction,
    PowerCap,
    PowerDrawn,
    PowerMeter,
    PowerState,
    Target,
    Traces,
)
from apps.protocols import wake_on_lan
from apps.protocols.errors import DeviceError, Unsupported

READS_FOR = 8.0  # seconds, before a log is emptied

ALREADY: Mapping[PowerState, Phrase] = {
    PowerState.ON: Phrase(gettext_noop("It was on already: nothing was ordered.")),
    PowerState.OFF: Phrase(gettext_noop("It was off already: nothing was ordered.")),
}
SEEN: Mapping[PowerState, Phrase] = {
    PowerState.ON: Phrase(gettext_noop("It is on.")),
    PowerState.OFF: Phrase(gettext_noop("It is off.")),
}
CYCLED = Phrase(gettext_noop("It was off, and is on again."))
RESTARTED = Phrase(gettext_noop("It has started anew, and is on."))
INTERRUPTED = Phrase(gettext_noop("The interrupt has reached the machine."))
RESTART_UNTOLD = Phrase(
    gettext_noop("The controller took the order; it does not tell whether the machine has restarted.")
)
RESTART_UNSEEN = Phrase(
    gettext_noop("The controller took the order; nothing it tells shows that the machine has restarted.")
)
INTERRUPT_UNTOLD = Phrase(
    gettext_noop("The controller took the order; it does not tell whether it has reached the machine.")
)
NOTHING_RUNS = gettext_noop("%(address)s is off: there is nothing to restart.")
NOT_OFFERED = gettext_noop("%(address)s does not offer this at the moment.")
NO_CAPABILITY = gettext_noop("The way of managing of %(address)s cannot do this.")
STARTS_FROM = gettext_noop("It is set to start from %(what)s.")
NOT_SHOWN = gettext_noop(
    "The controller took the order, but does not show it back: by its own word the machine starts from %(what)s."
)
LIT = Phrase(gettext_noop("The lamp is lit."))
OUT = Phrase(gettext_noop("The lamp is out."))
LAMP_UNTOLD = Phrase(gettext_noop("The controller took the order; it does not tell whether the lamp is lit."))
EMPTIED = gettext_noop("The event log is empty. Entries before: %(number)s.")
CAPPED_ALREADY = gettext_noop("The cap was %(watts)s W already: nothing was ordered.")
UNCAPPED_ALREADY = Phrase(gettext_noop("There was no power cap: nothing was ordered."))
CAPPED = gettext_noop("The cap is %(watts)s W.")
CAPPED_BELOW = gettext_noop("The cap is %(watts)s W; at the moment it draws %(drawn)s W, which is above it.")
CAPPED_WITHIN = gettext_noop("The cap is %(watts)s W; at the moment it draws %(drawn)s W.")
UNCAPPED = Phrase(gettext_noop("There is no power cap any more."))
CAP_UNTOLD = Phrase(gettext_noop("The controller took the order; it does not tell whether there is a cap."))
ANSWERS = Phrase(gettext_noop("It answers."))

UNSEEN: Mapping[PowerAction, Phrase] = {
    PowerAction.CYCLE: RESTART_UNSEEN,
    PowerAction.RESET: RESTART_UNSEEN,
    PowerAction.REBOOT: RESTART_UNSEEN,
    PowerAction.NMI: INTERRUPT_UNTOLD,
}
ENDS_IN: Mapping[PowerAction, PowerState] = {
    PowerAction.ON: PowerState.ON,
    PowerAction.OFF: PowerState.OFF,
    PowerAction.SHUTDOWN: PowerState.OFF,
}

UNTOLD = (RESTART_UNTOLD, RESTART_UNSEEN, INTERRUPT_UNTOLD, LAMP_UNTOLD, CAP_UNTOLD)
"""How steps end whose controllers took the order and do not tell more: it says nothing against the next device."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Untold:
    """The device took the order and does not tell whether it is done: looking further is of no use."""

    words: Phrase


Seen: TypeAlias = Phrase | Untold | None
"""What a look gives: done, never to be seen, or not yet."""


class Order(ABC):
    """One order to one device: given once, then looked for until it is seen."""

    needs_device = True  # False: it is given without a conversation
    sent = False  # from the moment at which the device may have received it
    is_taken = False  # the device has said so in an earlier conversation
    left: Mapping[str, Any] | None = None  # what the driver keeps, once it was given and is only looked for
    power: PowerState | None = None  # as it was seen last
    restart_cause = ""  # why the machine last started, as it was told last
    deadline = 30.0  # seconds for one contact
    events: Sequence[LoggedEvent] = ()  # that the device forgets by the order

    @abstractmethod
    async def give(self, device: Driver | None) -> Phrase | None:
        """Order it; a phrase says that nothing had to be ordered."""

    @abstractmethod
    async def look(self, device: Driver) -> Seen:
        """Say that it is done, None while it is not."""

    def unseen(self) -> Phrase | None:
        """Say what the device shows instead, where that tells more than that it was not seen; None where not."""
        return None

    def reach(self, target: Target) -> Target:
        """Say where and as whom the next contact reaches the device: an order may have changed that."""
        return target


def able(device: Driver | None, capability: type[T]) -> T:
    if not isinstance(device, capability):
        raise Unsupported(NO_CAPABILITY, address=device.target.address if device is not None else "")
    return device


class PowerOrder(Order):
    """Switch, shut down, restart."""

    def __init__(self, action: PowerAction) -> None:
        self.action = action
        self._was_off = False
        self._has_restarted = self._was_interrupted = False
        self._before: Traces | None = None

    async def give(self, device: Driver | None) -> Phrase | None:
        """Look first: what is so already is not ordered, and what is off cannot be restarted."""
        machine = able(device, Power)
        address = device.target.address if device is not None else ""
        report = await machine.read_power()
        self.power = report.state
        wanted = ENDS_IN.get(self.action)
        if report.state is not None and report.state is wanted:
            return ALREADY[report.state]
        if wanted is None and report.state is PowerState.OFF:
            raise DeviceError(NOTHING_RUNS, address=address)
        if report.actions is not None and self.action not in report.actions:
            raise Unsupported(NOT_OFFERED, address=address)
        if wanted is None:
            self._before = await _traces(machine)
        self.sent = True
        await machine.set_power(self.action)
        return None

    async def look(self, device: Driver) -> Seen:
        """See the state that the action ends in; of a restart, that the machine was off, or what a start leaves."""
        machine = able(device, Power)
        report = await machine.read_power()
        self.power, self.restart_cause = report.state, report.restart_cause
        if self.action in ENDS_IN:
            return SEEN[self.power] if self.power is not None and self.power is ENDS_IN[self.action] else None
        self._was_off = self._was_off or self.power is PowerState.OFF
        await self._compare(machine)
        tells = self._before is not None and self._before.tell
        if self.action is PowerAction.NMI:
            if self._was_off or self._has_restarted or self._was_interrupted:
                return INTERRUPTED
            return None if tells else Untold(INTERRUPT_UNTOLD)
        if self.power is not PowerState.ON:
            return None
        if self._was_off or self._has_restarted:
            return CYCLED if self._was_off else RESTARTED
        return None if tells or self.action is PowerAction.CYCLE else Untold(RESTART_UNTOLD)

    def unseen(self) -> Phrase | None:
        """Say that nothing showed a restart, which it may have been all the same."""
        return UNSEEN.get(self.action)

    async def _compare(self, machine: Power) -> None:
        """Keep what the machine has done since the order, by what its controller tells of starts."""
        now = await _traces(machine, self._before) if self._before is not None else None
        if now is None or self._before is None:
            return
        self.restart_cause = now.cause
        self._has_restarted = self._has_restarted or now.restarted_since(self._before)
        self._was_interrupted = self._was_interrupted or now.interrupted_since(self._before)


async def _traces(machine: Power, before: Traces | None = None) -> Traces | None:
    """Read what the last start left; a controller that refuses to tell does not tell."""
    try:
        return await machine.read_traces(before)
    except (DeviceError, Unsupported):
        return None


class BootOrder(Order):
    """Set from what it starts."""

    def __init__(self, override: BootOverride) -> None:
        self.override = override
        self._shown: BootOverride | None = None

    async def give(self, device: Driver | None) -> Phrase | None:
        """Set it."""
        machine = able(device, Boot)
        self.sent = True
        await machine.set_boot(self.override)
        return None

    async def look(self, device: Driver) -> Phrase | None:
        """See it set; "as its own setup says" is neither once nor always, and of no firmware."""
        found = self._shown = await able(device, Boot).read_boot()
        wanted = self.override
        same = found.device is wanted.device
        if wanted.device is not BootDevice.NONE:
            other_mode = wanted.uefi is not None and found.uefi is not None and found.uefi is not wanted.uefi
            same = same and found.once is wanted.once and not other_mode
        return Phrase(STARTS_FROM, {"what": operations.BOOT_DEVICES[wanted.device]}) if same else None

    def unseen(self) -> Phrase | None:
        """Say what it shows: some controllers keep the device, but not that it is valid, or for how long."""
        shown = self._shown
        return Phrase(NOT_SHOWN, {"what": operations.BOOT_DEVICES[shown.device]}) if shown is not None else None


class LampOrder(Order):
    """Light the lamp or put it out."""

    def __init__(self, lit: bool, duration: timedelta | None) -> None:
        self.lit = lit
        self.duration = duration

    async def give(self, device: Driver | None) -> Phrase | None:
        """Order it."""
        machine = able(device, Lamp)
        self.sent = True
        await machine.set_lamp(self.lit, self.duration)
        return None

    async def look(self, device: Driver) -> Seen:
        """See it, where the controller tells."""
        lit = await able(device, Lamp).read_lamp()
        if lit is None:
            return Untold(LAMP_UNTOLD)
        return (LIT if lit else OUT) if lit is self.lit else None


class ClearOrder(Order):
    """Empty the event log."""

    def __init__(self) -> None:
        self._place: Mapping[str, Any] = {}

    async def give(self, device: Driver | None) -> Phrase | None:
        """Read it to its end, then empty it. A log too long for that is emptied, too."""
        machine = able(device, EventLog)
        until = asyncio.get_running_loop().time() + READS_FOR
        while True:
            part = await machine.read_events(self._place)
            self._place, self.events = part.place, (*self.events, *part.events)
            if not part.place.get("more") or asyncio.get_running_loop().time() > until:
                break
        self.sent = True
        await machine.clear_events()
        return None

    async def look(self, device: Driver) -> Phrase | None:
        """See that what was there is gone."""
        after = await able(device, EventLog).read_events(self._place)
        held = len(self.events)
        return Phrase(EMPTIED, {"number": str(held)}) if after.cleared or not held else None


class CapOrder(Order):
    """Set how much it may draw, or take that away."""

    def __init__(self, watts: int | None) -> None:
        self.watts = watts

    async def give(self, device: Driver | None) -> Phrase | None:
        """Look first: a cap that is so already is not set again."""
        machine = able(device, PowerCap)
        if isinstance(device, PowerMeter) and self._is_set(await device.read_power_drawn()):
            if self.watts is None:
                return UNCAPPED_ALREADY
            return Phrase(CAPPED_ALREADY, {"watts": str(self.watts)})
        self.sent = True
        await machine.set_power_cap(self.watts)
        return None

    async def look(self, device: Driver) -> Seen:
        """Read it back, and say what it achieves so far; the power need not fall to it."""
        drawn = await device.read_power_drawn() if isinstance(device, PowerMeter) else None
        if drawn is None:
            return Untold(CAP_UNTOLD)
        if not self._is_set(drawn):
            return None
        if self.watts is None:
            return UNCAPPED
        words = {"watts": str(self.watts)}
        if drawn.watts is None:
            return Phrase(CAPPED, words)
        words["drawn"] = f"{drawn.watts:.0f}"
        return Phrase(CAPPED_BELOW if drawn.watts > self.watts else CAPPED_WITHIN, words)

    def _is_set(self, drawn: PowerDrawn | None) -> bool:
        return drawn is not None and (round(drawn.cap) if drawn.cap else None) == self.watts


class WakeOrder(Order):
    """Send magic packets, then see whether it is on or answers."""

    needs_device = False

    def __init__(self, mac_addresses: Sequence[str], receivers: Sequence[tuple[str, int]]) -> None:
        self.mac_addresses = mac_addresses
        self.receivers = receivers

    async def give(self, device: Driver | None) -> Phrase | None:
        """Send them."""
        self.sent = True
        await asyncio.to_thread(wake_on_lan.send, self.mac_addresses, self.receivers)
        return None

    async def look(self, device: Driver) -> Phrase | None:
        """Ask the controller whether it is on; where there is none, whether the machine itself answers."""
        if not isinstance(device, Power):
            await device.check()
            return ANSWERS
        self.power = (await device.read_power()).state
        return SEEN[PowerState.ON] if self.power is PowerState.ON else None


def order_of(operation: str, arguments: Arguments) -> Order:
    """Make the order of one target."""
    match operation:
        case operations.POWER:
            return PowerOrder(PowerAction(arguments["action"]))
        case operations.BOOT:
            return BootOrder(BootOverride(BootDevice(arguments["device"]), arguments["once"], arguments["uefi"]))
        case operations.LAMP:
            seconds = arguments["seconds"]
            return LampOrder(arguments["lit"], timedelta(seconds=seconds) if seconds is not None else None)
        case operations.CAP:
            return CapOrder(arguments["watts"])
        case operations.CLEAR_LOG:
            return ClearOrder()
    raise ValueError(f"there is no order for {operation!r}")
