"""Where the resources of a simulated iLO are, and how they lead to each other."""

from collections.abc import Iterable, Mapping
from typing import Any

Resource = dict[str, Any]
V1 = "/redfish/v1"
SYSTEM, CHASSIS, MANAGER = f"{V1}/Systems/1", f"{V1}/Chassis/1", f"{V1}/Managers/1"
SESSIONS = f"{V1}/SessionService/Sessions"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
COLD_BOOT = f"{SYSTEM}/Actions/Oem/HpeComputerSystemExt.SystemReset"
IML, IEL = f"{SYSTEM}/LogServices/IML", f"{MANAGER}/LogServices/IEL"
EVENTS = f"{V1}/EventService"
SUBSCRIPTIONS, SUBMIT_TEST = f"{EVENTS}/Subscriptions", f"{EVENTS}/Actions/EventService.SubmitTestEvent"
CLEAR = "Actions/LogService.ClearLog"
OK: Mapping[str, str] = {"State": "Enabled", "Health": "OK"}


def link(path: str) -> dict[str, str]:
    """Give a link."""
    return {"@odata.id": path}


def collection(kind: str, paths: Iterable[str]) -> Resource:
    """Give a collection of links."""
    members = [link(path) for path in paths]
    return {
        "@odata.type": f"#{kind}Collection.{kind}Collection",
        "Name": kind,
        "Members": members,
        "Members@odata.count": len(members),
    }
