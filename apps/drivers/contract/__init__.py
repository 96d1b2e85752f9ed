"""What every driver owes: its spec, the target it is opened on, and the capabilities it may have.

A driver is one folder with ``spec.py`` (``SPEC``, cheap: no protocol library is imported), ``driver.py`` (a subclass of
``Driver`` that inherits one class per capability) and ``parse.py`` (pure functions). Everything here is frozen, typed
and free of Django.
"""

from apps.drivers.contract.clock import clock_settings, offset_of, offset_word
from apps.drivers.contract.console import (
    Console,
    SerialLine,
)
from apps.drivers.contract.description import (
    OWN_PAGE,
    Capability,
    Category,
    DriverSpec,
    Parameter,
    Secret,
    Target,
)
from apps.drivers.contract.driver import (
    CAPABILITY_CLASSES,
    CheckStep,
    Driver,
)
from apps.drivers.contract.event_log import (
    EventLog,
    LoggedEvent,
    LogPart,
)
from apps.drivers.contract.inventory import (
    Identity,
    IdentityFacts,
    Inventory,
    InventoryItem,
    InventoryKind,
)
from apps.drivers.contract.ports import (
    Neighbour,
    Neighbours,
    Port,
    Ports,
    PortsReport,
    PortState,
)
from apps.drivers.contract.power import (
    Boot,
    BootDevice,
    BootOverride,
    Lamp,
    Power,
    PowerAction,
    PowerCap,
    PowerDrawn,
    PowerMeter,
    PowerReport,
    PowerState,
    ShutsDownBy,
)
from apps.drivers.contract.sensors import (
    DRAWN,
    NOT_MEASURED,
    POWER_OFF,
    Limits,
    Quantity,
    Reading,
    Sensor,
    Sensors,
    Ups,
    UpsPart,
)
from apps.drivers.contract.settings import (
    NEW,
    Carries,
    Choice,
    Setting,
    SettingKind,
    Settings,
    SettingSection,
    SettingsReport,
    SettingValue,
)
from apps.drivers.contract.states import (
    WORST_FIRST,
    Fact,
    Health,
    HealthReport,
    State,
    StateKind,
    States,
    Status,
)
from apps.drivers.contract.subscriptions import (
    Subscribed,
    Subscription,
    Subscriptions,
)
from apps.protocols.errors import Stage

__all__ = [
    "CAPABILITY_CLASSES",
    "DRAWN",
    "NEW",
    "NOT_MEASURED",
    "OWN_PAGE",
    "POWER_OFF",
    "WORST_FIRST",
    "Boot",
    "BootDevice",
    "BootOverride",
    "Capability",
    "Carries",
    "Category",
    "CheckStep",
    "Choice",
    "Console",
    "Driver",
    "DriverSpec",
    "EventLog",
    "Fact",
    "Health",
    "HealthReport",
    "Identity",
    "IdentityFacts",
    "Inventory",
    "InventoryItem",
    "InventoryKind",
    "Lamp",
    "Limits",
    "LogPart",
    "LoggedEvent",
    "Neighbour",
    "Neighbours",
    "Parameter",
    "Port",
    "PortState",
    "Ports",
    "PortsReport",
    "Power",
    "PowerAction",
    "PowerCap",
    "PowerDrawn",
    "PowerMeter",
    "PowerReport",
    "PowerState",
    "Quantity",
    "Reading",
    "Secret",
    "Sensor",
    "Sensors",
    "SerialLine",
    "Setting",
    "SettingKind",
    "SettingSection",
    "SettingValue",
    "Settings",
    "SettingsReport",
    "ShutsDownBy",
    "Stage",
    "State",
    "StateKind",
    "States",
    "Status",
    "Subscribed",
    "Subscription",
    "Subscriptions",
    "Target",
    "Ups",
    "UpsPart",
    "clock_settings",
    "offset_of",
    "offset_word",
]
