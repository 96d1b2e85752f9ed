"""Receives version 3 notifications: who signed them, whether they are fresh, what a sender is told if not (RFC 3414).

A trap is signed on behalf of its sender's engine (§3.2 step 7b): we remember how far that engine's clock was, so that
an old message is not taken for a new one. An inform is signed on behalf of ours (step 7a): whoever does not know it yet
asks for it, with a message that we answer by a report. Several users may share a name: each is tried.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from apps.protocols.snmp import privacy
from apps.protocols.snmp.ber import SEQUENCE, Malformed, PduKind, encode_element, expect, malformed
from apps.protocols.snmp.notification import Notification, read_scoped_notification, response_to
from apps.protocols.snmp.reports import (
    DECRYPTION_ERROR,
    NOT_IN_TIME_WINDOW,
    UNKNOWN_ENGINE_ID,
    UNKNOWN_USER_NAME,
    UNSUPPORTED_SECURITY_LEVEL,
    WRONG_DIGEST,
)
from apps.protocols.snmp.usm import (
    AUTHENTICATED,
    ENCRYPTED,
    ENGINE_ID_OCTETS,
    MOST_BOOTS,
    NAME_OCTETS,
    NOBODY,
    REPORTABLE,
    TIME_WINDOW,
    Engine,
    Header,
    User,
    deciphered,
    is_signed_by,
    open_scoped,
    pdu_in,
    read_v3_header,
    seal_report,
    seal_scoped,
)

SENDERS = 20_000  # engines whose clock is remembered; only who knows a password gets among them
VAIN_TRIES = 5_000  # signatures a second that may turn out wrong; then only senders that are known already are checked
REPORTS = 1_000  # a second
LEVELS = {"noAuthNoPriv": 0, "authNoPriv": AUTHENTICATED, "authPriv": AUTHENTICATED | ENCRYPTED}
_LEVEL = AUTHENTICATED | ENCRYPTED
_INFORM = int(PduKind.INFORM)
_KINDS = (bytes((PduKind.TRAP_V2,)), bytes((_INFORM,)))


class Reason(StrEnum):
    """Why a message is not taken."""

    UNKNOWN_ENGINE = "unknown-engine"
    UNKNOWN_USER = "unknown-user"
    LEVEL = "level"
    WRONG_DIGEST = "wrong-digest"
    NOT_IN_TIME = "not-in-time"
    UNDECIPHERABLE = "undecipherable"
    TOO_MANY = "too-many"
    TOO_EARLY = "too-early"  # nobody said yet who may send: it can be opened later


_COUNTERS = {
    Reason.UNKNOWN_ENGINE: UNKNOWN_ENGINE_ID,
    Reason.UNKNOWN_USER: UNKNOWN_USER_NAME,
    Reason.LEVEL: UNSUPPORTED_SECURITY_LEVEL,
    Reason.WRONG_DIGEST: WRONG_DIGEST,
    Reason.NOT_IN_TIME: NOT_IN_TIME_WINDOW,
    Reason.UNDECIPHERABLE: DECRYPTION_ERROR,
}


class Refused(Exception):
    """A message that is not taken; ``report`` goes back to a sender that wants to hear why."""

    def __init__(self, reason: Reason, signer: User = NOBODY) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.signer = signer
        self.user_name = b""  # as the message has it, whoever wrote it there
        self.report: bytes | None = None

    @property
    def teaches(self) -> bool:
        """Whether the report tells the sender our engine or its clock: it comes again with what it lacked (§4)."""
        return self.report is not None and self.reason in (Reason.UNKNOWN_ENGINE, Reason.NOT_IN_TIME)


@dataclass(frozen=True, slots=True)
class Opened:
    """A notification out of its message, deciphered but not yet read, with what is needed to answer it."""

    header: Header = field(repr=False)
    scoped: bytes = field(repr=False)
    pdu_at: int
    user: User
    engine: Engine

    @property
    def is_inform(self) -> bool:
        """Whether the sender waits for an answer."""
        return self.scoped[self.pdu_at] == _INFORM

    @property
    def pdu(self) -> bytes:
        """The notification alone: the same when a sender repeats itself, which the message is not."""
        return self.scoped[self.pdu_at :]

    def notification(self) -> Notification:
        """What the sender says; raises ``Malformed``."""
        return read_scoped_notification(self.scoped, self.pdu_at)

    def readable(self) -> bytes:
        """The message as it may be kept: deciphered, and without its signature."""
        return deciphered(self.header, self.scoped)

    def answer(self) -> bytes:
        """The response to an inform, protected as the inform was (RFC 3412 §7.1)."""
        start, _ = expect(self.scoped, 0, len(self.scoped), SEQUENCE)
        context = self.scoped[start : self.pdu_at]
        scoped = encode_element(SEQUENCE, context + response_to(self.scoped, self.pdu_at, len(self.scoped)))
        return seal_scoped(self.header.message_id, self.user, self.header.flags & _LEVEL, self.engine, scoped)


class _Signer(NamedTuple):
    """What makes a signature: users of the same may differ in their privacy."""

    name: bytes
    hash_name: str
    password: bytes


@dataclass(slots=True)
class _Clock:
    boots: int
    latest: int  # the highest time that it told
    noted_at: float


class _Budget:
    """So much of something a second, and no more at once."""

    def __init__(self, rate: int) -> None:
        self._rate = self._left = float(rate)
        self._at = time.monotonic()

    def take(self) -> bool:
        """Take one; False when none is left."""
        now = time.monotonic()
        self._left = min(self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def give_back(self, number: int) -> None:
        """Take back what was taken without need."""
        self._left += number


class Receiving:
    """Opens messages on behalf of our own engine; who may send is told from outside at any time. For one thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._least_level = 0
        self._users: Mapping[bytes, Sequence[User]] | None = None
        self._clocks: OrderedDict[tuple[bytes, _Signer], _Clock] = OrderedDict()
        self._proven: OrderedDict[tuple[bytes, bytes], User] = OrderedDict()
        self._counts: dict[Reason, int] = dict.fromkeys(Reason, 0)
        self._tries, self._reports = _Budget(VAIN_TRIES), _Budget(REPORTS)

    def admit(self, users: Iterable[User], least_level: int = 0) -> None:
        """Say who may send, and how well protected at least; forgets what is known of others.

        Where peers disagree on how a privacy key is made, a user counts as one of each kind.
        """
        by_name: dict[bytes, dict[User, None]] = {}
        for user in users:
            plain = replace(user, context=b"")
            for way in privacy.stretchings(user.priv_protocol, user.hash_name):
                by_name.setdefault(user.name, {})[replace(plain, stretching=way)] = None
        self._users = {name: tuple(same) for name, same in by_name.items()}
        self._least_level = least_level
        signers = {_signer(user) for same in self._users.values() for user in same}
        self._clocks = OrderedDict((key, clock) for key, clock in self._clocks.items() if key[1] in signers)

    def open(self, data: bytes, arrived: float) -> Opened:
        """Open a message that arrived at a monotonic time; raises ``Refused``, and ``Malformed`` where it is none."""
        header = read_v3_header(data)
        if header.flags & ENCRYPTED and not header.flags & AUTHENTICATED:
            raise malformed("encrypted, but not signed")
        if len(header.user_name) > NAME_OCTETS:
            raise malformed("a user name that is too long")
        ours = header.engine_id == self.engine.engine_id
        try:
            return self._open(data, header, ours, arrived)
        except Refused as refused:
            # What comes for another engine and asks for an answer is an inform of one who does not know us (yet).
            if not ours and header.flags & REPORTABLE:
                refused.reason, refused.signer = Reason.UNKNOWN_ENGINE, NOBODY
            refused.user_name = header.user_name
            self._counts[refused.reason] += 1
            counter = _COUNTERS.get(refused.reason)
            if counter is not None and header.flags & REPORTABLE and self._reports.take():
                refused.report = seal_report(header, self.engine, counter, self._counts[refused.reason], refused.signer)
            raise

    def _open(self, data: bytes, header: Header, ours: bool, arrived: float) -> Opened:
        if not ours and len(header.engine_id) not in ENGINE_ID_OCTETS:
            raise Refused(Reason.UNKNOWN_ENGINE)
        if self._users is None:
            raise Refused(Reason.TOO_EARLY)
        named = self._users.get(header.user_name)
        if not named:
            raise Refused(Reason.UNKNOWN_USER)
        level = header.flags & _LEVEL
        fitting = [user for user in named if _allows(user, level)] if level >= self._least_level else []
        if not fitting:
            raise Refused(Reason.LEVEL)
        if level:
            fitting = self._signers(data, header, fitting)
            self._check_time(header, fitting[0], ours, arrived)
        opened = self._decipher(data, header, fitting)
        if not ours and opened.is_inform:
            raise Refused(Reason.UNKNOWN_ENGINE)
        return opened

    def _signers(self, data: bytes, header: Header, users: Sequence[User]) -> list[User]:
        """Give the users whose signature it is, the proven one first: several where only their privacy differs."""
        proven = self._proven.get((header.engine_id, header.user_name))
        if proven is not None and proven in users and is_signed_by(data, header, proven):
            self._proven.move_to_end((header.engine_id, header.user_name))
            return [proven, *(user for user in users if user != proven and _signer(user) == _signer(proven))]
        tried: set[_Signer] = set()
        for user in users:
            signer = _signer(user)
            if signer in tried or user.digest_octets != len(header.digest):
                continue
            if not self._tries.take():
                raise Refused(Reason.TOO_MANY)
            tried.add(signer)
            if is_signed_by(data, header, user):
                self._tries.give_back(len(tried))
                return [other for other in users if _signer(other) == signer]
        raise Refused(Reason.WRONG_DIGEST)

    def _check_time(self, header: Header, signer: User, ours: bool, arrived: float) -> None:
        if ours:
            engine = self.engine
            late = header.boots != engine.boots or abs(header.seconds - engine.now(arrived)) > TIME_WINDOW
            if late or engine.boots >= MOST_BOOTS:
                raise Refused(Reason.NOT_IN_TIME, signer)
            return
        # Whoever shares our users cannot set the clock of somebody else's engine: it is kept for each signature.
        key = header.engine_id, _signer(signer)
        clock = self._clocks.get(key)
        if clock is None:
            clock = self._clocks[key] = _Clock(header.boots, header.seconds, arrived)
            if len(self._clocks) > SENDERS:
                self._clocks.popitem(last=False)
        else:
            self._clocks.move_to_end(key)
        if (header.boots, header.seconds) > (clock.boots, clock.latest):
            clock.boots, clock.latest, clock.noted_at = header.boots, header.seconds, arrived
        expected = clock.latest + int(arrived - clock.noted_at)
        if header.boots < clock.boots or header.seconds < expected - TIME_WINDOW or clock.boots >= MOST_BOOTS:
            raise Refused(Reason.NOT_IN_TIME)

    def _decipher(self, data: bytes, header: Header, users: Sequence[User]) -> Opened:
        """Take the first user whose key makes sense of it."""
        for user in users:
            try:
                scoped = open_scoped(data, header, user)
                at = pdu_in(scoped)
            except Malformed:
                if not header.flags & ENCRYPTED:
                    raise
                continue
            if scoped[at : at + 1] not in _KINDS:
                raise malformed("a PDU that is no notification")
            if header.flags & AUTHENTICATED:
                self._proven[header.engine_id, header.user_name] = user
                if len(self._proven) > SENDERS:
                    self._proven.popitem(last=False)
            return Opened(header, scoped, at, user, self.engine)
        raise Refused(Reason.UNDECIPHERABLE)


def is_version_3(data: bytes) -> bool:
    """Whether bytes look like a message of version 3, without reading more than its beginning."""
    at = 2 + (data[1] & 0x7F if data[1] > 127 else 0) if len(data) > 1 else 0
    return data[at : at + 3] == b"\x02\x01\x03"


def _allows(user: User, level: int) -> bool:
    """Whether a user may send at this level: signed where he has a password for it, encrypted where he has one."""
    if bool(level & AUTHENTICATED) != bool(user.hash_name):
        return False
    return not level & ENCRYPTED or user.encrypts


def _signer(user: User) -> _Signer:
    return _Signer(user.name, user.hash_name, user.auth_password)
