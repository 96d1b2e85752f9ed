"""How an agent answers GET, GETNEXT and GETBULK (RFC 1157 §4.1, RFC 3416 §4.2) from whatever it knows."""

from collections.abc import Sequence
from typing import Protocol

from apps.protocols.snmp.ber import (
    SEQUENCE,
    Absent,
    ErrorStatus,
    Oid,
    Pdu,
    PduKind,
    arcs,
    encode_element,
    encode_oid,
    encode_pdu,
)

LARGEST = 65507  # octets of a datagram
_AROUND = 200  # octets of a message beside its bindings
_NULL = b"\x05\x00"
_NO_SUCH_INSTANCE = bytes((Absent.NO_SUCH_INSTANCE.value, 0))
_END_OF_MIB_VIEW = bytes((Absent.END_OF_MIB_VIEW.value, 0))

Place = tuple[int, ...]
"""An object identifier as it sorts."""


class View(Protocol):
    """What one agent shows; bindings are given encoded. ``wide`` is False for version 1, which has no Counter64."""

    def exactly(self, place: Place, wide: bool) -> bytes | None:
        """Give the binding at this place, None where there is none."""

    def following(self, place: Place, count: int, wide: bool) -> list[bytes]:
        """Give at most so many bindings behind this place, in order."""


def bound(oid: Oid, value: bytes) -> bytes:
    """Encode a binding around an encoded value."""
    return encode_element(SEQUENCE, encode_oid(oid) + value)


def answer(pdu: Pdu, view: View, *, wide: bool, largest: int = LARGEST) -> bytes | None:
    """Give the encoded response to a question; None to what is none. A GETBULK's ends before ``largest`` octets."""
    oids = [oid for oid, _tag, _value in pdu.varbinds]
    status, index = ErrorStatus.NO_ERROR, 0
    if pdu.kind == PduKind.GET:
        found, index = _exactly(oids, view, wide)
    elif pdu.kind == PduKind.GET_NEXT:
        found, index = _next(oids, view, wide)
    elif pdu.kind == PduKind.GET_BULK and wide:
        found = _bulk(pdu, oids, view, largest)
    else:
        return None
    if index:
        status = ErrorStatus.NO_SUCH_NAME
        found = [bound(oid, _NULL) for oid in oids]
    return encode_pdu(PduKind.RESPONSE, pdu.request_id, status, index, b"".join(found))


def _exactly(oids: Sequence[Oid], view: View, wide: bool) -> tuple[list[bytes], int]:
    found = []
    for index, oid in enumerate(oids, 1):
        binding = view.exactly(arcs(oid), wide)
        if binding is None:
            if not wide:
                return [], index
            binding = bound(oid, _NO_SUCH_INSTANCE)
        found.append(binding)
    return found, 0


def _next(oids: Sequence[Oid], view: View, wide: bool) -> tuple[list[bytes], int]:
    found = []
    for index, oid in enumerate(oids, 1):
        row = view.following(arcs(oid), 1, wide)
        if not row and not wide:
            return [], index
        found.append(row[0] if row else bound(oid, _END_OF_MIB_VIEW))
    return found, 0


def _bulk(pdu: Pdu, oids: Sequence[Oid], view: View, largest: int) -> list[bytes]:
    once = max(0, min(pdu.error_status, len(oids)))
    repetitions = max(0, pdu.error_index)
    found = _next(oids[:once], view, True)[0]
    columns = []
    for oid in oids[once:]:
        column = view.following(arcs(oid), repetitions, True)
        if len(column) < repetitions:
            column.append(bound(oid, _END_OF_MIB_VIEW))
        columns.append(column)
    octets = sum(map(len, found))
    for row in range(max(map(len, columns), default=0)):
        for column in columns:
            binding = column[min(row, len(column) - 1)]
            octets += len(binding)
            if octets > largest - _AROUND:
                return found
            found.append(binding)
    return found
