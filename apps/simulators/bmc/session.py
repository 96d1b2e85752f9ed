"""Sessions of RMCP+: who opens one proves that he knows the password, then every packet is sealed (IPMI 2.0 §13)."""

import hmac
import os
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from apps.simulators.bmc.accounts import Account, Privilege
from apps.simulators.bmc.wire import AUTHENTICATED, ENCRYPTED, IPMI_CLASS, RMCP, RMCP_PLUS

_HEAD = RMCP + bytes((IPMI_CLASS,))
_HEAD_LENGTH = 16
_BLOCK = 16
_PADDING = bytes(range(1, _BLOCK))
_NEXT_HEADER = 0x07
_AHEAD, _BEHIND = 32, 16  # packets that may have come out of order


@dataclass(frozen=True, slots=True)
class Suite:
    """A cipher suite (§22.15.2): its algorithms by number, the hash, and the length of a packet's code."""

    number: int
    authentication: int
    integrity: int
    digest: str
    code_length: int

    def code(self, key: bytes, data: bytes) -> bytes:
        """Give the whole code of data."""
        return hmac.digest(key, data, self.digest)


AES_CBC_128 = 1
SUITES = (Suite(3, 1, 1, "sha1", 12), Suite(17, 3, 4, "sha256", 16))


@dataclass(slots=True)
class Session:
    """One that is being opened, or open; its repr shows no key."""

    suite: Suite
    console_id: bytes
    own_id: bytes
    asked: int  # the privilege that was asked for at first; 0: the highest
    begun_at: float
    peer: Any = None  # where its packets come from
    own_random: bytes = field(default_factory=lambda: os.urandom(16), repr=False)
    console_random: bytes = field(default=b"", repr=False)
    account: Account | None = None
    role: bytes = b""  # role, length of the name, name: as RAKP 1 gave them
    limit: int = 0
    privilege: Privilege = Privilege.USER
    is_open: bool = False
    used_at: float = 0.0
    number: int = 0
    _integrity: bytes = field(default=b"", repr=False)
    _encryption: Any = field(default=None, repr=False)
    _sent: int = 0
    _heard: int = 0
    _heard_before: int = 0  # by bit, of the packets before the newest

    # --- opening ------------------------------------------------------------------------------------------------------

    def proof_of_controller(self, guid: bytes, password: bytes) -> bytes:
        """Give the code of RAKP 2."""
        told = self.console_id + self.own_id + self.console_random + self.own_random + guid + self.role
        return self.suite.code(password, told)

    def proof_of_console(self, password: bytes) -> bytes:
        """Give the code that RAKP 3 has to hold."""
        return self.suite.code(password, self.own_random + self.console_id + self.role)

    def open(self, guid: bytes, password: bytes) -> bytes:
        """Make the keys; gives the code of RAKP 4."""
        key = self.suite.code(password, self.console_random + self.own_random + self.role)
        self._integrity = self.suite.code(key, b"\x01" * 20)
        self._encryption = algorithms.AES(self.suite.code(key, b"\x02" * 20)[:16])
        self.is_open = True
        return self.suite.code(key, self.console_random + self.own_id + guid)[: self.suite.code_length]

    # --- packets ------------------------------------------------------------------------------------------------------

    def unseal(self, data: bytes) -> tuple[int, bytes] | None:
        """Give the kind and the content of a packet; None when it is not whole, not new, or not from the console."""
        length = self.suite.code_length
        kind, number, size = data[5], int.from_bytes(data[10:14], "little"), int.from_bytes(data[14:16], "little")
        end = _HEAD_LENGTH + size
        if not kind & AUTHENTICATED or not kind & ENCRYPTED or len(data) < end + 2 + length:
            return None
        if not hmac.compare_digest(self.suite.code(self._integrity, data[4:-length])[:length], data[-length:]):
            return None
        if not self._is_new(number):
            return None
        content = self._decrypt(data[_HEAD_LENGTH:end])
        return None if content is None else (kind & 0x3F, content)

    def seal(self, kind: int, content: bytes) -> bytes:
        """Give a packet of the session."""
        self._sent = self._sent % 0xFFFFFFFF + 1
        content = self._encrypt(content)
        behind = -(len(content) + 2) % 4  # the length of the padding and the next header count, too
        packet = b"".join(
            (
                struct.pack(
                    "<BB4sIH", RMCP_PLUS, ENCRYPTED | AUTHENTICATED | kind, self.console_id, self._sent, len(content)
                ),
                content,
                b"\xff" * behind,
                bytes((behind, _NEXT_HEADER)),
            )
        )
        return _HEAD + packet + self.suite.code(self._integrity, packet)[: self.suite.code_length]

    def _is_new(self, number: int) -> bool:
        """Note a packet's number; whether it may be taken (§6.12.13)."""
        if number == 0:
            return False
        ahead = number - self._heard
        if ahead > 0:
            if ahead > _AHEAD and self._heard:
                return False
            if self._heard:
                self._heard_before = (self._heard_before << ahead | 1 << ahead - 1) & (1 << _BEHIND) - 1
            self._heard = number
            return True
        if -ahead > _BEHIND or ahead == 0 or self._heard_before >> -ahead - 1 & 1:
            return False
        self._heard_before |= 1 << -ahead - 1
        return True

    def _encrypt(self, content: bytes) -> bytes:
        start = os.urandom(_BLOCK)
        padding = -(len(content) + 1) % _BLOCK
        worker = Cipher(self._encryption, modes.CBC(start)).encryptor()
        return start + worker.update(content + _PADDING[:padding] + bytes((padding,)))

    def _decrypt(self, data: bytes) -> bytes | None:
        if len(data) < 2 * _BLOCK or len(data) % _BLOCK:
            return None
        clear = Cipher(self._encryption, modes.CBC(data[:_BLOCK])).decryptor().update(data[_BLOCK:])
        padding = clear[-1]
        return clear[: -padding - 1] if padding < len(clear) else None
