"""Our driver on the emulator of ``sushy-tools``, which others wrote: an OpenStack project's Redfish service."""

import asyncio
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.drivers.contract import BootDevice, BootOverride, PowerAction, PowerState, Target
from apps.drivers.redfish.driver import RedfishDriver
from apps.protocols.pinning import CONTEXT
from tests.redfish_peers import Pair

START_WITHIN = 20.0  # seconds
SEEN_WITHIN = 15.0
UUID = "7f0e1c58-6e1c-4f3b-9d44-5d1f0c0a1a2b"
SETTINGS = """
import random
random.randint = lambda low, high: low  # a change of power takes 1 to 11 s: here always 1
SUSHY_EMULATOR_LISTEN_IP = "127.0.0.1"
SUSHY_EMULATOR_LISTEN_PORT = {port}
SUSHY_EMULATOR_SSL_CERT = {certificate!r}
SUSHY_EMULATOR_SSL_KEY = {key!r}
SUSHY_EMULATOR_STATE_DIR = {folder!r}
SUSHY_EMULATOR_FAKE_DRIVER = True
SUSHY_EMULATOR_FAKE_SYSTEMS = [
    {{
        "uuid": {uuid!r},
        "name": "node-1",
        "power_state": "Off",
        "nics": [{{"mac": "00:5c:52:31:3a:9c", "ip": "192.0.2.7"}}],
    }}
]
"""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory, redfish_certificates: tuple[Pair, Pair]) -> Iterator[int]:
    """The emulator with one machine that is off; gives its port."""
    folder: Path = tmp_path_factory.mktemp("sushy")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    certificate, key = map(str, redfish_certificates[0])
    settings = folder / "emulator.conf"
    settings.write_text(SETTINGS.format(port=port, certificate=certificate, key=key, folder=str(folder), uuid=UUID))
    said = (folder / "emulator.log").open("w+")
    program = [sys.executable, "-m", "sushy_tools.emulator.main", "--config", str(settings), "--fake"]
    process = subprocess.Popen(program, stdout=said, stderr=said, cwd=folder)
    try:
        _wait(port, process, folder)
        yield port
    finally:
        process.terminate()
        process.wait(10)
        said.close()


def _wait(port: int, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    until = time.monotonic() + START_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"https://127.0.0.1:{port}/redfish/v1/", context=CONTEXT, timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("sushy-emulator does not start: " + (folder / "emulator.log").read_text()[-2000:])


def reach(port: int) -> Target:
    return Target("127.0.0.1", port, "password", {"username": "admin", "password": "any"})


async def seen(port: int, wanted: PowerState) -> bool:
    """Wait until the service says that the machine is so."""
    until = time.monotonic() + SEEN_WITHIN
    while time.monotonic() < until:
        async with RedfishDriver(reach(port)) as driver:
            if (await driver.read_power()).state is wanted:
                return True
        await asyncio.sleep(0.2)
    return False


async def test_our_driver_switches_a_foreign_service_on_and_off(emulator: int) -> None:
    async with RedfishDriver(reach(emulator)) as driver:
        await driver.check()
        identity = await driver.identify()
        assert (identity.name, identity.uuid, identity.mac_addresses) == ("node-1", UUID, ("00:5c:52:31:3a:9c",))
        report = await driver.read_power()
        assert report.state is PowerState.OFF
        assert {PowerAction.ON, PowerAction.OFF, PowerAction.SHUTDOWN, PowerAction.RESET} <= report.actions
        await driver.set_power(PowerAction.ON)
    assert await seen(emulator, PowerState.ON)
    async with RedfishDriver(reach(emulator)) as driver:
        await driver.set_power(PowerAction.OFF)
    assert await seen(emulator, PowerState.OFF)


async def test_our_driver_sets_the_boot_device_of_a_foreign_service(emulator: int) -> None:
    async with RedfishDriver(reach(emulator)) as driver:
        await driver.set_boot(BootOverride(BootDevice.PXE, once=False))
    async with RedfishDriver(reach(emulator)) as driver:
        assert (await driver.read_boot()).device is BootDevice.PXE


async def test_a_poll_of_a_foreign_service(emulator: int) -> None:
    async with RedfishDriver(reach(emulator)) as driver:
        health = await driver.read_health()
        readings = await driver.read_sensors()
        states = {one.key for one in await driver.read_states()}
        items = {item.key for item in await driver.read_inventory()}
    # It leads to a storage that its fake machines do not have, and answers 500 there: that costs nothing else.
    assert [fact.key for fact in health.facts] == ["unread.storage"]
    assert {reading.sensor.unit for reading in readings} >= {"°C", "rpm"}
    assert "power" in states
    assert "system" in items
