"""What every driver owes: its spec, the target it is opened on, and the capabilities it may have.

A driver is one folder with ``spec.py`` (``SPEC``, cheap: no protocol library is imported), ``driver.py`` (a subclass of
``Driver`` that inherits one class per capability) and ``parse.py`` (pure functions). Everything here is frozen, typed
and free of Django.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeAlias

from apps.protocols.errors import Stage

__all__ = [
    "CAPABILITY_CLASSES",
    "Capability",
    "Category",
    "CheckStep",
    "Driver",
    "DriverSpec",
    "Fact",
    "Health",
    "HealthReport",
    "Identity",
    "IdentityFacts",
    "Inventory",
    "InventoryItem",
    "InventoryKind",
    "Limits",
    "Neighbour",
    "Neighbours",
    "Parameter",
    "Port",
    "PortState",
    "Ports",
    "PortsReport",
    "Quantity",
    "Reading",
    "Secret",
    "Sensor",
    "Sensors",
    "Stage",
    "State",
    "StateKind",
    "States",
    "Status",
    "Target",
    "Ups",
    "UpsPart",
]


class Status(StrEnum):
    """The state of a device or of one of its parts; worst first by ``WORST_FIRST``."""

    CRITICAL = "critical"
    WARNING = "warning"
    UNKNOWN = "unknown"
    NORMAL = "normal"


class Category(StrEnum):
    """What a component is; a driver names the one it registers by default."""

    SERVER = "server"
    HYPERVISOR = "hypervisor"
    CHASSIS = "chassis"
    STORAGE = "storage"
    NETWORK = "network"
    UPS = "ups"
    COMPUTER = "computer"
    ALERT_ONLY = "alert-only"
    EXPETHER = "expether"


class Capability(StrEnum):
    """What a driver can do; the class of the same name below holds the methods."""

    IDENTITY = "identity"
    HEALTH = "health"
    INVENTORY = "inventory"
    SENSORS = "sensors"
    STATES = "states"
    UPS = "ups"
    PORTS = "ports"
    NEIGHBOURS = "neighbours"


class Secret(str):
    """A string that never shows itself in a repr, a log or an error; ``str(secret)`` is still the value on purpose."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('********')"


ParameterType: TypeAlias = type[int] | type[str] | type[bool]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of an interface that is not a credential, as the registration page and the API offer it."""

    name: str
    label: str
    type: ParameterType = str
    default: int | str | bool | None = None
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class DriverSpec:
    """What the portal knows of a driver without importing it."""

    name: str
    label: str
    category: Category
    capabilities: frozenset[Capability]
    credential_kinds: tuple[str, ...]  # kinds of ``apps.components.credentials``; empty: none is needed
    licence_kind: str  # a key of the licence matrix; "" where none is ever needed
    default_port: int | None = None
    parameters: tuple[Parameter, ...] = ()
    transport: str = "udp"  # "udp", "tcp" or "icmp"
    blocking: bool = False  # True: runs over a thread pool, on the queue poll-blocking
    hidden: bool = False  # True: not offered in production (fake)
    period: timedelta | None = None  # None: the option MONITORING_INTERVAL


@dataclass(frozen=True, slots=True)
class Target:
    """How to reach a device: plain values, decrypted, good for one contact."""

    address: str
    port: int | None
    credential_kind: str = ""
    credential: Mapping[str, Any] = field(default_factory=dict, repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 1.0  # seconds for one answer
    retries: int = 1
    state: Mapping[str, Any] = field(default_factory=dict, repr=False)  # what the driver asked to have kept last time


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
    object_id: str | None = None  # sysObjectID, dotted
    up_since: datetime | None = None  # UTC


class Quantity(StrEnum):
    """What a sensor measures; decides its unit, its icon, its chart and what lists sort by."""

    CPU = "cpu"
    MEMORY = "memory"
    STORAGE = "storage"
    PROCESSES = "processes"
    LOAD = "load"
    TRAFFIC = "traffic"
    ERRORS = "errors"
    UPTIME = "uptime"
    TEMPERATURE = "temperature"
    HUMIDITY = "humidity"
    FAN = "fan"
    POWER = "power"
    VOLTAGE = "voltage"
    CURRENT = "current"
    FREQUENCY = "frequency"
    CHARGE = "charge"  # of a battery, in %
    RUNTIME = "runtime"  # how long a battery lasts, in minutes
    LATENCY = "latency"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds of one sensor in the sensor's unit; None is "no limit", never 0."""

    lower_critical: float | None = None
    lower_warning: float | None = None
    upper_warning: float | None = None
    upper_critical: float | None = None

    def judge(self, value: float | None) -> Status:
        """Say what a value means under these limits; no value is unknown."""
        if value is None:
            return Status.UNKNOWN
        if _beyond(value, self.lower_critical, self.upper_critical):
            return Status.CRITICAL
        if _beyond(value, self.lower_warning, self.upper_warning):
            return Status.WARNING
        return Status.NORMAL


