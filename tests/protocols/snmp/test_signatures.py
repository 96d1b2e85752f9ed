"""Version 3 answers count only when the agent signed them; reports are understood, and never taken for data."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

from apps.protocols.errors import AuthenticationFailed, DeviceError, Unreachable
from apps.protocols.snmp import SnmpClient, SnmpTarget, Tag
from apps.protocols.snmp.ber import PduKind, encode_pdu, encode_varbinds
from apps.protocols.snmp.reports import DECRYPTION_ERROR, NOT_IN_TIME_WINDOW, UNKNOWN_ENGINE_ID
from apps.protocols.snmp.usm import Engine, User, open_data, read_v3_header, seal, user_of

NAME = "1.3.6.1.2.1.1.5.0"
ENGINE_ID = b"\x80\x00\x1f\x88\x04agent"
LOGIN = {
    "username": "user",
    "auth_protocol": "SHA-256",
    "auth_password": "authpass123",
    "priv_protocol": "AES-128",
    "priv_password": "privpass123",
}
NOBODY = user_of(SnmpTarget(address="192.0.2.1", version="3"))


def _user(**fields: str) -> User:
    return user_of(SnmpTarget(address="192.0.2.1", version="3", **LOGIN | fields))


def _engine(engine_id: bytes = ENGINE_ID) -> Engine:
    return Engine(engine_id, 5, 1000)


def _response(number: int, value: bytes = b"agent") -> bytes:
    return encode_pdu(PduKind.RESPONSE, number, 0, 0, encode_varbinds([(NAME, Tag.OCTET_STRING, value)]))


def _report(number: int, counter: str) -> bytes:
    return encode_pdu(PduKind.REPORT, number, 0, 0, encode_varbinds([(counter, Tag.COUNTER32, 1)]))


class _Agent(asyncio.DatagramProtocol):
    """An agent that tells its engine id as it must, and answers everything else as a test says."""

    def __init__(self) -> None:
        self.answers: Callable[[int], list[bytes]] = lambda number: [
            seal(number, _user(), _engine(), _response(number))
        ]
        self.discoveries = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, peer: tuple[Any, ...]) -> None:
        header = read_v3_header(data)
        if not header.engine_id:
            self.discoveries += 1
            self.transport.sendto(
                seal(header.message_id, NOBODY, _engine(), _report(0, UNKNOWN_ENGINE_ID), reportable=False), peer
            )
            return
        assert open_data(data, header, _user()).varbinds == [(NAME, Tag.NULL, None)]
        for answer in self.answers(header.message_id):
            self.transport.sendto(answer, peer)


@pytest.fixture
async def agent() -> AsyncIterator[_Agent]:
    loop = asyncio.get_running_loop()
    transport, agent = await loop.create_datagram_endpoint(_Agent, local_addr=("127.0.0.1", 0))
    yield agent
    transport.close()


async def _ask(client: SnmpClient, agent: _Agent, **fields: Any) -> dict[str, Any]:
    port = agent.transport.get_extra_info("sockname")[1]
    target = SnmpTarget(
        **{"address": "127.0.0.1", "port": port, "version": "3", "timeout": 0.1, "retries": 1, **LOGIN} | fields
    )
    return await client.get(target, [NAME])


async def test_a_signed_answer_counts_and_the_engine_is_asked_for_once(client: SnmpClient, agent: _Agent) -> None:
    for _ in range(3):
        assert await _ask(client, agent) == {NAME: b"agent"}
    assert agent.discoveries == 1


@pytest.mark.parametrize(
    "forged",
    [
        lambda number: seal(number, NOBODY, _engine(), _response(number, b"forged")),
        lambda number: seal(number, _user(priv_protocol="none"), _engine(), _response(number, b"forged")),
        lambda number: seal(number, _user(auth_password="other-password"), _engine(), _response(number, b"forged")),
        lambda number: seal(number, _user(), _engine(ENGINE_ID + b"2"), _response(number, b"forged")),
        lambda number: seal(number, _user(username="other"), _engine(), _response(number, b"forged")),
        lambda number: seal(number, _user(), _engine(), _response(number + 1, b"forged")),
    ],
    ids=["unsigned", "not encrypted", "other password", "other engine", "other user", "other question"],
)
async def test_a_forged_answer_never_counts(client: SnmpClient, agent: _Agent, forged: Callable[[int], bytes]) -> None:
    right = agent.answers
    agent.answers = lambda number: [forged(number), *right(number)]
    assert await _ask(client, agent) == {NAME: b"agent"}
    agent.answers = lambda number: [forged(number)]
    with pytest.raises(DeviceError, match=r"signed|valid SNMP"):
        await _ask(client, agent)


async def test_a_recorded_answer_to_another_question_does_not_count(client: SnmpClient, agent: _Agent) -> None:
    recorded: list[bytes] = []
    right = agent.answers

    def record(number: int) -> list[bytes]:
        recorded.extend(right(number))
        return recorded[-1:]

    agent.answers = record
    await _ask(client, agent)
    agent.answers = lambda number: recorded[:1]
    with pytest.raises(Unreachable):
        await _ask(client, agent)


async def test_a_clock_is_set_by_the_agent_s_report(client: SnmpClient, agent: _Agent) -> None:
    right = agent.answers

    def refuse_once(number: int) -> list[bytes]:
        agent.answers = right
        return [seal(number, _user(priv_protocol="none"), Engine(ENGINE_ID, 9, 77), _report(0, NOT_IN_TIME_WINDOW))]

    agent.answers = refuse_once
    assert await _ask(client, agent) == {NAME: b"agent"}
    (engine,) = client._wire._engines.values()
    assert (engine.engine_id, engine.boots, engine.seconds) == (ENGINE_ID, 9, 77)


@pytest.mark.parametrize(
    ("counter", "error", "words"),
    [
        (DECRYPTION_ERROR, AuthenticationFailed, "decryptionError"),
        (NOT_IN_TIME_WINDOW, DeviceError, "notInTimeWindow"),
        (UNKNOWN_ENGINE_ID, DeviceError, "1.3.6.1.6.3.15.1.1.4.0"),
    ],
)
async def test_a_report_that_never_stops_is_an_error(
    client: SnmpClient, agent: _Agent, counter: str, error: type[Exception], words: str
) -> None:
    agent.answers = lambda number: [seal(number, NOBODY, _engine(), _report(0, counter))]
    with pytest.raises(error, match=words):
        await _ask(client, agent)
