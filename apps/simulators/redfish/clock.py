"""The clock of a simulated iLO: it asks time servers and is not set by hand; another zone waits for a restart."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from apps.simulators.redfish.places import MANAGER, Resource
from apps.simulators.redfish.refusal import Refusal

SERVICE = f"{MANAGER}/DateTime"
ZONES = (("Etc/UTC, Universal Time", "+00:00"), ("Asia/Tokyo, Tokyo, Osaka", "+09:00"), ("Europe/Berlin", "+01:00"))
_SERVERS = 2


@dataclass(slots=True)
class Clock:
    """What it shows, and what it was set to."""

    now: Callable[[], float] = time.time
    drift: float = 0.0  # seconds that it is ahead
    zone: int = 0  # as it was set
    zone_in_use: int = 0
    servers: list[str] = field(default_factory=lambda: ["192.0.2.123", ""])
    by_hand: bool = False  # whether it may be set, as with other makers

    def shown(self) -> Resource:
        """Give the time as the manager shows it."""
        offset = ZONES[self.zone_in_use][1]
        sign = -1 if offset[0] == "-" else 1
        ahead = sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[4:]))
        at = datetime.fromtimestamp(self.now() + self.drift, UTC).astimezone(timezone(ahead))
        return {"DateTime": at.isoformat(timespec="seconds"), "DateTimeLocalOffset": offset}

    def resources(self) -> Iterable[tuple[str, Resource]]:
        """Give the maker's own resource."""

        def zone(number: int) -> Resource:
            return {"Index": number, "Name": ZONES[number][0], "UtcOffset": ZONES[number][1]}

        yield (
            SERVICE,
            {
                "Id": "DateTime",
                "ConfigurationSettings": "Current" if self.zone == self.zone_in_use else "SomePendingReset",
                "NTPServers": list(self.servers),
                "StaticNTPServers": list(self.servers),
                "PropagateTimeToHost": False,
                "TimeZone": zone(self.zone),
                "TimeZoneList": [zone(number) for number in range(len(ZONES))],
            },
        )

    def change(self, change: Mapping[str, Any]) -> bool:
        """Change it; says whether that needs a restart. Raises Refusal."""
        if unknown := change.keys() - {"StaticNTPServers", "TimeZone"}:
            raise Refusal(400, "Base.1.18.PropertyNotWritable", f"The property {min(unknown)} is a read only property.")
        servers = change.get("StaticNTPServers", self.servers)
        if len(servers) > _SERVERS:
            raise Refusal(400, "iLO.2.19.ArrayPropertyOutOfBound", "StaticNTPServers has more than 2 members.")
        zone = change.get("TimeZone", {}).get("Index", self.zone)
        if zone not in range(len(ZONES)):
            raise Refusal(400, "Base.1.18.PropertyValueNotInList", "The value of Index is not in the list.")
        self.servers, self.zone = list(servers), int(zone)
        return "TimeZone" in change

    def set(self, change: Mapping[str, Any]) -> None:
        """Set it by hand where that is possible. Raises Refusal."""
        if not self.by_hand or change.keys() - {"DateTime", "DateTimeLocalOffset"}:
            raise Refusal(400, "Base.1.18.PropertyNotWritable", f"The property {min(change)} is a read only property.")
        offset = change.get("DateTimeLocalOffset", ZONES[self.zone][1])
        found = [number for number, (_name, word) in enumerate(ZONES) if word == offset]
        if not found:
            raise Refusal(
                400, "Base.1.18.PropertyValueNotInList", "The value of DateTimeLocalOffset is not in the list."
            )
        self.zone = self.zone_in_use = found[0]
        if "DateTime" in change:
            self.drift = datetime.fromisoformat(str(change["DateTime"])).timestamp() - self.now()

    def restarted(self) -> None:
        """Use what was set."""
        self.zone_in_use = self.zone
