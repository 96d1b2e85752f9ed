"""Packets of RMCP, ASF presence and IPMI messages (ASF 2.0 §3.2, IPMI 2.0 §13)."""

import struct
from typing import NamedTuple

RMCP, ASF_CLASS, IPMI_CLASS = bytes.fromhex("0600ff"), 0x06, 0x07
ASF_IANA = bytes.fromhex("000011be")
PING, PONG = 0x80, 0x40
NO_AUTHENTICATION, RMCP_PLUS = 0x00, 0x06
IPMI, SOL = 0x00, 0x01
OPEN_REQUEST, OPEN_RESPONSE, RAKP1, RAKP2, RAKP3, RAKP4 = range(0x10, 0x16)
ENCRYPTED, AUTHENTICATED = 0x80, 0x40
_HEAD = RMCP + bytes((IPMI_CLASS,))


class Message(NamedTuple):
    """A question to the controller."""

    netfn: int
    command: int
    data: bytes
    lun: int
    head: bytes  # the asker's address, sequence and unit, as an answer repeats them


def checksum(data: bytes) -> int:
    """Give the byte with which data adds up to zero."""
    return -sum(data) & 0xFF


def message(payload: bytes) -> Message | None:
    """Read a message (§13.8); None when it is none, or damaged."""
    if len(payload) < 7 or (payload[0] + payload[1] + payload[2]) & 0xFF or sum(payload[3:]) & 0xFF:
        return None
    return Message(payload[1] >> 2, payload[5], payload[6:-1], payload[1] & 0x03, payload[:6])


def answer(asked: Message, code: int, data: bytes) -> bytes:
    """Give the payload of an answer."""
    head = asked.head
    first = bytes((head[3], (asked.netfn + 1) << 2 | head[4] & 0x03))
    second = bytes((head[0], head[4] & 0xFC | asked.lun, asked.command, code)) + data
    return first + bytes((checksum(first),)) + second + bytes((checksum(second),))


def pong(tag: int) -> bytes:
    """Answer a presence ping: IPMI is spoken here."""
    return (
        RMCP
        + bytes((ASF_CLASS,))
        + ASF_IANA
        + bytes((PONG, tag, 0, 16))
        + ASF_IANA
        + bytes((0, 0, 0, 0, 0x81))
        + bytes(7)
    )


def outside_1_5(payload: bytes) -> bytes:
    """Wrap an answer outside of a session as IPMI 1.5 does."""
    return _HEAD + bytes((NO_AUTHENTICATION,)) + bytes(8) + bytes((len(payload),)) + payload


def outside_2_0(kind: int, payload: bytes) -> bytes:
    """Wrap an answer outside of a session as RMCP+ does."""
    return _HEAD + struct.pack("<BBIIH", RMCP_PLUS, kind, 0, 0, len(payload)) + payload
