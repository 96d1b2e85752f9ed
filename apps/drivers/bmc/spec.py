"""What the portal knows of the management controller driver without importing it."""

from apps.drivers.contract import LAN_PORT, OWN_PAGE, Capability, Category, DriverSpec, Parameter

SPEC = DriverSpec(
    name="bmc",
    label="Management controller (IPMI)",
    short="IPMI",
    category=Category.SERVER,
    capabilities=frozenset(
        {
            Capability.IDENTITY,
            Capability.HEALTH,
            Capability.INVENTORY,
            Capability.SENSORS,
            Capability.STATES,
            Capability.POWER,
            Capability.BOOT,
            Capability.LAMP,
            Capability.POWER_METER,
            Capability.EVENT_LOG,
            Capability.CONSOLE,
            Capability.SETTINGS,
        }
    ),
    credential_kinds=("password",),
    licence_kind="bmc_expressscope",
    default_port=623,
    parameters=(
        Parameter(
            "second_address",
            "Second address",
            help="Asked when the first one does not answer: some controllers have two LAN ports.",
            is_address=True,
        ),
        Parameter(
            "allow_suite_3",
            "Allow cipher suite 3",
            type=bool,
            default=True,
            help="Older controllers know no better one (SHA-1). Cipher suite 17 (SHA-256) is always tried first.",
        ),
        Parameter(
            "source_port",
            "Source port",
            type=int,
            minimum=0,
            maximum=65535,
            help="The UDP port of the portal from which it is asked; empty: as its options say; 0: any one.",
            option="ipmi_source_port",
        ),
        LAN_PORT,
        Parameter(
            OWN_PAGE,
            "Web page of the controller",
            help="Where its own page is, with its graphical console; empty: https:// and the address.",
        ),
    ),
    own_page=True,
)
