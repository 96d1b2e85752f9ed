"""The agent's side of SNMP version 3: it tells its engine, checks who asks, and answers in kind (RFC 3414 §3.2)."""

from collections.abc import Callable

from apps.protocols.snmp.ber import Malformed, Pdu
from apps.protocols.snmp.reports import (
    DECRYPTION_ERROR,
    NOT_IN_TIME_WINDOW,
    UNKNOWN_ENGINE_ID,
    UNKNOWN_USER_NAME,
    UNSUPPORTED_SECURITY_LEVEL,
    WRONG_DIGEST,
)
from apps.protocols.snmp.target import SnmpTarget
from apps.protocols.snmp.usm import (
    TIME_WINDOW,
    Engine,
    User,
    is_signed_by,
    open_data,
    read_v3_header,
    seal,
    seal_report,
    user_of,
)
from apps.simulators.fleet.plan import Login


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
        return seal_report(header, engine, UNKNOWN_ENGINE_ID, 1)
    if user is None or header.user_name != user.name:
        return seal_report(header, engine, UNKNOWN_USER_NAME, 1)
    if header.flags & 3 != user.flags:
        return seal_report(header, engine, UNSUPPORTED_SECURITY_LEVEL, 1)
    if user.hash_name:
        if not is_signed_by(data, header, user):
            return seal_report(header, engine, WRONG_DIGEST, 1)
        if header.boots != engine.boots or abs(header.seconds - engine.seconds) > TIME_WINDOW:
            return seal_report(header, engine, NOT_IN_TIME_WINDOW, 1, user)
    try:
        pdu = open_data(data, header, user)
    except Malformed:
        return seal_report(header, engine, DECRYPTION_ERROR, 1)
    response = respond(pdu)
    return seal(header.message_id, user, engine, response, reportable=False) if response else None
