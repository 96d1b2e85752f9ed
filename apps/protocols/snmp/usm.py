"""The User-based Security Model of SNMPv3: keys, signing and encrypting of messages (RFC 3414, RFC 3826, RFC 7860).

No authentication, or HMAC with MD5, SHA-1 and SHA-2; no privacy, or AES-128. Keys are cached: the costly way from a
password to its master key once per password, the localised key once per password and engine.
"""

import hashlib
import hmac
import os
import time
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128

from apps.protocols.snmp.ber import (
    LARGEST_DATAGRAM,
    SEQUENCE,
    Pdu,
    decode_pdu,
    encode_element,
    encode_integer,
    expect,
    malformed,
    read_integer,
    read_octets,
)
from apps.protocols.snmp.message import V3, read_version
from apps.protocols.snmp.target import SnmpTarget

AUTHENTICATED, ENCRYPTED, REPORTABLE = 1, 2, 4
USM = 3  # the only security model
MASTER_KEY_OCTETS = 1048576  # RFC 3414 §A.2
FAST_PRIV_PROTOCOLS = frozenset({"none", "AES-128"})

# Hash function and how many octets of the HMAC travel (RFC 3414 §6.3.1, RFC 7860 §4.2).
_HASHES = {
    "MD5": ("md5", 12),
    "SHA": ("sha1", 12),
    "SHA-224": ("sha224", 16),
    "SHA-256": ("sha256", 24),
    "SHA-384": ("sha384", 32),
    "SHA-512": ("sha512", 48),
}


