"""Agents that misbehave cost their own callers alone, and each in the way that says what is wrong."""

import asyncio
import random
import socket
import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from apps.protocols.errors import ContactError, DeviceError, Stage, Unreachable
from apps.protocols.snmp import ErrorStatus, SnmpClient, SnmpTarget, Tag
from apps.protocols.snmp.ber import PduKind, decode_pdu, encode_pdu, encode_varbinds
from apps.protocols.snmp.message import V2C, open_envelope, seal_envelope
from apps.simulators.snmp_replay import Behaviour, Recording, ReplayAgent, serve

COLUMN = "1.3.6.1.2.1.2.2.1"
NAME = "1.3.6.1.2.1.1.5.0"
VALUES = {
    NAME: (Tag.OCTET_STRING, b"agent"),
    **{f"{COLUMN}.{column}.{row}": (Tag.INTEGER, column * row) for column in (1, 2, 3) for row in range(1, 41)},
    "1.3.6.1.2.1.31.1.1.1.6.1": (Tag.COUNTER64, 2**40),
}
TABLE = {f"{COLUMN}.{column}": {str(row): column * row for row in range(1, 41)} for column in (1, 2, 3)}


def _target(agent: ReplayAgent, **fields: Any) -> SnmpTarget:
    return SnmpTarget(**{"address": agent.address, "port": agent.port, "timeout": 0.15, "retries": 1} | fields)


async def _agent(**behaviour: Any) -> ReplayAgent:
    return await serve(Recording(VALUES), behaviour=Behaviour(**behaviour))


