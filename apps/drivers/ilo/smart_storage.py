"""SmartStorage, which iLO 4 and 5 have where others have Storage: turned into what the standard calls things."""

from collections.abc import Sequence
from typing import Any

from apps.drivers.redfish.storage import Array
from apps.drivers.redfish.values import Resource, identifier, number, text

_MIB = 1024**2


def array(controller: Resource, drives: Sequence[Resource], volumes: Sequence[Resource]) -> Array:
    """Make one subsystem of an array controller, its physical and its logical drives."""
    own = {**controller, "Name": text(controller, "Name", "Model"), "FirmwareVersion": _firmware(controller)}
    return Array(controller, [own], [_drive(one) for one in drives], [_volume(one) for one in volumes])


def _firmware(source: Resource) -> str | None:
    versions = source.get("FirmwareVersion")
    current = versions.get("Current") if isinstance(versions, dict) else None
    return text(current, "VersionString") if isinstance(current, dict) else text(source, "FirmwareVersion")


def _drive(one: Resource) -> dict[str, Any]:
    used = number(one, "SSDEnduranceUtilizationPercentage")
    return {
        **one,
        "Name": text(one, "Location", "Name"),
        "CapacityBytes": _bytes(one),
        "Protocol": text(one, "InterfaceType"),
        "Revision": _firmware(one),
        "RotationSpeedRPM": number(one, "RotationalSpeedRpm"),
        "PredictedMediaLifeLeftPercent": None if used is None else max(0.0, 100 - used),
    }


def _volume(one: Resource) -> dict[str, Any]:
    level = text(one, "Raid")
    return {
        **one,
        "Id": identifier(one),
        "Name": text(one, "LogicalDriveName", "VolumeUniqueIdentifier") or text(one, "Name"),
        "CapacityBytes": _bytes(one),
        "RAIDType": f"RAID{level}" if level is not None else None,
    }


def _bytes(one: Resource) -> int | None:
    size = number(one, "CapacityMiB")
    return None if size is None else round(size * _MIB)
