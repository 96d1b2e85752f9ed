"""Orders in the words of Redfish: reset types, boot sources, the lamp (DSP2046 ComputerSystem, DSP2053)."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from apps.drivers.contract import BootDevice, BootOverride, PowerAction, PowerState, State, StateKind
from apps.drivers.redfish.values import Resource, link, nested, objects, text, words
from apps.protocols.errors import Unsupported

Way: TypeAlias = tuple[str, str]  # path of the action, reset type

RESETS: Mapping[PowerAction, tuple[str, ...]] = {  # the first that a service offers is ordered
    PowerAction.ON: ("On", "ForceOn"),
    PowerAction.OFF: ("ForceOff",),
    PowerAction.CYCLE: ("PowerCycle", "FullPowerCycle"),
    PowerAction.RESET: ("ForceRestart",),
    PowerAction.SHUTDOWN: ("GracefulShutdown", "PushPowerButton"),
    PowerAction.REBOOT: ("GracefulRestart",),
    PowerAction.NMI: ("Nmi",),
}
# Where a service names no reset types, these are tried: every service that has the action has them.
_UNNAMED = frozenset({"On", "ForceOff", "GracefulShutdown", "ForceRestart"})
_POWER = {"On": PowerState.ON, "Paused": PowerState.ON, "Off": PowerState.OFF}
POWER_WORDS = {"On": "Powered on", "Off": "Powered off", "PoweringOn": "Powering on", "PoweringOff": "Powering off"}

START_NAME = "Start of the machine"
START_WORDS = {  # of BootProgress.LastState (DSP2046 ComputerSystem)
    "PrimaryProcessorInitializationStarted": "Power-on self test running",
    "BusInitializationStarted": "Power-on self test running",
    "MemoryInitializationStarted": "Power-on self test running",
    "SecondaryProcessorInitializationStarted": "Power-on self test running",
    "PCIResourceConfigStarted": "Power-on self test running",
    "SystemHardwareInitializationComplete": "Power-on self test nearly done",
    "SetupEntered": "In the setup of the firmware",
    "OSBootStarted": "Operating system starting",
    "OSRunning": "Operating system running",
}
_PAST_THE_FIRMWARE = frozenset({"OSBootStarted", "OSRunning"})

_SOURCES: Mapping[BootDevice, tuple[str, ...]] = {
    BootDevice.NONE: ("None",),
    BootDevice.PXE: ("Pxe",),
    BootDevice.DISK: ("Hdd",),
    BootDevice.CD: ("Cd",),
    BootDevice.USB: ("Usb",),
    BootDevice.SETUP: ("BiosSetup",),
    BootDevice.DIAGNOSTIC: ("Diags", "Utilities"),
}
_DEVICES = {source: device for device, sources in _SOURCES.items() for source in sources}

_IS_UEFI = {"UEFI": True, "Legacy": False}
_IS_LIT = {"Lit": True, "Blinking": True, "Off": False}

NO_ACTION = "%(address)s does not offer this power operation"
NO_BOOT = "%(address)s cannot set the boot device"
NO_BOOT_DEVICE = "%(address)s cannot start the machine from this device"
OTHER_BOOT_DEVICE = "The machine is set to start from %(device)s, which has no name here"
NO_CAP = "%(address)s cannot limit the power of the machine"
NO_LAMP = "%(address)s has no lamp"
NO_LAMP_TIME = "%(address)s cannot light the lamp for a time, only until it is put out"


def power_state(system: Resource) -> PowerState | None:
    """Say whether the machine is powered; None while it is being switched."""
    return _POWER.get(str(system.get("PowerState")))


def is_off(system: Resource) -> bool:
    """Say whether a machine is off, or between off and on: it may not know of all that is in it."""
    return text(system, "PowerState") not in (None, "On")


def start(system: Resource) -> State | None:
    """Say how far the machine has started; None where the service does not tell."""
    said = text(nested(system, "BootProgress"), "LastState")
    if said not in START_WORDS:
        return None
    word = POWER_WORDS["Off"] if power_state(system) is PowerState.OFF else START_WORDS[said]
    return State("post", START_NAME, StateKind.OTHER, (word,))


def is_starting(system: Resource) -> bool | None:
    """Say whether the firmware is at work; None where the service does not tell, or the machine is off."""
    said = text(nested(system, "BootProgress"), "LastState")
    if said not in START_WORDS or power_state(system) is PowerState.OFF:
        return None
    return said not in _PAST_THE_FIRMWARE


def reset(system: Resource) -> Resource:
    """Give the reset action of a system; an empty one where it has none."""
    return nested(system, "Actions", "#ComputerSystem.Reset")


def reset_types(action: Resource, information: Resource) -> list[str]:
    """Give the reset types that are offered: in the action itself, or in the ActionInfo that it leads to."""
    offered = words(action, "ResetType@Redfish.AllowableValues")
    if not offered:
        for parameter in objects(information, "Parameters"):
            if parameter.get("Name") == "ResetType":
                offered = words(parameter, "AllowableValues")
    return offered or (list(_UNNAMED) if text(action, "target") else [])


def action_info(action: Resource) -> str | None:
    """Give where the parameters of an action are described; None where they stand in the action."""
    if words(action, "ResetType@Redfish.AllowableValues"):
        return None
    found = action.get("@Redfish.ActionInfo")
    return found if isinstance(found, str) and found else link(action, "@Redfish.ActionInfo")


def ways(target: str | None, offered: Iterable[str]) -> dict[PowerAction, Way]:
    """Give what one may order, and how: the path, and the word that the service has for it."""
    present = set(offered)
    found = {action: next((name for name in names if name in present), None) for action, names in RESETS.items()}
    return {action: (target, name) for action, name in found.items() if target and name}


def boot(system: Resource) -> BootOverride:
    """Read what the machine starts from; raises Unsupported for a source that the portal has no word for."""
    found = nested(system, "Boot")
    mode = _IS_UEFI.get(str(found.get("BootSourceOverrideMode")))
    enabled, source = found.get("BootSourceOverrideEnabled"), text(found, "BootSourceOverrideTarget")
    if enabled not in ("Once", "Continuous") or source is None:
        return BootOverride(BootDevice.NONE, uefi=mode)
    if source not in _DEVICES:
        raise Unsupported(OTHER_BOOT_DEVICE, device=source)
    return BootOverride(_DEVICES[source], once=enabled == "Once", uefi=mode)


def boot_change(system: Resource, override: BootOverride, address: str) -> dict[str, Any]:
    """Give the change that sets it; raises Unsupported for a device that the service does not offer."""
    found = nested(system, "Boot")
    if not found:
        raise Unsupported(NO_BOOT, address=address)
    if override.device is BootDevice.NONE:
        return dict(Boot=dict(BootSourceOverrideEnabled="Disabled"))
    offered = words(found, "BootSourceOverrideTarget@Redfish.AllowableValues") or words(
        found, "BootSourceOverrideSupported"
    )
    names = [name for name in _SOURCES[override.device] if not offered or name in offered]
    if not names:
        raise Unsupported(NO_BOOT_DEVICE, address=address)
    change = dict(
        BootSourceOverrideEnabled="Once" if override.once else "Continuous",
        BootSourceOverrideTarget=names[0],
    )
    if override.uefi is not None:
        change["BootSourceOverrideMode"] = "UEFI" if override.uefi else "Legacy"
    return dict(Boot=change)


def cap_change(source: Resource, watts: int | None) -> dict[str, Any] | None:
    """Give the change of a Power resource that sets the cap or takes it away; None where it has none.

    What follows in the array stays as it is only if it is there (DSP0266 §7.6.2).
    """
    controls = objects(source, "PowerControl")
    if not controls or "PowerLimit" not in controls[0]:
        return None
    return dict(PowerControl=[dict(PowerLimit=dict(LimitInWatts=watts)), *({} for _ in controls[1:])])


def cap_change_by_metrics(metrics: Resource, watts: int | None) -> dict[str, Any] | None:
    """Give the change of EnvironmentMetrics that does the same."""
    if not isinstance(metrics.get("PowerLimitWatts"), Mapping):
        return None
    if watts is None:
        return dict(PowerLimitWatts=dict(ControlMode="Disabled"))
    return dict(PowerLimitWatts=dict(ControlMode="Automatic", SetPoint=watts))


def lamp(source: Resource) -> bool | None:
    """Say whether the lamp is lit; None where the resource does not tell."""
    active = source.get("LocationIndicatorActive")
    if isinstance(active, bool):
        return active
    return _IS_LIT.get(str(source.get("IndicatorLED")))


def lamp_change(source: Resource, lit: bool) -> dict[str, Any] | None:
    """Give the change that lights it or puts it out; None where the resource has no lamp."""
    if isinstance(source.get("LocationIndicatorActive"), bool):
        return dict(LocationIndicatorActive=lit)
    if not isinstance(source.get("IndicatorLED"), str):
        return None
    offered = words(source, "IndicatorLED@Redfish.AllowableValues")
    on = "Blinking" if offered and "Lit" not in offered else "Lit"
    return dict(IndicatorLED=on if lit else "Off")
