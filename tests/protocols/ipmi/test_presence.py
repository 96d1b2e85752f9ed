"""Who is there, before anybody signs in; and who has his turn."""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest

from apps.protocols.errors import DeviceError, Stage, Unreachable
from apps.protocols.ipmi import signing_in
from apps.protocols.ipmi.presence import Presence, presence, understood
from apps.protocols.ipmi.turns import Turn
from tests.peers import free_udp_port

PONG = bytes.fromhex("0600ff06 000011be 40010010 00000000 00000000 81000000 00000000")
CAPABILITIES = bytes.fromhex("0600ff07 00 00000000 00000000 10 811c63 200038 00 01 80 00 02 00 00000000 25")
ONLY_1_5 = bytes.fromhex("0600ff07 00 00000000 00000000 10 811c63 200038 00 01 04 00 00 00 00000000 a3")


class _Controller(asyncio.DatagramProtocol):
    def __init__(self, kind: int, answer: bytes) -> None:
        self.kind, self.answer = kind, answer
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, peer: Any) -> None:
        if data[3] == self.kind:
            self.transport.sendto(self.answer, peer)


@asynccontextmanager
async def controller(kind: int, answer: bytes) -> AsyncIterator[int]:
    """Something that answers one of the two questions."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Controller(kind, answer), local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@pytest.mark.parametrize(("kind", "answer", "ipmi_2"), [(6, PONG, None), (7, CAPABILITIES, True), (7, ONLY_1_5, False)])
async def test_either_answer_is_enough(kind: int, answer: bytes, ipmi_2: bool | None) -> None:
    async with controller(kind, answer) as port:
        found = await presence("localhost", port, timeout=5, retries=0)
    assert found == Presence("127.0.0.1", ipmi_2) or found.address == "::1"


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 400", PONG[:8], PONG[:8] + b"\x80" + PONG[9:], CAPABILITIES[:18]])
def test_what_is_no_answer(data: bytes) -> None:
    assert understood(data, "192.0.2.1") is None


async def test_silence_refusal_and_nonsense() -> None:
    async with controller(1, b"") as port:
        with pytest.raises(Unreachable) as silent:
            await presence("127.0.0.1", port, timeout=0.05, retries=1)
    assert silent.value.stage is Stage.PORT
    with pytest.raises(Unreachable) as refused:
        await presence("127.0.0.1", free_udp_port(), timeout=5, retries=0)
    assert "Nothing listens" in str(refused.value)
    async with controller(6, b"hello") as port:
        with pytest.raises(DeviceError):
            await presence("127.0.0.1", port, timeout=0.05, retries=0)
    with pytest.raises(Unreachable) as unknown:
        await presence("no-such-name.invalid", 623, timeout=0.05, retries=0)
    assert unknown.value.stage is Stage.NAME


async def test_one_after_the_other_and_who_leaves_the_queue_holds_up_nobody() -> None:
    place = ("192.0.2.1", 623)
    first, second, third = Turn(place), Turn(place), Turn(place)
    await first.take()
    waiting = [asyncio.create_task(turn.take()) for turn in (second, third)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    waiting[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    first.give_up()
    await asyncio.wait_for(waiting[1], 5)
    await asyncio.wait_for(Turn(("192.0.2.2", 623)).take(), 5)  # another controller: no waiting
    third.give_up()
    third.give_up()
    await asyncio.wait_for(Turn(place).take(), 5)


def _in_child(told: Any) -> None:
    told.put(signing_in.library.WAITING_SESSIONS.acquire(timeout=5))


def test_a_child_does_not_wait_for_what_a_thread_of_its_parent_held() -> None:
    context = multiprocessing.get_context("fork")
    told = context.Queue()
    child = context.Process(target=_in_child, args=(told,))
    with ThreadPoolExecutor(1) as another:
        another.submit(signing_in.library.WAITING_SESSIONS.acquire).result(5)
        child.start()
        another.submit(signing_in.library.WAITING_SESSIONS.release).result(5)
    assert told.get(timeout=20)
    child.join(20)
