"""By what a controller may be reached (DSP2046, ManagerNetworkProtocol)."""

from collections.abc import Iterator, Mapping
from typing import Any

from apps.drivers.contract import Carries, Setting, SettingKind, SettingValue
from apps.drivers.redfish.settings.told import taken
from apps.drivers.redfish.values import Resource, nested, whole

_SERVICES = (
    ("HTTPS", "HTTPS", Carries.WAY),
    ("HTTP", "HTTP", Carries.NOTHING),
    ("SSH", "SSH", Carries.NOTHING),
    ("IPMI", "IPMI over LAN", Carries.NOTHING),
    ("SNMP", "SNMP", Carries.NOTHING),
)
_PORT_LABELS = {
    "HTTPS": "Port (HTTPS)",
    "HTTP": "Port (HTTP)",
    "SSH": "Port (SSH)",
    "IPMI": "Port (IPMI over LAN)",
    "SNMP": "Port (SNMP)",
}


_VERSIONS: Mapping[str, str] = {  # of SNMP: our word, the property
    "snmp_v1": "EnableSNMPv1",
    "snmp_v2c": "EnableSNMPv2c",
    "snmp_v3": "EnableSNMPv3",
}
_VERSION_LABELS = {
    "snmp_v1": "Version 1 of SNMP",
    "snmp_v2c": "Version 2c of SNMP",
    "snmp_v3": "Version 3 of SNMP",
}


def settings(services: Resource) -> Iterator[Setting]:
    for key, label, carries in _SERVICES:
        one, name = nested(services, key), f"services.{key.lower()}"
        if isinstance(one.get("ProtocolEnabled"), bool):
            yield Setting(name, label, SettingKind.SWITCH, one["ProtocolEnabled"], carries=carries)
        port = whole(one, "Port")
        if port is not None:
            yield Setting(
                f"{name}_port",
                _PORT_LABELS[key],
                SettingKind.NUMBER,
                port,
                minimum=1,
                maximum=65535,
                carries=Carries.PORT if key == "HTTPS" else Carries.NOTHING,
            )
    traps = nested(services, "SNMP")
    for word, key in _VERSIONS.items():
        if isinstance(traps.get(key), bool):
            yield Setting(f"services.{word}", _VERSION_LABELS[word], SettingKind.SWITCH, traps[key])


def change(left: dict[str, SettingValue]) -> tuple[list[str], dict[str, Any]]:
    """Give what of the resource changes."""
    given = taken(left, "services.")
    found: dict[str, dict[str, Any]] = {}
    for word, value in given.items():
        key, _line, what = word.partition("_")
        name = _VERSIONS.get(word, "Port" if what == "port" else "ProtocolEnabled")
        found.setdefault(key.upper(), {})[name] = value
    return [f"services.{word}" for word in given], found
