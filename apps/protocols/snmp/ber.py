"""The BER codec of SNMP: values, variable bindings and PDUs (RFC 3416 §3, X.690), written for speed.

An object identifier is a dotted ``str`` without a leading dot (``"1.3.6.1.2.1.1.1.0"``): it is cheap to cache, to slice
into column and index, and to use as a key; ``arcs`` gives the tuple that sorts right. Integers of every kind are
``int``, octet strings are ``bytes``, an IpAddress is an ``IPv4Address``, an Opaque float is a ``float``, NULL is
``None`` and what an agent does not have is a member of ``Absent``; the tag beside the value tells a Counter32 from a
Counter64.
Whatever bytes come in, decoding either succeeds or raises ``Malformed``.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, wraps
from ipaddress import IPv4Address
from typing import TypeVar

from apps.protocols.snmp.vocabulary import Absent as Absent
from apps.protocols.snmp.vocabulary import ErrorStatus as ErrorStatus
from apps.protocols.snmp.vocabulary import Malformed as Malformed
from apps.protocols.snmp.vocabulary import Oid as Oid
from apps.protocols.snmp.vocabulary import Pdu as Pdu
from apps.protocols.snmp.vocabulary import PduKind as PduKind
from apps.protocols.snmp.vocabulary import RawVarbind as RawVarbind
from apps.protocols.snmp.vocabulary import Tag as Tag
from apps.protocols.snmp.vocabulary import Value as Value
from apps.protocols.snmp.vocabulary import Varbind as Varbind
from apps.protocols.snmp.vocabulary import malformed as malformed

MAX_ARCS = 128  # RFC 3416 §4.1
MAX_ARC = 0xFFFFFFFF
LARGEST_DATAGRAM = 65507

SEQUENCE = 0x30

_ABSENT = {absent.value: absent for absent in Absent}
_UNSIGNED = frozenset({Tag.COUNTER32, Tag.GAUGE32, Tag.TIME_TICKS, Tag.COUNTER64, Tag.UNSIGNED32})
_INTEGERS = _UNSIGNED | {Tag.INTEGER}
_OPAQUE_FLOAT = b"\x9f\x78\x04"  # how net-snmp carries a float inside an Opaque
_OPAQUE_DOUBLE = b"\x9f\x79\x08"

_Sized = TypeVar("_Sized", bytes, str)
_Made = TypeVar("_Made")
_LONGEST_KEPT = 96


def _kept_when_short(most: int) -> Callable[[Callable[[_Sized], _Made]], Callable[[_Sized], _Made]]:
    """Cache a function's results for short arguments: long ones, which a device may make up at will, are not kept."""

    def decorate(make: Callable[[_Sized], _Made]) -> Callable[[_Sized], _Made]:
        kept = lru_cache(maxsize=most)(make)

        @wraps(make)
        def made(text: _Sized) -> _Made:
            return kept(text) if len(text) <= _LONGEST_KEPT else make(text)

        return made

    return decorate


# --- decoding ---------------------------------------------------------------------------------------------------------


def read_header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """The tag at ``at`` and where its content starts and stops; the content lies wholly before ``end``."""
    if at + 2 > end:
        raise malformed("the message is cut off")
    tag = data[at]
    size = data[at + 1]
    at += 2
    if size > 127:
        octets = size & 0x7F
        if not 0 < octets < 5 or at + octets > end:
            raise malformed("a length is not valid")
        size = int.from_bytes(data[at : at + octets], "big")
        at += octets
    stop = at + size
    if stop > end:
        raise malformed("a length reaches past the end")
    return tag, at, stop


def expect(data: bytes, at: int, end: int, wanted: int) -> tuple[int, int]:
    """Where the content of the element at ``at`` starts and stops; its tag must be ``wanted``."""
    tag, at, stop = read_header(data, at, end)
    if tag != wanted:
        raise malformed(f"tag {tag:#04x} in place of {wanted:#04x}")
    return at, stop


