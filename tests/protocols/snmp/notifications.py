"""Version 3 notifications for tests: who sends them, from which engine, and who judges them."""

import time

import pytest

from apps.protocols.snmp.ber import Oid, PduKind, Tag, encode_pdu, encode_varbinds
from apps.protocols.snmp.notification import SNMP_TRAP_OID, SYS_UP_TIME, Notification, NotificationKind
from apps.protocols.snmp.receiving import Receiving, Refused
from apps.protocols.snmp.usm import Engine, User, make_user, open_data, read_v3_header, seal
from tests.peers import AUTH_PASSWORD, PRIV_PASSWORD

LINK_DOWN, IF_INDEX = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.2.2.1.1.3"
OURS, THEIRS = bytes.fromhex("80001f8805") + b"our own engine", bytes.fromhex("80001f8804") + b"switch"


def user(auth: str = "SHA", priv: str = "AES-128", name: str = "device", **passwords: str) -> User:
    given = {"auth_password": AUTH_PASSWORD, "priv_password": PRIV_PASSWORD} | passwords
    return make_user(name, auth, given["auth_password"], priv, given["priv_password"])


def receiving(*users: User, least_level: int = 0, boots: int = 3) -> Receiving:
    made = Receiving(Engine(OURS, boots, 0))
    made.admit(users, least_level)
    return made


def pdu(kind: PduKind = PduKind.TRAP_V2, request_id: int = 7, trap_oid: Oid = LINK_DOWN) -> bytes:
    bindings = [
        (SYS_UP_TIME, Tag.TIME_TICKS, 77),
        (SNMP_TRAP_OID, Tag.OBJECT_IDENTIFIER, trap_oid),
        (IF_INDEX, Tag.INTEGER, 3),
    ]
    return encode_pdu(kind, request_id, 0, 0, encode_varbinds(bindings))


def trap(sender: User, boots: int = 5, seconds: int = 1000, engine_id: bytes = THEIRS) -> bytes:
    return seal(1, sender, Engine(engine_id, boots, seconds), pdu(), reportable=False)


def inform(sender: User, engine: Engine, message_id: int = 1) -> bytes:
    return seal(message_id, sender, engine, pdu(PduKind.INFORM))


def refused(by: Receiving, message: bytes, arrived: float | None = None) -> Refused:
    with pytest.raises(Refused) as error:
        by.open(message, time.monotonic() if arrived is None else arrived)
    return error.value


def told(report: bytes | None) -> str:
    """The counter that an unsigned report names."""
    assert report is not None
    return open_data(report, read_v3_header(report), user("none", "none")).varbinds[0][0]


def expected(kind: NotificationKind, sent: Notification) -> None:
    assert (sent.version, sent.kind, sent.trap_oid, sent.uptime) == ("3", kind, LINK_DOWN, 77)
    assert sent.varbinds == ((IF_INDEX, Tag.INTEGER, 3),)
