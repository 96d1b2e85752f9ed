"""One open conversation with a device, and the class that each capability has."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import Any, Self

from apps.drivers.contract.console import Console
from apps.drivers.contract.description import Capability, Target
from apps.drivers.contract.event_log import EventLog
from apps.drivers.contract.inventory import Identity, Inventory
from apps.drivers.contract.ports import Neighbours, Ports
from apps.drivers.contract.power import Boot, Lamp, Power, PowerCap, PowerMeter
from apps.drivers.contract.sensors import Sensors, Ups
from apps.drivers.contract.settings import Settings
from apps.drivers.contract.states import Health, States
from apps.drivers.contract.subscriptions import Subscriptions
from apps.protocols.errors import Stage


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One stage of a connection check that was passed, with what was seen."""

    stage: Stage
    seen: str  # English, with %(name)s places
    params: Mapping[str, str] = field(default_factory=dict)


class Driver(ABC):
    """One open conversation with one device. Constructing opens no socket; entering may; leaving always closes."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.until: float | None = None  # when the caller waits no more, by the clock of the event loop; None: not told

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def __repr__(self) -> str:
        return f"{type(self).__module__}({self.target.address})"

    @abstractmethod
    async def check(self) -> Sequence[CheckStep]:
        """Prove port, sign-in and protocol with as little as possible; raises the ContactError of the failed stage."""

    @property
    def state(self) -> Mapping[str, Any]:
        """What the next contact with this device would like to find in ``Target.state`` (JSON values, no secrets)."""
        return {}


CAPABILITY_CLASSES: Mapping[Capability, type] = MappingProxyType(
    {
        Capability.IDENTITY: Identity,
        Capability.HEALTH: Health,
        Capability.INVENTORY: Inventory,
        Capability.SENSORS: Sensors,
        Capability.STATES: States,
        Capability.UPS: Ups,
        Capability.PORTS: Ports,
        Capability.NEIGHBOURS: Neighbours,
        Capability.POWER: Power,
        Capability.BOOT: Boot,
        Capability.LAMP: Lamp,
        Capability.POWER_METER: PowerMeter,
        Capability.POWER_CAP: PowerCap,
        Capability.EVENT_LOG: EventLog,
        Capability.SETTINGS: Settings,
        Capability.SUBSCRIPTIONS: Subscriptions,
        Capability.CONSOLE: Console,
    }
)
