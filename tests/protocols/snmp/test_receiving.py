"""What of version 3 is let in, what is refused, and what the sender is told."""

import random
import time
from dataclasses import replace

import psutil
import pytest

from apps.protocols.snmp import reports
from apps.protocols.snmp.ber import Malformed, PduKind, Tag
from apps.protocols.snmp.notification import NotificationKind
from apps.protocols.snmp.receiving import LEVELS, VAIN_TRIES, Reason, Receiving, Refused
from apps.protocols.snmp.usm import MOST_BOOTS, Engine, discovery, open_data, read_v3_header, seal
from tests.protocols.snmp.notifications import (
    IF_INDEX,
    LINK_DOWN,
    OURS,
    THEIRS,
    expected,
    inform,
    pdu,
    receiving,
    refused,
    told,
    trap,
    user,
)


def test_who_does_not_know_our_engine_is_told_it_even_before_anybody_may_send() -> None:
    gate = Receiving(Engine(OURS, 3, 0))
    for question in (discovery(4, pdu(PduKind.INFORM)), inform(user(), Engine(THEIRS, 1, 1))):
        error = refused(gate, question)
        assert (error.reason, error.teaches, told(error.report)) == (
            Reason.UNKNOWN_ENGINE,
            True,
            reports.UNKNOWN_ENGINE_ID,
        )
        header = read_v3_header(error.report or b"")
        assert (header.engine_id, header.boots, header.flags) == (OURS, 3, 0)
    early = refused(gate, trap(user()))
    assert (early.reason, early.report) == (Reason.TOO_EARLY, None)
    gate.admit([user()])
    assert gate.open(trap(user()), time.monotonic()).notification().trap_oid == LINK_DOWN


def test_an_inform_is_answered_as_it_was_protected() -> None:
    for sender in (user("none", "none"), user(priv="none"), user("SHA-384", "AES-256"), user("MD5", "3DES")):
        gate = receiving(sender)
        message = seal(9, replace(sender, context=b"bridge1"), gate.engine, pdu(PduKind.INFORM, 4711))
        answer = gate.open(message, time.monotonic()).answer()
        header = read_v3_header(answer)
        response = open_data(answer, header, sender)
        assert (header.message_id, header.flags & 3, header.engine_id) == (9, sender.flags, OURS)
        assert (response.kind, response.request_id, response.error_status) == (PduKind.RESPONSE, 4711, 0)
        assert response.varbinds[2] == (IF_INDEX, Tag.INTEGER, 3)
        assert (b"bridge1" in answer) == (not sender.encrypts)


def test_an_inform_out_of_our_time_is_answered_by_our_signed_time() -> None:
    gate = receiving(user())
    for engine in (Engine(OURS, 3, 151), Engine(OURS, 2, 0), Engine(OURS, 4, 0)):
        error = refused(gate, inform(user(), engine))
        assert (error.reason, error.teaches) == (Reason.NOT_IN_TIME, True)
        report = error.report or b""
        header = read_v3_header(report)
        assert (header.flags, header.boots, header.user_name) == (1, 3, b"device")
        assert told(report) == reports.NOT_IN_TIME_WINDOW
    assert gate.open(inform(user(), Engine(OURS, 3, 149)), time.monotonic()).is_inform


def test_an_engine_that_started_too_often_takes_nothing_that_is_signed() -> None:
    gate = receiving(user(), user("none", "none"), boots=MOST_BOOTS)
    assert refused(gate, inform(user(), gate.engine)).reason is Reason.NOT_IN_TIME
    assert gate.open(inform(user("none", "none"), gate.engine), time.monotonic()).is_inform


def test_a_repeated_inform_is_known_by_its_pdu() -> None:
    gate = receiving(user())
    first, second = (inform(user(), gate.engine, message_id) for message_id in (1, 2))
    now = time.monotonic()
    assert first != second
    assert gate.open(first, now).pdu == gate.open(second, now).pdu


def test_an_old_message_is_not_taken_for_a_new_one() -> None:
    gate = receiving(user())
    recorded = trap(user(), 5, 1000)
    gate.open(recorded, 0.0)
    gate.open(recorded, 150.0)
    late = refused(gate, recorded, 151.0)
    assert (late.reason, late.report) == (Reason.NOT_IN_TIME, None)
    gate.open(trap(user(), 5, 1151), 151.0)
    gate.open(trap(user(), 5, 1001), 151.0)  # overtaken on the way
    assert refused(gate, trap(user(), 5, 1000), 151.0).reason is Reason.NOT_IN_TIME
    gate.open(trap(user(), 6, 0), 152.0)
    assert refused(gate, trap(user(), 5, 9000), 152.0).reason is Reason.NOT_IN_TIME
    # Another engine has a clock of its own, and so has whoever signs with another password.
    gate.open(trap(user(), 1, 1, THEIRS + b"2"), 152.0)


def test_somebody_with_another_password_cannot_put_a_clock_forward() -> None:
    gate = receiving(user(), user(auth_password="other-password"))
    gate.open(trap(user(), 5, 1000), 0.0)
    gate.open(trap(user(auth_password="other-password"), 900, 0), 1.0)
    gate.open(trap(user(), 5, 1002), 2.0)
    assert refused(gate, trap(user(), MOST_BOOTS, 0), 3.0).reason is Reason.NOT_IN_TIME


