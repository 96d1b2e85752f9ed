"""The event service of a simulated iLO: who wants to hear of it, and events that are really posted over TLS."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp

from apps.simulators.redfish import places, traps
from apps.simulators.redfish.machine import Fault, Machine
from apps.simulators.redfish.places import Resource, collection, link

TYPES = ("StatusChange", "ResourceUpdated", "ResourceAdded", "ResourceRemoved", "Alert")
MOST = 8  # destinations
ANSWER_WITHIN = 5.0  # seconds

# Faults of the machine: message, its argument, and the part; how bad it is when it begins.
_TOLD = {
    Fault.PSU_FAILED: ("PowerSupplyFailed", "PowerSupplyRepaired", "2", "Power#/PowerSupplies/1", "Critical"),
    Fault.FAN_STOPPED: ("FanFailed", "FanRepaired", "2", "Thermal#/Fans/1", "Critical"),
    Fault.DRIVE_FAILED: ("DriveFailed", "DriveRepaired", "2", "Drives/2", "Critical"),
    Fault.POWER_LOST: ("PowerSupplyInputLost", "PowerSupplyRepaired", "2", "Power#/PowerSupplies/1", "Warning"),
}


# The same faults as traps of the maker: when they begin, when they end, and the part.
_TRAPS = {Fault.PSU_FAILED: (6050, 6048, 2), Fault.FAN_STOPPED: (6036, 6038, 2), Fault.POWER_LOST: (6049, 6048, 2)}
_SNMP = ("SNMPv1", "SNMPv2c")
_BY_SNMP = frozenset({"Destination", "Protocol", "SubscriptionType", "SNMP"})
_BY_HTTPS = frozenset({"Destination", "Context", "Protocol", "EventTypes", "HttpHeaders"})


@dataclass(slots=True)
class EventService:
    """Destinations, and what was sent to them. ``loop`` is where it runs; commands may come from another thread."""

    machine: Machine
    loop: asyncio.AbstractEventLoop | None = None  # None: it does not run yet
    attempts: int = 3
    pause: float = 1.0  # seconds between two attempts
    destinations: dict[str, Resource] = field(default_factory=dict)  # by path
    sent: int = 0  # events that were taken
    refused: int = 0  # attempts that were not answered with success
    _number: int = 0
    _events: int = 0
    _sending: set[asyncio.Task[None]] = field(default_factory=set)

    def resources(self) -> Iterable[tuple[str, Resource]]:
        """Give the resources of the service."""
        yield (
            places.EVENTS,
            {
                "@odata.type": "#EventService.v1_3_0.EventService",
                "Id": "EventService",
                "Name": "Event Service",
                "ServiceEnabled": True,
                "DeliveryRetryAttempts": self.attempts,
                "EventTypesForSubscription": list(TYPES),
                "Subscriptions": link(places.SUBSCRIPTIONS),
                "Actions": {"#EventService.SubmitTestEvent": {"target": places.SUBMIT_TEST}},
            },
        )
        yield places.SUBSCRIPTIONS, collection("EventDestination", self.destinations)
        yield from self.destinations.items()

    def subscribe(self, wish: dict[str, Any]) -> tuple[int, str]:
        """Make a destination; gives the HTTP status, and the path or what is wrong."""
        by_snmp = wish.get("Protocol") in _SNMP
        if unknown := wish.keys() - (_BY_SNMP if by_snmp else _BY_HTTPS):
            return 400, f"The property {min(unknown)} is not known."
        start = "snmp://" if by_snmp else "https://"
        if not str(wish.get("Destination", "")).startswith(start) or not (by_snmp or wish.get("Protocol") == "Redfish"):
            return 400, "The destination is not valid."
        if len(self.destinations) >= MOST:
            return 400, "There are too many subscriptions."
        self._number += 1
        path = f"{places.SUBSCRIPTIONS}/{self._number}"
        self.destinations[path] = {
            "@odata.type": "#EventDestination.v1_2_0.EventDestination",
            "Id": str(self._number),
            "Name": "Event Subscription",
            **({} if by_snmp else {"EventTypes": list(TYPES)}),
            **wish,
        }
        return 201, path

    def forget(self) -> None:
        """Lose all subscriptions, as some controllers do when they are started anew."""
        self.destinations.clear()

    def tell(self, fault: Fault, *, begins: bool) -> None:
        """Say that a fault began or ended."""
        if fault in _TOLD:
            failed, repaired, part, place, severity = _TOLD[fault]
            key, severity = (failed, severity) if begins else (repaired, "OK")
            self.send(f"iLOEvents.2.3.{key}", f"{key}: {part}", severity, [part], f"{places.CHASSIS}/{place}")
        if fault in _TRAPS and Fault.MUTE not in self.machine.faults:
            begun, ended, number = _TRAPS[fault]
            specific, name = begun if begins else ended, self.machine.name
            self.machine.configuration.traps.tell(name, specific, number)
            for destination in self.destinations.values():
                if destination["Protocol"] in _SNMP:
                    self.sent += traps.tell_subscriber(destination, name, specific, number)

    def test(self, wish: dict[str, Any]) -> None:
        """Send what somebody wishes to have sent."""
        origin = wish.get("OriginOfCondition")
        words = {name: str(wish.get(name) or default) for name, default in _TEST.items()}
        self.send(words["MessageId"], words["Message"], words["Severity"], [], str(origin or ""), wish.get("EventId"))

    def send(
        self, key: str, text: str, severity: str, arguments: list[str], origin: str, number: object = None
    ) -> None:
        """Send one event to everybody."""
        self._events += 1
        event: Resource = {
            "EventId": str(number or f"{self.machine.serial}-{self._events}"),
            "EventTimestamp": f"{datetime.fromtimestamp(self.machine.clock(), UTC):%Y-%m-%dT%H:%M:%SZ}",
            "EventType": "Alert",
            "MemberId": "0",
            "Message": text,
            "MessageArgs": arguments,
            "MessageId": key,
            "Severity": severity,
        }
        if origin:
            event["OriginOfCondition"] = link(origin)
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self._post_to_all, self.loop, event)

    def _post_to_all(self, loop: asyncio.AbstractEventLoop, event: Resource) -> None:
        if Fault.MUTE in self.machine.faults:
            return
        for path, destination in self.destinations.items():
            if destination["Protocol"] in _SNMP:
                continue
            body = {
                "@odata.type": "#Event.v1_2_1.Event",
                "Id": str(self._events),
                "Name": "Event Array",
                "Context": destination.get("Context", ""),
                "Events": [event],
            }
            task = loop.create_task(self._deliver(path, str(destination["Destination"]), body))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _deliver(self, path: str, url: str, body: Resource) -> None:
        """Post until it is taken, or often enough."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(ssl=_anybody())) as session:
            for attempt in range(self.attempts):
                if attempt:
                    await asyncio.sleep(self.pause)
                if path not in self.destinations:
                    return
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    async with session.post(url, json=body) as answer:
                        if answer.status < 300:
                            self.sent += 1
                            return
                self.refused += 1

    async def close(self) -> None:
        """Send nothing more."""
        for task in tuple(self._sending):
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)


_TEST = {"MessageId": "iLOEvents.2.3.TestMessage", "Message": "Test event", "Severity": "OK"}


def _anybody() -> ssl.SSLContext:
    """Trust whatever certificate is shown, as controllers do unless they are told otherwise."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
