"""Finds the parts of a machine that several of its interfaces list, such as a RAID controller by two drivers."""

from collections import defaultdict
from collections.abc import Sequence

from apps.components.models import InventoryItem
from apps.components.services import machines

_SERIAL, _MAC, _MODEL = "Serial number", "MAC address", "Model"
_SLOTS = ("Slot", "Location", "Bay")


def keys_of(row: InventoryItem) -> set[tuple[str, str]]:
    """Give by what a part is recognised: its serial number, its MAC address, or its model in its slot."""
    details = row.details
    found = set()
    if serial := machines.serial_key(str(details.get(_SERIAL) or "")):
        found.add((_SERIAL, serial))
    if mac := machines.mac_key(str(details.get(_MAC) or "")):
        found.add((_MAC, mac))
    model = str(details.get(_MODEL) or "").strip().casefold()
    slot = next((str(details[name]).strip().casefold() for name in _SLOTS if details.get(name)), "")
    if model and slot:
        found.add((_MODEL, f"{model} {slot}"))
    return found


def same_parts(rows: Sequence[InventoryItem]) -> list[list[InventoryItem]]:
    """Put those of one kind together that are the same part by different interfaces; all stay in their order.

    An interface knows its own parts apart: two of its own are never one.
    """
    groups: list[list[InventoryItem]] = []
    known: dict[tuple[str, tuple[str, str]], list[list[InventoryItem]]] = defaultdict(list)
    for row in rows:
        mine = [(row.kind, key) for key in sorted(keys_of(row))]
        alike = (group for key in mine for group in known[key])
        found = next(
            (group for group in alike if row.interface_id not in {other.interface_id for other in group}), None
        )
        if found is None:
            found = []
            groups.append(found)
        found.append(row)
        for key in mine:
            known[key].append(found)
    return groups
