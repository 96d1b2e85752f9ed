"""Registers the simulated fleet with the portal: groups, credentials and components, all by its API."""

from collections.abc import Mapping
from typing import Any

from apps.simulators.fleet.places import BMC_PASSWORD, ILO_PASSWORD, USERNAME, address_of
from apps.simulators.fleet.plan import BMC, CONTROLLERS, ILO, Login, Plan, Spec
from apps.system.demo.api import Api

DRIVERS = {
    "linux": "snmp_agent",
    "windows": "snmp_agent",
    "replay": "snmp_agent",
    "switch": "network_snmp",
    "router": "network_snmp",
    "ups": "ups_snmp",
    "tape-library": "alert_only",
}
PING = "alert_only"
LOGINS = {ILO: ("iLO", ILO_PASSWORD), BMC: ("BMC", BMC_PASSWORD)}
"""The name and the password of the credential of each kind of controller."""


def register(api: Api, plan: Plan, port: int) -> dict[str, int]:
    """Register what is not registered yet; gives the components' ids by the names of the devices."""
    known = {row["name"]: row["id"] for row in api.every("/components/")}
    groups = _groups(api, plan)
    credentials = _credentials(api, plan)
    for spec in plan.devices:
        if spec.name in known:
            continue
        body = {
            "name": spec.name,
            "alias": spec.notes.get("alias", ""),
            "group": groups[spec.place],
            "interfaces": _interfaces(spec, port, credentials),
        }
        known[spec.name] = api.post("/components/", body)["id"]
    return {spec.name: known[spec.name] for spec in plan.devices}


def follow(api: Api, plan: Plan, port: int) -> dict[str, int]:
    """Tell the portal where the devices are now, if the fleet has moved; those that somebody removed stay away."""
    wanted = {spec.name: spec for spec in plan.devices}
    found: dict[str, int] = {}
    credentials: dict[str, int] = {}
    for row in api.every("/components/"):
        spec = wanted.get(row["name"])
        if spec is None:
            continue
        found[spec.name] = row["id"]
        kept = [one for one in row["interfaces"] if not _is_gone(spec, one)]
        moved = [
            {"id": one["id"], "address": _address(spec, one), **({} if one["driver"] == PING else {"port": port})}
            for one in kept
        ]
        stands = [{key: one[key] for key in here} for one, here in zip(kept, moved, strict=True)]
        replaced = len(kept) < len(row["interfaces"])
        if replaced and spec.controller:
            credentials = credentials or _credentials(api, plan)
            moved.append(_controller(spec, port, credentials))
        if replaced or moved != stands:
            api.call("PATCH", f"/components/{row['id']}/", {"interfaces": moved})
    return found


def _interfaces(spec: Spec, port: int, credentials: Mapping[str, int]) -> list[dict[str, Any]]:
    """Give the ways of managing of one device: its agent, and its controller where it has one."""
    ways = [_interface(spec, port, credentials)]
    if spec.controller:
        ways.append(_controller(spec, port, credentials))
    return ways


def _controller(spec: Spec, port: int, credentials: Mapping[str, int]) -> dict[str, Any]:
    return {
        "driver": spec.controller,
        "address": address_of(spec.address),
        "port": port,
        "credential": credentials[spec.controller],
    }


def _interface(spec: Spec, port: int, credentials: Mapping[str, int]) -> dict[str, Any]:
    driver = spec.notes.get("driver") or DRIVERS[spec.kind]
    if driver == PING:
        return {"driver": driver, "address": spec.address}
    version = str(spec.notes.get("version", "2c"))
    return {"driver": driver, "address": spec.address, "port": port, "credential": credentials[version]}


def _is_gone(spec: Spec, way: Mapping[str, Any]) -> bool:
    """Say whether a way leads to a controller of another kind than the plan has by now."""
    return way["driver"] in CONTROLLERS and way["driver"] != spec.controller


def _address(spec: Spec, way: Mapping[str, Any]) -> str:
    return address_of(spec.address) if way["driver"] == spec.controller else spec.address


def _groups(api: Api, plan: Plan) -> dict[str, int]:
    """Make the groups of all places; gives their ids by path."""
    rows = list(api.every("/groups/"))
    names = {row["id"]: row["name"] for row in rows}
    root = next(row["id"] for row in rows if row["parent"] is None)
    found = {(row["parent"], row["name"]): row["id"] for row in rows}
    ids: dict[str, int] = {"": root}
    for place in dict.fromkeys(spec.place for spec in plan.devices):
        at = root
        for name in filter(None, place.split("/")):
            if (at, name) not in found:
                found[at, name] = api.post("/groups/", {"name": name, "parent": at})["id"]
                names[found[at, name]] = name
            at = found[at, name]
        ids[place] = at
    return ids


def _credentials(api: Api, plan: Plan) -> dict[str, int]:
    """Keep the logins that the devices know; gives their ids by SNMP version."""
    present = {row["name"]: row["id"] for row in api.every("/credentials/")}
    wanted: dict[str, tuple[str, dict[str, str]]] = {
        version: ("snmp-community", {"version": version, "community": plan.devices[0].community})
        for version in ("1", "2c")
    }
    if plan.login is not None:
        fields = {name: getattr(plan.login, name) for name in Login.__dataclass_fields__}
        wanted["3"] = ("snmp-v3", {**fields, "context": ""})
    names = {version: f"SNMP v{version}" for version in wanted}
    for controller in {spec.controller for spec in plan.devices if spec.controller}:
        names[controller], password = LOGINS[controller]
        wanted[controller] = ("password", {"username": USERNAME, "password": password})
    ids = {}
    for version, (kind, fields) in wanted.items():
        name = names[version]
        ids[version] = (
            present.get(name) or api.post("/credentials/", {"name": name, "kind": kind, "fields": fields})["id"]
        )
    return ids
