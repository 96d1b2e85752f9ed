"""Simulated management controllers for tests that do not run in the controllers' own loop: it runs in a thread."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import pytest

from apps.protocols.ipmi import measuring
from apps.simulators.bmc import Controller, Machine, Pace, Server, serve

TWENTY = 20
USERNAME, PASSWORD = "admin", "Geheim-4711"
QUICK = Pace(on=0.05, off=0.05, cycle=0.1, soft=0.1, boot=0.3)

T = TypeVar("T")


@dataclass(frozen=True)
class LoopThread:
    """An event loop that runs elsewhere; what is in it is only touched there."""

    loop: asyncio.AbstractEventLoop

    def wait(self, work: Awaitable[T], seconds: float = 20.0) -> T:
        """Have something done there, and wait for it."""

        async def do() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(do(), self.loop).result(seconds)

    def call(self, act: Callable[[], T]) -> T:
        """Call something there; gives what it gave."""

        async def do() -> T:
            return act()

        return self.wait(do())


@contextlib.contextmanager
def loop_thread() -> Iterator[LoopThread]:
    """Run an event loop in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield LoopThread(loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="module")
def thread() -> Iterator[LoopThread]:
    """The loop of a test file's controllers."""
    with loop_thread() as running:
        yield running


@contextlib.contextmanager
def controllers(
    thread: LoopThread, addresses: Iterable[str], *, password: str = PASSWORD, port: int = 0
) -> Iterator[list[Controller]]:
    """Serve quick machines behind controllers, each at an address of its own and with USERNAME as administrator."""

    def make(address: str) -> Controller:
        controller = Controller(Machine(address, serial=address, load=lambda at: 0.5, pace=QUICK), address)
        controller.accounts.add(USERNAME, password)
        return controller

    async def start() -> Server:
        return await serve([make(address) for address in addresses], port)

    server = thread.wait(start())
    try:
        yield server.controllers
    finally:
        thread.call(server.close)
        thread.call(lambda: [controller.machine.close() for controller in server.controllers])


@pytest.fixture
def rack(thread: LoopThread, request: pytest.FixtureRequest) -> Iterator[list[Controller]]:
    """Twenty controllers with one account in the network that the test file names, of which nothing was measured."""
    measuring.forget()
    network = request.module.NETWORK
    with controllers(thread, [f"{network}.{number}" for number in range(1, TWENTY + 1)]) as found:
        yield found
