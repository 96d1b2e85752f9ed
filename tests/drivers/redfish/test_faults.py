"""What goes wrong between us and a service: the rest goes on, and no session is left open."""

import asyncio
import json
import logging
import time

import pytest
from aiohttp import web

from apps.drivers.contract import Status
from apps.drivers.redfish import sections
from apps.drivers.redfish.driver import RedfishDriver
from apps.drivers.redfish.health import TOO_SLOW
from apps.protocols.errors import AuthenticationFailed, DeviceError, Stage, Unreachable, Unsupported
from apps.simulators.redfish import Fault, Service
from tests.redfish_peers import SECRET, Pair, scripted, target

LINKS = {
    name: {"@odata.id": f"/redfish/v1/{name}"} for name in ("Chassis", "Managers", "Processors", "Memory", "Storage")
}


async def test_a_slow_section_keeps_its_state_and_costs_no_other(
    ilo: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sections, "SELDOM", 0.0)  # everything is due
    ilo.begin(Fault.DRIVE_FAILED)
    async with RedfishDriver(target(ilo.port)) as driver:
        known = await driver.read_states()
        state = json.loads(json.dumps(driver.state))
    ilo.begin(Fault.SLOW)
    started = time.monotonic()
    async with RedfishDriver(target(ilo.port, section_limit=1, state=state)) as driver:
        facts = {fact.key: fact for fact in (await driver.read_health()).facts}
        readings = {one.sensor.key: (one.value, one.why) for one in await driver.read_sensors()}
        assert {one.key: one.words for one in await driver.read_states()} == {one.key: one.words for one in known}
        state = json.loads(json.dumps(driver.state))
    assert time.monotonic() - started < 5
    assert facts["unread.storage"].status is Status.UNKNOWN
    assert facts["unread.storage"].params == {
        "part": "Storage",
        "error": "127.0.0.1 did not answer within 1 s.",
    }
    assert facts["state.drive.DE00C000.1"].status is Status.CRITICAL  # as it was when it was last seen
    assert readings["drive.DE00C000.0.life"] == (None, TOO_SLOW)
    assert readings["temperature.0"] == (22.0, "")
    assert ilo.sessions == {}

    # It is left in peace for a while, and what is known of it stays.
    ilo.requests.clear()
    async with RedfishDriver(target(ilo.port, section_limit=1, state=state)) as driver:
        assert "unread.storage" in {fact.key for fact in (await driver.read_health()).facts}
    assert not [path for _method, path in ilo.requests if "Storage" in path]


async def test_a_section_without_a_limit_has_all_the_time_of_the_poll_and_then_is_stale(
    ilo: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "SELDOM", 0.0)
    monkeypatch.setattr(ilo.machine, "slowness", 1.2)
    ilo.begin(Fault.SLOW)
    loop = asyncio.get_running_loop()
    async with RedfishDriver(target(ilo.port, timeout=0.1, section_limit=0)) as driver:
        driver.until = loop.time() + 60.0
        facts = {fact.key for fact in (await driver.read_health()).facts}
        assert "unread.storage" not in facts  # it took longer than an answer may take elsewhere, and was waited for
    async with RedfishDriver(target(ilo.port, timeout=0.1, section_limit=0)) as driver:
        driver.until = loop.time() + sections.REST_TAKES + 0.5
        facts = {fact.key for fact in (await driver.read_health()).facts}
        assert "unread.storage" in facts
    assert ilo.sessions == {}


