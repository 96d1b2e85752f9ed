"""A controller on the test's own loop, our driver and ipmitool before it."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from apps.drivers.contract import Target
from apps.protocols.ipmi import measuring
from apps.simulators.bmc import Controller, Machine, Pace, Privilege, Server, serve
from tests.peers import program

USERNAME, PASSWORD = "admin", "Geheim-4711"
OPERATOR, VIEWER = "oper", "viewer"
QUICK = Pace(on=0.05, off=0.05, cycle=0.1, soft=0.1, boot=0.3)

Ipmitool = Callable[..., Awaitable[str]]


@pytest.fixture(autouse=True)
def _no_limits_remembered() -> None:
    """Let no test see the limits of a controller that had the same port before."""
    measuring.forget()


@pytest.fixture
async def controller() -> AsyncIterator[Controller]:
    """A controller with an administrator, an operator and a user, whose machine is busy by half."""
    machine = Machine("web-01", serial="SRV0001", asset="ASSET-7", load=lambda at: 0.5, pace=QUICK)
    controller = Controller(machine, "127.51.0.1")
    controller.accounts.add(USERNAME, PASSWORD)
    controller.accounts.add(OPERATOR, PASSWORD, Privilege.OPERATOR)
    controller.accounts.add(VIEWER, PASSWORD, Privilege.USER)
    server = await _serve(controller)
    yield controller
    server.close()
    machine.close()


async def _serve(controller: Controller) -> Server:
    """Take a port that nobody uses, a low one: ipmiconsole refuses those that are beyond 32767."""
    while True:
        try:
            return await serve([controller], random.randint(20_000, 30_000))
        except OSError:
            continue


def target(controller: Controller, username: str = USERNAME, password: str = PASSWORD, **parameters: Any) -> Target:
    """The way to the controller."""
    login = {"username": username, "password": password}
    return Target(controller.address, controller.port, "password", login, parameters, timeout=0.5, retries=1)


@pytest.fixture
def ipmitool(controller: Controller) -> Ipmitool:
    """What ipmitool says, as the administrator and with suite 17 unless told otherwise."""

    async def run(*command: str, suite: int = 17, fails: bool = False, before: tuple[str, ...] = ()) -> str:
        where = ("-I", "lanplus", "-C", str(suite), "-H", controller.address, "-p", str(controller.port), "-E")
        login = () if "-U" in before else ("-U", USERNAME)
        process = await asyncio.create_subprocess_exec(
            program("ipmitool", "ipmitool"),
            *(*where, *login, *before, *command),
            env={**os.environ, "IPMI_PASSWORD": PASSWORD, "LC_ALL": "C", "TZ": "UTC"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = (await asyncio.wait_for(process.communicate(), 60))[0].decode()
        assert bool(process.returncode) is fails, said
        return said

    return run


async def until(holds: Callable[[], object], within: float = 30.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
