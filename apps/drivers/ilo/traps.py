"""To whom an iLO sends traps: the collection below its own SNMP service."""

from collections.abc import Mapping
from typing import Any

from apps.drivers.contract import Choice, SettingValue
from apps.drivers.redfish.settings import Dialect
from apps.drivers.redfish.values import Resource, text

_KEYS: Mapping[str, str] = {
    "address": "AlertDestination",
    "protocol": "SNMPAlertProtocol",
    "community": "TrapCommunity",
}


class AlertDestinations(Dialect):
    """Each is a resource whose properties can be changed."""

    protocols = (
        Choice("SNMPv1Trap", "Trap of version 1"),
        Choice("SNMPv3Trap", "Trap of version 3"),
        Choice("SNMPv3Inform", "Inform of version 3"),
    )

    def read(self, row: Resource) -> dict[str, SettingValue]:
        """Read where it goes, as what, with which community."""
        found: dict[str, SettingValue] = {word: text(row, key) or "" for word, key in _KEYS.items() if key in row}
        return {"address": "", "protocol": "", **found}

    def changed(self, given: Mapping[str, SettingValue]) -> dict[str, Any]:
        """Give the properties by their names."""
        return {key: given[word] for word, key in _KEYS.items() if word in given}

    def added(self, given: Mapping[str, SettingValue], before: Resource) -> dict[str, Any]:
        """Give a new one; a community belongs to version 1 alone."""
        found = self.changed(given)
        return {key: value for key, value in found.items() if value or key != _KEYS["community"]}
