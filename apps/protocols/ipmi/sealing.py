"""Packets of a session that is signed in: sealed, so that nobody on the way reads or changes them (IPMI 2.0 §13.6).

Pure: bytes in, bytes out. All that a session has agreed on while signing in is in ``Keys``.
"""

import hmac
import os
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

IPMI, SERIAL_OVER_LAN = 0, 1  # types of payload

_RMCP = b"\x06\x00\xff\x07"
_RMCP_PLUS = 0x06
_SEALED = 0xC0  # encrypted and authenticated
_KIND = 0x3F
_HEAD = struct.Struct("<4sBBIIH")  # RMCP, format, type, session, sequence number, length of the payload
_LAST_NUMBER = 0xFFFFFFFF
_BLOCK = 16
_PADDING = bytes(range(1, _BLOCK))
_NEXT_HEADER = 0x07


@dataclass(frozen=True, slots=True)
class Keys:
    """What both sides agreed on; its repr shows no key. The numbers of a session are those of either side."""

    ours: int
    theirs: int
    digest: str
    code_length: int
    integrity: bytes = field(repr=False)
    encryption: bytes = field(repr=False)


class Seal:
    """Seals what one side says, and opens what the other one does."""

    def __init__(self, keys: Keys, sent: int = 0) -> None:
        self._keys = keys
        self._cipher = algorithms.AES(keys.encryption)
        self._sent = sent
        self._heard = 0

    def seal(self, kind: int, content: bytes) -> bytes:
        """Give the next packet."""
        keys = self._keys
        self._sent = self._sent % _LAST_NUMBER + 1
        start = os.urandom(_BLOCK)
        padding = -(len(content) + 1) % _BLOCK
        worker = Cipher(self._cipher, modes.CBC(start)).encryptor()
        hidden = worker.update(content + _PADDING[:padding] + bytes((padding,)))
        head = _HEAD.pack(_RMCP, _RMCP_PLUS, _SEALED | kind, keys.theirs, self._sent, _BLOCK + len(hidden))
        # What is hidden comes in blocks of 16 behind 12 bytes of head: two bytes more make the length one of four.
        packet = b"".join((head, start, hidden, b"\xff\xff\x02", bytes((_NEXT_HEADER,))))
        return packet + hmac.digest(keys.integrity, packet[len(_RMCP) :], keys.digest)[: keys.code_length]

    def open(self, packet: bytes) -> tuple[int, bytes] | None:
        """Give the type and the content of a packet; None when it is not whole, of another session, or older."""
        keys = self._keys
        if len(packet) < _HEAD.size + 2 * _BLOCK + 2 + keys.code_length:
            return None
        rmcp, form, kind, session, number, size = _HEAD.unpack_from(packet)
        if rmcp != _RMCP or form != _RMCP_PLUS or kind & _SEALED != _SEALED or session != keys.ours:
            return None
        code = hmac.digest(keys.integrity, packet[len(_RMCP) : -keys.code_length], keys.digest)[: keys.code_length]
        if not hmac.compare_digest(code, packet[-keys.code_length :]):
            return None
        hidden = packet[_HEAD.size : _HEAD.size + size]
        if number < self._heard or size > len(packet) - _HEAD.size - keys.code_length or size % _BLOCK:
            return None
        if size < 2 * _BLOCK:
            return None
        self._heard = number if number != _LAST_NUMBER else 0
        clear = Cipher(self._cipher, modes.CBC(hidden[:_BLOCK])).decryptor().update(hidden[_BLOCK:])
        padding = clear[-1] + 1
        return (kind & _KIND, clear[:-padding]) if padding <= len(clear) else None
