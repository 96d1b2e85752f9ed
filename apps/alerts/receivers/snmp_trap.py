"""SNMP v1 and v2c notifications: from the datagram to what is kept of it."""

import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Address

from apps.alerts.receivers.datagrams import Datagram
from apps.alerts.services.arrivals import Binding
from apps.protocols.snmp.ber import Absent, Tag, Value, Varbind
from apps.protocols.snmp.message import open_envelope
from apps.protocols.snmp.notification import Notification, NotificationKind, decode_notification, encode_inform_response

SOURCE = "snmp-trap"
KEPT_BINDINGS = 256
KEPT_CHARACTERS = 4096  # of one value
KEPT_OCTETS = 16384  # of the datagram: what is longer is kept by its bindings alone
BLANK = b"*"
_TYPES = {tag.value: tag.name.replace("_", " ").capitalize() for tag in Tag}


@dataclass(frozen=True, slots=True)
class Trap:
    """One notification that was understood, with its sender as far as the datagram tells."""

    datagram: Datagram
    address: str
    version: str
    trap_oid: str
    enterprise: str
    request_id: int | None
    is_inform: bool
    bindings: tuple[Binding, ...]
    stored: bytes
    digest: str

    @property
    def repeat_key(self) -> tuple[str, int | None, str]:
        """Give what tells a repeated inform from a new one."""
        return self.datagram.address, self.request_id, self.digest

    def acknowledge(self) -> None:
        """Answer an inform, after its alert is stored."""
        self.datagram.answer(encode_inform_response(self.datagram.data))


def decode(datagram: Datagram) -> tuple[Notification, bytes]:
    """Open a notification and blank out the community; raises ``Malformed`` for anything else."""
    notification = decode_notification(datagram.data)
    at = open_envelope(datagram.data).at  # the community stands right before the PDU
    length = len(notification.community)
    return notification, datagram.data[: at - length] + BLANK * length + datagram.data[at:]


def understand(datagram: Datagram, notification: Notification, blanked: bytes, relays: frozenset[str]) -> Trap:
    """Take over what is kept. Only a relay is believed when it says that a trap is somebody else's."""
    address = datagram.address
    agent = notification.agent_address
    if agent is not None and address in relays and agent != IPv4Address(0):
        address = str(agent)
    return Trap(
        datagram=datagram,
        address=address,
        version=notification.version,
        trap_oid=notification.trap_oid,
        enterprise=notification.enterprise or "",
        request_id=notification.request_id,
        is_inform=notification.kind == NotificationKind.INFORM,
        bindings=tuple(binding_of(varbind) for varbind in notification.varbinds[:KEPT_BINDINGS]),
        stored=blanked if len(blanked) <= KEPT_OCTETS else b"",
        digest=hashlib.blake2b(blanked, digest_size=16).hexdigest(),
    )


def binding_of(varbind: Varbind) -> Binding:
    """Give a variable as it is stored."""
    return {
        "oid": varbind.oid,
        "type": _TYPES.get(varbind.tag, str(varbind.tag)),
        "value": text_of(varbind.value)[:KEPT_CHARACTERS],
    }


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
