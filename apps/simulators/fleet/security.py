"""The agent's side of SNMP version 3: it tells its engine, checks who asks, and answers in kind (RFC 3414 §3.2)."""

from collections.abc import Callable
from dataclasses import replace

from apps.protocols.snmp.ber import Malformed, Oid, Pdu, PduKind, Tag, encode_pdu, encode_varbinds
from apps.protocols.snmp.reports import (
    DECRYPTION_ERROR,
    NOT_IN_TIME_WINDOW,
    UNKNOWN_ENGINE_ID,
    UNKNOWN_USER_NAME,
    UNSUPPORTED_SECURITY_LEVEL,
    WRONG_DIGEST,
)
from apps.protocols.snmp.target import SnmpTarget
from apps.protocols.snmp.usm import Engine, Header, User, is_signed_by, open_data, read_v3_header, seal, user_of
from apps.simulators.fleet.plan import Login

TIME_WINDOW = 150  # seconds (RFC 3414 §2.2.3)
_NOBODY = User(b"", "", 0, b"", False, b"", b"")


def user_for(login: Login) -> User:
    """Give a plan's user as the wire needs it; raises ``ValueError``."""
    return user_of(
        SnmpTarget(
            address="127.0.0.1",
            version="3",
            username=login.username,
            auth_protocol=login.auth_protocol,
            auth_password=login.auth_password,
            priv_protocol=login.priv_protocol,
            priv_password=login.priv_password,
        )
    )


def answer(data: bytes, engine: Engine, user: User | None, respond: Callable[[Pdu], bytes | None]) -> bytes | None:
    """Answer a version 3 message, by a report where something is wrong with it; raises ``Malformed``."""
    header = read_v3_header(data)
    if header.engine_id != engine.engine_id:
        return _report(header, engine, UNKNOWN_ENGINE_ID)
    if user is None or header.user_name != user.name:
        return _report(header, engine, UNKNOWN_USER_NAME)
    if header.flags & 3 != user.flags:
        return _report(header, engine, UNSUPPORTED_SECURITY_LEVEL)
    if user.hash_name:
        if not is_signed_by(data, header, user):
            return _report(header, engine, WRONG_DIGEST)
        if header.boots != engine.boots or abs(header.seconds - engine.seconds) > TIME_WINDOW:
            return _report(header, engine, NOT_IN_TIME_WINDOW, replace(user, encrypts=False))
    try:
        pdu = open_data(data, header, user)
    except Malformed:
        return _report(header, engine, DECRYPTION_ERROR)
    response = respond(pdu)
    return seal(header.message_id, user, engine, response, reportable=False) if response else None


def _report(header: Header, engine: Engine, counter: Oid, user: User = _NOBODY) -> bytes:
    bindings = encode_varbinds([(counter, Tag.COUNTER32, 1)])
    report = encode_pdu(PduKind.REPORT, header.message_id, 0, 0, bindings)
    return seal(header.message_id, user, engine, report, reportable=False)
