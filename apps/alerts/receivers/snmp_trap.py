"""SNMP notifications: from the datagram to what is kept of it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address
from typing import NamedTuple

from apps.alerts.receivers.datagrams import Datagram
from apps.alerts.services.arrivals import Binding
from apps.alerts.services.platform_events import event_of
from apps.alerts.sources import TRAP_SOURCE
from apps.protocols.ipmi.platform_event import PlatformEvent
from apps.protocols.snmp.ber import Absent, RawVarbind, Tag, Value
from apps.protocols.snmp.message import open_envelope
from apps.protocols.snmp.notification import (
    Notification,
    NotificationKind,
    encode_inform_response,
    read_notification,
)

SOURCE = TRAP_SOURCE
KEPT_BINDINGS = 256
KEPT_CHARACTERS = 4096  # of one value
KEPT_OCTETS = 16384  # of the datagram: what is longer is kept by its bindings alone
BLANK = b"*"
_TYPES = {tag.value: tag.name.replace("_", " ").capitalize() for tag in Tag}
_INFORM = NotificationKind.INFORM
_NOBODY = IPv4Address(0)


@dataclass(slots=True)
class Trap:
    """One notification that was understood, with its sender as far as the datagram tells."""

    datagram: Datagram
    notification: Notification
    address: str  # the sender's, or the one that a relay tells
    bindings: list[Binding]
    stored: bytes  # the message as it came, without secrets
    digest: str = ""  # of what tells a repeated one from a new one; only where the sender may repeat it
    answer: Callable[[], object] | None = None  # what acknowledges it
    event: PlatformEvent | None = None

    @property
    def may_repeat(self) -> bool:
        """Say whether the sender repeats it until it is acknowledged."""
        return bool(self.digest)

    @property
    def repeat_key(self) -> tuple[str, int | None, str]:
        """Give what tells a repeated one from a new one."""
        return self.datagram.address, self.notification.request_id, self.digest

    def acknowledge(self) -> None:
        """Tell the sender, after its alert is stored."""
        if self.answer is not None:
            self.answer()


class Received(NamedTuple):
    """A notification out of its message: the message as it may be kept, and for an inform its PDU and its answer."""

    notification: Notification
    stored: bytes
    pdu: bytes = b""
    answer: Callable[[], bytes] | None = None


def receive(datagram: Datagram) -> Received:
    """Read a message and leave out its secrets; raises ``Malformed`` for one of version 3 that was not opened, too."""
    opened, data = datagram.opened, datagram.data
    if opened is not None:
        answer = opened.answer if opened.is_inform else None
        return Received(opened.notification(), opened.readable(), opened.pdu, answer)
    envelope = open_envelope(data)
    notification = read_notification(data, envelope)
    at = envelope.at  # the community stands right before the PDU
    length = len(envelope.community)
    stored = data[: at - length] + BLANK * length + data[at:]
    if notification.kind is not _INFORM:
        return Received(notification, stored)
    return Received(notification, stored, data[at : envelope.end], partial(encode_inform_response, data))


def understand(datagram: Datagram, received: Received, relays: frozenset[str]) -> Trap:
    """Take over what is kept. Only a relay is believed when it says that a trap is somebody else's."""
    notification = received.notification
    address = datagram.address
    agent = notification.agent_address
    if relays and agent is not None and address in relays and agent != _NOBODY:
        address = str(agent)
    stored = received.stored if len(received.stored) <= KEPT_OCTETS else b""
    trap = Trap(datagram, notification, address, [binding_of(v) for v in notification.varbinds[:KEPT_BINDINGS]], stored)
    if received.answer is not None:
        trap.digest = hashlib.blake2b(received.pdu, digest_size=16).hexdigest()
        trap.answer = partial(_answer, datagram, received.answer)
    elif (event := event_of(notification.trap_oid, trap.bindings)) is not None and event.number:
        identity = (event.machine.bytes, event.number, event.seconds, notification.trap_oid)
        trap.digest = hashlib.blake2b(repr(identity).encode(), digest_size=16).hexdigest()
        trap.event = event
    return trap


def _answer(datagram: Datagram, answer: Callable[[], bytes]) -> None:
    datagram.answer(answer())


def binding_of(varbind: RawVarbind) -> Binding:
    """Give a variable as it is stored."""
    oid, tag, value = varbind
    text = str(value) if type(value) is int else text_of(value)[:KEPT_CHARACTERS]
    return {"oid": oid, "type": _TYPES.get(tag) or str(tag), "value": text}


def text_of(value: Value) -> str:
    """Write a value as text; octets that are no readable text are written in hexadecimal."""
    if isinstance(value, bytes):
        try:
            text = value.rstrip(b"\0").decode("utf-8")
        except UnicodeDecodeError:
            return f"0x{value.hex()}"
        if text.isprintable() or all(letter.isprintable() or letter in "\t\r\n" for letter in text):
            return text
        return f"0x{value.hex()}"
    if value is None or isinstance(value, Absent):
        return ""
    return str(value)
