"""The simulated agent: one UDP socket, and as many ways of behaving badly as real devices have."""

import asyncio
import os
import random
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

from apps.protocols.snmp.ber import (
    ErrorStatus,
    Malformed,
    Pdu,
    PduKind,
    Tag,
    decode_pdu,
    encode_element,
    encode_pdu,
)
from apps.protocols.snmp.message import V1, open_envelope, seal_envelope
from apps.simulators.snmp_answers import LARGEST, Place, answer, bound
from apps.simulators.snmp_replay.recording import Recording

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
    largest: int = LARGEST  # octets of bindings after which a GETBULK's answer ends


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
            sent = self._answer(data)
        except Malformed:
            return
        if sent is None:
            return
        if behaviour.garbage:
            sent = os.urandom(len(sent))
        if behaviour.truncated:
            sent = sent[: len(sent) // 2]
        if behaviour.delay:
            asyncio.get_running_loop().call_later(behaviour.delay, self._send, sent, peer)
        else:
            self._send(sent, peer)

    def _send(self, sent: bytes, peer: tuple[Any, ...]) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        for _ in range(self.behaviour.copies):
            if not self.behaviour.from_elsewhere:
                self._transport.sendto(sent, peer)
                continue
            if self._elsewhere is None:
                family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
                self._elsewhere = socket.socket(family, socket.SOCK_DGRAM)
                self._elsewhere.bind((self.address, 0))
            self._elsewhere.sendto(sent, peer)

    def _answer(self, data: bytes) -> bytes | None:
        envelope = open_envelope(data)
        pdu = decode_pdu(data, envelope.at, envelope.end)
        if envelope.community != self.community:
            return None
        response = self._misbehaved(pdu)
        if response is None:
            largest = self.behaviour.largest
            response = answer(pdu, self, wide=envelope.version != V1, largest=largest)
        return seal_envelope(envelope.version, envelope.community, response) if response else None

    def _misbehaved(self, pdu: Pdu) -> bytes | None:
        """Give the response that the behaviour asks for, an empty one for silence, None to answer as agents do."""
        behaviour = self.behaviour
        if behaviour.oversized and pdu.varbinds:
            oid = pdu.varbinds[0][0]
            large = bound(oid, encode_element(Tag.OCTET_STRING, b"x" * _OVERSIZE))
            return encode_pdu(PduKind.RESPONSE, pdu.request_id, ErrorStatus.NO_ERROR, 0, large)
        if pdu.kind == PduKind.GET_BULK:
            if 0 < behaviour.silent_above < pdu.error_index:
                return b""
            if 0 < behaviour.too_big_above < pdu.error_index:
                return encode_pdu(PduKind.RESPONSE, pdu.request_id, behaviour.error_above, 0, b"")
        return None

    def exactly(self, place: Place, wide: bool) -> bytes | None:
        """Give the recorded binding at this place."""
        return self.recording.exactly(place, wide)

    def following(self, place: Place, count: int, wide: bool) -> list[bytes]:
        """Give the recorded bindings behind this place; an agent that circles or never ends gives others."""
        if self.behaviour.unending:
            head, last = (place[:-1], place[-1]) if len(place) >= 12 else (place, 0)
            below = ".".join(map(str, head))
            return [bound(f"{below}.{last + step}", b"\x02\x01\x00") for step in range(1, count + 1)]
        return self.recording.following(() if self.behaviour.circling else place, count, wide)


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
