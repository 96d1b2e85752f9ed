"""Components and everything that says how they are reached and how they are."""

from apps.components.models.component import Category, Component, ComponentQuerySet, PowerSwitch
from apps.components.models.credential import Credential, CredentialVersion
from apps.components.models.interface import (
    CONSOLE,
    InventoryItem,
    ManagementInterface,
    ManagementInterfaceQuerySet,
    Reservation,
)
from apps.components.models.machine import MachineId, MachineIdKind
from apps.components.models.status import Status, StatusCause, StatusChange
from apps.components.models.suspension import SuspendPeriod, SuspendPeriodQuerySet

__all__ = [
    "CONSOLE",
    "Category",
    "Component",
    "ComponentQuerySet",
    "Credential",
    "CredentialVersion",
    "InventoryItem",
    "MachineId",
    "MachineIdKind",
    "ManagementInterface",
    "ManagementInterfaceQuerySet",
    "PowerSwitch",
    "Reservation",
    "Status",
    "StatusCause",
    "StatusChange",
    "SuspendPeriod",
    "SuspendPeriodQuerySet",
]
