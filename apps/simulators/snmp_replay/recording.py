"""What a simulated agent knows: values in the order of SNMP, read from ``.snmprec`` dumps or given by a program.

A dump has one value a line, ``OID|type|value``; the type is the BER tag in decimal, followed by ``x`` where the value
is in hexadecimal. Lines that compute their value when asked (``type:module``) are left out.
"""

import bz2
import lzma
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping
from io import BufferedIOBase, BufferedReader
from ipaddress import IPv4Address
from itertools import islice
from pathlib import Path
from typing import Self

from apps.protocols.snmp.ber import (
    SEQUENCE,
    Oid,
    RawVarbind,
    Tag,
    Value,
    arcs,
    decode_value,
    encode_element,
    encode_oid,
    encode_value,
)
from apps.simulators.snmp_answers import Place

AT_ONCE = 1 << 20  # octets of a packed dump
_INTEGERS = (Tag.INTEGER, Tag.COUNTER32, Tag.GAUGE32, Tag.TIME_TICKS, Tag.COUNTER64, Tag.UNSIGNED32)


class Recording:
    """Values by object identifier; ``following`` walks them in order, ``set`` changes one while the agent answers."""

    def __init__(self, values: Mapping[Oid, tuple[int, Value]] | None = None) -> None:
        self._encoded: dict[tuple[int, ...], bytes] = {}
        self._types: dict[tuple[int, ...], int] = {}
        for oid, (tag, value) in (values or {}).items():
            self._store(oid, tag, value)
        self._order = sorted(self._encoded)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a dump, packed or not; ``ValueError`` when a line is none."""
        recording = cls()
        for oid, tag, value in read_dump(path):
            if arcs(oid) not in recording._encoded:
                recording._store(oid, tag, value)
        recording._order = sorted(recording._encoded)
        return recording

    def __len__(self) -> int:
        return len(self._order)

    def set(self, oid: Oid, tag: int, value: Value) -> None:
        """Give ``oid`` a value, new or in place of its old one."""
        if arcs(oid) not in self._encoded:
            insort(self._order, arcs(oid))
        self._store(oid, tag, value)

    def remove(self, oid: Oid) -> None:
        """Take ``oid`` away; ``KeyError`` when it is not there."""
        del self._encoded[arcs(oid)]
        del self._types[arcs(oid)]
        del self._order[bisect_left(self._order, arcs(oid))]

    def exactly(self, place: Place, wide: bool = True) -> bytes | None:
        """Give the encoded variable binding at exactly this place; a Counter64 only to who is ``wide`` enough."""
        return self._encoded.get(place) if wide or self._types.get(place) != Tag.COUNTER64 else None

    def following(self, place: Place, count: int, wide: bool = True) -> list[bytes]:
        """Give at most so many bindings behind this place, in order."""
        start = bisect_right(self._order, place)
        if wide:
            return [self._encoded[one] for one in self._order[start : start + count]]
        behind = (self._order[at] for at in range(start, len(self._order)))
        return [self._encoded[one] for one in islice((o for o in behind if self._types[o] != Tag.COUNTER64), count)]

    def _store(self, oid: Oid, tag: int, value: Value) -> None:
        self._encoded[arcs(oid)] = encode_element(SEQUENCE, encode_oid(oid) + encode_value(tag, value))
        self._types[arcs(oid)] = tag


def read_dump(path: Path) -> Iterator[RawVarbind]:
    """The values of a dump in the order of its lines; raises ``ValueError`` naming the line that is none."""
    with _opened(path) as lines:
        for number, line in enumerate(lines, 1):
            fields = line.rstrip(b"\r\n").split(b"|", 2)
            if fields[0].startswith(b"#") or fields == [b""]:
                continue
            try:
                oid, kind, text = fields
                if b":" in kind:
                    continue
                hexadecimal = kind.endswith(b"x")
                tag = Tag(int(kind.rstrip(b"x")))
                yield oid.decode().removeprefix("."), tag, _value(tag, text, hexadecimal)
            except ValueError as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from error


def _opened(path: Path) -> BufferedIOBase:
    if path.suffix not in (".bz2", ".xz"):
        return path.open("rb")
    opened = bz2.open if path.suffix == ".bz2" else lzma.open
    return BufferedReader(opened(path, "rb"), AT_ONCE)  # which gives lines several times as fast as these do


def _octets(text: bytes) -> bytes:
    """Read octets in hexadecimal; some recorders only say so of a plain text."""
    try:
        return bytes.fromhex(text.decode())
    except ValueError:
        return text


def _value(tag: Tag, text: bytes, hexadecimal: bool) -> Value:
    octets = _octets(text) if hexadecimal else text
    if tag in _INTEGERS:
        return int(text)
    if tag == Tag.OBJECT_IDENTIFIER:
        return text.decode().removeprefix(".") or "0.0"
    if tag == Tag.IP_ADDRESS:
        # Some recorders wrote the four octets themselves in place of the dotted form.
        return IPv4Address(octets) if len(octets) == 4 else IPv4Address(text.decode())
    return decode_value(tag, b"" if tag == Tag.NULL else octets)
