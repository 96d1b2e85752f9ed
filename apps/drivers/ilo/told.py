"""What an iLO says in its own blocks: the summary of its health, and how far the start of the machine is."""

from collections.abc import Iterator
from dataclasses import replace

from apps.drivers.contract import InventoryItem, PowerAction, State, StateKind, Status
from apps.drivers.redfish import health
from apps.drivers.redfish.orders import Way
from apps.drivers.redfish.storage import Array
from apps.drivers.redfish.values import Resource, nested, oem, text, words

SUMMED = {  # members of AggregateHealthStatus that no section tells: key, name, kind
    "BiosOrHardwareHealth": ("bios", "BIOS and hardware", StateKind.OTHER),
    "Network": ("network", "Network adapters", StateKind.MODULE),
    "SmartStorageBattery": ("storage-battery", "Battery of the storage", StateKind.BATTERY),
}
REDUNDANCIES = {
    "FanRedundancy": ("redundancy.fans", "Redundancy of the fans", StateKind.COOLING),
    "PowerSupplyRedundancy": ("redundancy.power", "Redundancy of the power supplies", StateKind.POWER),
}
REDUNDANCY_WORDS = {
    "Redundant": ("Redundant", Status.NORMAL),
    "NonRedundant": ("Not redundant", Status.NORMAL),  # also with a machine that was built so
    "FailedRedundant": ("No longer redundant", Status.WARNING),
}
STORAGE_NAME = "Storage of the machine"
POST_NAME = "Start of the machine"
POST_WORDS = {
    "InPost": "Power-on self test running",
    "InPostDiscoveryComplete": "Power-on self test nearly done",
    "FinishedPost": "Power-on self test done",
    "Reset": "Resetting",
    "PowerOff": "Powered off",
}
_AT_WORK = {"InPost": True, "InPostDiscoveryComplete": True, "Reset": True, "FinishedPost": False}
COLD_BOOT = "ColdBoot"
VROC_HINT = "Intel VROC: this controller does not show its logical drives"


def states(system: Resource, *, storage_told: bool) -> Iterator[State]:
    """Give what the summary tells besides the sections."""
    summary = nested(oem(system), "AggregateHealthStatus")
    for member, (key, name, kind) in SUMMED.items():
        if member in summary and (found := health.state(f"summary.{key}", name, kind, nested(summary, member))):
            yield found
    for member, (key, name, kind) in REDUNDANCIES.items():
        if (said := text(summary, member)) in REDUNDANCY_WORDS:
            word, status = REDUNDANCY_WORDS[said]
            yield State(f"summary.{key}", name, kind, (word,), status)
    if not storage_told and (
        found := health.state("summary.storage", STORAGE_NAME, StateKind.STORAGE, nested(summary, "Storage"))
    ):
        yield found


def start(system: Resource) -> State | None:
    """Say how far the machine has started, in the maker's own block; None where it does not tell."""
    said = text(oem(system), "PostState")
    return State("post", POST_NAME, StateKind.OTHER, (POST_WORDS[said],)) if said in POST_WORDS else None


def is_starting(system: Resource) -> bool | None:
    """Say whether the firmware is at work."""
    return _AT_WORK.get(str(text(oem(system), "PostState")))


def cold_boot(system: Resource) -> dict[PowerAction, Way]:
    """Give how the machine is switched off and on again."""
    for name in ("#HpeComputerSystemExt.SystemReset", "#HpComputerSystemExt.SystemReset"):
        action = nested(oem(system), "Actions", name)
        if (target := text(action, "target")) and COLD_BOOT in words(action, "ResetType@Redfish.AllowableValues"):
            return {PowerAction.CYCLE: (target, COLD_BOOT)}
    return {}


def with_hint(item: InventoryItem, arrays: list[Array]) -> InventoryItem:
    """Say at a VROC controller without volumes why there are none."""
    for array in arrays:
        if not array.volumes and item.key.startswith(f"controller.{array.key}.") and "VROC" in item.name.upper():
            details = {**item.details, "Note": VROC_HINT}
            return replace(item, details=details, passing=item.passing | {"Note"})
    return item
