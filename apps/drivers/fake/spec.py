"""What the portal knows of the fake driver without importing it."""

from apps.drivers.contract import Capability, Category, DriverSpec, Parameter

FAULTS = ("none", "silent", "slow", "refusing", "denied", "garbage", "old", "flapping")
SCRIPTS = ("steady", "busy", "filling", "ailing", "unplugged")
TRACES = ("counted", "none")
METERS = ("none", "well", "idle")
OBEDIENCE = ("prompt", "late", "deaf", "refusing", "vanishing", "restarting", "hesitant")

SPEC = DriverSpec(
    name="fake",
    label="Fake device",
    category=Category.SERVER,
    capabilities=frozenset(
        {
            Capability.IDENTITY,
            Capability.HEALTH,
            Capability.INVENTORY,
            Capability.SENSORS,
            Capability.STATES,
            Capability.PORTS,
            Capability.NEIGHBOURS,
            Capability.POWER,
            Capability.BOOT,
            Capability.LAMP,
            Capability.POWER_METER,
            Capability.POWER_CAP,
            Capability.EVENT_LOG,
            Capability.CONSOLE,
            Capability.SETTINGS,
        }
    ),
    credential_kinds=("password", "snmp-community", "snmp-v3"),
    licence_kind="",
    default_port=9,
    parameters=(
        Parameter("script", "Script", choices=SCRIPTS, default="steady"),
        Parameter("fault", "Fault", choices=FAULTS, default="none"),
        Parameter("obedience", "Answer to orders", choices=OBEDIENCE, default="prompt"),
        Parameter("traces", "Traces of starts", choices=TRACES, default="counted"),
        Parameter("meter", "Power meter", choices=METERS, default="none"),
        Parameter("delay", "Delay of each contact (ms)", int, 0, 0, 600_000),
        Parameter("seed", "Seed of the values", int, 0),
        Parameter("sensors", "Number of further sensors", int, 4, 0, 10_000),
        Parameter("ports", "Number of network ports", int, 2, 0, 1_000),
    ),
    hidden=True,
    own_page=True,
)
