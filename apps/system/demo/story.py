"""What the users of a demonstration have done already: a limit of their own, an acknowledged problem, a pause."""

import urllib.parse
from collections.abc import Mapping
from typing import Any

from apps.simulators.fleet.plan import Plan
from apps.system.demo.api import Api


def tell(api: Api, plan: Plan, ids: Mapping[str, int]) -> None:
    """Do it all, by the API."""
    for spec in plan.devices:
        component = ids[spec.name]
        if limit := spec.notes.get("limit"):
            set_limit(api, component, limit)
        if note := spec.notes.get("acknowledge"):
            acknowledge(api, component, note)
        if reason := spec.notes.get("suspend"):
            api.post("/suspend-periods/", {"name": reason, "component": component})


def set_limit(api: Api, component: int, limit: Mapping[str, Any]) -> None:
    """Set the thresholds of the sensor with this name."""
    name = urllib.parse.quote(limit["sensor"])
    limits = {key: value for key, value in limit.items() if key != "sensor"}
    for sensor in api.every(f"/components/{component}/sensors/?name={name}"):
        api.call("PATCH", f"/components/{component}/sensors/{sensor['id']}/", {"limits": limits})


def acknowledge(api: Api, component: int, note: str) -> None:
    """Take note of what is wrong with a device."""
    found = api.every(f"/incidents/?component={component}&state=open")
    if waiting := [incident["id"] for incident in found]:
        api.post("/incidents/acknowledge/", {"ids": waiting, "note": note})
