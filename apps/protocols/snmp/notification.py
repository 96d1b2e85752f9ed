"""What agents send unasked: traps and informs of all versions (RFC 1157 §4.1.6, RFC 3416 §4.2.6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address

from apps.protocols.snmp.ber import (
    SEQUENCE,
    Oid,
    PduKind,
    RawVarbind,
    Tag,
    Varbind,
    decode_oid,
    decode_pdu_head,
    decode_value,
    decode_varbinds,
    encode_element,
    encode_integer,
    encode_oid,
    encode_pdu,
    encode_varbinds,
    expect,
    malformed,
    read_integer,
)
from apps.protocols.snmp.message import V1, V2C, Envelope, open_envelope, seal_envelope

SYS_UP_TIME = "1.3.6.1.2.1.1.3.0"
SNMP_TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
SNMP_TRAP_ENTERPRISE = "1.3.6.1.6.3.1.1.4.3.0"
SNMP_TRAP_ADDRESS = "1.3.6.1.6.3.18.1.3.0"
_STANDARD_TRAPS = "1.3.6.1.6.3.1.1.5"
_ENTERPRISE_SPECIFIC = 6


class NotificationKind(StrEnum):
    """Whether the agent wants an acknowledgement."""

    TRAP = "trap"
    INFORM = "inform"


# Plain names for what each datagram of a storm needs: twice as fast as going through the classes.
_varbind = tuple.__new__
_TRAP_V1, _TRAP_V2, _INFORM = int(PduKind.TRAP_V1), int(PduKind.TRAP_V2), int(PduKind.INFORM)
_TRAP_KIND, _INFORM_KIND = NotificationKind.TRAP, NotificationKind.INFORM


@dataclass(slots=True)
class Notification:
    """One trap or inform.

    ``trap_oid`` is in the form of version 2 whatever arrived (RFC 3584 §3.1); ``uptime`` is in 1/100 s. ``varbinds``
    leave out the uptime and the trap's name, which open every version 2 notification. ``generic`` and ``specific`` are
    set for version 1 alone; ``agent_address`` and ``enterprise`` also where a proxy added them to a version 2 trap.
    """

    version: str
    community: bytes = field(repr=False)
    kind: NotificationKind
    request_id: int | None
    trap_oid: Oid
    uptime: int | None
    varbinds: tuple[Varbind, ...]
    enterprise: Oid | None = None
    generic: int | None = None
    specific: int | None = None
    agent_address: IPv4Address | None = None


def decode_notification(datagram: bytes) -> Notification:
    """Open a v1 or v2c notification; raises ``Malformed`` for every other sequence of bytes, version 3 included."""
    return read_notification(datagram, open_envelope(datagram))


def read_notification(data: bytes, envelope: Envelope) -> Notification:
    """Read the notification in an opened v1 or v2c message; raises ``Malformed`` for every other PDU."""
    version, _, at, end = envelope
    if at < end:
        kind = data[at]
        if kind == _TRAP_V1 and version == V1:
            return _trap_v1(data, envelope)
        if kind in (_TRAP_V2, _INFORM) and version == V2C:
            return _notification_v2(data, at, end, "2c", envelope.community)
    raise malformed("a PDU that is no notification of its version")


def read_scoped_notification(scoped: bytes, at: int) -> Notification:
    """Read the notification of a version 3 message, whose PDU starts at ``at``; ``Malformed`` for other PDUs."""
    end = len(scoped)
    if at < end and scoped[at] in (_TRAP_V2, _INFORM):
        return _notification_v2(scoped, at, end, "3", b"")
    raise malformed("a PDU that is no notification")


def _trap_v1(data: bytes, envelope: Envelope) -> Notification:
    at, end = expect(data, envelope.at, envelope.end, PduKind.TRAP_V1)
    at, stop = expect(data, at, end, Tag.OBJECT_IDENTIFIER)
    enterprise = decode_oid(data[at:stop])
    at, stop = expect(data, stop, end, Tag.IP_ADDRESS)
    address = decode_value(Tag.IP_ADDRESS, data[at:stop])
    generic, at = read_integer(data, stop, end)
    specific, at = read_integer(data, at, end)
    at, stop = expect(data, at, end, Tag.TIME_TICKS)
    uptime = decode_value(Tag.TIME_TICKS, data[at:stop])
    at, stop = expect(data, stop, end, SEQUENCE)
    if not 0 <= generic <= _ENTERPRISE_SPECIFIC:
        raise malformed(f"a generic trap number {generic}")
    if generic == _ENTERPRISE_SPECIFIC:
        # Some agents count their traps above 2^31; the number's sign is an artefact of the encoding then.
        trap_oid = f"{enterprise}.0.{specific & 0xFFFFFFFF}"
    else:
        trap_oid = f"{_STANDARD_TRAPS}.{generic + 1}"
    return Notification(
        "1",
        envelope.community,
        _TRAP_KIND,
        None,
        trap_oid,
        uptime if isinstance(uptime, int) else None,
        tuple([_varbind(Varbind, bound) for bound in decode_varbinds(data, at, stop)]),
        enterprise,
        generic,
        specific,
        address if isinstance(address, IPv4Address) else None,
    )


def _notification_v2(data: bytes, at: int, end: int, version: str, community: bytes) -> Notification:
    kind, request_id, _, _, at, end = decode_pdu_head(data, at, end)
    bindings = decode_varbinds(data, at, end)
    uptime, trap_oid, enterprise, address = None, None, None, None
    kept = []
    for bound in bindings:
        oid, _, value = bound
        if oid == SYS_UP_TIME and uptime is None and isinstance(value, int):
            uptime = value
        elif oid == SNMP_TRAP_OID and trap_oid is None and isinstance(value, str):
            trap_oid = value
        else:
            kept.append(_varbind(Varbind, bound))
            if oid == SNMP_TRAP_ENTERPRISE and isinstance(value, str):
                enterprise = value
            elif oid == SNMP_TRAP_ADDRESS and isinstance(value, IPv4Address):
                address = value
    if trap_oid is None:
        raise malformed("a notification without its name (snmpTrapOID)")
    return Notification(
        version,
        community,
        _INFORM_KIND if kind == _INFORM else _TRAP_KIND,
        request_id,
        trap_oid,
        uptime,
        tuple(kept),
        enterprise,
        None,
        None,
        address,
    )


def encode_inform_response(datagram: bytes) -> bytes:
    """The acknowledgement of a v2c inform; raises ``Malformed``."""
    envelope = open_envelope(datagram)
    response = response_to(datagram, envelope.at, envelope.end)
    return seal_envelope(envelope.version, envelope.community, response)


def response_to(data: bytes, at: int, end: int) -> bytes:
    """The response to the inform at ``at``, which echoes its bindings (RFC 3416 §4.2.7); raises ``Malformed``."""
    kind, request_id, _, _, at, end = decode_pdu_head(data, at, end)
    if kind != PduKind.INFORM:
        raise malformed("only informs are acknowledged")
    return encode_pdu(PduKind.RESPONSE, request_id, 0, 0, data[at:end])


def encode_trap_v1(
    community: bytes,
    enterprise: Oid,
    *,
    generic: int = _ENTERPRISE_SPECIFIC,
    specific: int = 0,
    agent_address: IPv4Address | str = "0.0.0.0",
    uptime: int = 0,
    varbinds: Iterable[RawVarbind] = (),
) -> bytes:
    """A whole version 1 trap; ``uptime`` in 1/100 s."""
    content = (
        encode_oid(enterprise)
        + encode_element(Tag.IP_ADDRESS, IPv4Address(agent_address).packed)
        + encode_integer(generic)
        + encode_integer(specific)
        + encode_integer(uptime, Tag.TIME_TICKS)
        + encode_element(SEQUENCE, encode_varbinds(varbinds))
    )
    return seal_envelope(V1, community, encode_element(PduKind.TRAP_V1, content))


def encode_notification_v2(
    community: bytes,
    trap_oid: Oid,
    *,
    request_id: int = 1,
    uptime: int = 0,
    varbinds: Sequence[RawVarbind] = (),
    kind: NotificationKind = NotificationKind.TRAP,
) -> bytes:
    """A whole version 2c trap or inform; ``uptime`` in 1/100 s."""
    bindings: list[RawVarbind] = [
        (SYS_UP_TIME, Tag.TIME_TICKS, uptime),
        (SNMP_TRAP_OID, Tag.OBJECT_IDENTIFIER, trap_oid),
        *varbinds,
    ]
    tag = PduKind.INFORM if kind == NotificationKind.INFORM else PduKind.TRAP_V2
    return seal_envelope(V2C, community, encode_pdu(tag, request_id, 0, 0, encode_varbinds(bindings)))
