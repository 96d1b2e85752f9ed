"""The agents of a fleet: they share a socket, answer from the address that was asked and send traps from their own."""

import asyncio
import random
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from apps.protocols.snmp.ber import Malformed, Pdu, PduKind, decode_pdu, encode_pdu, encode_varbinds
from apps.protocols.snmp.message import V1, V3, open_envelope, read_version, seal_envelope
from apps.protocols.snmp.notification import SNMP_TRAP_OID, SYS_UP_TIME, encode_notification_v2, encode_trap_v1
from apps.protocols.snmp.usm import Engine, User, seal
from apps.protocols.snmp.vocabulary import Tag
from apps.simulators import loopback
from apps.simulators.fleet import security
from apps.simulators.fleet.faults import FaultKind
from apps.simulators.fleet.fleet import Fleet
from apps.simulators.fleet.kinds.base import AUTHENTICATION_FAILURE, Device, Moment, Trap
from apps.simulators.snmp_answers import answer

LARGEST = 65_507
DRAINED_AT_ONCE = 200
TRAPS_EVERY = 0.5  # seconds between two looks for what happened
COMPLAINS_EVERY = 10.0  # seconds between two traps about wrong communities
_OTHER = "-changed"  # what a community or password ends with once somebody changed it

Peer = tuple[str, int]
Beside = Callable[[bytes, Peer], None]
"""Takes what comes to an address that is no device's."""
SentTrap = tuple[float, str, bytes]
"""When, from which address, and the datagram."""


class Clock:
    """The time of a fleet: that of the machine, or a moment that somebody set."""

    def __init__(self) -> None:
        self.fixed: float | None = None
        self.patient = True  # False: nobody waits, so that nothing is slow or lost; for looks at the past

    def now(self) -> float:
        """Give the time in seconds since 1970."""
        return time.time() if self.fixed is None else self.fixed


class Agents:
    """All agents of a fleet on one UDP socket; made by ``serve``, ended by ``close``."""

    def __init__(self, fleet: Fleet, opened: socket.socket, traps_to: Peer | None) -> None:
        self.fleet, self.traps_to = fleet, traps_to
        self.clock = Clock()
        self.requests = self.answers = 0
        self.beside: dict[bytes, Beside] = {}  # by their packed addresses: the controllers that share the socket
        self.sent: list[SentTrap] = []  # while the clock stands still: what would have been sent
        self._socket = opened
        self._user = security.user_for(fleet.plan.login) if fleet.plan.login else None
        self._random = random.Random(161)
        self._number = 0
        self._complained: dict[str, float] = {}
        self._looked_at = self.clock.now()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(opened.fileno(), self._drain)
        self._looking = self._loop.create_task(self._look_for_traps())

    @property
    def port(self) -> int:
        """Give the UDP port."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Stop answering and sending; the port is free again."""
        self._looking.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    # --- answering --------------------------------------------------------------------------------------------------
    def _drain(self) -> None:
        for _ in range(DRAINED_AT_ONCE):
            try:
                data, ancillary, _flags, peer = self._socket.recvmsg(LARGEST, 64)
            except BlockingIOError:
                return
            except OSError:  # such as an ICMP error for an answer that was sent before
                continue
            asked = loopback.asked_of(ancillary) or b""
            device = self.fleet.by_address.get(asked)
            if device is not None:
                self._received(device, data, peer)
            elif asked in self.beside:
                self.beside[asked](data, peer)

    def _received(self, device: Device, data: bytes, peer: Peer) -> None:
        self.requests += 1
        now = self.clock.now()
        delay = 0.0
        if device.faults:
            faults = device.faults
            if faults.now(FaultKind.DEAD, now) or faults.now(FaultKind.REBOOT, now):
                return
            if self.clock.patient:
                if (lossy := faults.now(FaultKind.LOSSY, now)) and self._random.random() < lossy.size:
                    return
                if slow := faults.now(FaultKind.SLOW, now):
                    delay = slow.size
        try:
            sent = self.answer(device, data, now)
        except Malformed:
            return
        if sent is None:
            return
        if delay:
            self._loop.call_later(delay, self._send, device, sent, peer)
        else:
            self._send(device, sent, peer)

    def answer(self, device: Device, data: bytes, now: float) -> bytes | None:
        """Give what a device answers to a datagram, None for silence; raises ``Malformed``."""
        version = read_version(data)[0]
        changed = bool(device.faults and device.faults.now(FaultKind.WRONG_COMMUNITY, now))
        if version == V3:
            return self._answer_v3(device, data, now, changed)
        envelope = open_envelope(data)
        community = device.spec.community + (_OTHER if changed else "")
        if envelope.community != community.encode():
            self._complain(device, now)
            return None
        pdu = decode_pdu(data, envelope.at, envelope.end)
        response = answer(pdu, device.view(now), wide=version != V1)
        return seal_envelope(version, envelope.community, response) if response else None

    def _answer_v3(self, device: Device, data: bytes, now: float, changed: bool) -> bytes | None:
        user = self._user
        if user is not None and changed:
            user = replace(user, auth_password=user.auth_password + _OTHER.encode())

        def respond(pdu: Pdu) -> bytes | None:
            return answer(pdu, device.view(now), wide=True)

        return security.answer(data, engine_of(device.when(now)), user, respond)

    def _send(self, device: Device, data: bytes, peer: Peer) -> None:
        if self.send_from(device.address.packed, data, peer):
            self.answers += 1

    def send_from(self, address: bytes, data: bytes, peer: Peer) -> bool:
        """Send from an address, which is packed; gives whether it went out."""
        if self._socket.fileno() < 0:
            return False
        try:
            loopback.send_from(self._socket, address, data, peer)
        except OSError:
            return False  # the asker has gone, or the buffer is full: as if the network had lost it
        return True

    # --- sending ----------------------------------------------------------------------------------------------------
    async def _look_for_traps(self) -> None:
        while True:
            await asyncio.sleep(TRAPS_EVERY)
            if self.clock.fixed is None:
                self.send_traps(self.clock.now())

    def send_traps(self, until: float) -> None:
        """Send what has happened since the last look; while the clock stands still it is only noted in ``sent``."""
        after, self._looked_at = self._looked_at, until
        for at, device, trap in self.fleet.happenings(after, until):
            self._tell(at, device, trap)

    def set_clock(self, at: float | None, *, patient: bool = True) -> list[SentTrap]:
        """Set the clock to a moment at which it stands still, or let it run (None); gives what happened on the way.

        Nothing happens on the way backwards. What happened since the moment at which a clock stood that now runs is
        sent at once. Who is not ``patient`` gets every answer at once, from slow devices, too.
        """
        self.clock.fixed, self.clock.patient = at, patient
        self.fleet.forget_moments()
        if at is not None and at > self._looked_at:
            self.send_traps(at)
        elif at is not None:
            self._looked_at = at
        sent, self.sent = self.sent, []
        return sent

    def _complain(self, device: Device, now: float) -> None:
        if now - self._complained.get(device.name, -COMPLAINS_EVERY) >= COMPLAINS_EVERY:
            self._complained[device.name] = now
            self._tell(now, device, device.generic(AUTHENTICATION_FAILURE))

    def _tell(self, at: float, device: Device, trap: Trap) -> None:
        self._number += 1
        data = datagram(trap, device, device.moment_class(device, at), self._number, self._user)
        if self.clock.fixed is not None:
            self.sent.append((at, str(device.address), data))
        elif self.traps_to is not None:
            self._send(device, data, self.traps_to)


