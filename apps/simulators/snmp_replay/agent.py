"""The simulated agent: one UDP socket, and as many ways of behaving badly as real devices have."""

import asyncio
import os
import random
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

from apps.protocols.snmp.ber import (
    SEQUENCE,
    Absent,
    ErrorStatus,
    Malformed,
    Oid,
    Pdu,
    PduKind,
    Tag,
    arcs,
    decode_pdu,
    encode_element,
    encode_oid,
    encode_pdu,
)
from apps.protocols.snmp.message import V1, open_envelope, seal_envelope
from apps.simulators.snmp_replay.recording import Recording

_LARGEST = 65507
_OVERSIZE = 65000


@dataclass(slots=True)
class Behaviour:
    """How the agent misbehaves; all of it can be changed while it runs, and by default it does not."""

    dead: bool = False  # never answers
    delay: float = 0.0  # seconds before each answer
    loss: float = 0.0  # the share of questions that get lost
    garbage: bool = False  # answers with random octets
    truncated: bool = False  # cuts every answer in the middle
    circling: bool = False  # GETNEXT and GETBULK lead back to the first value
    unending: bool = False  # every name has a next one, for ever
    oversized: bool = False  # answers with a value that fills a whole datagram
    too_big_above: int = 0  # tooBig for a GETBULK that asks for more repetitions than this, 0 for never
    error_above: ErrorStatus = ErrorStatus.TOO_BIG  # the error it says then; net-snmp says genErr
    silent_above: int = 0  # stays silent to a GETBULK above this many repetitions, like a network that loses fragments
    copies: int = 1  # how often it sends each answer
    from_elsewhere: bool = False  # answers from another port
    largest: int = _LARGEST  # octets of bindings after which a GETBULK's answer ends


