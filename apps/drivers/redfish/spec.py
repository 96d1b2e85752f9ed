"""What the portal knows of the Redfish driver without importing it."""

from apps.drivers.contract import LAN_PORT, OWN_PAGE, Capability, Category, DriverSpec, Parameter

SPEC = DriverSpec(
    name="redfish",
    label="Management controller (Redfish)",
    short="Redfish",
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
            Capability.POWER_CAP,
            Capability.EVENT_LOG,
            Capability.SETTINGS,
            Capability.SUBSCRIPTIONS,
        }
    ),
    credential_kinds=("password",),
    licence_kind="bmc_other",
    default_port=443,
    parameters=(
        Parameter(
            "system",
            "System",
            help="The Id of the system, where one service manages several; without it, the first one.",
        ),
        Parameter(
            "certificate",
            "Fingerprint of the certificate",
            help=(
                "SHA-256, in hexadecimal. Without it, the certificate that the controller shows first is kept. Enter "
                "the new one after the certificate was changed on purpose."
            ),
        ),
        Parameter(
            "section_limit",
            "Limit of a section (s)",
            int,
            8,
            0,
            600,
            help=(
                "How long storage, memory, cooling and so on may each take to answer. What takes longer keeps its "
                "last state and is asked less often; 0: no limit but that of a poll, which then may last three minutes."
            ),
            prolongs=True,
        ),
        LAN_PORT,
        Parameter(
            OWN_PAGE,
            "Web page of the controller",
            help="Where its own page is, with its graphical console; empty: https:// and the address.",
        ),
    ),
    transport="tcp",
    pins_certificate=True,
    own_page=True,
)
