"""The operations that may be ordered: what each is called, what it may be told, and which permission it needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, pgettext_lazy

from apps.core.phrases import Phrase
from apps.drivers.contract import BootDevice, Capability, PowerAction

POWER, BOOT, LAMP, CLEAR_LOG, WAKE, COLLECT = "power", "boot", "lamp", "clear_log", "wake", "collect"
CAP = "cap"
LONGEST_LAMP = timedelta(days=1)
WAKE_PORTS = (9, 10101)
LOWEST_CAP, HIGHEST_CAP = 50, 100_000  # W

Arguments = Mapping[str, Any]

GENTLE = frozenset({PowerAction.ON, PowerAction.SHUTDOWN, PowerAction.REBOOT})
"""What harms no running operating system; the rest needs the permission *force*."""

ENDING = frozenset(PowerAction) - {PowerAction.ON, PowerAction.NMI}
"""What interrupts whatever runs on the machine."""

POWER_TITLES: Mapping[PowerAction, str] = {
    PowerAction.ON: gettext_noop("Power on"),
    PowerAction.SHUTDOWN: gettext_noop("Shut down the OS"),
    PowerAction.REBOOT: gettext_noop("Restart the OS"),
    PowerAction.OFF: gettext_noop("Force off"),
    PowerAction.CYCLE: gettext_noop("Power cycle"),
    PowerAction.RESET: gettext_noop("Reset"),
    PowerAction.NMI: gettext_noop("Diagnostic interrupt (NMI)"),
}
BOOT_DEVICES: Mapping[BootDevice, str] = {
    BootDevice.NONE: gettext_noop("its own boot order"),
    BootDevice.PXE: gettext_noop("the network (PXE)"),
    BootDevice.DISK: gettext_noop("the disk"),
    BootDevice.CD: gettext_noop("the CD or DVD"),
    BootDevice.USB: gettext_noop("a USB device"),
    BootDevice.SETUP: gettext_noop("the BIOS setup"),
    BootDevice.DIAGNOSTIC: gettext_noop("the diagnostics"),
}
BOOT_ONCE = gettext_noop("Start from %(what)s the next time")
BOOT_ALWAYS = gettext_noop("Start from %(what)s always")
LAMP_ON = Phrase(gettext_noop("Light the locator lamp"))
LAMP_OFF = Phrase(gettext_noop("Put the locator lamp out"))
CLEAR = Phrase(gettext_noop("Clear the event log"))
CAP_AT = gettext_noop("Cap the power at %(watts)s W")
UNCAP = Phrase(gettext_noop("Take the power cap away"))
WAKE_UP = Phrase(gettext_noop("Wake over the network"))
COLLECT_NOW = Phrase(gettext_noop("Collect now"))


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that may be ordered of devices."""

    name: str
    label: Promise | str
    capability: Capability | None  # None: any component is asked in its own way
    clean: Callable[[Arguments], dict[str, Any]]  # gives complete arguments; raises ValidationError
    permission: Callable[[Arguments], str]
    title: Callable[[Arguments], Phrase]
    # Whether it changes what the controller keeps: then nobody but its manager orders it.
    by_manager: Callable[[Arguments], bool] = lambda arguments: False


def _nothing(arguments: Arguments) -> dict[str, Any]:
    _refuse_unknown(arguments, ())
    return {}


def _power(arguments: Arguments) -> dict[str, Any]:
    _refuse_unknown(arguments, ("action",))
    return {"action": _one_of(arguments, "action", [action.value for action in PowerAction])}


def _boot(arguments: Arguments) -> dict[str, Any]:
    _refuse_unknown(arguments, ("device", "once", "uefi"))
    return {
        "device": _one_of(arguments, "device", [device.value for device in BootDevice]),
        "once": _truth(arguments, "once", default=True),
        "uefi": _truth(arguments, "uefi", default=None),
    }


def _lamp(arguments: Arguments) -> dict[str, Any]:
    _refuse_unknown(arguments, ("lit", "seconds"))
    seconds, most = arguments.get("seconds"), int(LONGEST_LAMP.total_seconds())
    whole = isinstance(seconds, int) and not isinstance(seconds, bool) and 1 <= seconds <= most
    if seconds is not None and not whole:
        raise ValidationError(
            _("%(name)s: enter a whole number from %(low)s to %(high)s."),
            params={"name": "seconds", "low": 1, "high": most},
        )
    return {"lit": _truth(arguments, "lit", default=True), "seconds": seconds}