class ReplayAgent(asyncio.DatagramProtocol):
    """A running agent; made by ``serve``, ended by ``close``."""

    def __init__(self, recording: Recording, community: bytes, behaviour: Behaviour) -> None:
        self.recording, self.community, self.behaviour = recording, community, behaviour
        self.requests = 0
        self.address, self.port = "", 0
        self._transport: asyncio.DatagramTransport | None = None
        self._elsewhere: socket.socket | None = None
        self._random = random.Random(161)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering; the port is free again."""
        if self._transport:
            self._transport.close()
        if self._elsewhere:
            self._elsewhere.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Until Python 3.12 the loop's own transport is no asyncio.DatagramTransport, though it has all its methods.
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.address, self.port = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, peer: tuple[Any, ...]) -> None:
        self.requests += 1
        behaviour = self.behaviour
        if behaviour.dead or self._random.random() < behaviour.loss:
            return
        try:
            answer = self._answer(data)
        except Malformed:
            return
        if answer is None:
            return
        if behaviour.garbage:
            answer = os.urandom(len(answer))
        if behaviour.truncated:
            answer = answer[: len(answer) // 2]
        if behaviour.delay:
            asyncio.get_running_loop().call_later(behaviour.delay, self._send, answer, peer)
        else:
            self._send(answer, peer)

    def _send(self, answer: bytes, peer: tuple[Any, ...]) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        for _ in range(self.behaviour.copies):
            if not self.behaviour.from_elsewhere:
                self._transport.sendto(answer, peer)
                continue
            if self._elsewhere is None:
                family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
                self._elsewhere = socket.socket(family, socket.SOCK_DGRAM)
                self._elsewhere.bind((self.address, 0))
            self._elsewhere.sendto(answer, peer)

    def _answer(self, data: bytes) -> bytes | None:
        envelope = open_envelope(data)
        pdu = decode_pdu(data, envelope.at, envelope.end)
        if envelope.community != self.community:
            return None
        oids = [oid for oid, _, _ in pdu.varbinds]
        first_version = envelope.version == V1
        status, index = ErrorStatus.NO_ERROR, 0
        if self.behaviour.oversized and oids:
            found = [_bound(oids[0], encode_element(Tag.OCTET_STRING, b"x" * _OVERSIZE))]
        elif pdu.kind == PduKind.GET:
            found, index = self._get(oids, first_version)
        elif pdu.kind == PduKind.GET_NEXT:
            found, index = self._next(oids, first_version)
        elif pdu.kind == PduKind.GET_BULK and not first_version:
            if 0 < self.behaviour.silent_above < pdu.error_index:
                return None
            if 0 < self.behaviour.too_big_above < pdu.error_index:
                found, status = [], self.behaviour.error_above
            else:
                found = self._bulk(pdu, oids)
        else:
            return None
        if index:
            status = ErrorStatus.NO_SUCH_NAME
            found = [_bound(oid, b"\x05\x00") for oid in oids]
        response = encode_pdu(PduKind.RESPONSE, pdu.request_id, status, index, b"".join(found))
        return seal_envelope(envelope.version, envelope.community, response)

    def _get(self, oids: list[Oid], first_version: bool) -> tuple[list[bytes], int]:
        found = []
        for index, oid in enumerate(oids, 1):
            bound = self.recording.at(arcs(oid))
            if bound is None or (first_version and self.recording.type_at(arcs(oid)) == Tag.COUNTER64):
                if first_version:
                    return [], index
                bound = _bound(oid, bytes((Absent.NO_SUCH_INSTANCE.value, 0)))
            found.append(bound)
        return found, 0

    def _next(self, oids: list[Oid], first_version: bool) -> tuple[list[bytes], int]:
        found = []
        for index, oid in enumerate(oids, 1):
            row = self._following(oid, 1, first_version)
            if not row and first_version:
                return [], index
            found.append(row[0] if row else _bound(oid, bytes((Absent.END_OF_MIB_VIEW.value, 0))))
        return found, 0

    def _bulk(self, pdu: Pdu, oids: list[Oid]) -> list[bytes]:
        once = max(0, min(pdu.error_status, len(oids)))
        repetitions = max(0, pdu.error_index)
        found = self._next(oids[:once], False)[0]
        columns = []
        for oid in oids[once:]:
            column = self._following(oid, repetitions, False)
            if len(column) < repetitions:
                column.append(_bound(oid, bytes((Absent.END_OF_MIB_VIEW.value, 0))))
            columns.append(column)
        octets = sum(map(len, found))
        for row in range(max(map(len, columns), default=0)):
            for column in columns:
                bound = column[min(row, len(column) - 1)]
                octets += len(bound)
                if octets > self.behaviour.largest - 200:
                    return found
                found.append(bound)
        return found

    def _following(self, oid: Oid, count: int, first_version: bool) -> list[bytes]:
        if self.behaviour.unending:
            head, _, last = oid.rpartition(".")
            if len(arcs(oid)) < 12:
                head, last = oid, "0"
            return [_bound(f"{head}.{int(last) + step}", b"\x02\x01\x00") for step in range(1, count + 1)]
        start: tuple[int, ...] = () if self.behaviour.circling else arcs(oid)
        found: list[bytes] = []
        for place in self.recording.after(start):
            if len(found) == count:
                break
            bound = self.recording.at(place)
            if bound is not None and not (first_version and self.recording.type_at(place) == Tag.COUNTER64):
                found.append(bound)
        return found


def _bound(oid: Oid, value: bytes) -> bytes:
    return encode_element(SEQUENCE, encode_oid(oid) + value)


async def serve(
    recording: Recording,
    address: str = "127.0.0.1",
    port: int = 0,
    *,
    community: str = "public",
    behaviour: Behaviour | None = None,
) -> ReplayAgent:
    """Start an agent on the running loop; port 0 takes a free one, which ``agent.port`` tells."""
    agent = ReplayAgent(recording, community.encode(), behaviour or Behaviour())
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: agent, local_addr=(address, port))
    return agent
