"""What the portal knows of a driver without importing it, and how a device is reached."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeAlias

from apps.drivers.contract.power import ShutsDownBy


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
    """What a driver can do; the class of the same name holds the methods."""

    IDENTITY = "identity"
    HEALTH = "health"
    INVENTORY = "inventory"
    SENSORS = "sensors"
    STATES = "states"
    UPS = "ups"
    PORTS = "ports"
    NEIGHBOURS = "neighbours"
    POWER = "power"
    BOOT = "boot"
    LAMP = "lamp"
    POWER_METER = "power_meter"
    POWER_CAP = "power_cap"
    EVENT_LOG = "event_log"
    SETTINGS = "settings"
    SUBSCRIPTIONS = "subscriptions"
    CONSOLE = "console"


class Secret(str):
    """A string that never shows itself in a repr, a log or an error; ``str(secret)`` is still the value on purpose."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('********')"


OWN_PAGE = "web_page"  # the parameter of drivers with ``own_page`` that says where it is, if not there

LAN_TYPE = "bmc_lan_type"  # the parameter of drivers of controllers that says at which port of the server theirs is
LOST_WHILE_OFF = frozenset({"shared port", "remote card"})  # of them those without network while the server is off

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
    option: str = ""  # of the portal, which counts where an interface says nothing
    is_address: bool = False  # another address of the same device, from which its alerts may come
    prolongs: bool = False  # seconds: what exceeds the default may be added to a poll; 0: it may last as long as any


LAN_PORT = Parameter(
    LAN_TYPE,
    "LAN port of the controller",
    choices=("not known", "management port", "shared port", "remote card"),
    default="not known",
    help=(
        "A port of its own for management, one shared with the server (a standard LAN port), or a remote management "
        "card. At a shared port and on a card the controller may be out of reach while the server is off."
    ),
)


@dataclass(frozen=True, slots=True)
class DriverSpec:
    """What the portal knows of a driver without importing it."""

    name: str
    label: str
    category: Category
    capabilities: frozenset[Capability]
    credential_kinds: tuple[str, ...]  # kinds of ``apps.components.credentials``; empty: none is needed
    licence_kind: str  # a key of the licence matrix; "" where none is ever needed
    short: str = ""  # the label in a word or two, beside a value that came this way; "": the label itself
    default_port: int | None = None
    parameters: tuple[Parameter, ...] = ()
    transport: str = "udp"  # "udp", "tcp" or "icmp"
    blocking: bool = False  # True: runs over a thread pool, on the queue poll-blocking
    hidden: bool = False  # True: not offered in production (fake)
    own_page: bool = False  # True: what answers there has a web page of its own, at https://<address>/
    period: timedelta | None = None  # None: the option MONITORING_INTERVAL
    shuts_down_by: ShutsDownBy = ShutsDownBy.CONTROLLER  # of those with the capability ``power``
    pins_certificate: bool = False  # knows its device by a certificate's fingerprint: ``state["pin"]``, ``certificate``


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
