"""Subscriptions on a simulated event service, and by the recorded answers that come with sushy."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sushy
from aiohttp import web

from apps.drivers.contract import Subscription
from apps.drivers.redfish.driver import RedfishDriver
from apps.drivers.redfish.subscribing import subscription, wished
from apps.protocols.errors import Unsupported
from apps.simulators.redfish import Fault, Service
from apps.simulators.redfish.places import SUBSCRIPTIONS
from tests.redfish_peers import Pair, scripted, target, tree

WAIT = 30.0


@asynccontextmanager
async def listener(certificate: Pair, *statuses: int) -> AsyncIterator[tuple[str, "asyncio.Queue[dict[str, Any]]"]]:
    """Take what is posted; answers with these statuses first, then 204."""
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    answers = list(statuses)

    async def take(request: web.Request) -> web.Response:
        heard.put_nowait({"path": request.path, **await request.json()})
        return web.Response(status=answers.pop(0) if answers else 204)

    async with scripted(certificate, take) as port:
        yield f"https://127.0.0.1:{port}/here", heard


async def test_a_subscription_is_made_listed_served_and_ended(
    ilo: Service, redfish_certificates: tuple[Pair, Pair]
) -> None:
    ilo.events.pause = 0.01
    async with listener(redfish_certificates[1], 503) as (destination, heard):
        async with RedfishDriver(target(ilo.port)) as driver:
            made = await driver.subscribe(destination, "ours")
            listed = await driver.read_subscriptions()
        assert made == Subscription(f"{SUBSCRIPTIONS}/1", destination, "ours")
        assert (listed.subscriptions, listed.tests) == ((made,), True)
        # It knows no retry policy and said so; then it got the plain wish, with the kinds that are news.
        assert ilo.events.destinations[made.key]["EventTypes"] == [
            "Alert",
            "StatusChange",
            "ResourceAdded",
            "ResourceRemoved",
        ]

        ilo.begin(Fault.FAN_STOPPED)
        first, again = [await asyncio.wait_for(heard.get(), WAIT) for _ in range(2)]
        assert first == again  # the first was answered with 503
        assert (first["path"], first["Context"]) == ("/here", "ours")
        (event,) = first["Events"]
        assert (event["MessageId"], event["Severity"]) == ("iLOEvents.2.3.FanFailed", "Critical")
        ilo.mend(Fault.FAN_STOPPED)
        assert (await asyncio.wait_for(heard.get(), WAIT))["Events"][0]["Severity"] == "OK"

        async with RedfishDriver(target(ilo.port)) as driver:
            await driver.send_test_event()
        assert (await asyncio.wait_for(heard.get(), WAIT))["Events"][0]["Message"] == "Test event"

        async with RedfishDriver(target(ilo.port)) as driver:
            await driver.unsubscribe(made.key)
            await driver.unsubscribe(made.key)  # it has gone already
            assert (await driver.read_subscriptions()).subscriptions == ()
    assert ilo.sessions == {}


async def test_a_service_without_events_says_so(redfish_certificates: tuple[Pair, Pair]) -> None:
    root = {"RedfishVersion": "1.6.0", "SessionService": {}}
    async with (
        scripted(redfish_certificates[0], tree({"/redfish/v1/": root})) as port,
        RedfishDriver(target(port)) as driver,
    ):
        with pytest.raises(Unsupported):
            await driver.read_subscriptions()


def samples() -> Path:
    return Path(sushy.__file__).parent / "tests/unit/json_samples"


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((samples() / name).read_text(encoding="utf-8"))
    return found


def test_recorded_services_say_what_they_offer() -> None:
    service = recorded("eventservice.json")
    wish = wished(service, "https://192.0.2.1/x", "ours")
    assert wish["Destination"] == "https://192.0.2.1/x"
    assert set(wish["EventTypes"]) <= set(service["EventTypesForSubscription"])
    assert "Alert" in wish["EventTypes"]


def test_recorded_destinations_are_read() -> None:
    found = [
        one
        for path in sorted(samples().glob("eventdestination[0-9]*.json"))
        if (one := subscription(json.loads(path.read_text(encoding="utf-8")))) is not None
    ]
    assert found
    assert all(one.key.startswith("/redfish/v1/EventService/Subscriptions/") for one in found)
    assert all(one.destination.startswith("http") for one in found)


def test_newer_services_are_asked_by_registry() -> None:
    service = {"RegistryPrefixes": ["Base", "ResourceEvent", "OpenBMC", "TaskEvent"], "EventFormatTypes": ["Event"]}
    wish = wished(service, "https://192.0.2.1/x", "ours")
    assert wish["RegistryPrefixes"] == ["ResourceEvent", "OpenBMC"]
    assert "EventTypes" not in wish


def test_what_listens_on_a_stream_is_no_destination() -> None:
    assert subscription({"@odata.id": "/x/1", "SubscriptionType": "SSE", "Destination": None}) is None
