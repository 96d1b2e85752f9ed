"""Event logs: those of the system and of its controllers, read from where the last look ended."""

from collections.abc import Mapping
from typing import Any

from apps.drivers.contract import EventLog, LogPart
from apps.drivers.redfish import log
from apps.drivers.redfish.conversation import RedfishConversation
from apps.drivers.redfish.values import Resource, identifier, link, nested, text
from apps.protocols.errors import Unsupported
from apps.protocols.redfish import Refused

MOST_LOGS = 6
MOST_ENTRIES = 2_000
MOST_LINKED = 200  # entries that have to be read one by one
NO_LOG = "%(address)s keeps no log that can be read"
NO_CLEARING = "%(address)s cannot empty its logs"


class RedfishLogs(RedfishConversation, EventLog):
    """What a conversation can say of logs."""

    async def read_events(self, place: Mapping[str, Any]) -> LogPart:
        """Read what came into the logs of the system and of its controllers since a place."""
        services = await self._logs()
        if not services:
            raise Unsupported(NO_LOG, address=self.target.address)
        looks, places, full, emptied = [], {}, [], []
        for service in services:
            name = identifier(service)
            before = place.get(name)
            path, most = str(link(service, "Entries")), log.most_of(service)
            entries, skips = await self._entries(path, before)
            found = log.look(entries.found, before, name, skipped=entries.skipped, most=most)
            if found.cleared and entries.skipped:  # so those that were left out are new, too
                entries, skips = await self._entries(path, None)
                found = log.look(entries.found, before, name, skipped=entries.skipped, most=most)
            looks.append(found)
            emptied += [f"{name}/"] if found.cleared else []
            count = entries.skipped + len(entries.found)
            places[name] = {**found.place, "count": count, "skips": skips} if found.place else {}
            full.append(log.Filled(log.filled(service, count), log.wraps(service)))
        events = [event for look in looks for event in look.events]
        if len(looks) > 1 and all(event.at is not None for event in events):
            events.sort(key=lambda event: str(event.at))
        fullest = log.fullest(full)
        return LogPart(tuple(events), places, bool(emptied), tuple(emptied), fullest.share, fullest.wraps)

    async def clear_events(self) -> None:
        """Empty the logs that are read."""
        targets = [
            target
            for service in await self._logs()
            if (target := text(nested(service, "Actions", "#LogService.ClearLog"), "target")) is not None
        ]
        if not targets:
            raise Unsupported(NO_CLEARING, address=self.target.address)
        for target in targets:
            await self._order(self._client.post(target, {}))

    async def _logs(self) -> list[Resource]:
        found = list(await self._members(await self._system(), "LogServices"))
        for manager in await self._managers():
            found += await self._members(manager, "LogServices")
        readable = [one for one in found if link(one, "Entries") and one.get("ServiceEnabled") is not False]
        return list({identifier(one): one for one in readable[:MOST_LOGS]}.values())

    async def _entries(self, path: str, before: Any) -> tuple[log.Entries, bool]:
        """Read the entries of a log: those after the last known one, where the service can leave others out."""
        place = before if isinstance(before, Mapping) else {}
        count, last, skips = place.get("count"), str(place.get("last") or ""), place.get("skips", True)
        if isinstance(count, int) and count > 1 and last and skips:
            try:
                found = await self._client.listed(f"{path}?$skip={count - 1}", most=MOST_ENTRIES)
                if found and identifier(found[0]) == last:
                    return log.Entries(await self._client.resolve(found[:MOST_LINKED]), count - 1), True
            except (Refused, Unsupported):
                pass
            skips = False
        listed = await self._client.listed(path, most=MOST_ENTRIES)
        number = len(listed)
        if any(len(one) == 1 for one in listed):
            listed = log.newest(listed, last, MOST_LINKED)
        return log.Entries(await self._client.resolve(listed), number - len(listed)), bool(skips)
