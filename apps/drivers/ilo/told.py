"""What an iLO says in its own blocks: the summary of its health, and how far the start of the machine is."""

from collections.abc import Iterator

from apps.drivers.contract import InventoryItem, State, StateKind, Status
from apps.drivers.redfish import health
from apps.drivers.redfish.storage import Array
from apps.drivers.redfish.values import Resource, nested, oem, text

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
    if (said := text(oem(system), "PostState")) in POST_WORDS:
        yield State("post", POST_NAME, StateKind.OTHER, (POST_WORDS[said],))


def with_hint(item: InventoryItem, arrays: list[Array]) -> InventoryItem:
    """Say at a VROC controller without volumes why there are none."""
    for array in arrays:
        if not array.volumes and item.key.startswith(f"controller.{array.key}.") and "VROC" in item.name.upper():
            return InventoryItem(item.kind, item.key, item.name, item.status, {**item.details, "Note": VROC_HINT})
    return item
