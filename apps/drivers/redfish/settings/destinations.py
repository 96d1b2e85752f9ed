"""To whom a controller reports: traps to destinations, events to receivers (DSP2046, EventDestination)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from apps.drivers.contract import NEW, Choice, Setting, SettingKind, SettingValue
from apps.drivers.redfish.settings.told import Destinations, Dialect, Order, Told, taken, version
from apps.drivers.redfish.values import Resource, identifier, link, nested, text

LONGEST_COMMUNITY = 64
TRAP_PORT = 162
_SNMP = ("SNMPv2c", "SNMPv1", "SNMPv3")
_TRAPS = ("SNMPTrap", "SNMPInform")  # types of subscriptions


class Subscriptions(Dialect):
    """The standard's own: a subscription by SNMP. Where it goes cannot be changed, so it is made anew."""

    protocols = tuple(Choice(word, word) for word in _SNMP)
    fixed = frozenset({"address", "protocol"})

    def read(self, row: Resource) -> dict[str, SettingValue]:
        """Read where it goes, in which version, with which community."""
        found: dict[str, SettingValue] = {"address": _place(row)[0], "protocol": text(row, "Protocol") or ""}
        community = nested(row, "SNMP").get("TrapCommunity")
        return found | ({"community": community} if isinstance(community, str) else {})

    def changed(self, given: Mapping[str, SettingValue]) -> dict[str, Any]:
        """Only the community can be."""
        return dict(SNMP=dict(TrapCommunity=given["community"])) if "community" in given else {}

    def added(self, given: Mapping[str, SettingValue], before: Resource) -> dict[str, Any]:
        """Give a subscription by SNMP."""
        port = _place(before)[1] or TRAP_PORT
        return dict(
            Destination=f"snmp://{given['address']}:{port}",
            Protocol=given.get("protocol") or self.protocols[0].value,
            SubscriptionType="SNMPTrap",
            **self.changed({name: value for name, value in given.items() if value}),
        )


def _place(row: Resource) -> tuple[str, int | None]:
    """Give host and port of a destination."""
    told = text(row, "Destination") or ""
    try:
        found = urlsplit(told if "://" in told else f"//{told}")
        return found.hostname or "", found.port
    except ValueError:
        return told, None


def is_by_snmp(row: Resource) -> bool:
    """Tell destinations of traps from receivers of events."""
    return row.get("Protocol") in _SNMP or row.get("SubscriptionType") in _TRAPS


def receivers(told: Told) -> Iterator[Setting]:
    """Show who takes events; the path of an address is a secret of whoever subscribed."""
    for row in told.receivers:
        number, (host, port) = identifier(row), _place(row)
        if host:
            where = f"{host}:{port}" if port else host
            yield Setting(f"receivers.{number}.address", "Address", SettingKind.TEXT, where, writable=False, row=number)


def settings(told: Told) -> Iterator[Setting]:
    """Show the destinations of traps, and a place for one more."""
    yield from _switches(told.own_traps)
    found = told.destinations
    if found is None:
        return
    for row in found.rows:
        yield from _one(identifier(row), found.dialect.read(row), found.dialect.protocols)
    if found.path:
        yield from _one(NEW, _new(found), found.dialect.protocols)


def _new(found: Destinations) -> dict[str, SettingValue]:
    return {"address": "", "protocol": found.dialect.protocols[0].value, "community": ""}


def _one(row: str, told: Mapping[str, SettingValue], protocols: Sequence[Choice]) -> Iterator[Setting]:
    yield Setting(f"destinations.{row}.address", "Address", SettingKind.ADDRESS, told["address"], row=row)
    used = told.get("protocol")
    if isinstance(used, str) and used:
        odd = () if used in {one.value for one in protocols} else (Choice(used, used),)
        choices = (*protocols, *odd)
        yield Setting(f"destinations.{row}.protocol", "Kind of alerts", SettingKind.CHOICE, used, choices, row=row)
    if "community" in told:
        yield Setting(
            f"destinations.{row}.community",
            "Community of alerts",
            SettingKind.TEXT,
            told["community"],
            longest=LONGEST_COMMUNITY,
            row=row,
        )


_SWITCHES: Mapping[str, str] = {  # of a maker's own resource: our word, its property
    "alerts": "AlertsEnabled",
    "v1": "SNMPv1TrapEnabled",
    "v3": "SNMPv3TrapEnabled",
}
_SWITCH_LABELS = {"alerts": "Alerts are sent", "v1": "Traps of version 1", "v3": "Traps of version 3"}


def _switches(own: Resource) -> Iterator[Setting]:
    for word, key in _SWITCHES.items():
        if isinstance(own.get(key), bool):
            yield Setting(f"destinations.{word}", _SWITCH_LABELS[word], SettingKind.SWITCH, own[key])


def orders(told: Told, left: dict[str, SettingValue]) -> Iterator[Order]:
    """Write them: those that are there first, then the new one, then what lets alerts out."""
    found = told.destinations
    if found is not None:
        for row in found.rows:
            start = f"destinations.{identifier(row)}."
            if given := taken(left, start):
                yield from _change(found, row, given, [f"{start}{word}" for word in given])
        start = f"destinations.{NEW}."
        if (given := taken(left, start)) and given.get("address"):
            names = [f"{start}{word}" for word in given]
            yield Order(names, "POST", found.path, found.dialect.added({**_new(found), **given}, {}))
    known = {f"destinations.{word}": key for word, key in _SWITCHES.items() if key in told.own_traps}
    if names := [name for name in known if name in left]:
        body = {known[name]: left.pop(name) for name in names}
        yield Order(names, "PATCH", str(link(told.own_traps)), body, version(told.own_traps))


def _change(
    found: Destinations, row: Resource, given: Mapping[str, SettingValue], names: Sequence[str]
) -> Iterator[Order]:
    """Change one: without an address it goes; what cannot be changed is made anew before the old one goes."""
    path, dialect = str(link(row)), found.dialect
    if given.get("address") == "":
        yield Order(names, "DELETE", path)
    elif given.keys() & dialect.fixed:
        yield Order(names, "POST", found.path, dialect.added({**dialect.read(row), **given}, row))
        yield Order(names, "DELETE", path)
    else:
        yield Order(names, "PATCH", path, dialect.changed(given), version(row))