async def test_a_poll_that_found_power_slow_does_not_ask_the_meter(
    ilo: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(driver: RedfishDriver) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(RedfishDriver, "_read_supply", slow)
    async with RedfishDriver(target(ilo.port, section_limit=1)) as driver:
        assert "unread.power" in {fact.key for fact in (await driver.read_health()).facts}
        assert await driver.read_power_drawn() is None
    assert not [path for _method, path in ilo.requests if path.endswith("/Power")]
    async with RedfishDriver(target(ilo.port)) as driver:  # an order that looks is no poll
        assert await driver.read_power_drawn() is not None


async def test_a_slow_section_of_the_inventory_is_one_item_that_says_so(ilo: Service) -> None:
    ilo.begin(Fault.SLOW)
    async with RedfishDriver(target(ilo.port, section_limit=1)) as driver:
        items = {item.key: item for item in await driver.read_inventory()}
    assert items["unread.storage"].status is Status.UNKNOWN
    assert items["unread.storage"].details == {"Not read": "127.0.0.1 did not answer within 1 s."}
    assert {"system", "processor.1", "psu.0", "manager.1"} <= items.keys()


async def test_a_changed_certificate_is_told_and_the_new_one_can_be_entered(ilo: Service) -> None:
    async with RedfishDriver(target(ilo.port)) as driver:
        state = driver.state
    ilo.begin(Fault.WRONG_CERTIFICATE)
    ilo.requests.clear()
    with pytest.raises(DeviceError, match="another certificate than before") as failed:
        async with RedfishDriver(target(ilo.port, state=state)):
            pytest.fail("signed in")
    assert (failed.value.stage, list(ilo.requests)) == (Stage.PORT, [])
    shown = failed.value.params["shown"]
    written = ":".join(shown[place : place + 2].upper() for place in range(0, 64, 2))
    async with RedfishDriver(target(ilo.port, state=state, certificate=written)) as driver:
        await driver.check()
        assert driver.state["pin"] == shown
    with pytest.raises(Unsupported, match="not 64 hexadecimal digits"):
        async with RedfishDriver(target(ilo.port, certificate="ab:cd")):
            pytest.fail("signed in")


async def test_a_wrong_password_is_asked_once(ilo: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ilo.begin(Fault.WRONG_PASSWORD)
    with pytest.raises(AuthenticationFailed):
        async with RedfishDriver(target(ilo.port)) as driver:
            await driver.check()
    assert [path for method, path in ilo.requests if method == "POST"] == ["/redfish/v1/SessionService/Sessions"]
    assert SECRET not in caplog.text


async def test_a_full_service_is_unreachable_for_now(ilo: Service) -> None:
    ilo.begin(Fault.SESSION_FULL)
    with pytest.raises(Unreachable, match="no free session"):
        async with RedfishDriver(target(ilo.port)) as driver:
            await driver.check()
    ilo.mend(Fault.SESSION_FULL)
    async with RedfishDriver(target(ilo.port)) as driver:
        await driver.check()
    assert (ilo.opened, ilo.sessions) == (1, {})


async def test_whoever_is_killed_in_the_middle_of_a_poll_signs_out(ilo: Service) -> None:
    async def poll() -> None:
        async with asyncio.timeout(0.5), RedfishDriver(target(ilo.port)) as driver:
            await driver.read_health()

    ilo.begin(Fault.SLOW)
    with pytest.raises(TimeoutError):
        await poll()
    assert (ilo.opened, ilo.sessions) == (1, {})


async def test_a_service_that_dies_in_the_middle_of_a_poll(ilo: Service) -> None:
    async with RedfishDriver(target(ilo.port, timeout=0.1)) as driver:
        ilo.begin(Fault.SILENT)
        with pytest.raises(Unreachable, match="does not answer in time"):
            await driver.read_health()
        ilo.mend(Fault.SILENT)


async def test_a_service_that_breaks_off_in_the_middle_of_a_poll_is_not_slow(
    redfish_certificates: tuple[Pair, Pair],
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path in ("/redfish/v1/", "/redfish/v1/Systems/1"):
            return web.json_response({"RedfishVersion": "1.0", "Id": "1", "PowerState": "On"} | LINKS)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    state = {"system": "/redfish/v1/Systems/1"}
    async with (
        scripted(redfish_certificates[0], answer) as port,
        RedfishDriver(target(port, state=state)) as driver,
    ):
        with pytest.raises(Unreachable, match="breaks the connection off"):
            await driver.read_health()
        assert "sections" not in driver.state


async def test_another_system_than_there_is(ilo: Service) -> None:
    async with RedfishDriver(target(ilo.port, system="2")) as driver:
        with pytest.raises(Unsupported, match="manages no such system"):
            await driver.check()
    async with RedfishDriver(target(ilo.port, state={"system": "/redfish/v1/Systems/old"})) as driver:
        await driver.check()
        assert driver.state["system"] == "/redfish/v1/Systems/1"
