"""Which devices a fleet has: read from a file, or made up for a number of agents.

    domain: example.jp
    login: {username: watcher, auth_protocol: SHA-256, auth_password: …, priv_protocol: AES-128, priv_password: …}
    devices:
      - {name: "web-{:02}", count: 6, kind: linux, role: web, place: "Tokyo/Rack A1", uplink: switch-01}
      - {name: switch-01, kind: switch, model: QX-S5224GT-4X, place: Tokyo, faults: [{kind: link-down, part: 7, every: 900, lasts: 180}]}

Keys that only the portal's side of a plan needs (``group``, ``alias``, ``driver``) are kept in ``notes``.
"""  # noqa: E501

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import yaml

from apps.simulators.fleet.course import EPOCH
from apps.simulators.fleet.faults import Fault, FaultKind

MOST = 65_000  # addresses of one range
ILO, BMC = "ilo", "bmc"
CONTROLLERS = (ILO, BMC)
_OF_FLEET = frozenset({"domain", "contact", "login", "devices", "seed"})


class BadPlan(ValueError):
    """A plan cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Login:
    """The version 3 user that agents know, beside their community."""

    username: str
    auth_protocol: str = "none"
    auth_password: str = field(default="", repr=False)
    priv_protocol: str = "none"
    priv_password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Spec:
    """One device of a plan."""

    name: str
    kind: str
    address: str
    role: str = ""
    model: str = ""
    place: str = ""  # where it stands; what it shares with its neighbours: room temperature, the time of day
    uplink: str = ""  # the switch that it is connected to
    community: str = "public"
    trap_version: str = "2c"  # "1", "2c" or "3"
    dump: str = ""  # of a replayed device: the file
    controller: str = ""  # "ilo" or "bmc": a server that has one, at an address of its own
    alerts: bool = False  # its controller tells the destination of traps what happens
    power_meter: bool = True  # its controller measures power (DCMI)
    boots_every: float = 0.0  # days between two starts; 0: as usual for its kind
    faults: tuple[Mapping[str, Any], ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """All devices of a fleet, in the order of their addresses."""

    devices: tuple[Spec, ...]
    seed: str = "fleet"
    domain: str = "example.net"
    contact: str = "operations"
    login: Login | None = None
    since: float = EPOCH  # from when the times of faults count


def addresses(first: str) -> Iterator[str]:
    """Give addresses from one on; those that end in 0 or 255 are left out, because some programs refuse them."""
    number = int(IPv4Address(first))
    if not 127 << 24 < number < 128 << 24:
        raise BadPlan(f"{first} is no loopback address: a fleet is seen by its own machine only")
    while number < (128 << 24) - 1:
        if number & 255 not in (0, 255):
            yield str(IPv4Address(number))
        number += 1


def read(path: Path, first: str, since: float = EPOCH) -> Plan:
    """Read a plan; its devices get addresses from ``first`` on, in their order. Raises ``BadPlan``."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise BadPlan(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("devices"), list):
        raise BadPlan(f"{path} has no list of devices")
    try:
        login = Login(**content["login"]) if content.get("login") else None
        common = {name: content[name] for name in ("seed", "domain", "contact") if name in content}
        free = addresses(first)
        devices = tuple(spec for entry in content["devices"] for spec in _specs(entry, free))
    except TypeError as error:
        raise BadPlan(f"{path}: {error}") from error
    return checked(Plan(devices, login=login, since=since, **common))


def _specs(entry: Mapping[str, Any], free: Iterator[str]) -> Iterator[Spec]:
    """Turn an entry into its devices: ``count`` of them, whose numbers stand in place of ``{}`` in every text."""
    own = {one.name for one in fields(Spec)} - {"address", "notes", "faults"}
    count = int(entry.get("count", 1))
    start = int(entry.get("from", 1))
    for number in range(start, start + count):
        values = {
            key: value.format(number) if isinstance(value, str) and "count" in entry else value
            for key, value in entry.items()
        }
        known: dict[str, Any] = {key: value for key, value in values.items() if key in own}
        notes = {key: value for key, value in values.items() if key not in own | {"faults", "count", "from"}}
        yield Spec(address=next(free), faults=tuple(entry.get("faults", ())), notes=notes, **known)


def checked(plan: Plan) -> Plan:
    """Give a plan whose names are unique and whose links lead somewhere; raises ``BadPlan``."""
    names = [spec.name for spec in plan.devices]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise BadPlan(f"the name {twice[0]} stands twice")
    known = set(names)
    for spec in plan.devices:
        if spec.uplink and spec.uplink not in known:
            raise BadPlan(f"{spec.name} is connected to {spec.uplink}, which is not in the plan")
    return plan


def fault_of(entry: Mapping[str, Any], since: float) -> Fault:
    """Turn a plan's fault into one; times are seconds, ``at`` counts from ``since`` and may be negative.

    One that repeats was there for ever before, too.
    """
    known = {"kind", "part", "strength", "every", "lasts", "at"}
    if unknown := entry.keys() - known:
        raise BadPlan(f"a fault has no {', '.join(sorted(unknown))}")
    try:
        kind = FaultKind(entry["kind"])
    except (KeyError, ValueError) as error:
        raise BadPlan(f"{entry.get('kind')} is no kind of fault") from error
    every, began = float(entry.get("every", 0.0)), since + float(entry.get("at", 0.0))
    if every:
        began -= every * math.ceil(max(0.0, began - EPOCH) / every)
    return Fault(
        kind,
        began,
        every=every,
        lasts=float(entry.get("lasts", 0.0)),
        part=int(entry.get("part", 0)),
        strength=entry.get("strength"),
    )


_MIX = ("linux", "linux", "windows", "linux", "switch", "linux", "windows", "linux", "ups", "linux")
_ROLES = ("web", "app", "db", "file", "batch")
_MODELS = {"switch": ("QX-S5224GT-4X", "QX-S4124GT-4G", "E528"), "ups": ("rfc1628", "powernet")}


def mixed(count: int, first: str, *, seed: str = "fleet", community: str = "public") -> Plan:
    """Make up a fleet: six tenths Linux, two tenths Windows, a tenth switches, a tenth UPSs, in rooms of forty."""
    if not 0 < count <= MOST:
        raise BadPlan(f"a fleet has 1 to {MOST} devices, not {count}")
    devices = []
    numbers: dict[str, int] = {}
    for number, address in zip(range(count), addresses(first), strict=False):
        kind = _MIX[number % len(_MIX)]
        room = number // 40
        numbers[kind] = numbers.get(kind, 0) + 1
        models = _MODELS.get(kind, ("",))
        # Each room has four switches; the first of them is what the others are connected to.
        place = number - number % 10 + 4
        own = number - number % 40 + 4
        uplink = own if kind == "switch" else place
        devices.append(
            Spec(
                name=f"{kind}-{numbers[kind]:04}",
                kind=kind,
                address=address,
                role=_ROLES[number % len(_ROLES)],
                model=models[numbers[kind] % len(models)],
                place=f"Room {room + 1}",
                uplink=f"switch-{uplink // 10 + 1:04}" if uplink < count and uplink != number else "",
                community=community,
            )
        )
    return checked(Plan(tuple(devices), seed=seed))
