"""Ping alone: real ICMP on loopback."""

import pytest

from apps.drivers.alert_only.driver import AlertOnlyDriver
from apps.drivers.contract import Quantity, Target
from apps.protocols.errors import Stage, Unreachable


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
async def test_a_device_that_answers_is_well(address: str) -> None:
    async with AlertOnlyDriver(Target(address, None)) as driver:
        steps = await driver.check()
        health = await driver.read_health()
        (reading,) = await driver.read_sensors()

    assert [step.stage for step in steps] == [Stage.ROUTE]
    assert health.facts == ()
    assert (reading.sensor.key, reading.sensor.unit, reading.sensor.quantity) == ("latency", "ms", Quantity.LATENCY)
    assert reading.value is not None
    assert 0 < reading.value < 1000


async def test_a_name_that_nobody_knows_is_the_stage_name() -> None:
    with pytest.raises(Unreachable) as unknown:
        async with AlertOnlyDriver(Target("no..such..name", None)) as driver:
            await driver.check()
    assert unknown.value.stage is Stage.NAME


async def test_one_contact_asks_once() -> None:
    async with AlertOnlyDriver(Target("127.0.0.1", None)) as driver:
        first = await driver.read_sensors()
        assert await driver.read_sensors() == first
