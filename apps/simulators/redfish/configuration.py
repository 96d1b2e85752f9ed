"""What a simulated iLO is set to: its network port, its services, its accounts; readable and writable by Redfish."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.simulators.redfish import clock, traps
from apps.simulators.redfish.clock import Clock
from apps.simulators.redfish.places import MANAGER, V1, Resource, collection, link
from apps.simulators.redfish.refusal import Refusal
from apps.simulators.redfish.traps import Traps

PORT, SERVICES = f"{MANAGER}/EthernetInterfaces/1", f"{MANAGER}/NetworkProtocol"
ACCOUNTS, ROLES = f"{V1}/AccountService/Accounts", f"{V1}/AccountService/Roles"
RESET_TO_DEFAULTS, RESTART = (f"{MANAGER}/Actions/Manager.{word}" for word in ("ResetToDefaults", "Reset"))
ROLE_NAMES = ("Administrator", "Operator", "ReadOnly")


def _services() -> dict[str, dict[str, Any]]:
    return {
        "HTTP": {"ProtocolEnabled": True, "Port": 80},
        "HTTPS": {"ProtocolEnabled": True, "Port": 443},
        "SSH": {"ProtocolEnabled": True, "Port": 22},
        "IPMI": {"ProtocolEnabled": False, "Port": 623},
        "SNMP": {"ProtocolEnabled": True, "Port": 161},
        "NTP": {"ProtocolEnabled": False, "NTPServers": ["192.0.2.123", ""]},
    }


@dataclass(slots=True)
class Account:
    """Somebody who may sign in."""

    name: str
    password: str = field(repr=False)
    role: str = "Administrator"
    enabled: bool = True


@dataclass(slots=True)
class Configuration:
    """All of it; ``writes`` counts the changes that were taken."""

    dhcp: bool = False
    address: str = "192.0.2.41"
    mask: str = "255.255.255.0"
    gateway: str = "192.0.2.1"
    vlan: int = 0
    host_name: str = "ilo-web-01"
    services: dict[str, dict[str, Any]] = field(default_factory=_services)
    accounts: dict[str, Account] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    traps: Traps = field(default_factory=Traps)
    pending: set[str] = field(default_factory=set)  # what waits for a restart
    restarts: int = 0
    writes: list[str] = field(default_factory=list)  # paths, in their order
    resets: int = 0

    def account_of(self, name: object, password: object) -> Account | None:
        """Give the account that signs in so; None where there is none."""
        for one in self.accounts.values():
            if one.enabled and (one.name, one.password) == (name, password):
                return one
        return None

    def resources(self) -> Iterable[tuple[str, Resource]]:
        """Give what is shown of it."""
        for path, body in self._bodies():
            digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:8].upper()
            yield path, {"@odata.etag": f'W/"{digest}"', **body}
        yield traps.DESTINATIONS, self.traps.listed()
        yield f"{V1}/AccountService", {"Id": "AccountService", "Accounts": link(ACCOUNTS), "Roles": link(ROLES)}
        yield ACCOUNTS, collection("ManagerAccount", [f"{ACCOUNTS}/{number}" for number in self.accounts])
        yield ROLES, collection("Role", [f"{ROLES}/{name}" for name in ROLE_NAMES])
        for name in ROLE_NAMES:
            yield f"{ROLES}/{name}", {"Id": name, "Name": name, "IsPredefined": True}

    def _bodies(self) -> Iterable[tuple[str, Resource]]:
        used = {"Address": self.address, "SubnetMask": self.mask, "Gateway": self.gateway}
        yield (
            PORT,
            {
                "Id": "1",
                "Name": "Manager Dedicated Network Interface",
                "MACAddress": "02:5E:00:00:00:F1",
                "SpeedMbps": 1000,
                "LinkStatus": "LinkUp",
                "HostName": self.host_name,
                "DHCPv4": {"DHCPEnabled": self.dhcp},
                "IPv4Addresses": [{**used, "AddressOrigin": "DHCP" if self.dhcp else "Static"}],
                "IPv4StaticAddresses": [] if self.dhcp else [used],
                "VLAN": {"VLANEnable": bool(self.vlan), "VLANId": self.vlan or None},
            },
        )
        yield (
            SERVICES,
            {
                "Id": "NetworkProtocol",
                "Name": "Manager Network Protocol",
                **self.services,
                "Oem": {"Hpe": {"Links": {"SNMPService": link(traps.SERVICE)}, **self._state(SERVICES)}},
            },
        )
        yield from self.clock.resources()
        yield from self.traps.resources()
        for number, one in self.accounts.items():
            yield (
                f"{ACCOUNTS}/{number}",
                {"Id": number, "UserName": one.name, "Password": None, "RoleId": one.role, "Enabled": one.enabled},
            )

    def _state(self, path: str) -> Resource:
        return {"ConfigurationSettings": "SomePendingReset" if path in self.pending else "Current"}

    def version(self, path: str) -> str | None:
        """Give the version of a resource that can be changed; None of any other path."""
        found = {own: body for own, body in self.resources() if "@odata.etag" in body}
        return found[path]["@odata.etag"] if path in found else None

    def change(self, path: str, change: Mapping[str, Any]) -> bool:
        """Change a resource; says whether that needs a restart. Raises Refusal and changes nothing."""
        restart = False
        if path == PORT:
            self._change_port(change)
        elif path == SERVICES:
            restart = self._change_services(change)
        elif path == clock.SERVICE:
            restart = self.clock.change(change)
        elif path.startswith(traps.SERVICE):
            restart = self.traps.change(path, change)
        else:
            self._change_account(path.rpartition("/")[2], change)
        self.writes.append(path)
        if restart:
            self.pending.add(path)
        return restart

    def add(self, path: str, body: Mapping[str, Any]) -> str:
        """Add a member of a collection; gives its path. Raises Refusal."""
        place = self.add_account(body) if path == ACCOUNTS else self.traps.add(body)
        self.writes.append(path)
        return place

    def restarted(self) -> None:
        """Use all that was set."""
        self.restarts += 1
        self.pending.clear()
        self.clock.restarted()

    def _change_port(self, change: Mapping[str, Any]) -> None:
        fixed = (change.get("IPv4StaticAddresses") or [{}])[0]
        if fixed.get("Address", "").startswith("0."):
            raise Refusal(400, "Base.1.18.PropertyValueFormatError", "The value of Address is not an address.")
        self.dhcp = change.get("DHCPv4", {}).get("DHCPEnabled", self.dhcp)
        self.address = fixed.get("Address", self.address)
        self.mask = fixed.get("SubnetMask", self.mask)
        self.gateway = fixed.get("Gateway", self.gateway)
        vlan = change.get("VLAN", {})
        if "VLANEnable" in vlan:
            self.vlan = int(vlan.get("VLANId", 1)) if vlan["VLANEnable"] else 0
        self.host_name = change.get("HostName", self.host_name)

    def _change_services(self, change: Mapping[str, Any]) -> bool:
        ports = [body["Port"] for name, body in change.items() if "Port" in body]
        others = [body["Port"] for name, body in self.services.items() if "Port" in body and name not in change]
        if len(set(ports)) < len(ports) or set(ports) & set(others):
            raise Refusal(400, "iLO.2.19.PortsInUse", "Port numbers must be different.")
        for name, body in change.items():
            self.services[name] = self.services.get(name, {}) | body
        return "ProtocolEnabled" in change.get("SNMP", {})

    def _change_account(self, number: str, change: Mapping[str, Any]) -> None:
        one = self.accounts[number]
        if len(change.get("Password", "x" * 8)) < 8:
            raise Refusal(400, "iLO.2.19.InvalidPasswordLength", "The password must have 8 to 39 characters.")
        one.name = change.get("UserName", one.name)
        one.password = change.get("Password", one.password)
        one.role = change.get("RoleId", one.role)
        one.enabled = change.get("Enabled", one.enabled)

    def add_account(self, body: Mapping[str, Any]) -> str:
        """Add somebody; gives the path. Raises Refusal."""
        if len(body.get("Password", "")) < 8 or not body.get("UserName"):
            raise Refusal(400, "iLO.2.19.InvalidPasswordLength", "A name and a password of 8 characters are needed.")
        number = str(max((int(own) for own in self.accounts), default=0) + 1)
        role = body.get("RoleId", "ReadOnly")
        self.accounts[number] = Account(body["UserName"], body["Password"], role, body.get("Enabled", True))
        return f"{ACCOUNTS}/{number}"

    def reset(self) -> None:
        """Go back to what it came with; the first account stays, as whoever made it wants to come in again."""
        fresh = Configuration()
        self.dhcp, self.address, self.mask, self.gateway = True, fresh.address, fresh.mask, fresh.gateway
        self.vlan, self.host_name, self.services = 0, fresh.host_name, fresh.services
        self.traps.destinations.clear()
        self.accounts = {number: one for number, one in self.accounts.items() if number == "1"}
        self.resets += 1