def _beyond(value: float, lower: float | None, upper: float | None) -> bool:
    return (lower is not None and value <= lower) or (upper is not None and value >= upper)


@dataclass(frozen=True, slots=True)
class Sensor:
    """A measuring point. ``key`` is stable over polls and reboots; ``name`` is the device's own."""

    key: str
    name: str
    quantity: Quantity
    unit: str  # "%", "°C", "W", "VA", "V", "A", "Hz", "rpm", "B", "bit/s", "1/s", "s", "min", "ms", ""
    limits: Limits = Limits()  # the device's or the driver's defaults


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one sensor at one time; a value of None says why in ``why``."""

    sensor: Sensor
    value: float | None
    status: Status | None = None  # None: judged by the limits
    why: str = ""  # an English phrase: "not measured", "not available (power off)"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is wrong with a device by its own word; becomes a status cause."""

    key: str
    status: Status
    message: str  # English, with %(name)s places
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The device's own verdict: no fact means that it is well."""

    facts: tuple[Fact, ...] = ()


class StateKind(StrEnum):
    """What a state is told of; decides its icon and where it stands."""

    POWER = "power"  # where power comes from: lines, power supplies, redundancy of these
    BATTERY = "battery"
    COOLING = "cooling"
    TEMPERATURE = "temperature"
    PROCESSOR = "processor"
    MEMORY = "memory"
    STORAGE = "storage"
    MODULE = "module"
    CHASSIS = "chassis"  # doors, covers, intrusion
    TEST = "test"
    ALARM = "alarm"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class State:
    """A discrete sensor: what one part of a device says of itself in words, not in a number.

    A part may say several things at once ("Present", "Input lost"): the worst comes first. ``key`` is stable over polls
    and reboots.
    """

    key: str
    name: str  # the device's own, or one of ours, which is translated
    kind: StateKind
    words: tuple[str, ...]  # English phrases, or the device's own words
    status: Status = Status.NORMAL
    at: datetime | None = None  # UTC; since when, or when it happened, by the device's own word

    @property
    def fact(self) -> "Fact | None":
        """Give the status cause that it makes; None where nothing is wrong, or nobody knows."""
        if self.status not in (Status.CRITICAL, Status.WARNING):
            return None
        return Fact(
            f"state.{self.key}",
            self.status,
            "%(part)s: %(what)s",
            {"part": self.name, "what": self.words[0] if self.words else self.status.value},
        )


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
    """One part of a device; ``details`` are label → text or number, in the order they are shown."""

    kind: InventoryKind
    key: str
    name: str
    status: Status | None = None
    details: Mapping[str, str | int | float | None] = field(default_factory=dict)


