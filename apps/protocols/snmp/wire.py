"""Questions and answers of SNMP v1, v2c and v3 on one UDP socket per address family.

An answer counts only when its id and the address it comes from both fit a question that still waits, and in version 3
when its signature is right. Whatever else arrives is dropped, and remembered for the agent it came from, so that one
which speaks nonsense is not called silent.
"""

import asyncio
import errno
import random
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import NoReturn, Protocol

from apps.protocols.errors import ContactError, DeviceError, Stage, Unreachable
from apps.protocols.snmp.addresses import Place, Resolver, peer_key
from apps.protocols.snmp.ber import Malformed, Oid, Pdu, PduKind, decode_pdu_head, decode_varbinds, encode_question
from apps.protocols.snmp.datagrams import DatagramSocket, Peer
from apps.protocols.snmp.message import V1, V2C, V3, open_envelope, read_version, seal_envelope
from apps.protocols.snmp.reports import NOT_IN_TIME_WINDOW, UNKNOWN_ENGINE_ID, refusal
from apps.protocols.snmp.target import SnmpTarget
from apps.protocols.snmp.usm import Engine, User, discovery, is_signed_by, open_data, read_v3_header, seal, user_of

IN_FLIGHT = 200
_MOST_ENGINES = 50000
_ROUNDS = 4  # discovery, a new engine, a clock to set: more of these in one question is an agent that goes in circles


class Exchange(Protocol):
    """A way of putting one question to an agent."""

    async def exchange(
        self, target: SnmpTarget, kind: PduKind, oids: Sequence[Oid], first: int = 0, second: int = 0
    ) -> Pdu:
        """The agent's response to one GET, GETNEXT or GETBULK."""

    def close(self) -> None:
        """Give back sockets and engines."""


class _Waiting:
    """One question that waits for its answer, under the ids of all its attempts."""

    __slots__ = ("engine", "noise", "peer", "turn", "user")

    def __init__(self, peer: Peer, user: User | None = None, engine: Engine | None = None) -> None:
        self.peer, self.user, self.engine = peer, user, engine
        self.noise: ContactError | None = None
        self.turn: asyncio.Future[Pdu | None]

    def settle(self, answer: Pdu | None) -> None:
        if not self.turn.done():
            self.turn.set_result(answer)

    def fail(self, error: ContactError) -> None:
        if not self.turn.done():
            self.turn.set_exception(error)


