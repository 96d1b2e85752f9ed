"""The clock of a controller: its time, its zone, and whom it asks (DSP2046, Manager, ManagerNetworkProtocol)."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from apps.drivers.contract import Choice, Setting, SettingKind, SettingValue, clock_settings, offset_of
from apps.drivers.redfish.settings.told import Order, Told, version
from apps.drivers.redfish.values import Resource, link, moment, nested, objects, text, whole, words

WITH_COMMAS = "With commas between."
ZONE_NAMES = "A name such as Asia/Tokyo."
OWN_SERVERS = "StaticNTPServers"
_LEAST_SERVERS = 2  # places that a maker's own resource has: an empty word empties one

Change = Callable[[SettingValue], dict[str, Any]]


def settings(told: Told) -> Iterator[Setting]:
    """Show it."""
    manager = told.manager
    if isinstance(manager.get("DateTime"), str):
        offset = text(manager, "DateTimeLocalOffset")
        yield from clock_settings(
            moment(manager["DateTime"]),
            told.at,
            offset=offset if offset and offset_like(offset) else None,
            settable=told.clock_settable,
            offset_settable=told.clock_settable,
        )
    yield from _zone(told)
    ntp = nested(told.services, "NTP")
    if isinstance(ntp.get("ProtocolEnabled"), bool):
        yield Setting("time.ntp", "Asks time servers (NTP)", SettingKind.SWITCH, ntp["ProtocolEnabled"])
    source, key = _servers(told)
    if isinstance(source.get(key), list):
        value = ", ".join(one for one in words(source, key) if one)
        yield Setting("time.ntp_servers", "NTP servers", SettingKind.TEXT, value, longest=500, hint=WITH_COMMAS)


def offset_like(word: str) -> bool:
    """Say whether this is ``+09:00``."""
    return len(word) == 6 and word[0] in "+-" and word[3] == ":" and (word[1:3] + word[4:]).isdigit()


def _zone(told: Told) -> Iterator[Setting]:
    """Show the zone: one of a maker's list, or a name of the standard."""
    listed = [
        Choice(str(number), text(one, "Name") or str(number))
        for one in objects(told.own_clock, "TimeZoneList")
        if (number := whole(one, "Index")) is not None
    ]
    used = whole(nested(told.own_clock, "TimeZone"), "Index")
    if listed and used is not None:
        odd = () if str(used) in {one.value for one in listed} else (Choice(str(used), str(used)),)
        yield Setting("time.zone", "Time zone", SettingKind.CHOICE, str(used), (*odd, *listed))
    elif isinstance(name := told.manager.get("TimeZoneName"), str):
        yield Setting("time.zone", "Time zone", SettingKind.TEXT, name, longest=64, hint=ZONE_NAMES)


def _servers(told: Told) -> tuple[Resource, str]:
    """Give where the time servers stand: makers' own resources are what can be written."""
    if isinstance(told.own_clock.get(OWN_SERVERS), list):
        return told.own_clock, OWN_SERVERS
    return nested(told.services, "NTP"), "NTPServers"


def orders(told: Told, left: dict[str, SettingValue]) -> Iterator[Order]:
    """Write it, but for what stands among the services: the zone first, by which a time is shown."""
    own, manager = told.own_clock, told.manager
    zone = (lambda value: dict(TimeZone=dict(Index=int(str(value))))) if own else _zone_name
    yield from _order(own or manager, left, {"time.zone": zone})
    if _servers(told)[1] == OWN_SERVERS:
        yield from _order(own, left, {"time.ntp_servers": lambda value: {OWN_SERVERS: _listed(value, _LEAST_SERVERS)}})
    offset = left.get("time.offset") or text(manager, "DateTimeLocalOffset")
    yield from _order(
        manager,
        left,
        {
            "time.offset": lambda value: dict(DateTimeLocalOffset=value),
            "time.exact": lambda value: dict(DateTime=_now(str(offset or ""))),
        },
    )


def services_change(left: dict[str, SettingValue]) -> tuple[list[str], dict[str, Any]]:
    """Give what stands among the services: whether it asks time servers, and which."""
    change: dict[str, Any] = {}
    names = [name for name in left if name in ("time.ntp", "time.ntp_servers")]
    if "time.ntp" in left:
        change["ProtocolEnabled"] = left.pop("time.ntp")
    if "time.ntp_servers" in left:
        change["NTPServers"] = _listed(left.pop("time.ntp_servers"))
    return names, dict(NTP=change) if change else {}


def _order(source: Resource, left: dict[str, SettingValue], changes: Mapping[str, Change]) -> Iterator[Order]:
    names = [name for name in changes if name in left]
    if names:
        body = {key: value for name in names for key, value in changes[name](left.pop(name)).items()}
        yield Order(names, "PATCH", str(link(source)), body, version(source))


def _zone_name(value: SettingValue) -> dict[str, Any]:
    return dict(TimeZoneName=value)


def _listed(value: SettingValue, least: int = 0) -> list[str]:
    found = [one.strip() for one in str(value).split(",") if one.strip()]
    return found + [""] * (least - len(found))


def _now(offset: str) -> str:
    ahead = offset_of(offset) if offset_like(offset) else None
    return datetime.now(timezone(ahead or timedelta())).isoformat(timespec="seconds")