def test_a_clock_and_a_user_are_forgotten_with_the_credential() -> None:
    gate = receiving(user())
    gate.open(trap(user(), 5, 1000), 0.0)
    gate.admit([user("SHA-256")])
    assert refused(gate, trap(user(), 5, 1001), 1.0).reason is Reason.WRONG_DIGEST
    gate.open(trap(user("SHA-256"), 4, 0), 1.0)
    gate.admit([user()])
    gate.open(trap(user(), 1, 0), 2.0)


def test_users_of_one_name_are_told_apart_by_what_they_sign_and_encrypt_with() -> None:
    several = [
        user(),
        user(priv_password="other-privacy"),
        user(priv="DES"),
        user("SHA-256", "none"),
        user("none", "none"),
        user(auth_password="other-password"),
    ]
    gate = receiving(*several)
    for number, sender in enumerate([*several, *reversed(several)]):
        opened = gate.open(trap(sender, 5, 1000 + number), float(number))
        assert opened.user == sender
    assert refused(gate, trap(user(auth_password="third-password"))).reason is Reason.WRONG_DIGEST


def test_levels_below_the_least_and_below_the_users_own_are_refused() -> None:
    signed, open_user = user(priv="none"), user("none", "none", "open")
    gate = receiving(user(), open_user)
    gate.open(trap(signed), 0.0)
    gate.open(trap(open_user), 0.0)
    assert refused(gate, trap(user("none", "none"))).reason is Reason.LEVEL
    gate.admit([user(), open_user], LEVELS["authPriv"])
    assert refused(gate, trap(signed), 1.0).reason is Reason.LEVEL
    gate.open(trap(user()), 1.0)
    gate.admit([user(), open_user], LEVELS["authNoPriv"])
    gate.open(trap(signed), 2.0)
    assert refused(gate, trap(open_user), 2.0).reason is Reason.LEVEL


def test_what_is_kept_is_readable_and_holds_nothing_to_try_passwords_against() -> None:
    gate = receiving(user("SHA-256", "AES-256"))
    message = trap(user("SHA-256", "AES-256"))
    kept = gate.open(message, 0.0).readable()
    header = read_v3_header(kept)
    assert (header.user_name, header.digest, header.salt) == (b"device", b"", b"")
    assert pdu() in kept
    assert read_v3_header(message).digest not in kept


def test_only_notifications_are_taken() -> None:
    gate = receiving(user(), user("none", "none", "open"))
    for kind in (PduKind.GET, PduKind.RESPONSE, PduKind.SET, PduKind.REPORT):
        for sender in (user(), user("none", "none", "open")):
            with pytest.raises(Malformed):
                gate.open(seal(1, sender, gate.engine, pdu(kind)), time.monotonic())


def test_a_flood_of_wrong_signatures_does_not_hold_up_who_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)  # however slow the machine
    gate = receiving(user())
    gate.open(trap(user()), time.monotonic())
    forged = trap(user(auth_password="other-password"), engine_id=THEIRS + b"2")
    reasons = [refused(gate, forged).reason for _ in range(2 * VAIN_TRIES)]
    assert set(reasons) == {Reason.WRONG_DIGEST, Reason.TOO_MANY}
    for _ in range(100):
        gate.open(trap(user(), seconds=1001), time.monotonic())
    question = refused(gate, inform(user(auth_password="x"), Engine(THEIRS, 1, 1)))
    assert (question.reason, question.report is not None) == (Reason.UNKNOWN_ENGINE, True)


def test_damaged_and_random_messages_raise_nothing_else_and_leave_memory_flat() -> None:
    chance = random.Random(3414)
    senders = [user(), user("MD5", "DES"), user("SHA-512", "3DES", "third"), user("none", "none", "open")]
    gate = receiving(*senders, user("SHA", "AES-256", "cisco"))
    genuine = [trap(sender) for sender in senders] + [inform(sender, gate.engine) for sender in senders]
    genuine += [discovery(1, pdu(PduKind.INFORM)), trap(user("SHA", "AES-256", "cisco"))]

    def damaged() -> bytes:
        data = bytearray(chance.choice(genuine))
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[at] ^= 1 << chance.randrange(8)
                case 1:
                    data[at:at] = chance.randbytes(chance.randrange(1, 5))
                case 2:
                    del data[at : at + chance.randrange(1, 9)]
                case 3:
                    data[at] = chance.choice((0, 1, 0x7F, 0x80, 0x81, 0x84, 0xFF))
        return bytes(data)

    def feed(number: int) -> int:
        taken = 0
        for turn in range(number):
            data = damaged() if turn % 4 else b"\x30\x82\x01\x00\x02\x01\x03" + chance.randbytes(chance.randrange(256))
            try:
                opened = gate.open(data, time.monotonic())
                opened.notification()
                opened.readable()
                if opened.is_inform:
                    opened.answer()
                taken += 1
            except (Malformed, Refused):
                pass
        return taken

    feed(20_000)
    memory = psutil.Process()
    before = memory.memory_info().rss
    assert feed(20_000) > 0  # those without a signature may stay whole
    assert memory.memory_info().rss - before < 8 * 1024 * 1024
    for number, sender in enumerate(senders):
        expected(NotificationKind.TRAP, gate.open(trap(sender, 6, number), time.monotonic()).notification())