class PortState(StrEnum):
    """The state of a network port (IF-MIB ifAdminStatus and ifOperStatus taken together)."""

    UP = "up"
    DOWN = "down"
    DISABLED = "disabled"  # administratively down
    DORMANT = "dormant"
    NOT_PRESENT = "not-present"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Port:
    """One network interface of a device. Counters are totals as the device counts them; rates are made by the poll."""

    index: int
    name: str
    description: str
    alias: str
    mac_address: str | None
    state: PortState
    speed: int | None  # bit/s; None: not known
    type: int  # IANAifType
    counter_bits: int  # 32 or 64: where the octet counters wrap
    in_octets: int | None = None
    out_octets: int | None = None
    in_packets: int | None = None
    out_packets: int | None = None
    in_errors: int | None = None
    out_errors: int | None = None
    in_discards: int | None = None
    out_discards: int | None = None
    last_change: timedelta | None = None  # age of the state on the device's own clock


@dataclass(frozen=True, slots=True)
class PortsReport:
    """All ports at one moment; ``uptime`` tells a counter reset from a wrap."""

    ports: tuple[Port, ...]
    uptime: timedelta | None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Who is at the other end of a cable, as it told this device (LLDP, IEEE 802.1AB). Nothing said is ""."""

    local_port: str  # the name of this device's port
    port_index: int | None  # its ``Port.index``; None where the device does not say which one it is
    chassis_id: str  # readable: a MAC address as aa:bb:cc:dd:ee:ff, an IP address in its usual form
    chassis_id_kind: str  # "mac-address", "network-address", "interface-name", "local", …
    port_id: str
    port_id_kind: str
    port_description: str = ""
    system_name: str = ""
    system_description: str = ""
    capabilities: tuple[str, ...] = ()  # the enabled ones: "bridge", "router", "wlan-access-point", "telephone", …
    addresses: tuple[str, ...] = ()  # of its management


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


class Identity(ABC):
    """Capability ``identity``."""

    @abstractmethod
    async def identify(self) -> IdentityFacts:
        """Ask the device who it is."""


class Health(ABC):
    """Capability ``health``."""

    @abstractmethod
    async def read_health(self) -> HealthReport:
        """Ask the device how it is."""


class Inventory(ABC):
    """Capability ``inventory``."""

    @abstractmethod
    async def read_inventory(self) -> Sequence[InventoryItem]:
        """List the parts of the device."""


class Sensors(ABC):
    """Capability ``sensors``."""

    @abstractmethod
    async def read_sensors(self) -> Sequence[Reading]:
        """Read every sensor once. Order and keys are stable as long as the device's parts are."""


class States(ABC):
    """Capability ``states``: discrete sensors. What is wrong among them is told by ``Health``, too."""

    @abstractmethod
    async def read_states(self) -> Sequence[State]:
        """Read every state once. Order and keys are stable as long as the device's parts are."""


class UpsPart(StrEnum):
    """Where in an uninterruptible power supply something is measured."""

    INPUT = "input"
    BYPASS = "bypass"
    BATTERY = "battery"
    OUTPUT = "output"


class Ups(Sensors, States):
    """Capability ``ups``: the device stands between the mains and what it feeds. No method: an agreement on keys.

    Keys of sensors begin with an ``UpsPart``: ``battery.charge``, ``battery.runtime``, and with the number of the line
    ``input.1.voltage``, ``output.1.load``; what counts for all lines has none (``output.frequency``). ``power`` is
    what the whole output gives. States: ``source`` (where the power of the output comes from), ``battery``, ``test``,
    and ``alarm.<name>`` for each active alarm.
    """


class Ports(ABC):
    """Capability ``ports``.

    Sensors and facts of a port have keys that begin with ``if.<index>.``: people may exclude it from the status.
    """

    @abstractmethod
    async def read_ports(self) -> PortsReport:
        """Read every network port once."""


class Neighbours(ABC):
    """Capability ``neighbours``."""

    @abstractmethod
    async def read_neighbours(self) -> Sequence[Neighbour] | None:
        """Read who is at the other ends of the cables; None: nothing has changed since ``Target.state``."""


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
    }
)
