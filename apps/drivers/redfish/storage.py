"""Storage: controllers, drives with their wear, volumes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from apps.drivers.contract import (
    InventoryItem,
    InventoryKind,
    Limits,
    Quantity,
    Reading,
    State,
    StateKind,
    Status,
)
from apps.drivers.redfish.health import Told, state, verdict
from apps.drivers.redfish.values import (
    Resource,
    identifier,
    is_absent,
    joined,
    known,
    nested,
    number,
    objects,
    sensor,
    text,
    whole,
    with_unit,
    words,
)

FAILURE_PREDICTED = "Failure predicted"
LIFE_LEFT = "Media life left"
_PASSING = frozenset({LIFE_LEFT})
NAMES = {"controller": "Storage controller", "drive": "Drive", "volume": "Volume"}
WEAR_LIMITS = Limits(lower_warning=10, lower_critical=3)


@dataclass(frozen=True, slots=True)
class Array:
    """One storage subsystem with what belongs to it."""

    storage: Resource
    controllers: Sequence[Resource] = ()
    drives: Sequence[Resource] = ()
    volumes: Sequence[Resource] = ()

    @property
    def key(self) -> str:
        """Its name in keys."""
        return identifier(self.storage)


def told(arrays: Iterable[Array]) -> Told:
    """Say how controllers, drives and volumes are, and how much life drives have left."""
    found = Told()
    for array in arrays:
        found.states += _states(array)
        found.readings += _readings(array)
    return found


def _states(array: Array) -> Iterator[State]:
    for one in _present(array.controllers):
        key = f"controller.{array.key}.{identifier(one)}"
        if status := state(key, controller_name(one), StateKind.STORAGE, one):
            yield status
    for one in _present(array.drives):
        key, name = f"drive.{array.key}.{identifier(one)}", drive_name(one)
        status = state(key, name, StateKind.STORAGE, one)
        if one.get("FailurePredicted") is True and (status is None or status.status is not Status.CRITICAL):
            status = State(key, name, StateKind.STORAGE, (FAILURE_PREDICTED,), Status.WARNING)
        if status is not None:
            yield status
    for one in _present(array.volumes):
        if status := state(f"volume.{array.key}.{identifier(one)}", volume_name(one), StateKind.STORAGE, one):
            yield status


def _readings(array: Array) -> Iterator[Reading]:
    for one in _present(array.drives):
        left = number(one, "PredictedMediaLifeLeftPercent")
        if left is not None and nested(one, "Status").get("State") != "Disabled":
            own = identifier(one)
            name = f"{LIFE_LEFT} {own}" if own.replace(".", "").isdigit() else drive_name(one)
            yield Reading(sensor(f"drive.{array.key}.{own}.life", name, Quantity.OTHER, "%", WEAR_LIMITS), left)


def items(arrays: Iterable[Array]) -> Iterator[InventoryItem]:
    """List controllers, drives and volumes."""
    for array in arrays:
        for one in _present(array.controllers):
            yield _item(f"controller.{array.key}.{identifier(one)}", controller_name(one), one, _of_controller(one))
        for one in _present(array.drives):
            yield _item(f"drive.{array.key}.{identifier(one)}", drive_name(one), one, _of_drive(one))
        for one in _present(array.volumes):
            yield _item(f"volume.{array.key}.{identifier(one)}", volume_name(one), one, _of_volume(one))


def simple_items(found: Iterable[Resource]) -> Iterator[InventoryItem]:
    """List the devices of SimpleStorage, which older services have instead."""
    for controller in found:
        for place, one in enumerate(objects(controller, "Devices")):
            if not is_absent(one):
                yield _item(f"device.{identifier(controller)}.{place}", drive_name(one), one, _of_drive(one))


def _present(found: Iterable[Resource]) -> Iterator[Resource]:
    return (one for one in found if not is_absent(one))


def _item(key: str, name: str, one: Resource, details: dict[str, str | int | float | None]) -> InventoryItem:
    return InventoryItem(InventoryKind.STORAGE, key, name, verdict(one), known(details), passing=_PASSING)


def controller_name(one: Resource) -> str:
    """Give what a controller is called."""
    return text(one, "Name", "Model") or f"{NAMES['controller']} {identifier(one)}"


def drive_name(one: Resource) -> str:
    """Give what a drive is called: where it sits, if it says so."""
    label = text(nested(one, "PhysicalLocation", "PartLocation"), "ServiceLabel")
    return label or text(one, "Name") or f"{NAMES['drive']} {identifier(one)}"


def volume_name(one: Resource) -> str:
    """Give what a volume is called."""
    return text(one, "DisplayName", "Name") or f"{NAMES['volume']} {identifier(one)}"


def _of_controller(one: Resource) -> dict[str, str | int | float | None]:
    return {
        "Manufacturer": text(one, "Manufacturer"),
        "Model": text(one, "Model"),
        "Serial number": text(one, "SerialNumber"),
        "Part number": text(one, "PartNumber"),
        "Firmware": text(one, "FirmwareVersion"),
        "RAID levels": joined(words(one, "SupportedRAIDTypes")),
    }


def _of_drive(one: Resource) -> dict[str, str | int | float | None]:
    return {
        "Size (bytes)": whole(one, "CapacityBytes"),
        "Manufacturer": text(one, "Manufacturer"),
        "Model": text(one, "Model"),
        "Serial number": text(one, "SerialNumber"),
        "Part number": text(one, "PartNumber"),
        "Firmware": text(one, "Revision", "FirmwareVersion"),
        "Media": text(one, "MediaType"),
        "Protocol": text(one, "Protocol"),
        "Rotation": with_unit(number(one, "RotationSpeedRPM") or None, "rpm"),
        "Media life left": with_unit(number(one, "PredictedMediaLifeLeftPercent"), "%"),
        "Spare": text(one, "HotspareType"),
    }


def _of_volume(one: Resource) -> dict[str, str | int | float | None]:
    return {
        "Size (bytes)": whole(one, "CapacityBytes") or whole(nested(one, "Capacity", "Data"), "AllocatedBytes"),
        "RAID level": text(one, "RAIDType", "VolumeType"),
        "Encrypted": str(one["Encrypted"]).lower() if isinstance(one.get("Encrypted"), bool) else None,
    }
