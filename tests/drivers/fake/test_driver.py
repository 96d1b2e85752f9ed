"""The fake device: the same arguments give the same values, and its scripts and faults are as they say."""

from collections.abc import Mapping
from typing import Any

import pytest

from apps.drivers.contract import BootDevice, BootOverride, PowerAction, PowerDrawn, PowerState, Status, Target
from apps.drivers.fake.driver import FakeDriver
from apps.protocols.errors import AuthenticationFailed, ContactError, DeviceError, Unreachable, Unsupported


def target(address: str = "198.51.100.7", contact: int = 0, **parameters: Any) -> Target:
    return Target(address, 9, parameters=parameters, state={"contact": contact}, timeout=0.05, retries=0)


async def everything(given: Target) -> tuple[Any, ...]:
    async with FakeDriver(given) as driver:
        return (
            await driver.identify(),
            await driver.read_health(),
            tuple(await driver.read_sensors()),
            tuple(await driver.read_inventory()),
            await driver.read_ports(),
        )


async def test_the_same_device_always_says_the_same() -> None:
    assert await everything(target(seed=5)) == await everything(target(seed=5))


async def test_two_devices_are_two() -> None:
    one, other = await everything(target("198.51.100.7")), await everything(target("198.51.100.8"))
    assert one[0].uuid != other[0].uuid
    assert one[0].serial_number != other[0].serial_number
    assert one[0].mac_addresses != other[0].mac_addresses
    assert [reading.sensor for reading in one[2]] == [reading.sensor for reading in other[2]]


async def test_scripts_go_on_from_contact_to_contact() -> None:
    state: Mapping[str, Any] = {}
    fills = []
    for _ in range(21):
        async with FakeDriver(Target("198.51.100.7", 9, parameters={"script": "filling"}, state=state)) as driver:
            disk = next(r for r in await driver.read_sensors() if r.sensor.key == "storage.1")
        state = driver.state
        fills.append(disk.sensor.limits.judge(disk.value))
    assert fills == [Status.NORMAL] * 9 + [Status.WARNING] * 5 + [Status.CRITICAL] * 7


async def test_an_ailing_device_tells_what_fails() -> None:
    _, health, *_ = await everything(target(script="ailing"))
    assert [(fact.key, fact.status, fact.message % fact.params) for fact in health.facts] == [
        ("fan.2", Status.WARNING, "Fan 2 fails")
    ]


async def test_as_many_sensors_and_ports_as_were_asked_for() -> None:
    *_, readings, _, report = await everything(target(sensors=50, ports=3))
    assert len(readings) == 54
    assert len({reading.sensor.key for reading in readings}) == 54
    assert [port.name for port in report.ports] == ["eth0", "eth1", "eth2"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("silent", Unreachable),
        ("refusing", Unreachable),
        ("denied", AuthenticationFailed),
        ("garbage", DeviceError),
        ("old", Unsupported),
    ],
)
async def test_a_fault_ends_as_its_error(fault: str, error: type[ContactError]) -> None:
    with pytest.raises(error):
        await everything(target(fault=fault))


async def test_a_flapping_device_answers_every_second_time() -> None:
    await everything(target(contact=0, fault="flapping"))
    with pytest.raises(Unreachable):
        await everything(target(contact=1, fault="flapping"))
    await everything(target(contact=2, fault="flapping"))


async def test_a_slow_device_answers_in_the_end() -> None:
    assert (await everything(target(fault="slow")))[0] == (await everything(target()))[0]


async def contacts(count: int, state: Mapping[str, Any], **parameters: Any) -> tuple[list[str], Mapping[str, Any]]:
    """Look at the power so many times, one contact each."""
    seen = []
    for _ in range(count):
        async with FakeDriver(Target("198.51.100.7", 9, parameters=parameters, state=state)) as driver:
            seen.append(str((await driver.read_power()).state))
        state = driver.state
    return seen, state


async def ordered(state: Mapping[str, Any], action: PowerAction, **parameters: Any) -> Mapping[str, Any]:
    async with FakeDriver(Target("198.51.100.7", 9, parameters=parameters, state=state)) as driver:
        await driver.set_power(action)
    return driver.state


@pytest.mark.parametrize(
    ("obedience", "seen"),
    [
        ("prompt", ["off", "off", "off", "off"]),
        ("late", ["on", "on", "off", "off"]),
        ("deaf", ["on", "on", "on", "on"]),
    ],
)
async def test_an_order_is_seen_at_later_contacts_as_the_script_says(obedience: str, seen: list[str]) -> None:
    state = await ordered({}, PowerAction.OFF, obedience=obedience)
    found, state = await contacts(4, state, obedience=obedience)
    assert found == seen
    assert state["machine"]["orders"] == ["power off"]


async def test_a_power_cycle_is_seen_off_and_on_again() -> None:
    state = await ordered({}, PowerAction.CYCLE, obedience="late")
    assert (await contacts(5, state))[0] == ["on", "on", "off", "on", "on"]


async def test_a_device_that_refuses_has_received_the_order_nevertheless() -> None:
    driver = FakeDriver(target(obedience="refusing"))
    with pytest.raises(DeviceError, match="refuses the order"):
        await driver.set_power(PowerAction.OFF)
    assert driver.state["machine"]["orders"] == ["power off"]
    assert (await driver.read_power()).state is PowerState.ON


async def test_the_event_log_goes_on_from_its_place_and_says_when_it_was_emptied() -> None:
    driver = FakeDriver(target())
    first = await driver.read_events({})
    assert [event.key for event in first.events] == ["1", "2", "3"]
    await driver.set_lamp(True)
    second = await driver.read_events(first.place)
    assert ([event.key for event in second.events], second.cleared) == (["4"], False)
    await driver.clear_events()
    third = await driver.read_events(second.place)
    assert (third.events, third.cleared, third.filled) == ((), True, 0.0)
    assert (await driver.read_events(third.place)).cleared is False


async def test_boot_device_lamp_and_meter() -> None:
    assert await FakeDriver(target()).read_power_drawn() is None
    driver = FakeDriver(target(meter="well"))
    wanted = BootOverride(BootDevice.PXE, once=False, uefi=True)
    await driver.set_boot(wanted)
    await driver.set_lamp(True)
    drawn = await driver.read_power_drawn()
    assert await driver.read_boot() == wanted
    assert await driver.read_lamp() is True
    assert drawn is not None
    assert drawn.watts is not None
    assert 150 <= drawn.watts <= 250
    await driver.set_power_cap(151)
    capped = await driver.read_power_drawn()
    assert capped is not None
    assert (capped.watts, capped.cap, capped.throttled) == (160.0, 151.0, drawn.watts > 160)
    await driver.set_power_cap(None)
    await driver.set_power(PowerAction.OFF)
    assert await driver.read_power_drawn() == PowerDrawn(4.0)
    idle = FakeDriver(target(meter="idle"))
    await idle.set_power(PowerAction.OFF)
    assert await idle.read_power_drawn() == PowerDrawn(None)
