"""What a fake device does when it is ordered something, kept from contact to contact in ``Driver.state``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.drivers.contract import (
    BootDevice,
    BootOverride,
    LoggedEvent,
    LogPart,
    PowerAction,
    PowerState,
    SettingValue,
    Status,
)

ORDERS_KEPT = 20
LATE = 3  # contacts after which a slow device has done what it was ordered
SETTLED = 2  # contacts after which one shows what it was set to
ENTRIES_AT_FIRST = 3  # in the event log
_BORN = datetime(2026, 1, 1, tzinfo=UTC)

Plan = tuple[tuple[int, str], ...]
"""From which contact on which power state is seen."""

START, INTERRUPT = "start", "interrupt"
STARTED_BY = frozenset({PowerAction.ON, PowerAction.CYCLE, PowerAction.RESET, PowerAction.REBOOT})

AFTER: Mapping[PowerAction, tuple[PowerState, ...]] = {  # what is seen at the contacts that follow
    PowerAction.ON: (PowerState.ON,),
    PowerAction.OFF: (PowerState.OFF,),
    PowerAction.SHUTDOWN: (PowerState.OFF,),
    PowerAction.CYCLE: (PowerState.OFF, PowerState.ON),
}


@dataclass(frozen=True, slots=True)
class FakeMachine:
    """Power, boot device, lamp and event log of a fake device, and what it was ordered, the newest last."""

    power: str = PowerState.ON.value
    plan: Plan = ()
    boot: tuple[str, bool, bool | None] = (BootDevice.NONE.value, True, None)
    lamp: bool = False
    orders: tuple[str, ...] = ()
    ordered: int = 0  # orders ever
    cleared: int = 0  # how often the event log was emptied
    gone: int = 0  # entries that went with it
    settings: Mapping[str, SettingValue] = field(default_factory=dict)  # those that are not as it came
    waiting: Mapping[str, SettingValue] = field(default_factory=dict)  # those that count after a restart
    settling: tuple[tuple[int, str, SettingValue], ...] = ()  # from which contact on a setting has another value
    vanished: bool = False  # it answers nobody any more
    cap: int | None = None  # W
    starts: int = 0
    interrupts: int = 0
    coming: Plan = ()  # from which contact on a start, or an interrupt, has happened

    @classmethod
    def load(cls, kept: object) -> "FakeMachine":
        """Read what ``dump`` gave; anything else is a new machine."""
        if not isinstance(kept, Mapping):
            return cls()
        device, once, uefi = kept["boot"]
        return cls(
            power=kept["power"],
            plan=tuple((contact, state) for contact, state in kept["plan"]),
            boot=(device, once, uefi),
            lamp=kept["lamp"],
            orders=tuple(kept["orders"]),
            ordered=kept["ordered"],
            cleared=kept["cleared"],
            gone=kept["gone"],
            settings=dict(kept.get("settings", {})),
            waiting=dict(kept.get("waiting", {})),
            settling=tuple((contact, name, value) for contact, name, value in kept.get("settling", ())),
            vanished=bool(kept.get("vanished", False)),
            cap=kept.get("cap"),
            starts=kept.get("starts", 0),
            interrupts=kept.get("interrupts", 0),
            coming=tuple((contact, what) for contact, what in kept.get("coming", ())),
        )

    def dump(self) -> Mapping[str, Any]:
        """Give it as JSON."""
        return {
            "power": self.power,
            "plan": [list(step) for step in self.plan],
            "boot": list(self.boot),
            "lamp": self.lamp,
            "orders": list(self.orders),
            "ordered": self.ordered,
            "cleared": self.cleared,
            "gone": self.gone,
            "settings": dict(self.settings),
            "waiting": dict(self.waiting),
            "settling": [list(one) for one in self.settling],
            "vanished": self.vanished,
            "cap": self.cap,
            "starts": self.starts,
            "interrupts": self.interrupts,
            "coming": [list(one) for one in self.coming],
        }

    def at(self, contact: int) -> "FakeMachine":
        """Give the machine as this contact finds it."""
        power = self.power
        for since, state in self.plan:
            if since <= contact:
                power = state
        settled = {name: value for since, name, value in self.settling if since <= contact}
        happened = [what for since, what in self.coming if since <= contact]
        return replace(
            self,
            power=power,
            plan=tuple(step for step in self.plan if step[0] > contact),
            settings={**self.settings, **settled},
            settling=tuple(one for one in self.settling if one[0] > contact),
            starts=self.starts + happened.count(START),
            interrupts=self.interrupts + happened.count(INTERRUPT),
            coming=tuple(one for one in self.coming if one[0] > contact),
        )

    def taking(self, order: str) -> "FakeMachine":
        """Give the machine that has taken an order and not begun with it."""
        return replace(self, orders=(*self.orders, order)[-ORDERS_KEPT:], ordered=self.ordered + 1)

    def switched(self, action: PowerAction, contact: int) -> "FakeMachine":
        """Give the machine that does what it was ordered from a contact on; what only restarts it leaves a trace."""
        states = AFTER.get(action, ())
        last = contact + max(len(states) - 1, 0)
        coming = {PowerAction.NMI: ((last, INTERRUPT),)}.get(action, ((last, START),) if action in STARTED_BY else ())
        plan = tuple((contact + place, state.value) for place, state in enumerate(states))
        return replace(self, plan=plan, coming=coming)

    def restarted(self) -> "FakeMachine":
        """Give the machine whose controller has started anew: what waited for that counts."""
        return replace(self, settings={**self.settings, **self.waiting}, waiting={})

    @property
    def override(self) -> BootOverride:
        """Give from what it starts."""
        device, once, uefi = self.boot
        return BootOverride(BootDevice(device), once, uefi)

    def booting(self, override: BootOverride) -> "FakeMachine":
        """Give the machine that starts from something else."""
        return replace(self, boot=(override.device.value, override.once, override.uefi))

    def emptied(self) -> "FakeMachine":
        """Give the machine with an empty event log."""
        return replace(self, cleared=self.cleared + 1, gone=ENTRIES_AT_FIRST + self.ordered)

    def events_since(self, place: Mapping[str, Any]) -> LogPart:
        """Give what it wrote down since a place: three entries of old, and one for each order."""
        told = int(place.get("entry", 0))
        emptied = bool(place) and place.get("cleared") != self.cleared
        begin = self.gone if emptied else max(self.gone, told)
        last = ENTRIES_AT_FIRST + self.ordered
        return LogPart(
            tuple(self._event(number) for number in range(begin + 1, last + 1)),
            {"entry": last, "cleared": self.cleared},
            emptied,
            filled=float(min(100, last - self.gone)),
        )

    def _event(self, number: int) -> LoggedEvent:
        old: Sequence[tuple[str, Status]] = (
            ("Fan 2: lower critical going low", Status.CRITICAL),
            ("Fan 2: lower critical going high", Status.NORMAL),
            ("Power supply 1: presence detected", Status.NORMAL),
        )
        text, status = old[number - 1] if number <= len(old) else ("Order taken", Status.NORMAL)
        source = text.partition(":")[0] if number <= len(old) else "Controller"
        return LoggedEvent(str(number), _BORN + timedelta(minutes=number), status, source, text)
