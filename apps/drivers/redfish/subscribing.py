"""The event service: to whom a Redfish service sends events (DSP0266, "Eventing"; DSP2046)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from apps.drivers.contract import Subscribed, Subscription, Subscriptions
from apps.drivers.redfish.conversation import RedfishConversation
from apps.drivers.redfish.values import Resource, link, nested, text, words
from apps.protocols.errors import DeviceError, Unsupported
from apps.protocols.redfish import Refused

# What somebody wants to hear of; that a value was read anew is no news.
_WANTED_TYPES: Sequence[str] = ("Alert", "StatusChange", "ResourceAdded", "ResourceRemoved")
_NO_NEWS = frozenset({"Base", "HeartbeatEvent", "JobEvent", "TaskEvent", "Telemetry"})  # registries
_RETRIES = "RetryForever"
TEST_MESSAGE = "ResourceEvent.1.3.TestMessage"

NO_SERVICE = "%(address)s has no event service"
SWITCHED_OFF = "The event service of %(address)s is switched off"
NO_TEST = "%(address)s cannot send a test event"
NAMELESS = "%(address)s made a subscription and does not say what it is called"


class RedfishSubscriptions(RedfishConversation, Subscriptions):
    """What a conversation can say of the event service."""

    async def read_subscriptions(self) -> Subscribed:
        """List the destinations."""
        service = await self._event_service()
        path = link(service, "Subscriptions")
        members = await self._client.members(path) if path is not None else []
        found = [one for member in members if (one := subscription(member)) is not None]
        return Subscribed(tuple(found), _test_action(service) is not None)

    async def subscribe(self, destination: str, context: str) -> Subscription:
        """Make a destination; one that does not know every wish gets the plain one."""
        service = await self._event_service()
        path = link(service, "Subscriptions")
        if path is None:
            raise Unsupported(NO_SERVICE, address=self.target.address)
        wish = wished(service, destination, context)
        try:
            answer = await self._client.post(path, {**wish, "DeliveryRetryPolicy": _RETRIES})
        except Refused as error:
            if error.status != 400:
                raise
            answer = await self._client.post(path, wish)  # it was refused because it knows no retry policy
        place = answer.headers.get("Location") or text(answer.data, "@odata.id") or ""
        key = urlsplit(place).path or await self._key_of(path, destination)
        return Subscription(key, destination, context)

    async def _key_of(self, path: str, destination: str) -> str:
        for member in await self._client.members(path):
            found = subscription(member)
            if found is not None and found.destination == destination:
                return found.key
        raise DeviceError(NAMELESS, address=self.target.address)

    async def unsubscribe(self, key: str) -> None:
        """Remove a destination."""
        try:
            await self._client.delete(key)
        except Unsupported:
            if any(one.key == key for one in (await self.read_subscriptions()).subscriptions):
                raise  # it is there, and we may not

    async def send_test_event(self) -> None:
        """Order a test event; a service that takes no words with it is asked without."""
        service = await self._event_service()
        target = _test_action(service)
        if target is None:
            raise Unsupported(NO_TEST, address=self.target.address)
        try:
            await self._client.post(target, test_event(service, datetime.now(UTC)))
        except Refused as error:
            if error.status != 400:
                raise
            await self._client.post(target, dict(MessageId=TEST_MESSAGE))

    async def _event_service(self) -> Resource:
        path = link(self._client.root, "EventService")
        if path is None:
            raise Unsupported(NO_SERVICE, address=self.target.address)
        service = await self._client.get(path)
        if service.get("ServiceEnabled") is False:
            raise Unsupported(SWITCHED_OFF, address=self.target.address)
        return service


def subscription(member: Resource) -> Subscription | None:
    """Read a destination; None for what is none, such as a listener on a stream of events."""
    key, destination = link(member), text(member, "Destination")
    if key is None or destination is None:
        return None
    return Subscription(key, destination, text(member, "Context") or "")


def wished(service: Resource, destination: str, context: str) -> dict[str, Any]:
    """Give what is posted: the kinds of events by the words that the service offers (DSP2046 EventService)."""
    wish: dict[str, Any] = dict(Destination=destination, Context=context, Protocol="Redfish")
    types = [word for word in words(service, "EventTypesForSubscription") if word != "MetricReport"]
    prefixes = words(service, "RegistryPrefixes")
    if types:
        wish["EventTypes"] = [word for word in _WANTED_TYPES if word in types] or types
    elif prefixes:
        wish["EventFormatType"] = "Event"
        wish["RegistryPrefixes"] = [word for word in prefixes if word not in _NO_NEWS]
    elif "Event" in words(service, "EventFormatTypes"):
        wish["EventFormatType"] = "Event"
    return wish


def test_event(service: Resource, now: datetime) -> Mapping[str, Any]:
    """Give the event that is sent to try it out."""
    event: dict[str, Any] = dict(
        EventId=f"test-{now:%Y%m%d%H%M%S%f}",
        EventTimestamp=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        Severity="OK",
        Message="Test event",
        MessageId=TEST_MESSAGE,
        MessageArgs=[],
        OriginOfCondition=link(service) or "",
    )
    if words(service, "EventTypesForSubscription"):
        event["EventType"] = "Alert"
    return event


def _test_action(service: Resource) -> str | None:
    return text(nested(service, "Actions", "#EventService.SubmitTestEvent"), "target")
