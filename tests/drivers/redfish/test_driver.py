"""The Redfish driver on a simulated service: what it reads, what it orders, and what it leaves behind."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from apps.drivers.contract import (
    POWER_OFF,
    BootDevice,
    BootOverride,
    InventoryKind,
    PowerAction,
    PowerDrawn,
    PowerState,
    Stage,
    Status,
    Traces,
)
from apps.drivers.redfish.driver import RedfishDriver
from apps.protocols.errors import Unsupported
from apps.protocols.redfish import Refused, client
from apps.simulators.redfish import Fault, Service
from tests.redfish_peers import SECRET, Pair, scripted, target, tree


async def test_a_check_walks_the_stages_and_keeps_the_fingerprint(ilo: Service) -> None:
    async with RedfishDriver(target(ilo.port)) as driver:
        port, sign_in, protocol = await driver.check()
        state = driver.state
    assert port.params["fingerprint"] == state["pin"]
    assert (sign_in.stage, sign_in.params) == (Stage.SIGN_IN, {"user": "watcher"})
    assert protocol.params == {"version": "1.13.0", "description": "HPE, ProLiant DL360 Gen11"}
    assert SECRET not in json.dumps(state)


async def test_a_healthy_machine(ilo: Service) -> None:
    async with RedfishDriver(target(ilo.port)) as driver:
        assert (await driver.read_health()).facts == ()
        readings = {one.sensor.key: one for one in await driver.read_sensors()}
        states = {one.key: one.words for one in await driver.read_states()}
        identity = await driver.identify()
    assert {key: one.value for key, one in readings.items()} == {
        "temperature.0": 22.0,
        "temperature.1": 40.0,
        "fan.0": 28.0,
        "fan.1": 29.0,
        "power": 214.0,
        "psu.0.output": 107.0,
        "psu.0.input": 203.0,
        "psu.1.output": 107.0,
        "psu.1.input": 203.0,
        "drive.DE00C000.0.life": 97.0,
        "drive.DE00C000.1.life": 96.0,
    }
    assert {key: words[0] for key, words in states.items() if words != ("Working",)} == {"power": "Powered on"}
    assert {"fan.0", "psu.1", "memory.all", "drive.DE00C000.1", "volume.DE00C000.1", "manager.1"} <= states.keys()
    assert (identity.name, identity.serial_number) == ("web-01", "SIM0000001")
    assert (identity.operating_system, identity.agent_version) == (
        "Red Hat Enterprise Linux, 9.4",
        "iLO 6, iLO 6 v1.55",
    )
    assert identity.mac_addresses == ("02:5e:00:00:00:01",)


async def test_a_poll_is_a_handful_of_questions_and_the_next_one_fewer(ilo: Service) -> None:
    async with RedfishDriver(target(ilo.port)) as driver:
        first = await driver.read_health(), await driver.read_sensors(), await driver.read_states()
        state = json.loads(json.dumps(driver.state))
    asked = len(ilo.requests)
    ilo.requests.clear()
    async with RedfishDriver(target(ilo.port, state=state)) as driver:
        second = await driver.read_health(), await driver.read_sensors(), await driver.read_states()
        assert driver.state == state
    assert second == first
    assert asked <= 17
    assert [path for _method, path in ilo.requests if "Session" not in path] == [
        "/redfish/v1/",
        "/redfish/v1/Systems/1",
        "/redfish/v1/Chassis/1/Thermal",
        "/redfish/v1/Chassis/1/Power",
    ]
    assert len(json.dumps(state)) < 4_000


async def test_what_fails_is_told_once(ilo: Service) -> None:
    for fault in (Fault.PSU_FAILED, Fault.FAN_STOPPED, Fault.DRIVE_FAILED):
        ilo.begin(fault)
    async with RedfishDriver(target(ilo.port)) as driver:
        facts = (await driver.read_health()).facts
        readings = {one.sensor.key: one for one in await driver.read_sensors()}
    assert [(one.key, one.status, one.params["part"], one.params["what"]) for one in facts] == [
        ("state.fan.1", Status.CRITICAL, "Fan 2", "Critical"),
        ("state.psu.1", Status.CRITICAL, "Power supply 2", "Critical"),
        ("state.drive.DE00C000.1", Status.CRITICAL, "Slot=14:Port=1:Box=1:Bay=2", "Critical"),
        ("state.volume.DE00C000.1", Status.WARNING, "Volume 1", "Warning"),
    ]
    assert (readings["fan.1"].value, readings["fan.1"].status) == (0.0, None)


async def test_a_machine_that_is_off_is_well_and_some_of_it_is_not_available(ilo: Service) -> None:
    async with RedfishDriver(target(ilo.port)) as driver:
        await driver.read_health()
        state = json.loads(json.dumps(driver.state))
    ilo.machine.reset("ForceOff")
    async with RedfishDriver(target(ilo.port, state=state)) as driver:
        assert (await driver.read_health()).facts == ()
        readings = {one.sensor.key: (one.value, one.why) for one in await driver.read_sensors()}
        states = {one.key: one.words for one in await driver.read_states()}
    assert readings["temperature.0"] == (22.0, "")
    assert readings["power"] == (12.0, "")
    assert {key for key, (_value, why) in readings.items() if why == POWER_OFF} == {"temperature.1", "fan.0", "fan.1"}
    assert states["power"] == ("Powered off",)


async def test_the_inventory(ilo: Service) -> None:
    async with RedfishDriver(target(ilo.port)) as driver:
        items = {item.key: item for item in await driver.read_inventory()}
    assert sorted(items) == [
        "controller.DE00C000.0",
        "drive.DE00C000.0",
        "drive.DE00C000.1",
        "firmware.1",
        "firmware.2",
        "manager.1",
        "memory.proc1dimm1",
        "memory.proc2dimm1",
        "nic.1",
        "nic.1.1",
        "processor.1",
        "processor.2",
        "psu.0",
        "psu.1",
        "system",
        "volume.DE00C000.1",
    ]
    assert items["memory.proc1dimm1"].kind is InventoryKind.MEMORY
    assert items["memory.proc1dimm1"].details["Size (bytes)"] == 64 * 1024**3
    assert items["psu.1"].name == "Power supply 2"
    assert items["firmware.2"].details == {"Version": "U54 v2.12 (01/17/2026)", "Part": "System Board"}
    assert items["nic.1.1"].details["Addresses"] == "192.0.2.41"
    assert ilo.sessions == {}


async def test_power(ilo: Service) -> None:
    async with RedfishDriver(target(ilo.port)) as driver:
        report = await driver.read_power()
        await driver.set_power(PowerAction.RESET)
        with pytest.raises(Unsupported):
            await driver.set_power(PowerAction.CYCLE)
        await driver.set_power(PowerAction.OFF)
        assert (await driver.read_power()).state is PowerState.OFF  # looked at anew in the same conversation
    assert (report.state, report.actions) == (PowerState.ON, frozenset(PowerAction) - {PowerAction.CYCLE})
    assert ilo.machine.orders == ["ForceRestart", "ForceOff"]
    async with RedfishDriver(target(ilo.port)) as driver:
        assert (await driver.read_power()).state is PowerState.OFF
        with pytest.raises(Refused, match="The system state does not allow it"):
            await driver.set_power(PowerAction.SHUTDOWN)
        await driver.set_power(PowerAction.ON)
    assert ilo.machine.orders == ["ForceRestart", "ForceOff", "On"]


async def test_a_machine_that_is_still_switching_off_is_told_again_to_switch_on(
    ilo: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SETTLES_AFTER", 0.05)
    now = [0.0]

    def clock() -> float:
        now[0] += 1.0  # each look at the clock is a second
        return now[0]

    ilo.machine.clock, ilo.machine.switches_off_in = clock, 12.0
    ilo.machine.reset("ForceOff")
    async with RedfishDriver(target(ilo.port)) as driver:
        assert (await driver.read_power()).state is None  # it is being switched off
        await driver.set_power(PowerAction.ON)
    assert ilo.machine.orders == ["ForceOff", "On"]
    orders = [path for method, path in ilo.requests if method == "POST" and path.endswith("Reset")]
    assert len(orders) > 1


async def test_boot_device(ilo: Service) -> None:
    async with RedfishDriver(target(ilo.port)) as driver:
        assert await driver.read_boot() == BootOverride(BootDevice.NONE, uefi=True)
        await driver.set_boot(BootOverride(BootDevice.PXE, once=False, uefi=False))
        assert (await driver.read_boot()).device is BootDevice.PXE
    async with RedfishDriver(target(ilo.port)) as driver:
        assert await driver.read_boot() == BootOverride(BootDevice.PXE, once=False, uefi=False)
        await driver.set_boot(BootOverride(BootDevice.NONE))
    assert ilo.machine.boot["Enabled"] == "Disabled"


async def test_lamp(ilo: Service) -> None:
    async with RedfishDriver(target(ilo.port)) as driver:
        assert await driver.read_lamp() is False
        await driver.set_lamp(True)
        assert ilo.machine.lit
        assert await driver.read_lamp() is True
        with pytest.raises(Unsupported, match="only until it is put out"):
            await driver.set_lamp(True, timedelta(minutes=5))
        await driver.set_lamp(False)
        assert not ilo.machine.lit


async def test_power_meter_and_cap(ilo: Service) -> None:
    metered = PowerDrawn(214.0, 204.0, 214.0, 254.0, timedelta(minutes=20), sensor="power")
    async with RedfishDriver(target(ilo.port)) as driver:
        assert await driver.read_power_drawn() == metered
        await driver.set_power_cap(350)
        drawn = await driver.read_power_drawn()
        assert drawn is not None
        assert (ilo.machine.cap, drawn.cap, drawn.throttled) == (350, 350.0, False)
        await driver.set_power_cap(100)
        drawn = await driver.read_power_drawn()
        assert drawn is not None
        assert (drawn.watts, drawn.cap, drawn.throttled) == (160.0, 100.0, True)
        await driver.set_power_cap(None)
        assert await driver.read_power_drawn() == metered
    assert ilo.machine.cap == 0


async def test_the_logs_are_read_from_where_the_last_look_ended(ilo: Service) -> None:
    async with RedfishDriver(target(ilo.port)) as driver:
        first = await driver.read_events({})
    assert sorted(event.key for event in first.events) == ["IEL/1", "IML/1"]
    assert first.filled == 0.1  # 1 of 2000, in %
    ilo.begin(Fault.PSU_FAILED)
    ilo.requests.clear()
    async with RedfishDriver(target(ilo.port)) as driver:
        second = await driver.read_events(json.loads(json.dumps(first.place)))
    (event,) = second.events
    assert (event.key, event.status, event.source, event.asserted) == ("IML/2", Status.CRITICAL, "Power", True)
    assert event.text == "System Power Supply: General Failure (Power Supply 2)"
    ilo.begin(Fault.FAN_STOPPED)
    ilo.requests.clear()
    async with RedfishDriver(target(ilo.port)) as driver:
        third = await driver.read_events(second.place)
    assert [event.key for event in third.events] == ["IML/3"]
    entries = [path for _method, path in ilo.requests if "IML/Entries" in path]
    assert entries == ["/redfish/v1/Systems/1/LogServices/IML/Entries?$skip=1"] + [
        f"/redfish/v1/Systems/1/LogServices/IML/Entries/{number}" for number in (2, 3)
    ]


async def test_clearing_the_logs(ilo: Service) -> None:
    async with RedfishDriver(target(ilo.port)) as driver:
        place = (await driver.read_events({})).place
        ilo.begin(Fault.FAN_STOPPED)
        place = (await driver.read_events(place)).place
        await driver.clear_events()
    async with RedfishDriver(target(ilo.port)) as driver:
        after = await driver.read_events(place)
    assert after.cleared
    assert sorted(after.logs) == ["IEL/", "IML/"]  # also where the first entry came in the second of the last one
    assert {event.text for event in after.events} == {"Log cleared."}


async def test_a_restart_is_seen_by_the_time_of_it_or_by_how_far_it_has_started(
    redfish_certificates: tuple[Pair, Pair],
) -> None:
    system: dict[str, Any] = {"Id": "1", "PowerState": "On"}
    resources = {
        "/redfish/v1/": {"RedfishVersion": "1.15.0", "Systems": {"@odata.id": "/redfish/v1/Systems"}},
        "/redfish/v1/Systems": {"Members": [{"@odata.id": "/redfish/v1/Systems/1"}]},
        "/redfish/v1/Systems/1": system,
    }

    async def traces(**told: Any) -> Traces:
        system.update(told)
        async with RedfishDriver(target(port)) as driver:
            return await driver.read_traces()

    async with scripted(redfish_certificates[0], tree(resources)) as port:
        silent = await traces()
        assert silent.tell is False
        before = await traces(LastResetTime="2026-11-27T00:00:00Z", BootProgress={"LastState": "OSRunning"})
        assert before.tell
        assert not (await traces()).restarted_since(before)
        timed = await traces(LastResetTime="2026-11-27T00:01:00Z")
        assert timed.restarted_since(before)
        assert (await traces(BootProgress={"LastState": "BusInitializationStarted"})).restarted_since(timed)
        assert not (await traces(BootProgress={"LastState": "OSRunning"})).restarted_since(timed)


async def test_a_log_that_was_emptied_and_filled_again_within_one_second_is_read_whole(ilo: Service) -> None:
    ilo.begin(Fault.PSU_FAILED)
    ilo.begin(Fault.FAN_STOPPED)
    async with RedfishDriver(target(ilo.port)) as driver:
        place = (await driver.read_events({})).place
    assert place["IML"]["last"] == "3"
    last = ilo.machine.iml[-1]
    ilo.machine.iml.clear()
    for number in (1, 2, 3, 4):
        ilo.machine.iml.append(replace(last, number=number, text=f"after the clearing {number}"))
    async with RedfishDriver(target(ilo.port)) as driver:
        after = await driver.read_events(json.loads(json.dumps(place)))
    assert after.logs == ("IML/",)
    assert [event.text for event in after.events] == [f"after the clearing {number}" for number in (1, 2, 3, 4)]
    async with RedfishDriver(target(ilo.port)) as driver:
        assert not (await driver.read_events(after.place)).events
