"""One thing after another over one connection."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from apps.drivers.redfish import driver as driver_module
from apps.drivers.redfish import sections
from apps.drivers.redfish.driver import RedfishDriver
from apps.drivers.redfish.turns import in_turn
from apps.protocols.redfish import client
from apps.simulators.redfish import Service
from tests.redfish_peers import Pair, scripted, target


async def test_each_waits_for_the_one_before_it() -> None:
    told: list[str] = []

    async def work(name: str) -> str:
        told.append(f"{name} begins")
        await asyncio.sleep(0)
        told.append(f"{name} ends")
        return name

    assert await in_turn(work(name) for name in "ab") == ["a", "b"]
    assert told == ["a begins", "a ends", "b begins", "b ends"]


async def test_a_slow_one_gets_company() -> None:
    goes_on = asyncio.Event()

    async def slow() -> str:
        await goes_on.wait()
        return "slow"

    async def quick() -> str:
        goes_on.set()
        return "quick"

    async with asyncio.timeout(30):
        assert await in_turn((slow(), quick()), waits=0.01) == ["slow", "quick"]


async def test_those_behind_a_slow_one_still_come_one_after_the_other() -> None:
    goes_on = asyncio.Event()
    present = most = 0

    async def slow() -> int:
        await goes_on.wait()
        return 0

    async def quick(number: int) -> int:
        nonlocal present, most
        present += 1
        most = max(most, present)
        await asyncio.sleep(0)
        present -= 1
        if number == 3:
            goes_on.set()
        return number

    async with asyncio.timeout(30):
        works = (slow(), *(quick(number) for number in range(1, 4)))
        assert await in_turn(works, waits=0.5) == [0, 1, 2, 3]
    assert most == 1


async def test_a_failure_beside_a_slow_one_ends_that_too() -> None:
    ended: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append("slow")
            raise

    async def fails() -> None:
        raise ValueError("no")

    async with asyncio.timeout(20):
        with pytest.raises(ValueError, match="no"):
            await in_turn((slow(), fails()), waits=0.01)
        await asyncio.sleep(0)
    assert ended == ["slow"]


async def test_after_a_failure_nothing_is_begun() -> None:
    begun: list[str] = []

    async def fails() -> None:
        raise ValueError("no")

    async def follows() -> None:
        begun.append("follows")

    with pytest.raises(ValueError, match="no"):
        await in_turn((fails(), follows()))
    assert begun == []


async def _poll(driver: RedfishDriver) -> None:
    await driver.read_health()
    await driver.read_events({})


async def _list(driver: RedfishDriver) -> None:
    await driver.identify()
    assert len(await driver.read_inventory()) > 10


async def _poll_and_list(driver: RedfishDriver) -> None:
    await _poll(driver)
    await _list(driver)


@pytest.mark.parametrize("read", [_poll, _list, _poll_and_list])
async def test_a_conversation_is_one_connection_and_reads_nothing_twice(
    read: Callable[[RedfishDriver], Awaitable[None]],
    redfish_certificates: tuple[Pair, Pair],
    ilo: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patient = partial(in_turn, waits=30.0)  # on a machine with much to do all are slow
    monkeypatch.setattr(client, "LONG", 30.0)
    for module in (driver_module, sections):
        monkeypatch.setattr(module, "in_turn", lambda works, **_: patient(works))
    peers: set[Any] = set()

    async def answer(request: web.Request) -> web.StreamResponse:
        peers.add(request.transport and request.transport.get_extra_info("peername"))
        return await ilo.answer(request)

    async with (
        scripted(redfish_certificates[0], answer) as port,
        RedfishDriver(target(port, timeout=30.0, section_limit=0)) as driver,
    ):
        await read(driver)
    asked = [path for method, path in ilo.requests if method == "GET"]
    assert len(asked) > 5
    assert len(asked) == len(set(asked))
    assert "/redfish/v1/Systems/1" not in asked  # it was whole in the list
    assert len(peers) == 1
    assert ilo.sessions == {}
