"""The power meter of DCMI, of machines that are on and off, with a limit and without one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from apps.drivers.bmc.discrete import throttled
from apps.drivers.bmc.driver import BmcDriver
from apps.drivers.contract import PowerDrawn, Target
from apps.protocols.ipmi import IpmiSession
from apps.protocols.ipmi.measuring import Measured
from apps.protocols.ipmi.records import SensorRecord
from tests.protocols.ipmi.scripted import Reply, ScriptedSession

pytestmark = pytest.mark.one_database

READING = "dc b400 6400 2c01 aa00 00000000 60ea0000"  # 180 W; 100 to 300, mean 170, over 60 s
PROCESSOR = SensorRecord(0x20, 0, 40, "CPU1 Status", 3, 1, 0x07, 0x6F)


def controller(*, on: bool, measuring: str = "40", limit: int = 0, knows: bool = True) -> Callable[..., Reply]:
    def reply(netfn: int, command: int, data: bytes) -> Reply:
        if netfn == 0x00:
            return 0, bytes((0x01 if on else 0x00, 0, 0))
        if not knows:
            return 0xC1, b""
        if command == 0x02:
            return 0, bytes.fromhex(f"{READING} {measuring}")
        return (0 if limit else 0x80), bytes.fromhex("dc 0000 01") + limit.to_bytes(2, "little") + bytes(8)

    return reply


async def measured(monkeypatch: pytest.MonkeyPatch, known: list[Measured] | None = None, **about: Any) -> Any:
    session = ScriptedSession(controller(**about))
    driver = BmcDriver(Target("192.0.2.1", 623, "password", {"username": "u", "password": "p"}))

    async def run(work: Callable[[IpmiSession], Any]) -> Any:
        return await work(session)

    monkeypatch.setattr(driver, "_run", run)
    if known is not None:
        driver._known["measured"] = known
    return await driver.read_power_drawn()


@pytest.mark.parametrize(
    ("about", "drawn"),
    [
        ({"on": True}, PowerDrawn(180.0, 100.0, 170.0, 300.0, timedelta(seconds=60))),
        ({"on": True, "limit": 400}, PowerDrawn(180.0, 100.0, 170.0, 300.0, timedelta(seconds=60), cap=400.0)),
        ({"on": False, "measuring": "00"}, PowerDrawn(None)),
        ({"on": False, "measuring": "00", "limit": 400}, PowerDrawn(None, cap=400.0)),
        ({"on": True, "measuring": "00"}, None),
        ({"on": True, "knows": False}, None),
        ({"on": False, "knows": False}, None),
    ],
)
async def test_what_a_controller_measures(monkeypatch, about, drawn):
    assert await measured(monkeypatch, **about) == drawn


@pytest.mark.parametrize(("states", "told"), [({10}, True), ({7}, False), ({7, 10}, True)])
async def test_throttling_is_told_by_the_sensors_of_processors(monkeypatch, states, told):
    found = await measured(monkeypatch, [Measured(PROCESSOR, None, frozenset(states))], on=True, limit=100)
    assert found.throttled is told


def test_nobody_tells_of_throttling_without_such_a_sensor():
    fan = SensorRecord(0x20, 0, 4, "Fan1", 29, 1, 0x04, 0x6F)
    assert throttled([]) is None
    assert throttled([Measured(fan, None, frozenset({10}))]) is None
    assert throttled([Measured(PROCESSOR, None, available=False)]) is None
