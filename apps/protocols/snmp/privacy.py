"""Encryption of SNMPv3 messages: DES, 3DES and AES in CFB mode, and the keys for them.

Standards: RFC 3414 §8 (DES), RFC 3826 (AES-128). 3DES and AES above 128 bits were never standardised: 3DES follows
draft-reeder-snmpv3-usm-3desede-00, AES-192 and AES-256 draft-blumenthal-aes-usm-04. Where the hash gives fewer octets
than a key needs, net-snmp and most others stretch it as in the latter ("blumenthal"), Cisco's as in the former
("reeder").
"""

import hashlib
import os
from functools import lru_cache
from itertools import count

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from apps.protocols.snmp.ber import malformed

BLUMENTHAL, REEDER = "blumenthal", "reeder"
MASTER_KEY_OCTETS = 1048576  # RFC 3414 §A.2
SALT_OCTETS = 8
_DES_BLOCK = 8
_KEY_OCTETS = {"DES": 16, "3DES": 32, "AES-128": 16, "AES-192": 24, "AES-256": 32}
_HASH_OCTETS = {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}

_salts = count(int.from_bytes(os.urandom(8), "big"))


@lru_cache(maxsize=8192)
def master_key(hash_name: str, password: bytes) -> bytes:
    """The key that a password stands for, not yet bound to an engine (RFC 3414 §A.2)."""
    return _master_key(hash_name, password)


def _master_key(hash_name: str, password: bytes) -> bytes:
    if not password:
        return b""
    stretched = password * (MASTER_KEY_OCTETS // len(password) + 1)
    return hashlib.new(hash_name, stretched[:MASTER_KEY_OCTETS]).digest()


@lru_cache(maxsize=16384)
def localised_key(hash_name: str, password: bytes, engine_id: bytes) -> bytes:
    """The key of a password on one engine (RFC 3414 §2.6)."""
    return _localised(hash_name, master_key(hash_name, password), engine_id)


def _localised(hash_name: str, master: bytes, engine_id: bytes) -> bytes:
    return hashlib.new(hash_name, master + engine_id + master).digest()


def stretchings(protocol: str, hash_name: str) -> tuple[str, ...]:
    """The ways in which peers make a key of this protocol, the usual one first; one where they all agree."""
    if protocol == "3DES":
        return (REEDER,)
    if _KEY_OCTETS.get(protocol, 0) <= _HASH_OCTETS.get(hash_name, 64):
        return (BLUMENTHAL,)
    return BLUMENTHAL, REEDER


@lru_cache(maxsize=16384)
def privacy_key(protocol: str, stretching: str, hash_name: str, password: bytes, engine_id: bytes) -> bytes:
    """The key that encrypts, and for DES and 3DES what its initial vectors are made from."""
    wanted = _KEY_OCTETS[protocol]
    key = part = localised_key(hash_name, password, engine_id)
    while len(key) < wanted:
        if stretching == REEDER:
            part = _localised(hash_name, _master_key(hash_name, part), engine_id)
            key += part
        else:
            key += hashlib.new(hash_name, key).digest()
    return key[:wanted]


def next_salt(protocol: str, boots: int) -> bytes:
    """A salt that no message before had; that of DES begins with the engine's boots (RFC 3414 §8.1.1.1)."""
    number = next(_salts)
    if protocol.startswith("AES"):
        return (number & 0xFFFFFFFFFFFFFFFF).to_bytes(SALT_OCTETS, "big")
    return boots.to_bytes(4, "big") + (number & 0xFFFFFFFF).to_bytes(4, "big")


def encrypt(protocol: str, key: bytes, boots: int, seconds: int, salt: bytes, data: bytes) -> bytes:
    """Encrypt a scoped PDU; the block ciphers pad it."""
    if not protocol.startswith("AES"):
        data += bytes(-len(data) % _DES_BLOCK)
    encryptor = _cipher(protocol, key, boots, seconds, salt).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def decrypt(protocol: str, key: bytes, boots: int, seconds: int, salt: bytes, data: bytes) -> bytes:
    """Decrypt a scoped PDU, with its padding; raises ``Malformed`` where it cannot have been encrypted like this."""
    if len(salt) != SALT_OCTETS:
        raise malformed("a salt of the wrong length")
    if not protocol.startswith("AES") and len(data) % _DES_BLOCK:
        raise malformed("a part of a block")
    decryptor = _cipher(protocol, key, boots, seconds, salt).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def _cipher(protocol: str, key: bytes, boots: int, seconds: int, salt: bytes) -> Cipher[CFB] | Cipher[CBC]:
    if protocol.startswith("AES"):
        initial = boots.to_bytes(4, "big") + seconds.to_bytes(4, "big") + salt  # RFC 3826 §3.1.2.1
        return Cipher(AES(key), CFB(initial))
    before = key[8:16] if protocol == "DES" else key[24:32]
    initial = bytes(a ^ b for a, b in zip(before, salt, strict=True))
    # DES is 3DES with three equal keys.
    return Cipher(TripleDES(key[:8] * 3 if protocol == "DES" else key[:24]), CBC(initial))
