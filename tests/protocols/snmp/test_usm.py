"""Version 3 security: the standards' own test vectors, signing and encrypting."""

import dataclasses

import pytest

from apps.protocols.errors import AuthenticationFailed, DeviceError
from apps.protocols.snmp import reports
from apps.protocols.snmp.ber import PduKind, encode_question
from apps.protocols.snmp.privacy import localised_key, master_key
from apps.protocols.snmp.target import AUTH_PROTOCOLS, SnmpTarget
from apps.protocols.snmp.usm import (
    Engine,
    is_signed_by,
    open_data,
    read_v3_header,
    seal,
    user_of,
)

ENGINE_ID = bytes.fromhex("000000000000000000000002")


def _target(**fields: str) -> SnmpTarget:
    login = {"username": "user", "auth_password": "authpass123", "priv_password": "privpass123"}
    return SnmpTarget(address="192.0.2.1", version="3", **login | fields)


@pytest.mark.parametrize(
    ("hash_name", "master", "localised"),
    [
        ("md5", "9faf3283884e92834ebc9847d8edd963", "526f5eed9fcce26f8964c2930787d82b"),
        ("sha1", "9fb5cc0381497b3793528939ff788d5d79145211", "6695febc9288e36282235fc7151f128497b38f3f"),
    ],
)
def test_keys_are_those_of_rfc_3414(hash_name: str, master: str, localised: str) -> None:
    assert master_key(hash_name, b"maplesyrup").hex() == master
    assert localised_key(hash_name, b"maplesyrup", ENGINE_ID).hex() == localised


@pytest.mark.parametrize("priv_protocol", ["none", "AES-128"])
@pytest.mark.parametrize("auth_protocol", AUTH_PROTOCOLS)
def test_a_sealed_message_opens_and_a_touched_one_does_not(auth_protocol: str, priv_protocol: str) -> None:
    if auth_protocol == "none" and priv_protocol != "none":
        with pytest.raises(ValueError, match="Privacy needs authentication"):
            _target(auth_protocol=auth_protocol, priv_protocol=priv_protocol)
        return
    user = user_of(_target(auth_protocol=auth_protocol, priv_protocol=priv_protocol))
    message = seal(9, user, Engine(ENGINE_ID, 7, 1000), encode_question(PduKind.GET, 9, ["1.3.6.1.2.1.1.1.0"]))
    header = read_v3_header(message)

    assert (header.message_id, header.engine_id, header.boots, header.user_name) == (9, ENGINE_ID, 7, b"user")
    assert open_data(message, header, user).varbinds == [("1.3.6.1.2.1.1.1.0", 5, None)]
    assert (b"1.3" in message or b"\x2b\x06\x01\x02\x01\x01\x01\x00" in message) == (priv_protocol == "none")
    if auth_protocol != "none":
        assert is_signed_by(message, header, user)
        touched = message[:-1] + bytes((message[-1] ^ 1,))
        assert not is_signed_by(touched, read_v3_header(touched), user)
        other = user_of(_target(auth_protocol=auth_protocol, auth_password="other-password"))
        assert not is_signed_by(message, header, other)


def test_a_target_shows_no_secret() -> None:
    target = dataclasses.replace(_target(auth_protocol="SHA", priv_protocol="AES-128"), community="hidden-community")

    for shown in (repr(target), repr(user_of(target))):
        assert "authpass123" not in shown
        assert "privpass123" not in shown
        assert "hidden-community" not in shown


@pytest.mark.parametrize(
    ("counter", "error", "words"),
    [
        (reports.UNKNOWN_USER_NAME, AuthenticationFailed, "unknownUserName"),
        (reports.WRONG_DIGEST, AuthenticationFailed, "wrongDigest"),
        (reports.UNSUPPORTED_SECURITY_LEVEL, AuthenticationFailed, "unsupportedSecLevel"),
        (reports.DECRYPTION_ERROR, AuthenticationFailed, "decryptionError"),
        (reports.NOT_IN_TIME_WINDOW, DeviceError, "notInTimeWindow"),
        ("1.3.6.1.6.3.12.1.5.0", DeviceError, "context"),
        ("1.3.6.1.4.1.1", DeviceError, "1.3.6.1.4.1.1"),
    ],
)
def test_each_report_has_its_error(counter: str, error: type[Exception], words: str) -> None:
    refusal = reports.refusal(counter, "192.0.2.1")

    assert type(refusal) is error
    assert words in str(refusal)
    assert "192.0.2.1" in str(refusal)
