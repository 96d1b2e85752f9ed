"""Packets of a session: only whole ones of the other side are opened. pyghmi seals and opens them, too."""

import hashlib
from collections import Counter
from typing import Any

import pytest
from pyghmi.ipmi.private import session as library

from apps.protocols.ipmi.messages import About, Answer, answered, question
from apps.protocols.ipmi.sealing import IPMI, SERIAL_OVER_LAN, Keys, Seal

SUITES = {3: ("sha1", 12), 17: ("sha256", 16)}
INTEGRITY, ENCRYPTION = bytes(range(20)), bytes(range(100, 116))


def keys(suite: int, ours: int = 7, theirs: int = 9) -> Keys:
    """What both sides agreed on, as one of them has it."""
    return Keys(ours, theirs, *SUITES[suite], INTEGRITY, ENCRYPTION)


class Library(library.Session):
    """pyghmi's side of the session: what it sent, and what it understood."""

    def __new__(cls, *_: Any) -> "Library":
        return object.__new__(cls)

    def __init__(self, suite: int) -> None:
        self._initsession()
        self.servermode, self.broken, self.incommand = False, False, False
        self.ipmiversion, self.authtype, self.confalgo = 2.0, 6, "aes"
        self.integrityalgo, self.sequencenumber = 1, 1
        self.localsid, self.sessionid = 9, 7
        self.k1, self.aeskey = INTEGRITY, ENCRYPTION
        self.currhashlib, self.currhashlen = getattr(hashlib, SUITES[suite][0]), SUITES[suite][1]
        self.lastpayload, self._customkeepalives = None, None
        self.sent: list[bytes] = []
        self.understood: list[bytes] = []
        self.socketpool = Counter()

    def _getmaxtimeout(self) -> float:
        return 1.0

    def _xmit_packet(self, *_: Any, **__: Any) -> None:
        self.sequencenumber += 1
        self.sent.append(bytes(self.netpacket))

    def _parse_ipmi_payload(self, payload: bytearray) -> None:
        self.understood.append(bytes(payload))


@pytest.mark.parametrize("suite", [3, 17])
@pytest.mark.parametrize("size", [7, 15, 16, 40])
def test_the_library_opens_what_we_seal_and_we_what_it_seals(suite: int, size: int) -> None:
    ours, its = Seal(keys(suite)), Library(suite)
    content = bytes(range(size))
    its._handle_ipmi_packet(bytearray(ours.seal(IPMI, content)))
    assert its.understood == [content]
    its.send_payload(bytearray(content), payload_type=IPMI, retry=False)
    assert ours.open(its.sent[0]) == (IPMI, content)


@pytest.mark.parametrize("suite", [3, 17])
def test_what_was_changed_cut_short_or_belongs_to_another_session_is_not_opened(suite: int) -> None:
    other = Seal(keys(suite, ours=9, theirs=7))
    packet = other.seal(SERIAL_OVER_LAN, b"login: ")
    for place in range(len(packet)):
        changed = bytearray(packet)
        changed[place] ^= 0x01
        assert Seal(keys(suite)).open(bytes(changed)) is None, place
        assert Seal(keys(suite)).open(packet[:place]) is None, place
    assert Seal(keys(suite, ours=8)).open(packet) is None
    ours = Seal(keys(suite))
    later = other.seal(SERIAL_OVER_LAN, b"root")
    assert ours.open(later) == (SERIAL_OVER_LAN, b"root")
    assert ours.open(packet) is None  # older than what was opened


def test_no_key_is_shown() -> None:
    assert INTEGRITY.hex() not in repr(keys(3))
    assert "integrity" not in repr(keys(3))


def test_a_question_and_the_answer_that_belongs_to_it() -> None:
    asked = question(About(0x04, 0x2D, 5), (2,), lun=1)
    assert asked.hex() == "2011cf81142d023c"
    assert answered(bytes.fromhex("811c63 2014 2d 00 30c0c0 d0")) == (
        About(0x06, 0x2D, 5),
        Answer(0, b"\x30\xc0\xc0"),
    )
    assert answered(b"\x81\x1c\x63\x20\x14\x2d\x00") is None
    assert answered(asked) is None  # our own question, sent back
