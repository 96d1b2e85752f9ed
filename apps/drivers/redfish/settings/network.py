"""The network of a controller: address, mask, gateway, VLAN, host name (DSP2046, EthernetInterface)."""

from collections.abc import Iterator
from typing import Any

from apps.drivers.contract import Carries, Choice, Setting, SettingKind, SettingValue
from apps.drivers.redfish.settings.told import taken
from apps.drivers.redfish.values import Resource, nested, objects, text, whole

_SOURCES = (Choice("static", "Fixed"), Choice("dhcp", "DHCP"))


def _is_dhcp(port: Resource) -> bool | None:
    told = nested(port, "DHCPv4").get("DHCPEnabled")
    if isinstance(told, bool):
        return told
    present = objects(port, "IPv4Addresses")
    origin = text(present[0], "AddressOrigin") if present else None
    return None if origin is None else origin == "DHCP"


def _address(port: Resource) -> Resource:
    """Give the fixed address where there is one, else the one in use."""
    fixed = [one for one in objects(port, "IPv4StaticAddresses") if text(one, "Address")]
    if fixed and not _is_dhcp(port):
        return fixed[0]
    present = objects(port, "IPv4Addresses")
    return present[0] if present else {}


def settings(port: Resource) -> Iterator[Setting]:
    dhcp = _is_dhcp(port)
    if dhcp is not None:
        yield Setting(
            "network.source",
            "Address source",
            SettingKind.CHOICE,
            "dhcp" if dhcp else "static",
            _SOURCES,
            carries=Carries.ADDRESS,
        )
    used = _address(port)
    if used:
        for name, label, key, carries in (
            ("address", "IP address", "Address", Carries.ADDRESS),
            ("mask", "Subnet mask", "SubnetMask", Carries.ROUTE),
            ("gateway", "Gateway", "Gateway", Carries.ROUTE),
        ):
            value = text(used, key) or ""
            if value or key in used:
                yield Setting(
                    f"network.{name}",
                    label,
                    SettingKind.ADDRESS,
                    "" if value == "0.0.0.0" else value,
                    carries=carries,
                    individual=name == "address",
                )
    vlan = nested(port, "VLAN")
    if isinstance(vlan.get("VLANEnable"), bool):
        yield Setting(
            "network.vlan",
            "VLAN",
            SettingKind.NUMBER,
            (whole(vlan, "VLANId") or 0) if vlan["VLANEnable"] else 0,
            minimum=0,
            maximum=4094,
            hint="0: none",
            carries=Carries.ROUTE,
        )
    if isinstance(port.get("HostName"), str):
        yield Setting(
            "network.host_name", "Host name", SettingKind.TEXT, port["HostName"], longest=253, individual=True
        )


def change(port: Resource, left: dict[str, SettingValue]) -> tuple[list[str], dict[str, Any]]:
    given = taken(left, "network.")
    change: dict[str, Any] = {}
    if "source" in given:
        change["DHCPv4"] = dict(DHCPEnabled=given["source"] == "dhcp")
    if given.keys() & {"address", "mask", "gateway"} or given.get("source") == "static":
        used = _address(port)
        fixed = dict(
            Address=given.get("address", used.get("Address")),
            SubnetMask=given.get("mask", used.get("SubnetMask")),
            Gateway=given.get("gateway", used.get("Gateway")) or "0.0.0.0",
        )
        change["IPv4StaticAddresses" if "IPv4StaticAddresses" in port else "IPv4Addresses"] = [
            {key: value for key, value in fixed.items() if value}
        ]
    if "vlan" in given:
        number = int(given["vlan"] or 0)
        change["VLAN"] = dict(VLANEnable=True, VLANId=number) if number else dict(VLANEnable=False)
    if "host_name" in given:
        change["HostName"] = given["host_name"]
    return [f"network.{word}" for word in given], change
