"""Encryption of version 3 messages: the keys of the standards, and the same octets as pysnmp makes."""

from typing import Any

import pytest
from pyasn1.type import univ
from pysnmp.hlapi.v3arch.asyncio import (
    usm3DESEDEPrivProtocol,
    usmAesBlumenthalCfb192Protocol,
    usmAesBlumenthalCfb256Protocol,
    usmAesCfb128Protocol,
    usmAesCfb192Protocol,
    usmAesCfb256Protocol,
    usmDESPrivProtocol,
    usmHMAC128SHA224AuthProtocol,
    usmHMAC192SHA256AuthProtocol,
    usmHMAC256SHA384AuthProtocol,
    usmHMAC384SHA512AuthProtocol,
    usmHMACMD5AuthProtocol,
    usmHMACSHAAuthProtocol,
)
from pysnmp.proto.secmod.rfc3414.service import SnmpUSMSecurityModel

from apps.protocols.snmp.ber import Malformed
from apps.protocols.snmp.privacy import BLUMENTHAL, REEDER, decrypt, encrypt, next_salt, privacy_key, stretchings

ENGINE_ID = bytes.fromhex("80001f8805cafe00112233445566")
PASSWORD = b"privpass123"
TEXT = b"a scoped PDU that does not fill its last block"
HASHES = {
    "md5": usmHMACMD5AuthProtocol,
    "sha1": usmHMACSHAAuthProtocol,
    "sha224": usmHMAC128SHA224AuthProtocol,
    "sha256": usmHMAC192SHA256AuthProtocol,
    "sha384": usmHMAC256SHA384AuthProtocol,
    "sha512": usmHMAC384SHA512AuthProtocol,
}
CIPHERS = {
    ("DES", BLUMENTHAL): usmDESPrivProtocol,
    ("3DES", REEDER): usm3DESEDEPrivProtocol,
    ("AES-128", BLUMENTHAL): usmAesCfb128Protocol,
    ("AES-192", BLUMENTHAL): usmAesBlumenthalCfb192Protocol,
    ("AES-192", REEDER): usmAesCfb192Protocol,
    ("AES-256", BLUMENTHAL): usmAesBlumenthalCfb256Protocol,
    ("AES-256", REEDER): usmAesCfb256Protocol,
}


def _theirs(cipher: Any, hash_name: str) -> Any:
    master = cipher.hash_passphrase(HASHES[hash_name], univ.OctetString(PASSWORD))
    return cipher.localize_key(HASHES[hash_name], master, univ.OctetString(ENGINE_ID))


@pytest.mark.parametrize("hash_name", HASHES)
@pytest.mark.parametrize(("protocol", "stretching"), CIPHERS)
def test_we_read_what_pysnmp_encrypts_and_it_reads_ours(protocol: str, stretching: str, hash_name: str) -> None:
    cipher = SnmpUSMSecurityModel.PRIV_SERVICES[CIPHERS[protocol, stretching]]
    theirs = _theirs(cipher, hash_name)
    ours = privacy_key(protocol, stretching, hash_name, PASSWORD, ENGINE_ID)
    assert ours == bytes(theirs)[: len(ours)]

    encrypted, salt = cipher.encrypt_data(theirs, (7, 1234, None), TEXT)
    read = decrypt(protocol, ours, 7, 1234, bytes(salt), bytes(encrypted))
    assert read[: len(TEXT)] == TEXT
    assert len(read) <= len(TEXT) + 8

    salt = next_salt(protocol, 7)
    sent = encrypt(protocol, ours, 7, 1234, salt, TEXT)
    assert (
        bytes(cipher.decrypt_data(theirs, (7, 1234, univ.OctetString(salt)), univ.OctetString(sent)))[: len(TEXT)]
        == TEXT
    )
    assert TEXT not in sent


def test_peers_disagree_only_where_the_hash_is_shorter_than_the_key() -> None:
    assert stretchings("AES-128", "md5") == stretchings("DES", "md5") == (BLUMENTHAL,)
    assert stretchings("AES-192", "sha1") == stretchings("AES-256", "sha224") == (BLUMENTHAL, REEDER)
    assert stretchings("AES-192", "sha224") == stretchings("AES-256", "sha256") == (BLUMENTHAL,)
    assert stretchings("3DES", "sha1") == (REEDER,)


def test_no_salt_comes_twice() -> None:
    salts = [next_salt(protocol, 9) for protocol in ("DES", "3DES", "AES-128") for _ in range(1000)]
    assert len(set(salts)) == len(salts)
    assert {len(salt) for salt in salts} == {8}
    assert next_salt("DES", 9)[:4] == bytes.fromhex("00000009")


@pytest.mark.parametrize(
    ("protocol", "salt", "data"),
    [
        ("DES", bytes(8), bytes(7)),
        ("3DES", bytes(8), bytes(9)),
        ("AES-256", bytes(7), bytes(8)),
        ("DES", b"", bytes(8)),
    ],
)
def test_what_cannot_be_encrypted_like_this_is_malformed(protocol: str, salt: bytes, data: bytes) -> None:
    with pytest.raises(Malformed):
        decrypt(protocol, bytes(32), 1, 1, salt, data)