def _wake(arguments: Arguments) -> dict[str, Any]:
    _refuse_unknown(arguments, ("port",))
    port = arguments.get("port")
    if port is not None and (isinstance(port, bool) or port not in WAKE_PORTS):
        raise ValidationError(
            _("%(name)s: choose one of %(choices)s."),
            params={"name": "port", "choices": ", ".join(map(str, WAKE_PORTS))},
        )
    return {"port": port}


def _cap(arguments: Arguments) -> dict[str, Any]:
    _refuse_unknown(arguments, ("watts",))
    if "watts" not in arguments:
        raise ValidationError(_("%(name)s: this is needed; null takes the cap away."), params={"name": "watts"})
    watts = arguments["watts"]
    whole = isinstance(watts, int) and not isinstance(watts, bool) and LOWEST_CAP <= watts <= HIGHEST_CAP
    if watts is not None and not whole:
        raise ValidationError(
            _("%(name)s: enter a whole number from %(low)s to %(high)s."),
            params={"name": "watts", "low": LOWEST_CAP, "high": HIGHEST_CAP},
        )
    return {"watts": watts}


def _refuse_unknown(arguments: Arguments, known: tuple[str, ...]) -> None:
    for name in arguments:
        if name not in known:
            raise ValidationError(_("%(name)s: there is no such argument."), params={"name": str(name)[:40]})


def _one_of(arguments: Arguments, name: str, choices: list[str]) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or value not in choices:
        raise ValidationError(
            _("%(name)s: choose one of %(choices)s."), params={"name": name, "choices": ", ".join(choices)}
        )
    return value


def _truth(arguments: Arguments, name: str, *, default: bool | None) -> bool | None:
    value = arguments.get(name, default)
    if value is not default and not isinstance(value, bool):
        raise ValidationError(_("%(name)s: enter true or false."), params={"name": name})
    return value


def _power_title(arguments: Arguments) -> Phrase:
    return Phrase(POWER_TITLES[PowerAction(arguments["action"])])


def _boot_title(arguments: Arguments) -> Phrase:
    sentence = BOOT_ONCE if arguments["once"] else BOOT_ALWAYS
    return Phrase(sentence, {"what": BOOT_DEVICES[BootDevice(arguments["device"])]})


def _cap_title(arguments: Arguments) -> Phrase:
    watts = arguments["watts"]
    return UNCAP if watts is None else Phrase(CAP_AT, {"watts": str(watts)})


OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(
            POWER,
            pgettext_lazy("power state", "Power"),
            Capability.POWER,
            _power,
            lambda arguments: "power" if PowerAction(arguments["action"]) in GENTLE else "force",
            _power_title,
        ),
        Operation(
            BOOT,
            gettext_lazy("Boot device"),
            Capability.BOOT,
            _boot,
            lambda arguments: "force",
            _boot_title,
            by_manager=lambda arguments: arguments.get("once") is False,
        ),
        Operation(
            LAMP,
            gettext_lazy("Locator lamp"),
            Capability.LAMP,
            _lamp,
            lambda arguments: "power",
            lambda arguments: LAMP_ON if arguments["lit"] else LAMP_OFF,
        ),
        Operation(
            CAP,
            gettext_lazy("Power cap"),
            Capability.POWER_CAP,
            _cap,
            lambda arguments: "device_settings",
            _cap_title,
            by_manager=lambda arguments: True,
        ),
        Operation(
            CLEAR_LOG,
            gettext_lazy("Clearing the event log"),
            Capability.EVENT_LOG,
            _nothing,
            lambda arguments: "device_settings",
            lambda arguments: CLEAR,
            by_manager=lambda arguments: True,
        ),
        Operation(WAKE, gettext_lazy("Waking"), None, _wake, lambda arguments: "power", lambda arguments: WAKE_UP),
        Operation(
            COLLECT,
            gettext_lazy("Collecting"),
            None,
            _nothing,
            lambda arguments: "check",
            lambda arguments: COLLECT_NOW,
        ),
    )
}
