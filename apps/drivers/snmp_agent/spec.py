"""What the portal knows of the SNMP agent driver without importing it."""

from apps.drivers.contract import Capability, Category, DriverSpec, Parameter

SPEC = DriverSpec(
    name="snmp_agent",
    label="Server (SNMP agent)",
    category=Category.SERVER,
    capabilities=frozenset(
        {Capability.IDENTITY, Capability.HEALTH, Capability.INVENTORY, Capability.SENSORS, Capability.PORTS}
    ),
    credential_kinds=("snmp-community", "snmp-v3"),
    licence_kind="snmp_agent",
    default_port=161,
    parameters=(
        Parameter(
            "agent_version_oid",
            "Object identifier of the agent's version",
            help=(
                "Where the vendor's agent keeps its version, as a dotted object identifier with its instance. "
                "A version of ESMPRO/ServerAgent below 4.1 is refused."
            ),
        ),
        Parameter(
            "nat_address",
            "Address behind NAT",
            help=(
                "Only where the agent is reached through a fixed translation of one address to one: the address that "
                "it has itself. Alerts that a relay passes on under it belong to this component."
            ),
            is_address=True,
        ),
    ),
)
