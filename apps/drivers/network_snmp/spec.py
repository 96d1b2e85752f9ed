"""What the portal knows of the driver for network devices without importing it."""

from apps.drivers.contract import Capability, Category, DriverSpec

SPEC = DriverSpec(
    name="network_snmp",
    label="Network device (SNMP)",
    short="SNMP",
    category=Category.NETWORK,
    capabilities=frozenset(
        {
            Capability.IDENTITY,
            Capability.HEALTH,
            Capability.INVENTORY,
            Capability.SENSORS,
            Capability.STATES,
            Capability.PORTS,
            Capability.NEIGHBOURS,
        }
    ),
    credential_kinds=("snmp-community", "snmp-v3"),
    licence_kind="network",
    default_port=161,
)
