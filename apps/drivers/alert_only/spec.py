"""What the portal knows of the alert-receive-only driver without importing it."""

from apps.drivers.contract import Capability, Category, DriverSpec

SPEC = DriverSpec(
    name="alert_only",
    label="Alert reception only (ping)",
    short="Ping",
    category=Category.ALERT_ONLY,
    capabilities=frozenset({Capability.HEALTH, Capability.SENSORS}),
    credential_kinds=(),
    licence_kind="alert_only",
    transport="icmp",
)
