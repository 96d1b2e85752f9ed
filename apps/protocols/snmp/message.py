"""The envelope of SNMP v1 and v2c: version, community and one PDU (RFC 1157 §4, RFC 1901 §3)."""

from typing import NamedTuple

from apps.protocols.snmp.ber import (
    SEQUENCE,
    encode_element,
    encode_integer,
    expect,
    malformed,
    read_integer,
    read_octets,
)

V1, V2C, V3 = 0, 1, 3


class Envelope(NamedTuple):
    """An opened v1 or v2c message: the PDU lies between ``at`` and ``end``."""

    version: int
    community: bytes
    at: int
    end: int


def read_version(data: bytes) -> tuple[int, int, int]:
    """The version number of a message, and where what follows it starts and stops."""
    at, end = expect(data, 0, len(data), SEQUENCE)
    version, at = read_integer(data, at, end)
    if version not in (V1, V2C, V3):
        raise malformed(f"version {version}")
    return version, at, end


def open_envelope(data: bytes) -> Envelope:
    """Open a v1 or v2c message; raises ``Malformed``."""
    version, at, end = read_version(data)
    if version == V3:
        raise malformed("version 3 in place of a community")
    community, at = read_octets(data, at, end)
    return Envelope(version, community, at, end)


def seal_envelope(version: int, community: bytes, pdu: bytes) -> bytes:
    """A whole v1 or v2c message around an encoded PDU."""
    return encode_element(SEQUENCE, encode_integer(version) + encode_element(0x04, community) + pdu)