def read_integer(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The INTEGER at ``at`` and where it stops."""
    if at + 2 > end or data[at] != 0x02:
        expect(data, at, end, 0x02)
    size = data[at + 1]
    stop = at + 2 + size
    if not 0 < size < 9 or stop > end:
        raise malformed("an integer of no or too many octets")
    return int.from_bytes(data[at + 2 : stop], "big", signed=True), stop


def read_octets(data: bytes, at: int, end: int) -> tuple[bytes, int]:
    """The OCTET STRING at ``at`` and where it stops."""
    start, stop = expect(data, at, end, 0x04)
    return data[start:stop], stop


@_kept_when_short(32768)
def decode_oid(content: bytes) -> Oid:
    """The dotted form of an encoded object identifier (X.690 §8.19); an empty one is ``0.0``."""
    if not content:
        return "0.0"
    if content[-1] & 0x80 or len(content) > 5 * MAX_ARCS:
        raise malformed("an object identifier has no end")
    numbers: list[int] = []
    number = 0
    for octet in content:
        number = number << 7 | octet & 0x7F
        if octet < 0x80:
            numbers.append(number)
            number = 0
    first = numbers[0]
    if len(numbers) >= MAX_ARCS or first > MAX_ARC + 80 or max(numbers[1:], default=0) > MAX_ARC:
        raise malformed("an object identifier is too long")
    root = min(first // 40, 2)
    return ".".join(map(str, (root, first - 40 * root, *numbers[1:])))


@_kept_when_short(32768)
def arcs(oid: Oid) -> tuple[int, ...]:
    """The numbers of an object identifier, or of an index; this is what sorts as SNMP sorts."""
    return tuple(map(int, oid.split(".")))


@lru_cache(maxsize=8192)
def _address(content: bytes) -> IPv4Address | bytes:
    return IPv4Address(content) if len(content) == 4 else content


def _opaque(content: bytes) -> bytes | float:
    if len(content) == 7 and content.startswith(_OPAQUE_FLOAT):
        return float(struct.unpack(">f", content[3:])[0])
    if len(content) == 11 and content.startswith(_OPAQUE_DOUBLE):
        return float(struct.unpack(">d", content[3:])[0])
    return content


def decode_value(tag: int, content: bytes) -> Value:
    """The value of an element from its tag and content."""
    if tag in _INTEGERS:
        # Some agents send an unsigned number without its leading zero octet: only INTEGER has a sign.
        if not 0 < len(content) < 10 or (len(content) == 9 and content[0]):
            raise malformed("an integer of no or too many octets")
        return int.from_bytes(content, "big", signed=tag == 0x02)
    if tag == 0x04 or tag == 0x45:
        return content
    if tag == 0x06:
        return decode_oid(content)
    if tag == 0x40:
        return _address(content)
    if tag == 0x05:
        return None
    if tag == 0x44:
        return _opaque(content)
    if tag in _ABSENT:
        return _ABSENT[tag]
    raise malformed(f"a value of unknown type {tag:#04x}")


def decode_varbinds(data: bytes, at: int, end: int) -> list[RawVarbind]:
    """The variable bindings between ``at`` and ``end``, which is where the list's content stops.

    The common shapes are read in line, because nearly all of a poll's time is spent here.
    """
    varbinds: list[RawVarbind] = []
    add = varbinds.append
    from_bytes, oid_of = int.from_bytes, decode_oid
    try:
        while at < end:
            size = data[at + 1]
            if data[at] != 0x30:
                raise malformed("a variable binding is not a sequence")
            if size < 128:
                at += 2
                stop = at + size
                if stop > end:
                    raise malformed("a length reaches past the end")
            else:
                _, at, stop = read_header(data, at, end)
            size = data[at + 1]
            if data[at] != 0x06:
                raise malformed("a variable binding has no object identifier")
            if size < 128:
                at += 2
                middle = at + size
            else:
                _, at, middle = read_header(data, at, stop)
            if middle + 2 > stop:
                raise malformed("a variable binding has no value")
            oid = oid_of(data[at:middle])
            tag = data[middle]
            size = data[middle + 1]
            at = middle + 2
            if size > 127:
                tag, at, size = read_header(data, middle, stop)
                size -= at
            if at + size != stop:
                raise malformed("a value does not fill its variable binding")
            if tag == 0x04:
                add((oid, tag, data[at:stop]))
            elif 0 < size < 9 and (0x41 <= tag <= 0x43 or tag == 0x46):
                add((oid, tag, from_bytes(data[at:stop], "big")))
            elif tag == 0x02 and 0 < size < 9:
                add((oid, tag, from_bytes(data[at:stop], "big", signed=True)))
            else:
                add((oid, tag, decode_value(tag, data[at:stop])))
            at = stop
    except IndexError:
        raise malformed("the message is cut off") from None
    return varbinds


def decode_pdu_head(data: bytes, at: int, end: int) -> tuple[int, int, int, int, int, int]:
    """Kind, request id, error status and index of the PDU at ``at``, then where its bindings start and stop."""
    kind, at, end = read_header(data, at, end)
    if not 0xA0 <= kind <= 0xA8 or kind == 0xA4:
        raise malformed(f"a PDU of unknown kind {kind:#04x}")
    request_id, at = read_integer(data, at, end)
    status, at = read_integer(data, at, end)
    index, at = read_integer(data, at, end)
    start, stop = expect(data, at, end, 0x30)
    return kind, request_id, status, index, start, stop


def decode_pdu(data: bytes, at: int, end: int) -> Pdu:
    """The whole PDU at ``at``."""
    kind, request_id, status, index, start, stop = decode_pdu_head(data, at, end)
    return Pdu(kind, request_id, status, index, decode_varbinds(data, start, stop))


# --- encoding ---------------------------------------------------------------------------------------------------------


def encode_element(tag: int, content: bytes) -> bytes:
    """An element of the given tag around ``content``."""
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    octets = (size.bit_length() + 7) // 8
    return bytes((tag, 0x80 | octets)) + size.to_bytes(octets, "big") + content


def encode_integer(value: int, tag: int = 0x02) -> bytes:
    """An integer of any kind in as few octets as hold it with its sign."""
    return encode_element(tag, value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True))


@_kept_when_short(32768)
def encode_oid(oid: Oid) -> bytes:
    """The whole OBJECT IDENTIFIER element of a dotted object identifier; ``ValueError`` when it is none."""
    numbers = arcs(oid)
    if not 2 <= len(numbers) <= MAX_ARCS or numbers[0] > 2 or (numbers[0] < 2 and numbers[1] > 39):
        raise ValueError(f"{oid} is not an object identifier")
    content = bytearray()
    for number in (numbers[0] * 40 + numbers[1], *numbers[2:]):
        if not 0 <= number <= MAX_ARC + 80:
            raise ValueError(f"{oid} is not an object identifier")
        parts = [number & 0x7F]
        while number := number >> 7:
            parts.append(0x80 | number & 0x7F)
        content.extend(reversed(parts))
    return encode_element(0x06, bytes(content))


def _encode_opaque(value: Value) -> bytes:
    if isinstance(value, float):
        return encode_element(0x44, _OPAQUE_FLOAT + struct.pack(">f", value))
    return encode_element(0x44, _octets(value))


def _octets(value: Value) -> bytes:
    if isinstance(value, IPv4Address):
        return value.packed
    if not isinstance(value, bytes):
        raise ValueError(f"{type(value).__name__} does not fit an octet string")
    return value


_WRITERS: dict[int, Callable[[Value], bytes]] = {
    0x05: lambda value: b"\x05\x00",
    0x06: lambda value: encode_oid(value if isinstance(value, str) else ""),
    0x44: _encode_opaque,
}


def encode_value(tag: int, value: Value) -> bytes:
    """The whole element of a value; ``ValueError`` when value and tag do not go together."""
    if tag in _INTEGERS:
        if not isinstance(value, int):
            raise ValueError(f"{type(value).__name__} does not fit an integer")
        return encode_integer(value, tag)
    if tag in _ABSENT:
        return bytes((tag, 0))
    writer = _WRITERS.get(tag)
    return writer(value) if writer else encode_element(tag, _octets(value))


def encode_varbinds(varbinds: Iterable[RawVarbind]) -> bytes:
    """The content of a list of variable bindings."""
    return b"".join(
        encode_element(SEQUENCE, encode_oid(oid) + encode_value(tag, value)) for oid, tag, value in varbinds
    )


@_kept_when_short(16384)
def _question(oid: Oid) -> bytes:
    return encode_element(SEQUENCE, encode_oid(oid) + b"\x05\x00")


def encode_pdu(kind: int, request_id: int, first: int, second: int, varbinds: bytes) -> bytes:
    """A PDU around already encoded bindings; the two numbers are error status and index, or GETBULK's two."""
    head = encode_integer(request_id) + encode_integer(first) + encode_integer(second)
    return encode_element(kind, head + encode_element(SEQUENCE, varbinds))


def encode_question(kind: int, request_id: int, oids: Sequence[Oid], first: int = 0, second: int = 0) -> bytes:
    """A PDU that asks for ``oids``: GET, GETNEXT, or GETBULK with non-repeaters and max-repetitions."""
    return encode_pdu(kind, request_id, first, second, b"".join(map(_question, oids)))
