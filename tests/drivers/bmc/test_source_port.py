"""Many controllers are asked from one port of ours, by several conversations, processes and a console at once."""

import asyncio
import socket
import sys

import pytest

from apps.drivers.bmc.driver import BmcDriver
from apps.drivers.contract import Target
from apps.protocols.errors import DeviceError
from apps.protocols.ipmi.source_ports import SourcePort
from apps.simulators.bmc import Controller, Fault
from tests.controllers import PASSWORD, TWENTY, USERNAME, LoopThread
from tests.ipmi_sim import IpmiSim, ipmi_sim
from tests.peers import free_udp_port

NETWORK = "127.0.75"
READER = """
import asyncio, sys
from apps.drivers.bmc.driver import BmcDriver
from apps.drivers.contract import Target

async def read(source_port, port, password, *addresses):
    login = {"username": "admin", "password": password}
    async def one(address):
        target = Target(address, int(port), "password", login, {"source_port": int(source_port)}, 1.0, 1)
        async with BmcDriver(target) as driver:
            return len(await driver.read_sensors()), (await driver.identify()).serial_number
    for _ in range(2):
        told = await asyncio.gather(*(one(address) for address in addresses))
        print([sensors for sensors, _serial in told], [serial for _sensors, serial in told] == list(addresses))

asyncio.run(read(*sys.argv[1:]))
"""


def heard(rack: list[Controller]) -> set[int]:
    """Note from which ports packets come from now on."""
    ports: set[int] = set()
    for one in rack:
        take = one.receive
        one.receive = lambda data, peer, take=take: (ports.add(peer[1]), take(data, peer))  # type: ignore[method-assign]
    return ports


def target(controller: Controller, source_port: int) -> Target:
    login = {"username": USERNAME, "password": PASSWORD}
    where = controller.address, controller.port
    return Target(*where, "password", login, {"source_port": source_port}, timeout=1.0, retries=1)


async def test_two_processes_ask_twenty_controllers_at_once_from_one_port(
    rack: list[Controller], thread: LoopThread
) -> None:
    """Slow ones, so that both speak with each of them at the same time: one would else get the other's answers."""
    ports, source_port = heard(rack), free_udp_port()
    for one in rack:
        one.slowness = 0.02
        thread.call(lambda one=one: one.begin(Fault.SLOW))
    words = [str(source_port), str(rack[0].port), PASSWORD, *(one.address for one in rack)]
    readers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", READER, *words), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        for _ in range(2)
    ]
    async with asyncio.timeout(60):
        told = [(await reader.communicate())[0].decode().splitlines() for reader in readers]
    assert told == [[f"{[19] * TWENTY} True"] * 2] * 2
    assert ports == {source_port}
    assert [(one.sessions.opened, len(one.sessions)) for one in rack] == [(4, 0)] * TWENTY


async def test_beside_an_open_console_the_next_port_is_used(rack: list[Controller]) -> None:
    ports, source_port = heard(rack[:1]), free_udp_port()
    async with asyncio.timeout(30), BmcDriver(target(rack[0], source_port)) as typing:
        line = await typing.open_console()
        assert ports == {source_port}
        words = [str(source_port), str(rack[0].port), PASSWORD, rack[0].address]
        other = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", READER, *words), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        assert (await other.communicate())[0].decode() == "[19] True\n[19] True\n"
        assert ports == {source_port, source_port + 1}
        line_says = b""
        await line.write(b"\r")
        while b"login: " not in line_says:
            line_says += await line.read()
    assert len(rack[0].sessions) == 0


async def test_conversations_with_one_controller_take_turns_whatever_becomes_of_one() -> None:
    peer = ("192.0.2.7", 623)
    first = await SourcePort.take(47117, peer)
    other = await SourcePort.take(47117, ("192.0.2.8", 623))
    waiting = asyncio.ensure_future(SourcePort.take(47117, peer))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    first.give_back()
    async with asyncio.timeout(10):
        second = await waiting
        second.stay()
        third = await SourcePort.take(47117, peer)
    assert (first.port, second.port, third.port, other.port) == (47117, 47117, 47118, 47117)
    last = await SourcePort.take(65535, peer)
    last.stay()
    assert (await SourcePort.take(65535, peer)).port == 65534


async def test_a_port_that_another_program_has_is_told_as_that(rack: list[Controller]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", 0))
        port = other.getsockname()[1]
        with pytest.raises(DeviceError, match=f"UDP port {port} of the portal"):
            async with BmcDriver(target(rack[0], port)):
                pytest.fail("signed in")


async def test_a_foreign_controller_is_asked_from_a_port_beside_others(tmp_path_factory) -> None:
    source_port = free_udp_port()
    login = {"username": USERNAME, "password": PASSWORD}
    with ipmi_sim(tmp_path_factory.mktemp("bmc")) as simulator:

        async def temperature(simulator: IpmiSim) -> float | None:
            where = Target("127.0.0.1", simulator.port, "password", login, {"source_port": source_port}, timeout=1.0)
            async with BmcDriver(where) as driver:
                return (await driver.read_sensors())[0].value

        async with asyncio.timeout(30):
            assert await asyncio.gather(*(temperature(simulator) for _ in range(3))) == [48.0] * 3
        assert simulator.sessions() == 0