@lru_cache(maxsize=1024)
def master_key(hash_name: str, password: bytes) -> bytes:
    """The key that a password stands for, not yet bound to an engine (RFC 3414 §A.2)."""
    if not password:
        return b""
    stretched = password * (MASTER_KEY_OCTETS // len(password) + 1)
    return hashlib.new(hash_name, stretched[:MASTER_KEY_OCTETS]).digest()


@lru_cache(maxsize=16384)
def localised_key(hash_name: str, password: bytes, engine_id: bytes) -> bytes:
    """The key of a password on one engine (RFC 3414 §2.6)."""
    master = master_key(hash_name, password)
    return hashlib.new(hash_name, master + engine_id + master).digest()


@dataclass(slots=True)
class Engine:
    """What is known of an agent's engine: its id, how often it started and its clock (RFC 3414 §2.2)."""

    engine_id: bytes
    boots: int
    seconds: int
    noted_at: float = field(default_factory=time.monotonic)

    def now(self) -> int:
        """The engine's clock by our reckoning, in seconds."""
        return min(self.seconds + int(time.monotonic() - self.noted_at), 0x7FFFFFFF)

    def set_clock(self, boots: int, seconds: int) -> None:
        """Take over what an authenticated message of this engine says of its clock."""
        self.boots, self.seconds, self.noted_at = boots, seconds, time.monotonic()


@dataclass(frozen=True, slots=True)
class User:
    """One user as the wire needs it; made from a target, keys and names as octets."""

    name: bytes
    hash_name: str
    digest_octets: int
    auth_password: bytes = field(repr=False)
    encrypts: bool
    priv_password: bytes = field(repr=False)
    context: bytes

    @property
    def flags(self) -> int:
        """The message flags of this user's security level."""
        return (AUTHENTICATED if self.hash_name else 0) | (ENCRYPTED if self.encrypts else 0)


@lru_cache(maxsize=4096)
def user_of(target: SnmpTarget) -> User:
    """The user that a version 3 target signs in as."""
    hash_name, digest_octets = _HASHES.get(target.auth_protocol, ("", 0))
    return User(
        name=target.username.encode(),
        hash_name=hash_name,
        digest_octets=digest_octets,
        auth_password=target.auth_password.encode(),
        encrypts=target.priv_protocol != "none",
        priv_password=target.priv_password.encode(),
        context=target.context.encode(),
    )


class Header(NamedTuple):
    """The part of a version 3 message that is never encrypted."""

    message_id: int
    flags: int
    engine_id: bytes
    boots: int
    seconds: int
    user_name: bytes
    digest: bytes
    digest_at: int
    salt: bytes
    data_at: int
    end: int


_salts = count(int.from_bytes(os.urandom(8), "big"))


def _aes(user: User, engine_id: bytes, boots: int, seconds: int, salt: bytes) -> Cipher[CFB]:
    key = localised_key(user.hash_name, user.priv_password, engine_id)[:16]
    initial = boots.to_bytes(4, "big") + seconds.to_bytes(4, "big") + salt  # RFC 3826 §3.1.2.1
    return Cipher(AES128(key), CFB(initial))


def _assemble(message_id: int, flags: int, security: bytes, data: bytes) -> bytes:
    header = (
        encode_integer(message_id)
        + encode_integer(LARGEST_DATAGRAM)
        + encode_element(0x04, bytes((flags,)))
        + encode_integer(USM)
    )
    content = encode_integer(V3) + encode_element(SEQUENCE, header) + encode_element(0x04, security) + data
    return encode_element(SEQUENCE, content)


def discovery(message_id: int, pdu: bytes) -> bytes:
    """The unauthenticated question that makes an agent report its engine id (RFC 3414 §4)."""
    scoped = encode_element(SEQUENCE, b"\x04\x00\x04\x00" + pdu)
    return _assemble(
        message_id, REPORTABLE, encode_element(SEQUENCE, bytes.fromhex("0400 020100 020100 0400 0400 0400")), scoped
    )


def seal(message_id: int, user: User, engine: Engine, pdu: bytes, *, reportable: bool = True) -> bytes:
    """A whole version 3 message around an encoded PDU, encrypted and signed as the user's level asks."""
    boots, seconds = engine.boots, engine.now()
    data = encode_element(SEQUENCE, encode_element(0x04, engine.engine_id) + encode_element(0x04, user.context) + pdu)
    salt = b""
    if user.encrypts:
        salt = (next(_salts) & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")
        encryptor = _aes(user, engine.engine_id, boots, seconds, salt).encryptor()
        data = encode_element(0x04, encryptor.update(data) + encryptor.finalize())
    before = (
        encode_element(0x04, engine.engine_id)
        + encode_integer(boots)
        + encode_integer(seconds)
        + encode_element(0x04, user.name)
    )
    after = encode_element(0x04, bytes(user.digest_octets)) + encode_element(0x04, salt)
    flags = user.flags | (REPORTABLE if reportable else 0)
    message = _assemble(message_id, flags, encode_element(SEQUENCE, before + after), data)
    if not user.hash_name:
        return message
    at = len(message) - len(data) - (2 + len(salt)) - user.digest_octets
    return message[:at] + _digest(user, engine.engine_id, message) + message[at + user.digest_octets :]


def _digest(user: User, engine_id: bytes, message: bytes) -> bytes:
    key = localised_key(user.hash_name, user.auth_password, engine_id)
    return hmac.digest(key, message, user.hash_name)[: user.digest_octets]


def read_v3_header(data: bytes) -> Header:
    """Everything of a version 3 message before its data; raises ``Malformed``."""
    version, at, end = read_version(data)
    if version != V3:
        raise malformed("a community in place of version 3")
    inner, stop = expect(data, at, end, SEQUENCE)
    message_id, inner = read_integer(data, inner, stop)
    _, inner = read_integer(data, inner, stop)
    flags, inner = read_octets(data, inner, stop)
    model, _ = read_integer(data, inner, stop)
    if len(flags) != 1 or model != USM:
        raise malformed("an unknown security model")
    at, security_end = expect(data, stop, end, 0x04)
    at, stop = expect(data, at, security_end, SEQUENCE)
    engine_id, at = read_octets(data, at, stop)
    boots, at = read_integer(data, at, stop)
    seconds, at = read_integer(data, at, stop)
    user_name, at = read_octets(data, at, stop)
    digest_at, at = expect(data, at, stop, 0x04)
    digest = data[digest_at:at]
    salt, _ = read_octets(data, at, stop)
    if not (0 <= boots <= 0x7FFFFFFF and 0 <= seconds <= 0x7FFFFFFF):
        raise malformed("an engine clock out of range")
    return Header(
        message_id, flags[0], engine_id, boots, seconds, user_name, digest, digest_at, salt, security_end, end
    )


def is_signed_by(data: bytes, header: Header, user: User) -> bool:
    """Whether the message carries this user's valid HMAC (RFC 3414 §6.3.2)."""
    if not (header.flags & AUTHENTICATED and user.hash_name) or len(header.digest) != user.digest_octets:
        return False
    blank = data[: header.digest_at] + bytes(user.digest_octets) + data[header.digest_at + user.digest_octets :]
    return hmac.compare_digest(_digest(user, header.engine_id, blank), header.digest)


def open_data(data: bytes, header: Header, user: User) -> Pdu:
    """The PDU of a version 3 message, decrypted where it is encrypted; raises ``Malformed``."""
    at, end = header.data_at, header.end
    if header.flags & ENCRYPTED:
        if not user.encrypts:
            raise malformed("an encrypted answer that was not asked for")
        at, end = expect(data, at, end, 0x04)
        if len(header.salt) != 8:
            raise malformed("a salt of the wrong length")
        decryptor = _aes(user, header.engine_id, header.boots, header.seconds, header.salt).decryptor()
        data = decryptor.update(data[at:end]) + decryptor.finalize()
        at, end = 0, len(data)
    at, end = expect(data, at, end, SEQUENCE)
    for _ in ("context engine id", "context name"):
        _, at = read_octets(data, at, end)
    return decode_pdu(data, at, end)
