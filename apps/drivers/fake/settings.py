"""The settings of a device that exists nowhere: network, clock, two services, two destinations, three users."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from apps.drivers.contract import (
    Carries,
    Choice,
    Setting,
    SettingKind,
    SettingSection,
    SettingsReport,
    SettingValue,
    Target,
    clock_settings,
)

SLOW_BY = timedelta(minutes=5)  # its clock, until somebody sets it

_SOURCES = (Choice("static", "Fixed"), Choice("dhcp", "DHCP"))
_PRIVILEGES = (Choice("user", "User"), Choice("operator", "Operator"), Choice("administrator", "Administrator"))
_CAME_WITH: Mapping[str, SettingValue] = {
    "network.source": "static",
    "network.mask": "255.255.255.0",
    "network.gateway": "192.0.2.1",
    "network.host_name": "",
    "time.ntp_servers": "",
    "services.https": True,
    "services.https_port": 443,
    "services.snmp": False,
    "destinations.1.address": "",
    "destinations.1.acknowledge": False,
    "destinations.2.address": "",
    "destinations.2.acknowledge": False,
    "users.3.name": "guest",
    "users.3.enabled": False,
    "users.3.privilege": "user",
    "users.4.name": "",
    "users.4.enabled": False,
    "users.4.privilege": "user",
}


def report(target: Target, changed: Mapping[str, SettingValue], waiting: Mapping[str, SettingValue]) -> SettingsReport:
    """Give all settings of a device; some that were changed may wait for a restart."""
    login = str(target.credential.get("username") or "admin")
    values: Mapping[str, SettingValue] = {
        **_CAME_WITH,
        "network.address": target.address,
        "users.2.name": login,
        "users.2.enabled": True,
        "users.2.privilege": "administrator",
        **changed,
    }

    def one(name: str, label: str, kind: SettingKind, carries: Carries = Carries.NOTHING, **more: object) -> Setting:
        value = None if kind is SettingKind.SECRET else values[name]
        return Setting(name, label, kind, value, carries=carries, **more)  # type: ignore[arg-type]  # of a Setting

    network = (
        one("network.source", "Address source", SettingKind.CHOICE, Carries.ADDRESS, choices=_SOURCES),
        one("network.mask", "Subnet mask", SettingKind.ADDRESS, Carries.ROUTE),
        one("network.gateway", "Gateway", SettingKind.ADDRESS, Carries.ROUTE),
        one("network.host_name", "Host name", SettingKind.TEXT, longest=64, individual=True),
        one("network.address", "IP address", SettingKind.ADDRESS, Carries.ADDRESS, individual=True),
    )
    now = datetime.now(UTC)
    time = (
        *clock_settings(now if values.get("time.exact") else now - SLOW_BY, now, offset=None),
        one("time.ntp_servers", "NTP servers", SettingKind.TEXT, longest=500),
    )
    services = (
        one("services.https", "HTTPS", SettingKind.SWITCH, Carries.WAY),
        one("services.https_port", "HTTPS port", SettingKind.NUMBER, minimum=1, maximum=65535),
        one("services.snmp", "SNMP", SettingKind.SWITCH),
    )
    destinations = tuple(
        setting
        for row in ("1", "2")
        for setting in (
            one(f"destinations.{row}.address", "Address", SettingKind.ADDRESS, row=row),
            one(f"destinations.{row}.acknowledge", "Waits for an acknowledgement", SettingKind.SWITCH, row=row),
        )
    )
    users = []
    for row in ("2", "3", "4"):
        own = values[f"users.{row}.name"] == login
        users += [
            one(f"users.{row}.name", "Name", SettingKind.TEXT, _if(own, Carries.LOGIN), longest=16, row=row),
            one(f"users.{row}.enabled", "May sign in", SettingKind.SWITCH, _if(own, Carries.RIGHTS), row=row),
            one(
                f"users.{row}.privilege",
                "Privilege",
                SettingKind.CHOICE,
                _if(own, Carries.RIGHTS),
                choices=_PRIVILEGES,
                row=row,
            ),
            one(f"users.{row}.password", "Password", SettingKind.SECRET, _if(own, Carries.PASSWORD), row=row),
        ]
    return SettingsReport(
        (
            SettingSection("network", "Network", network),
            SettingSection("time", "Clock", time),
            SettingSection("services", "Services", services),
            SettingSection("destinations", "Alert destinations", destinations, "Destination %(row)s"),
            SettingSection("users", "Users", tuple(users), "User %(row)s", key="name"),
        ),
        may_reset=True,
        may_restart=True,
        awaits_restart=bool(waiting),
    )


def in_order(changes: Mapping[str, SettingValue]) -> Sequence[str]:
    """Give the names that are written, the network last and the address at its very end."""
    return sorted(changes, key=lambda name: (name.startswith("network."), name == "network.address"))


def kept(before: Mapping[str, SettingValue], name: str, value: SettingValue) -> Mapping[str, SettingValue]:
    """Give what the device keeps after one order."""
    return before if name.endswith(".password") else {**before, name: value}


def _if(own: bool, carries: Carries) -> Carries:
    return carries if own else Carries.NOTHING
