"""What the portal knows of the UPS driver without importing it."""

from apps.drivers.contract import Capability, Category, DriverSpec

SPEC = DriverSpec(
    name="ups_snmp",
    label="UPS (SNMP)",
    short="SNMP",
    category=Category.UPS,
    capabilities=frozenset(
        {
            Capability.IDENTITY,
            Capability.HEALTH,
            Capability.INVENTORY,
            Capability.SENSORS,
            Capability.STATES,
            Capability.UPS,
            Capability.PORTS,
        }
    ),
    credential_kinds=("snmp-community", "snmp-v3"),
    licence_kind="ups",
    default_port=161,
)
