"""The User-based Security Model of SNMPv3: signing and encrypting of messages (RFC 3414, RFC 7860).

No authentication, or HMAC with MD5, SHA-1 and SHA-2; no privacy, or what ``privacy`` knows. Keys are cached: the costly
way from a password to its master key once per password, the localised key once per password and engine.
"""

import hmac
import time
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from apps.protocols.snmp import privacy
from apps.protocols.snmp.ber import (
    LARGEST_DATAGRAM,
    SEQUENCE,
    Pdu,
    PduKind,
    Tag,
    decode_pdu,
    encode_element,
    encode_integer,
    encode_pdu,
    encode_varbinds,
    expect,
    malformed,
    read_integer,
    read_octets,
)
from apps.protocols.snmp.message import V3, read_version
from apps.protocols.snmp.target import SnmpTarget

AUTHENTICATED, ENCRYPTED, REPORTABLE = 1, 2, 4
USM = 3  # the only security model
TIME_WINDOW = 150  # seconds (RFC 3414 §2.2.3)
MOST_BOOTS = 0x7FFFFFFF  # an engine that started so often has to take another id (RFC 3414 §2.2.2)
NAME_OCTETS = 32
ENGINE_ID_OCTETS = range(5, 33)  # RFC 3411 §5
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


@dataclass(slots=True)
class Engine:
    """What is known of an agent's engine: its id, how often it started and its clock (RFC 3414 §2.2)."""

    engine_id: bytes
    boots: int
    seconds: int
    noted_at: float = field(default_factory=time.monotonic)

    def now(self, at: float | None = None) -> int:
        """The engine's clock by our reckoning, in seconds, at a monotonic time."""
        return min(self.seconds + int((time.monotonic() if at is None else at) - self.noted_at), 0x7FFFFFFF)

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
    priv_protocol: str
    priv_password: bytes = field(repr=False)
    context: bytes = b""
    stretching: str = privacy.BLUMENTHAL

    @property
    def encrypts(self) -> bool:
        """Whether the user has a privacy protocol."""
        return self.priv_protocol != "none"

    @property
    def flags(self) -> int:
        """The message flags of this user's security level."""
        return (AUTHENTICATED if self.hash_name else 0) | (ENCRYPTED if self.encrypts else 0)


@lru_cache(maxsize=4096)
def user_of(target: SnmpTarget) -> User:
    """The user that a version 3 target signs in as."""
    return make_user(
        target.username,
        target.auth_protocol,
        target.auth_password,
        target.priv_protocol,
        target.priv_password,
        target.context,
    )


def make_user(
    name: str, auth_protocol: str, auth_password: str, priv_protocol: str, priv_password: str, context: str = ""
) -> User:
    """A user by the names of the protocols, as they stand in a credential."""
    hash_name, digest_octets = _HASHES.get(auth_protocol, ("", 0))
    return User(
        name=name.encode(),
        hash_name=hash_name,
        digest_octets=digest_octets,
        auth_password=auth_password.encode(),
        priv_protocol=priv_protocol if hash_name else "none",
        priv_password=priv_password.encode(),
        context=context.encode(),
        stretching=privacy.stretchings(priv_protocol, hash_name)[0],
    )


NOBODY = User(b"", "", 0, b"", "none", b"")


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
    scoped = encode_element(SEQUENCE, encode_element(0x04, engine.engine_id) + encode_element(0x04, user.context) + pdu)
    return seal_scoped(message_id, user, user.flags | (REPORTABLE if reportable else 0), engine, scoped)


def seal_scoped(message_id: int, user: User, flags: int, engine: Engine, scoped: bytes) -> bytes:
    """A whole version 3 message around an encoded scoped PDU, encrypted and signed as the flags say."""
    boots, seconds = engine.boots, engine.now()
    salt, data = b"", scoped
    if flags & ENCRYPTED:
        key = _privacy_key(user, engine.engine_id)
        salt = privacy.next_salt(user.priv_protocol, boots)
        data = encode_element(0x04, privacy.encrypt(user.priv_protocol, key, boots, seconds, salt, scoped))
    digest_octets = user.digest_octets if flags & AUTHENTICATED else 0
    before = (
        encode_element(0x04, engine.engine_id)
        + encode_integer(boots)
        + encode_integer(seconds)
        + encode_element(0x04, user.name)
    )
    after = encode_element(0x04, bytes(digest_octets)) + encode_element(0x04, salt)
    message = _assemble(message_id, flags, encode_element(SEQUENCE, before + after), data)
    if not digest_octets:
        return message
    at = len(message) - len(data) - (2 + len(salt)) - digest_octets
    return message[:at] + _digest(user, engine.engine_id, message) + message[at + digest_octets :]


def seal_report(header: "Header", engine: Engine, counter: str, value: int, user: User = NOBODY) -> bytes:
    """What tells the sender of a message why it is refused; signed where there is a user to do it (RFC 3414 §3.2)."""
    user = replace(user, name=header.user_name)
    bindings = encode_varbinds([(counter, Tag.COUNTER32, value & 0xFFFFFFFF)])
    report = encode_pdu(PduKind.REPORT, 0, 0, 0, bindings)
    scoped = encode_element(SEQUENCE, encode_element(0x04, engine.engine_id) + b"\x04\x00" + report)
    return seal_scoped(header.message_id, user, user.flags & AUTHENTICATED, engine, scoped)


def _privacy_key(user: User, engine_id: bytes) -> bytes:
    return privacy.privacy_key(user.priv_protocol, user.stretching, user.hash_name, user.priv_password, engine_id)


def _digest(user: User, engine_id: bytes, message: bytes) -> bytes:
    key = privacy.localised_key(user.hash_name, user.auth_password, engine_id)
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


def open_scoped(data: bytes, header: Header, user: User) -> bytes:
    """The scoped PDU of a version 3 message, decrypted where it is encrypted; raises ``Malformed``."""
    at, end = header.data_at, header.end
    if header.flags & ENCRYPTED:
        if not user.encrypts:
            raise malformed("an encrypted answer that was not asked for")
        at, end = expect(data, at, end, 0x04)
        key = _privacy_key(user, header.engine_id)
        protocol, boots, seconds = user.priv_protocol, header.boots, header.seconds
        data = privacy.decrypt(protocol, key, boots, seconds, header.salt, data[at:end])
        at, end = 0, len(data)
    _, end = expect(data, at, end, SEQUENCE)
    return data[at:end]


def pdu_in(scoped: bytes) -> int:
    """Where the PDU of a scoped PDU starts; it ends with it. Raises ``Malformed``."""
    at, end = expect(scoped, 0, len(scoped), SEQUENCE)
    for _ in ("context engine id", "context name"):
        _, at = read_octets(scoped, at, end)
    return at


def open_data(data: bytes, header: Header, user: User) -> Pdu:
    """The PDU of a version 3 message, decrypted where it is encrypted; raises ``Malformed``."""
    scoped = open_scoped(data, header, user)
    return decode_pdu(scoped, pdu_in(scoped), len(scoped))


def deciphered(header: Header, scoped: bytes) -> bytes:
    """A message as it may be kept: with its scoped PDU readable, and nothing that a password can be tried against."""
    security = (
        encode_element(0x04, header.engine_id)
        + encode_integer(header.boots)
        + encode_integer(header.seconds)
        + encode_element(0x04, header.user_name)
        + encode_element(0x04, b"")
        + encode_element(0x04, b"")
    )
    return _assemble(header.message_id, header.flags, encode_element(SEQUENCE, security), scoped)
