"""The settings of a controller in the words of Redfish.

DSP2046: EthernetInterface, ManagerNetworkProtocol, ManagerAccount.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.drivers.contract import (
    NEW,
    Carries,
    Choice,
    Setting,
    SettingKind,
    SettingSection,
    SettingsReport,
    SettingValue,
)
from apps.drivers.redfish.values import Resource, identifier, link, nested, objects, text, whole, words
from apps.protocols.errors import Unsupported

UNKNOWN_SETTING = "%(address)s has no setting %(setting)s"
RESET_ACTION = "#Manager.ResetToDefaults"

_SERVICES = (
    ("HTTPS", "HTTPS", Carries.WAY),
    ("HTTP", "HTTP", Carries.NOTHING),
    ("SSH", "SSH", Carries.NOTHING),
    ("IPMI", "IPMI over LAN", Carries.NOTHING),
    ("SNMP", "SNMP", Carries.NOTHING),
    ("NTP", "NTP", Carries.NOTHING),
)
_PORT_LABELS = {
    "HTTPS": "Port (HTTPS)",
    "HTTP": "Port (HTTP)",
    "SSH": "Port (SSH)",
    "IPMI": "Port (IPMI over LAN)",
    "SNMP": "Port (SNMP)",
}
_SOURCES = (Choice("static", "Fixed"), Choice("dhcp", "DHCP"))
_USUAL_ROLES: Sequence[str] = ("Administrator", "Operator", "ReadOnly")


@dataclass(frozen=True, slots=True)
class Told:
    """The resources that hold settings; empty ones are not there."""

    manager: Resource
    port: Resource = field(default_factory=dict)
    services: Resource = field(default_factory=dict)
    accounts_path: str = ""
    accounts: Sequence[Resource] = ()
    roles: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """One request: the settings that it is about, and what is sent; ``tag`` is the version of the resource."""

    names: Sequence[str]
    method: str
    path: str
    body: Mapping[str, Any] = field(repr=False)
    tag: str = ""


def report(told: Told, login: str) -> SettingsReport:
    """Show what was read; ``login`` is the name by which we signed in."""
    sections = (
        SettingSection("network", "Network", tuple(_network(told.port))),
        SettingSection("services", "Services", tuple(_services(told.services))),
        SettingSection("users", "Users", tuple(_users(told, login)), "User %(row)s", key="name"),
    )
    return SettingsReport(
        tuple(section for section in sections if section.settings),
        may_reset=reset_target(told.manager) is not None,
    )


def reset_target(manager: Resource) -> tuple[str, str] | None:
    """Give where one orders the reset to defaults, and its kind; None where it is not offered."""
    action = nested(manager, "Actions", RESET_ACTION)
    target = text(action, "target")
    offered = words(action, "ResetType@Redfish.AllowableValues") or ["ResetAll"]
    kind = next((one for one in ("ResetAll", "PreserveNetworkAndUsers", "PreserveNetwork") if one in offered), None)
    return (target, kind) if target and kind else None


# --- the network ------------------------------------------------------------------------------------------------------


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


def _network(port: Resource) -> Iterator[Setting]:
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


def _network_change(port: Resource, left: dict[str, SettingValue]) -> tuple[list[str], dict[str, Any]]:
    names = [name for name in left if name.startswith("network.")]
    given = {name.partition(".")[2]: left.pop(name) for name in names}
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
    return names, change


# --- services ---------------------------------------------------------------------------------------------------------


def _services(services: Resource) -> Iterator[Setting]:
    for key, label, carries in _SERVICES:
        one, name = nested(services, key), f"services.{key.lower()}"
        if isinstance(one.get("ProtocolEnabled"), bool):
            yield Setting(name, label, SettingKind.SWITCH, one["ProtocolEnabled"], carries=carries)
        port = whole(one, "Port")
        if port is not None and key != "NTP":
            yield Setting(
                f"{name}_port",
                _PORT_LABELS[key],
                SettingKind.NUMBER,
                port,
                minimum=1,
                maximum=65535,
                carries=Carries.PORT if key == "HTTPS" else Carries.NOTHING,
            )
    ntp = nested(services, "NTP")
    if isinstance(ntp.get("NTPServers"), list):
        yield Setting(
            "services.ntp_servers",
            "NTP servers",
            SettingKind.TEXT,
            ", ".join(one for one in words(ntp, "NTPServers") if one),
            longest=500,
            hint="With commas between.",
        )


def _services_change(left: dict[str, SettingValue]) -> tuple[list[str], dict[str, Any]]:
    names = [name for name in left if name.startswith("services.")]
    change: dict[str, dict[str, Any]] = {}
    for name in names:
        word, value = name.partition(".")[2], left.pop(name)
        key, _line, what = word.partition("_")
        if what == "servers":
            listed = [one.strip() for one in str(value).split(",") if one.strip()]
            change.setdefault("NTP", {})["NTPServers"] = listed
        else:
            change.setdefault(key.upper(), {})["Port" if what == "port" else "ProtocolEnabled"] = value
    return names, change


# --- users ------------------------------------------------------------------------------------------------------------


def _users(told: Told, login: str) -> Iterator[Setting]:
    roles = tuple(dict.fromkeys([*(told.roles or _USUAL_ROLES), *_roles_in_use(told.accounts)]))
    choices = tuple(Choice(role, role) for role in roles)
    for account in told.accounts:
        row, name = identifier(account), text(account, "UserName")
        own = name == login
        if name is None:
            continue
        yield from _one_user(row, name, account, choices, own)
    if told.accounts_path:
        yield from _one_user(NEW, "", dict(Enabled=True, RoleId=roles[-1]), choices, own=False)


def _roles_in_use(found: Sequence[Resource]) -> list[str]:
    return [role for account in found if (role := text(account, "RoleId")) is not None]


def _one_user(row: str, name: str, account: Resource, roles: tuple[Choice, ...], own: bool) -> Iterator[Setting]:
    def carries(what: Carries) -> Carries:
        return what if own else Carries.NOTHING

    yield Setting(
        f"users.{row}.name", "Name", SettingKind.TEXT, name, longest=64, row=row, carries=carries(Carries.LOGIN)
    )
    if isinstance(account.get("Enabled"), bool):
        yield Setting(
            f"users.{row}.enabled",
            "May sign in",
            SettingKind.SWITCH,
            account["Enabled"],
            row=row,
            carries=carries(Carries.RIGHTS),
        )
    role = text(account, "RoleId")
    if role is not None:
        yield Setting(
            f"users.{row}.privilege",
            "Privilege",
            SettingKind.CHOICE,
            role,
            roles,
            row=row,
            carries=carries(Carries.RIGHTS),
        )
    yield Setting(
        f"users.{row}.password",
        "Password",
        SettingKind.SECRET,
        longest=128,
        row=row,
        carries=carries(Carries.PASSWORD),
    )


_USER_KEYS: Mapping[str, str] = {
    "name": "UserName",
    "enabled": "Enabled",
    "privilege": "RoleId",
    "password": "Password",
}


def _user_orders(told: Told, left: dict[str, SettingValue], login: str, *, own: bool) -> Iterator[Order]:
    for account in told.accounts:
        row = identifier(account)
        if (text(account, "UserName") == login) is own:
            names, body = _account_change(row, left)
            if names:
                yield Order(names, "PATCH", str(link(account)), body, _tag(account))
    if not own:
        names, body = _account_change(NEW, left)
        if names and body.get("UserName"):
            yield Order(names, "POST", told.accounts_path, dict(Enabled=True, RoleId=_USUAL_ROLES[-1]) | body)


def _account_change(row: str, left: dict[str, SettingValue]) -> tuple[list[str], dict[str, Any]]:
    names = [name for name in left if name.startswith(f"users.{row}.")]
    return names, {_USER_KEYS[name.rpartition(".")[2]]: left.pop(name) for name in names}


# --- writing ----------------------------------------------------------------------------------------------------------


def orders(told: Told, changes: Mapping[str, SettingValue], login: str, address: str) -> list[Order]:
    """Give the requests that write a change, one for each resource: our own account, services and network last."""
    left = dict(changes)
    found = list(_user_orders(told, left, login, own=False))
    found += _user_orders(told, left, login, own=True)
    for source, (names, body) in (
        (told.services, _services_change(left)),
        (told.port, _network_change(told.port, left)),
    ):
        if names:
            found.append(Order(names, "PATCH", str(link(source)), body, _tag(source)))
    if left:
        raise Unsupported(UNKNOWN_SETTING, address=address, setting=next(iter(left)))
    return found


def _tag(source: Resource) -> str:
    return text(source, "@odata.etag") or ""