class Wire:
    """The sockets, the waiting questions and what is known of the engines of version 3 agents."""

    def __init__(self, in_flight: int = IN_FLIGHT) -> None:
        self._slots = asyncio.Semaphore(in_flight)
        self._sockets: dict[socket.AddressFamily, DatagramSocket] = {}
        self._waiting: dict[int, _Waiting] = {}
        self._engines: dict[Peer, Engine] = {}
        self._resolver = Resolver()
        self._random = random.SystemRandom()
        self._ids = random.Random(self._random.getrandbits(128))

    def close(self) -> None:
        """Close the sockets; questions that still wait end as unreachable."""
        for sock in self._sockets.values():
            sock.close()
        self._sockets.clear()
        for waiting in set(self._waiting.values()):
            waiting.fail(Unreachable("The connection was closed"))

    async def place(self, target: SnmpTarget) -> Place:
        """Where the agent is; raises ``Unreachable`` when nobody knows its name."""
        return await self._resolver.place(target.address, target.port)

    async def discover(self, target: SnmpTarget) -> None:
        """Make sure that a version 3 agent is there, once; raises ``Unreachable`` when it is not."""
        place = await self.place(target)
        if place.key not in self._engines:
            async with self._slots:
                await self._discover(target, place)

    async def exchange(
        self, target: SnmpTarget, kind: PduKind, oids: Sequence[Oid], first: int = 0, second: int = 0
    ) -> Pdu:
        """The agent's response to one question; raises a ``ContactError`` when there is none.

        A repeated GETBULK asks for fewer rows each time, because a large answer may be what the network loses.
        """
        place = await self.place(target)

        def pdu(number: int, attempt: int) -> bytes:
            shrunk = max(1, second >> 2 * attempt) if kind == PduKind.GET_BULK else second
            return encode_question(kind, number, oids, first, shrunk)

        async with self._slots:
            if target.version == "3":
                return await self._exchange_v3(target, place, pdu)
            version = V1 if target.version == "1" else V2C
            community = target.community.encode()
            answer = await self._ask(
                target, place, _Waiting(place.key), lambda number, n: seal_envelope(version, community, pdu(number, n))
            )
            if answer is None:
                _silence(target)
            return answer

    async def _exchange_v3(self, target: SnmpTarget, place: Place, pdu: Callable[[int, int], bytes]) -> Pdu:
        user = user_of(target)
        for _ in range(_ROUNDS):
            engine = self._engines.get(place.key) or await self._discover(target, place)
            waiting = _Waiting(place.key, user, engine)
            answer = await self._ask(target, place, waiting, partial(_sealed, user, engine, pdu))
            if answer is None:
                _silence(target)
            if answer.kind == PduKind.RESPONSE:
                return answer
            counter = answer.varbinds[0][0] if answer.varbinds else ""
            if counter == UNKNOWN_ENGINE_ID:
                self._engines.pop(place.key, None)
            elif counter != NOT_IN_TIME_WINDOW:
                raise refusal(counter, target.address)
        raise refusal(counter, target.address)

    async def _discover(self, target: SnmpTarget, place: Place) -> Engine:
        engine = Engine(b"", 0, 0)
        waiting = _Waiting(place.key, user_of(target), engine)
        question = encode_question(PduKind.GET, 0, ())
        answer = await self._ask(target, place, waiting, lambda number, n: discovery(number, question))
        if answer is None:
            raise Unreachable("%(address)s does not answer", address=target.address)
        if not 0 < len(engine.engine_id) <= 64:  # RFC 3411 says 5 to 32; some agents do not keep to it
            raise DeviceError("%(address)s does not tell its engine id", address=target.address)
        if len(self._engines) >= _MOST_ENGINES:
            self._engines.pop(next(iter(self._engines)))
        self._engines[place.key] = engine
        return engine

    async def _ask(
        self, target: SnmpTarget, place: Place, waiting: _Waiting, message: Callable[[int, int], bytes]
    ) -> Pdu | None:
        """Ask, again with a new id and more patience after each silence; ``None`` when all attempts stay silent.

        Late answers to earlier attempts count: an agent that is just slower than the timeout is not dead.
        """
        loop = asyncio.get_running_loop()
        ids = []
        try:
            for attempt in range(target.retries + 1):
                number = self._new_id()
                ids.append(number)
                self._waiting[number] = waiting
                waiting.turn = loop.create_future()
                await self._send(message(number, attempt), target, place)
                timer = loop.call_later(target.timeout * (attempt + 1), waiting.settle, None)
                try:
                    answer = await waiting.turn
                finally:
                    timer.cancel()
                if answer is not None:
                    return answer
        finally:
            for number in ids:
                del self._waiting[number]
        if waiting.noise:
            raise waiting.noise
        return None

    def _new_id(self) -> int:
        while True:
            number = self._ids.getrandbits(31)
            if number and number not in self._waiting:
                return number

    async def _send(self, data: bytes, target: SnmpTarget, place: Place) -> None:
        try:
            sock = self._sockets.get(place.family)
            if sock is None:
                sock = self._sockets[place.family] = DatagramSocket(place.family, self._received, self._failed)
            await sock.send(data, place.sockaddr)
        except OSError as error:
            raise _no_way(error, target.address, target.port) from error

    def _failed(self, data: bytes, peer: Peer, error: OSError) -> None:
        key = peer_key(peer)
        for waiting in [waiting for waiting in self._waiting.values() if waiting.peer == key]:
            waiting.fail(_no_way(error, peer[0], peer[1]))

    def _received(self, data: bytes, peer: Peer) -> None:
        key = peer_key(peer)
        try:
            if read_version(data)[0] == V3:
                self._received_v3(data, key)
                return
            envelope = open_envelope(data)
            kind, number, status, index, at, end = decode_pdu_head(data, envelope.at, envelope.end)
        except Malformed as error:
            self._remember_noise(key, error)
            return
        waiting = self._waiting.get(number)
        if waiting is None or waiting.peer != key or waiting.user or kind != PduKind.RESPONSE:
            return
        try:
            waiting.settle(Pdu(kind, number, status, index, decode_varbinds(data, at, end)))
        except Malformed as error:
            waiting.fail(error)

    def _received_v3(self, data: bytes, key: Peer) -> None:
        header = read_v3_header(data)
        waiting = self._waiting.get(header.message_id)
        if waiting is None or waiting.peer != key or waiting.user is None or waiting.engine is None:
            return
        user, engine = waiting.user, waiting.engine
        signed = header.engine_id == engine.engine_id and is_signed_by(data, header, user)
        try:
            pdu = open_data(data, header, user)
        except Malformed as error:
            waiting.noise = error
            return
        if pdu.kind == PduKind.REPORT:
            if not engine.engine_id:
                engine.engine_id = header.engine_id
                engine.set_clock(header.boots, header.seconds)
            elif pdu.varbinds and pdu.varbinds[0][0] == NOT_IN_TIME_WINDOW:
                # Believed even when the clock goes back: the id is fresh, so that it cannot be a replay, and agents
                # that forget their boot counter could not be asked any more.
                engine.set_clock(header.boots, header.seconds)
            waiting.settle(pdu)
        elif (
            pdu.kind == PduKind.RESPONSE
            and pdu.request_id == header.message_id
            and header.engine_id == engine.engine_id
            and header.user_name == user.name
            and header.flags & 3 == user.flags
            and (signed or not user.hash_name)
        ):
            if signed and (header.boots, header.seconds) > (engine.boots, engine.seconds):
                engine.set_clock(header.boots, header.seconds)
            waiting.settle(pdu)
        else:
            waiting.noise = DeviceError("%(address)s gives an answer that is not signed as it must be", address=key[0])

    def _remember_noise(self, key: Peer, error: ContactError) -> None:
        for waiting in self._waiting.values():
            if waiting.peer == key:
                waiting.noise = error


def _sealed(user: User, engine: Engine, pdu: Callable[[int, int], bytes], number: int, attempt: int) -> bytes:
    return seal(number, user, engine, pdu(number, attempt))


def _silence(target: SnmpTarget) -> NoReturn:
    raise Unreachable("no answer: address, community or privacy key", stage=Stage.SIGN_IN, address=target.address)


def _no_way(error: OSError, address: str, port: int) -> Unreachable:
    if error.errno in (errno.ECONNREFUSED, errno.ENOPROTOOPT):
        return Unreachable("Nothing listens on UDP port %(port)s of %(address)s", address=address, port=port)
    return Unreachable(
        "There is no way to %(address)s: %(reason)s", stage=Stage.ROUTE, address=address, reason=error.strerror or error
    )
