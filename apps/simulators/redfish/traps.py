"""The SNMP service of a simulated iLO: to whom it sends traps, and traps that are really sent."""

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from apps.protocols.snmp.ber import RawVarbind, Tag
from apps.protocols.snmp.notification import encode_notification_v2, encode_trap_v1
from apps.simulators.redfish.places import MANAGER, Resource, collection, link
from apps.simulators.redfish.refusal import Refusal

SERVICE = f"{MANAGER}/SnmpService"
DESTINATIONS = f"{SERVICE}/SNMPAlertDestinations"
SEND_TEST = f"{SERVICE}/Actions/HpeiLOSnmpService.SendSNMPTestAlert"
_TEST_TRAP = 11003
TRAP_PORT = 162
MOST = 3  # destinations
ENTERPRISE = "1.3.6.1.4.1.232"
_NAME, _FLAGS = "1.3.6.1.2.1.1.5.0", "1.3.6.1.4.1.232.11.2.11.1.0"
_CHASSIS = "1.3.6.1.4.1.232.6.2.9.3.1.1.0"
_PROTOCOLS = ("SNMPv1Trap", "SNMPv3Trap", "SNMPv3Inform")
_SWITCHES = ("AlertsEnabled", "SNMPv1TrapEnabled", "SNMPv3TrapEnabled")
_KEYS = ("AlertDestination", "SNMPAlertProtocol", "TrapCommunity")
_RESTARTS = frozenset({"SNMPv1TrapEnabled", "SNMPv3TrapEnabled"})  # what counts only after a restart
WITHOUT_COMMUNITY = "public"


@dataclass(slots=True)
class Traps:
    """Its switches and destinations."""

    switches: dict[str, bool] = field(default_factory=lambda: {name: name != "SNMPv3TrapEnabled" for name in _SWITCHES})
    destinations: dict[str, dict[str, str]] = field(default_factory=dict)  # by number
    port: int = TRAP_PORT
    sent: int = 0

    def resources(self) -> Iterable[tuple[str, Resource]]:
        """Give what is shown; what can be changed comes with a version of its own."""
        actions = {"#HpeiLOSnmpService.SendSNMPTestAlert": {"target": SEND_TEST}}
        found = {"SNMPAlertDestinations": link(DESTINATIONS), "Actions": actions}
        yield SERVICE, {"Id": "SnmpService", **self.switches, **found}
        for number, one in self.destinations.items():
            yield f"{DESTINATIONS}/{number}", {"Id": number, **one}

    def listed(self) -> Resource:
        """Give the collection."""
        return collection("HpeSNMPAlertDestination", [f"{DESTINATIONS}/{number}" for number in self.destinations])

    def change(self, path: str, change: Mapping[str, Any]) -> bool:
        """Change a resource; says whether that needs a restart. Raises Refusal."""
        if path == SERVICE:
            _know(change, _SWITCHES)
            self.switches |= {name: bool(value) for name, value in change.items()}
            return bool(change.keys() & _RESTARTS)
        self.destinations[path.rpartition("/")[2]] |= self._checked(change)
        return False

    def add(self, body: Mapping[str, Any]) -> str:
        """Add a destination; gives its path. Raises Refusal."""
        checked = self._checked(body)
        if not checked.get("AlertDestination"):
            raise Refusal(400, "Base.1.18.PropertyMissing", "AlertDestination is a required property.")
        if len(self.destinations) >= MOST:
            raise Refusal(400, "iLO.2.19.AlertDestinationsFull", "There is no room for one more alert destination.")
        number = str(max(map(int, self.destinations), default=0) + 1)
        usual = {"SNMPAlertProtocol": _PROTOCOLS[0], "TrapCommunity": WITHOUT_COMMUNITY}
        self.destinations[number] = {**usual, **checked}
        return f"{DESTINATIONS}/{number}"

    def _checked(self, body: Mapping[str, Any]) -> dict[str, str]:
        _know(body, _KEYS)
        if body.get("SNMPAlertProtocol", _PROTOCOLS[0]) not in _PROTOCOLS:
            raise Refusal(400, "Base.1.18.PropertyValueNotInList", "The SNMPAlertProtocol is not one of the list.")
        if "v3" in str(body.get("SNMPAlertProtocol")):
            raise Refusal(400, "iLO.2.19.SNMPv3UserMissing", "There is no user of SNMP version 3.")
        return {name: str(value) for name, value in body.items()}

    def remove(self, path: str) -> bool:
        """Remove a destination."""
        return self.destinations.pop(path.removeprefix(f"{DESTINATIONS}/"), None) is not None

    def tell(self, name: str, specific: int, part: int) -> None:
        """Send a trap of the maker's to all destinations, unless that is switched off."""
        if self.switches["AlertsEnabled"] and self.switches["SNMPv1TrapEnabled"]:
            for one in self.destinations.values():
                content = bindings(name, part)
                trap = encode_trap_v1(one["TrapCommunity"].encode(), ENTERPRISE, specific=specific, varbinds=content)
                self.sent += post(trap, one["AlertDestination"], self.port)

    def test(self, name: str) -> None:
        """Send a trap that tells of nothing."""
        self.tell(name, _TEST_TRAP, 0)


def _know(body: Mapping[str, Any], names: Iterable[str]) -> None:
    if unknown := body.keys() - set(names):
        raise Refusal(400, "Base.1.18.PropertyUnknown", f"The property {min(unknown)} is not known.")


def bindings(name: str, part: int) -> list[RawVarbind]:
    """Give what stands in a trap: the name of the server, flags, the chassis, the part."""
    return [
        (_NAME, Tag.OCTET_STRING, name.encode()),
        (_FLAGS, Tag.INTEGER, 0),
        (_CHASSIS, Tag.INTEGER, 0),
        (f"1.3.6.1.4.1.232.6.2.9.3.1.2.0.{part}", Tag.INTEGER, part),
    ]


def tell_subscriber(destination: Resource, name: str, specific: int, part: int) -> bool:
    """Send a trap to whoever subscribed by SNMP, in the version that was asked for."""
    place = urlsplit(str(destination["Destination"]))
    community = str((destination.get("SNMP") or {}).get("TrapCommunity") or WITHOUT_COMMUNITY).encode()
    content = bindings(name, part)
    if destination.get("Protocol") == "SNMPv1":
        trap = encode_trap_v1(community, ENTERPRISE, specific=specific, varbinds=content)
    else:
        trap = encode_notification_v2(community, f"{ENTERPRISE}.0.{specific}", varbinds=content)
    return post(trap, str(place.hostname), place.port or TRAP_PORT)


def post(trap: bytes, address: str, port: int) -> bool:
    """Send one datagram; what cannot be sent is lost, as on a network. Only loopback is reached."""
    if not address.startswith("127."):
        return False
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.sendto(trap, (address, port))
    except OSError:
        return False
    return True