@pytest.mark.parametrize(
    ("behaviour", "error", "words"),
    [
        ({"dead": True}, Unreachable, "no answer"),
        ({"garbage": True}, DeviceError, "not valid SNMP"),
        ({"truncated": True}, DeviceError, "not valid SNMP"),
        ({"from_elsewhere": True}, Unreachable, "no answer"),
        ({"delay": 30.0}, Unreachable, "no answer"),
        ({"circling": True}, DeviceError, "circles"),
        ({"unending": True}, DeviceError, "end"),
        ({"oversized": True}, DeviceError, "circles"),
        ({"too_big_above": -1, "largest": 0}, DeviceError, "without a value"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
async def test_a_misbehaving_agent_fails_alone(
    client: SnmpClient, behaviour: dict[str, Any], error: type[ContactError], words: str
) -> None:
    async with await _agent(**behaviour) as bad, await _agent() as good:

        async def read_the_good_one() -> int:
            return sum([await client.table(_target(good), TABLE) == TABLE for _ in range(5)])

        results = await asyncio.gather(
            client.table(_target(bad), TABLE, max_rows=2000),
            client.walk(_target(bad), COLUMN, max_rows=2000),
            read_the_good_one(),
            return_exceptions=True,
        )

    assert results[2] == 5
    for caught in results[:2]:
        assert type(caught) is error or (error is DeviceError and isinstance(caught, DeviceError))
        assert words in str(caught)


@pytest.mark.parametrize(
    "behaviour",
    [
        {"too_big_above": 3},
        {"too_big_above": 3, "error_above": ErrorStatus.GEN_ERR},
        {"too_big_above": 1, "error_above": ErrorStatus.NO_ERROR},
        {"silent_above": 7},
        {"largest": 300},
        {"copies": 3},
        {"delay": 0.2},
    ],
    ids=str,
)
async def test_a_limited_agent_is_read_completely(client: SnmpClient, behaviour: dict[str, Any]) -> None:
    async with await _agent(**behaviour) as agent:
        target = _target(agent)
        assert await client.table(target, TABLE) == TABLE
        assert len(await client.walk(target, COLUMN)) == 120


@pytest.mark.parametrize("version", ["1", "2c"])
@pytest.mark.parametrize("expected", [-1, 0, 1, 39, 40, 41, 4000])
async def test_a_table_is_read_completely_however_many_rows_were_expected(
    client: SnmpClient, version: str, expected: int
) -> None:
    async with await _agent(largest=600) as agent:
        assert await client.table(_target(agent, version=version), TABLE, expected_rows=expected) == TABLE


async def test_room_that_columns_leave_is_used_by_the_others(client: SnmpClient) -> None:
    missing = [f"{COLUMN}.{column}" for column in range(50, 59)]
    async with await _agent(largest=1000) as agent:
        assert await client.table(_target(agent), [*TABLE, *missing]) == {**TABLE, **{column: {} for column in missing}}
        assert agent.requests == 4  # four rows of twelve columns, then sixteen of three at a time


async def test_a_lossy_agent_is_read_completely(client: SnmpClient) -> None:
    async with await _agent(loss=0.3) as agent:
        target = _target(agent, timeout=0.02, retries=12)
        assert await client.table(target, TABLE, max_repetitions=5) == TABLE
        assert await client.get(target, [NAME, "1.3.6.1.9.0"]) == {NAME: b"agent"}


async def test_version_1_gets_no_64_bit_counters(client: SnmpClient) -> None:
    async with await _agent() as agent:
        target = _target(agent, version="1")
        assert await client.table(target, TABLE) == TABLE
        assert await client.get(target, ["1.3.6.1.2.1.31.1.1.1.6.1", NAME]) == {NAME: b"agent"}
        assert len(await client.walk(target, "1.3.6.1")) == 121


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_closed_port_is_noticed_at_once(client: SnmpClient, address: str) -> None:
    agent = await serve(Recording(VALUES), address)
    agent.close()
    await asyncio.sleep(0)
    for version in ("2c", "3"):
        begun = time.monotonic()
        with pytest.raises(Unreachable, match=f"Nothing listens on UDP port {agent.port}") as caught:
            await client.get(_target(agent, timeout=20, version=version), [NAME])
        assert caught.value.stage == Stage.PORT
        assert time.monotonic() - begun < 10


async def test_closed_ports_do_not_disturb_the_others(client: SnmpClient) -> None:
    closed = [await _agent() for _ in range(20)]
    for agent in closed:
        agent.close()
    await asyncio.sleep(0)
    async with await _agent() as good:
        asked = [client.get(_target(agent, timeout=5), [NAME]) for agent in closed]
        answered = [client.get(_target(good, timeout=5), [NAME]) for _ in range(40)]
        results = await asyncio.gather(*asked, *answered, return_exceptions=True)

    assert [type(result) for result in results[:20]] == [Unreachable] * 20
    assert results[20:] == [{NAME: b"agent"}] * 40


async def test_no_way_and_no_name_have_their_stages(client: SnmpClient) -> None:
    with pytest.raises(Unreachable) as caught:
        await client.get(SnmpTarget(address="255.255.255.255", timeout=0.1, retries=0), [NAME])
    assert caught.value.stage == Stage.ROUTE
    for name in ("no-such-host.invalid", "", "a..b", "1.2.3.4.5"):
        with pytest.raises(Unreachable) as caught:
            await client.get(SnmpTarget(address=name), [NAME])
        assert caught.value.stage == Stage.NAME


async def test_hundreds_of_agents_at_once_never_exceed_the_limit_in_flight() -> None:
    async with SnmpClient(in_flight=10) as client, await _agent(delay=0.02) as agent:
        target = _target(agent, timeout=5)
        results = await asyncio.gather(*(client.get(target, [NAME]) for _ in range(60)))
        assert results == [{NAME: b"agent"}] * 60
        assert agent.requests == 60


async def test_closing_the_client_wakes_whoever_waits() -> None:
    async with await _agent(dead=True) as agent:
        client = SnmpClient()
        waiting = asyncio.create_task(client.get(_target(agent, timeout=60), [NAME]))
        async with asyncio.timeout(5):
            while not agent.requests:  # noqa: ASYNC110 - the agent knows no event
                await asyncio.sleep(0)
        client.close()
        with pytest.raises(Unreachable):
            await asyncio.wait_for(waiting, 5)


async def test_a_cancelled_question_leaves_nothing_behind(client: SnmpClient) -> None:
    async with await _agent(dead=True) as agent:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.get(_target(agent, timeout=60), [NAME])
        assert client._wire._waiting == {}
        agent.behaviour.dead = False
        assert await client.get(_target(agent), [NAME]) == {NAME: b"agent"}


async def test_ten_thousand_random_datagrams_change_nothing(client: SnmpClient) -> None:
    noise = random.Random(3416)
    async with await _agent() as agent:
        assert await client.get(_target(agent), [NAME]) == {NAME: b"agent"}
        (ours,) = client._wire._sockets.values()
        port = ours._socket.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for number in range(10_000):
                stranger.sendto(noise.randbytes(noise.randrange(200)), ("127.0.0.1", port))
                if number % 1000 == 0:
                    assert await client.get(_target(agent, timeout=2), [NAME]) == {NAME: b"agent"}
        assert client._wire._waiting == {}


class _Scripted(asyncio.DatagramProtocol):
    """An agent whose answers a test writes itself."""

    def __init__(self, answers: Callable[[bytes], list[bytes]]) -> None:
        self.answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, peer: tuple[Any, ...]) -> None:
        for answer in self.answers(data):
            self.transport.sendto(answer, peer)


def _answer(question: bytes, bindings: list[tuple[str, int, Any]], *, number: int = 0, status: int = 0) -> bytes:
    envelope = open_envelope(question)
    pdu = decode_pdu(question, envelope.at, envelope.end)
    content = encode_pdu(PduKind.RESPONSE, pdu.request_id + number, status, 0, encode_varbinds(bindings))
    return seal_envelope(V2C, envelope.community, content)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        # a stale answer, then noise, then the right one
        (
            lambda question: [
                _answer(question, [(NAME, Tag.OCTET_STRING, b"stale")], number=1),
                b"\xff" * 40,
                b"",
                question,
                _answer(question, [(NAME, Tag.OCTET_STRING, b"right")]),
            ],
            b"right",
        ),
        (lambda question: [_answer(question, [(NAME, Tag.OCTET_STRING, b"x")])[:-1]], "not valid SNMP"),
        (lambda question: [_answer(question, [])], "another number of values"),
        (lambda question: [_answer(question, [("1.3.6.1.9.0", Tag.NULL, None)])], "was not asked"),
        (lambda question: [_answer(question, [], status=ErrorStatus.GEN_ERR)], "gen_err"),
        (lambda question: [_answer(question, [], status=99)], "99"),
        (lambda question: [question.replace(b"\x02\x01\x01", b"\x02\x01\x07", 1)], "version 7"),
    ],
)
async def test_odd_answers(client: SnmpClient, answers: Callable[[bytes], list[bytes]], expected: bytes | str) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Scripted(answers), local_addr=("127.0.0.1", 0))
    target = SnmpTarget(address="127.0.0.1", port=transport.get_extra_info("sockname")[1], timeout=0.1, retries=1)
    try:
        if isinstance(expected, bytes):
            assert await client.get(target, [NAME]) == {NAME: expected}
        else:
            with pytest.raises(DeviceError, match=expected):
                await client.get(target, [NAME])
    finally:
        transport.close()
