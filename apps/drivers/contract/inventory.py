"""Who a device is and what it is made of."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from apps.drivers.contract.states import Status
from apps.protocols.errors import ContactError


@dataclass(frozen=True, slots=True)
class IdentityFacts:
    """Who a device says it is. None is "not said", never an empty text."""

    name: str | None = None
    uuid: str | None = None  # canonical lower-case text form
    serial_number: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    description: str | None = None
    location: str | None = None
    contact: str | None = None
    operating_system: str | None = None
    agent_version: str | None = None
    mac_addresses: tuple[str, ...] = ()
    controller_mac_addresses: tuple[str, ...] = ()  # of its controller's own ports: by these nothing is woken
    object_id: str | None = None  # sysObjectID, dotted
    up_since: datetime | None = None  # UTC


PORT_OF = "Port of"  # the detail of a network port that is not one of the machine itself


class Identity(ABC):
    """Capability ``identity``."""

    @abstractmethod
    async def identify(self) -> IdentityFacts:
        """Ask the device who it is."""


class InventoryKind(StrEnum):
    """A shelf of the inventory panel."""

    SYSTEM = "system"
    PROCESSOR = "processor"
    MEMORY = "memory"
    STORAGE = "storage"
    NETWORK = "network"
    SOFTWARE = "software"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class InventoryItem:
    """One part of a device; ``details`` are label → text or number, in the order they are shown.

    Where sections of a device are read apart, a part names its own. One of them that could not be read is an item
    ``unread.<section>`` with what went wrong: what was listed of the section before stays, with its age.
    A port of the controller's own says so in the detail ``PORT_OF``: the machine is not woken by it.

    Changes of parts are remembered. ``passing`` are the labels of details that change by themselves: fill levels,
    states of links, clocks, addresses that are lent. A part that comes and goes by itself, as software interfaces do,
    is not ``lasting``. While a machine is off or just starting it may not know all of its parts: one of them that says
    so (``partial``) is enough, and what is not listed or not told then stays as it was told before.
    """

    kind: InventoryKind
    key: str
    name: str
    status: Status | None = None
    details: Mapping[str, str | int | float | None] = field(default_factory=dict)
    section: str = ""
    unread: ContactError | None = None
    passing: frozenset[str] = frozenset()
    lasting: bool = True
    partial: bool = False


class Inventory(ABC):
    """Capability ``inventory``."""

    @abstractmethod
    async def read_inventory(self) -> Sequence[InventoryItem]:
        """List the parts of the device."""
