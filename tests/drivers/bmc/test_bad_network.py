"""A way to the controller that loses, repeats and delays packets: no value is ever taken for another sensor's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from apps.drivers.bmc.driver import BmcDriver
from apps.drivers.contract import PowerAction, Target
from apps.protocols.errors import Stage, Unreachable
from apps.protocols.ipmi import session
from tests.ipmi_sim import PASSWORD, USERNAME, IpmiSim, ipmi_sim

VALUES = [("CPU1 Temp", 48.0), ("P12V", 12.12), ("Fan1", 4200.0), ("PS Power", 180.0), ("Ambient", -5.0)]
Delays = Callable[[int], tuple[float, ...]]  # of the n-th answer: when each copy of it goes on, in seconds


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpmiSim]:
    """One controller for the whole module."""
    with ipmi_sim(tmp_path_factory.mktemp("bmc")) as running:
        yield running


class Way(asyncio.DatagramProtocol):
    """Passes questions on at once, and answers as it is told, once somebody has signed in."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.delays: Delays = lambda _: (0,)
        self.answers = 0
        self.client: Any = None
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, peer: Any) -> None:
        if peer[1] != self.port:
            self.client = peer
            self.transport.sendto(data, ("127.0.0.1", self.port))
            return
        self.answers += 1
        for delay in self.delays(self.answers):
            asyncio.get_running_loop().call_later(delay, self._pass_on, data, self.client)

    def _pass_on(self, data: bytes, client: Any) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(data, client)


@asynccontextmanager
async def way_to(simulator: IpmiSim, delays: Delays) -> AsyncIterator[tuple[BmcDriver, Way]]:
    """Sign in over a good network, which then becomes a bad one."""
    loop = asyncio.get_running_loop()
    transport, way = await loop.create_datagram_endpoint(lambda: Way(simulator.port), local_addr=("127.0.0.1", 0))
    login = {"username": USERNAME, "password": PASSWORD}
    target = Target("127.0.0.1", transport.get_extra_info("sockname")[1], "password", login, {}, 0.2, 1)
    try:
        async with asyncio.timeout(30), BmcDriver(target) as driver:
            way.answers, way.delays = 0, delays
            yield driver, way
            way.delays = lambda _: (0,)
    finally:
        transport.close()


@pytest.mark.parametrize(
    "delays",
    [
        pytest.param(lambda number: () if number % 4 == 2 else (0,), id="lost"),
        pytest.param(lambda number: (0, 0, 0.03), id="repeated"),
        pytest.param(lambda number: (0.15,) if number % 4 == 2 else (0,), id="later than the second question"),
    ],
)
async def test_values_are_those_of_their_sensors(
    simulator: IpmiSim, delays: Delays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session.IpmiSession, "_waits", lambda _: iter((0.1, 0.2, 0.4, 0.8)))
    async with way_to(simulator, delays) as (driver, way):
        readings = await driver.read_sensors()
        assert [(one.sensor.name, one.value) for one in readings] == VALUES
        assert way.answers > len(VALUES)
    assert simulator.sessions() == 0


async def test_an_order_whose_answer_is_lost_is_not_given_twice(
    simulator: IpmiSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "ORDER_PATIENCE", 0.3)
    before = len(simulator.orders())
    async with way_to(simulator, lambda _: ()) as (driver, _):
        with pytest.raises(Unreachable) as lost:
            await driver.set_power(PowerAction.RESET)
    assert lost.value.stage is Stage.PROTOCOL
    assert simulator.orders()[before:] == ["set reset 1"]