def engine_of(moment: Moment) -> Engine:
    """Give a device's SNMP engine as it is at a moment."""
    return Engine(moment.device.engine_id, moment.start[0] + 1, moment.uptime // 100)


def datagram(trap: Trap, device: Device, moment: Moment, number: int, user: User | None) -> bytes:
    """Encode a trap in the version in which its device sends."""
    community, version = device.spec.community.encode(), device.spec.trap_version
    if version == "1":
        return encode_trap_v1(
            community,
            trap.enterprise,
            generic=trap.generic,
            specific=trap.specific,
            agent_address=device.address,
            uptime=moment.uptime,
            varbinds=trap.varbinds,
        )
    if version == "3" and user is not None:
        bindings: list[Any] = [
            (SYS_UP_TIME, Tag.TIME_TICKS, moment.uptime),
            (SNMP_TRAP_OID, Tag.OBJECT_IDENTIFIER, trap.oid),
            *trap.varbinds,
        ]
        pdu = encode_pdu(PduKind.TRAP_V2, number, 0, 0, encode_varbinds(bindings))
        return seal(number, user, engine_of(moment), pdu, reportable=False)
    return encode_notification_v2(
        community, trap.oid, request_id=number, uptime=moment.uptime, varbinds=list(trap.varbinds)
    )


def open_socket(port: int = 0) -> socket.socket:
    """Open the fleet's socket on every loopback address at once; raises ``OSError``."""
    return loopback.open_socket("0.0.0.0", port)  # kept inside


async def serve(
    fleet: Fleet,
    port: int = 0,
    *,
    traps_to: Peer | None = None,
    opened: socket.socket | None = None,
) -> Agents:
    """Start the agents of a fleet on the running loop; port 0 takes a free one, which ``agents.port`` tells."""
    used = opened or open_socket(port)
    if opened is not None:
        loopback.keep_inside(opened)
        loopback.make_ready(opened)
    return Agents(fleet, used, traps_to)
