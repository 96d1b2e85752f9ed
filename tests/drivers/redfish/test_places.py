"""Where the chassis lead is remembered between polls, and asked again when something is not as it should be."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from apps.drivers.redfish import places
from apps.drivers.redfish.driver import RedfishDriver
from apps.simulators.redfish import Service
from tests.redfish_peers import Pair, scripted, target, tree

CHASSIS = "/redfish/v1/Chassis/1"
KEPT = {"at": 1000, "of": [CHASSIS], "chassis": [{"@odata.id": CHASSIS, "Id": "1"}]}


async def _poll(port: int, state: Mapping[str, Any]) -> tuple[set[str], Mapping[str, Any]]:
    async with RedfishDriver(target(port, state=state)) as driver:
        await driver.read_health()
        return {one.sensor.key for one in await driver.read_sensors()}, json.loads(json.dumps(driver.state))


async def test_a_poll_does_not_ask_again_where_the_chassis_leads(ilo: Service) -> None:
    first, state = await _poll(ilo.port, {})
    ilo.requests.clear()
    second, state = await _poll(ilo.port, state)
    assert first == second
    assert "GET" in {method for method, _path in ilo.requests}
    assert CHASSIS not in {path for _method, path in ilo.requests}
    state["places"]["at"] -= places.TRUSTED + 1
    await _poll(ilo.port, state)
    assert CHASSIS in {path for _method, path in ilo.requests}


async def test_after_a_place_that_is_gone_the_chassis_is_asked_anew(redfish_certificates: tuple[Pair, Pair]) -> None:
    fans = {"Fans": [{"MemberId": "0", "Name": "Fan 1", "Reading": 30, "ReadingUnits": "Percent"}]}
    resources: dict[str, dict[str, Any]] = {
        "/redfish/v1/": {"RedfishVersion": "1.6.0", "Systems": {"@odata.id": "/redfish/v1/Systems"}},
        "/redfish/v1/Systems": {"Members": [{"@odata.id": "/redfish/v1/Systems/1"}]},
        "/redfish/v1/Systems/1": {"PowerState": "On", "Links": {"Chassis": [{"@odata.id": CHASSIS}]}},
        CHASSIS: {"Id": "1", "Thermal": {"@odata.id": f"{CHASSIS}/Old"}},
        f"{CHASSIS}/Old": fans,
    }
    async with scripted(redfish_certificates[0], tree(resources)) as port:
        sensors, state = await _poll(port, {})
        assert sensors == {"fan.0"}
        resources[CHASSIS]["Thermal"] = {"@odata.id": f"{CHASSIS}/New"}
        resources[f"{CHASSIS}/New"] = resources.pop(f"{CHASSIS}/Old")
        async with RedfishDriver(target(port, state=state)) as driver:
            assert "unread.cooling" in {fact.key for fact in (await driver.read_health()).facts}
            state = json.loads(json.dumps(driver.state))
        sensors, _state = await _poll(port, state)
        assert sensors == {"fan.0"}


@pytest.mark.parametrize(
    ("kept", "paths", "now"),
    [
        (KEPT, [CHASSIS], 1000 + places.TRUSTED),
        (KEPT, [CHASSIS], 999.0),  # the clock was set back
        (KEPT, ["/redfish/v1/Chassis/2"], 1001.0),
        ({**KEPT, "chassis": []}, [CHASSIS], 1001.0),
        ({**KEPT, "chassis": ["1"]}, [CHASSIS], 1001.0),
        ({**KEPT, "at": "now"}, [CHASSIS], 1001.0),
        (None, [CHASSIS], 1001.0),
    ],
)
def test_what_is_old_or_of_another_system_or_odd_is_not_believed(kept: Any, paths: list[str], now: float) -> None:
    assert places.remembered(KEPT, [CHASSIS], 1001.0) == KEPT["chassis"]
    assert places.remembered(kept, paths, now) is None
