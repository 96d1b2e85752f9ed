"""Receives version 3 notifications: who signed them, whether they are fresh, and what tells the sender if not (RFC 3414).

A trap is signed on behalf of its sender's engine (§3.2 step 7b): we remember how far that engine's clock was, so that an
old message is not taken for a new one. An inform is signed on behalf of ours (step 7a): whoever does not know it yet
asks for it with a message that we answer with a report. Several users may share a name: each is tried.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from apps.protocols.snmp import privacy
from apps.protocols.snmp.ber import SEQUENCE, Malformed, encode_element, expect, malformed
from apps.protocols.snmp.notification import Notification, NotificationKind, read_scoped_notification, response_to
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
_ENGINE_ID_OCTETS = range(5, 33)  # RFC 3411 §5
_LEVEL = AUTHENTICATED | ENCRYPTED


class Reason(StrEnum):
    """Why a message is not taken."""

    UNKNOWN_ENGINE = "unknown-engine"
    UNKNOWN_USER = "unknown-user"
    LEVEL = "level"
    WRONG_DIGEST = "wrong-digest"
    NOT_IN_TIME = "not-in-time"
    UNDECIPHERABLE = "undecipherable"
    TOO_MANY = "too-many"


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

    def __init__(self, reason: Reason, report: bytes | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.report = report


@dataclass(frozen=True, slots=True)
class Opened:
    """A notification out of its message, with what is needed to keep it and to answer it."""

    notification: Notification
    stored: bytes  # the message deciphered and without its signature
    scoped: bytes = field(repr=False)
    pdu_at: int
    header: Header = field(repr=False)
    user: User
    engine: Engine

    @property
    def pdu(self) -> bytes:
        """The notification alone: the same when a sender repeats itself, which the message is not."""
        return self.scoped[self.pdu_at :]

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


class Receiving:
    """Opens messages; made with our own engine. Its users and the least level are changed from outside at any time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.least_level = 0
        self._users: Mapping[bytes, Sequence[User]] = {}
        self._clocks: OrderedDict[tuple[bytes, _Signer], _Clock] = OrderedDict()
        self._proven: OrderedDict[tuple[bytes, bytes], User] = OrderedDict()
        self._counts: dict[Reason, int] = dict.fromkeys(Reason, 0)
        self._tries, self._tries_at = float(VAIN_TRIES), time.monotonic()

    def set_users(self, users: Iterable[User]) -> None:
        """Take over who may send; where peers disagree on the privacy key, a user counts as one of each kind."""
        by_name: dict[bytes, dict[User, None]] = {}
        for user in users:
            plain = replace(user, context=b"")
            for way in privacy.stretchings(user.priv_protocol, user.hash_name):
                by_name.setdefault(user.name, {})[replace(plain, stretching=way)] = None
        self._users = {name: tuple(same) for name, same in by_name.items()}
        signers = {_signer(user) for same in self._users.values() for user in same}
        self._clocks = OrderedDict((key, clock) for key, clock in self._clocks.items() if key[1] in signers)

    def open(self, data: bytes) -> Opened:
        """Open a message with a notification; raises ``Refused``, and ``Malformed`` for everything that is none."""
        header = read_v3_header(data)
        if header.flags & ENCRYPTED and not header.flags & AUTHENTICATED:
            raise malformed("encrypted, but not signed")
        if len(header.user_name) > NAME_OCTETS:
            raise malformed("a user name that is too long")
        ours = header.engine_id == self.engine.engine_id
        if not ours and len(header.engine_id) not in _ENGINE_ID_OCTETS:
            raise self._refused(Reason.UNKNOWN_ENGINE, header)
        try:
            opened = self._open(data, header, ours)
        except Refused as refused:
            # What comes for another engine and asks for an answer is an inform of one who does not know us (yet).
            if not ours and refused.report is not None:
                refused.report = self._refused(Reason.UNKNOWN_ENGINE, header).report
            raise
        if not ours and opened.notification.kind is NotificationKind.INFORM:
            raise self._refused(Reason.UNKNOWN_ENGINE, header)
        return opened

    def _open(self, data: bytes, header: Header, ours: bool) -> Opened:
        named = self._users.get(header.user_name)
        if not named:
            raise self._refused(Reason.UNKNOWN_USER, header)
        level = header.flags & _LEVEL
        fitting = [user for user in named if _allows(user, level)] if level >= self.least_level else []
        if not fitting:
            raise self._refused(Reason.LEVEL, header)
        signers = self._signers(data, header, fitting) if level else fitting
        if level:
            self._check_time(header, signers, ours)
        return self._decipher(data, header, signers)

    def _signers(self, data: bytes, header: Header, users: Sequence[User]) -> list[User]:
        """Give the users whose signature it is: several where only their privacy differs."""
        place = header.engine_id, header.user_name
        proven = self._proven.get(place)
        if proven is not None and proven in users and is_signed_by(data, header, proven):
            self._proven.move_to_end(place)
            return [proven, *(user for user in users if user != proven and _signer(user) == _signer(proven))]
        self._refill()
        tried: set[_Signer] = set()
        for user in users:
            signer = _signer(user)
            if signer in tried or user.digest_octets != len(header.digest):
                continue
            if self._tries < 1:
                raise self._refused(Reason.TOO_MANY, header)
            self._tries -= 1
            tried.add(signer)
            if is_signed_by(data, header, user):
                self._tries += len(tried)  # not in vain
                return [other for other in users if _signer(other) == signer]
        raise self._refused(Reason.WRONG_DIGEST, header)

    def _check_time(self, header: Header, signers: Sequence[User], ours: bool) -> None:
        if ours:
            engine = self.engine
            late = header.boots != engine.boots or abs(header.seconds - engine.now()) > TIME_WINDOW
            if late or engine.boots >= MOST_BOOTS:
                raise self._refused(Reason.NOT_IN_TIME, header, signers[0])
            return
        # Whoever shares our users cannot set the clock of somebody else's engine: it is kept for each signature.
        key = header.engine_id, _signer(signers[0])
        clock, now = self._clocks.get(key), time.monotonic()
        if clock is None:
            self._clocks[key] = _Clock(header.boots, header.seconds, now)
            if len(self._clocks) > SENDERS:
                self._clocks.popitem(last=False)
            clock = self._clocks[key]
        self._clocks.move_to_end(key)
        if header.boots > clock.boots or (header.boots == clock.boots and header.seconds > clock.latest):
            clock.boots, clock.latest, clock.noted_at = header.boots, header.seconds, now
        expected = clock.latest + int(now - clock.noted_at)
        if header.boots < clock.boots or header.seconds < expected - TIME_WINDOW or clock.boots >= MOST_BOOTS:
            raise self._refused(Reason.NOT_IN_TIME, header)

    def _decipher(self, data: bytes, header: Header, users: Sequence[User]) -> Opened:
        """Read the notification with the first user whose key makes sense of it."""
        for user in users:
            try:
                scoped = open_scoped(data, header, user)
                at = pdu_in(scoped)
                notification = read_scoped_notification(scoped, at)
            except Malformed:
                if not header.flags & ENCRYPTED:
                    raise
                continue
            if header.flags & AUTHENTICATED:
                self._proven[header.engine_id, header.user_name] = user
                if len(self._proven) > SENDERS:
                    self._proven.popitem(last=False)
            return Opened(notification, deciphered(header, scoped), scoped, at, header, user, self.engine)
        raise self._refused(Reason.UNDECIPHERABLE, header)

    def _refused(self, reason: Reason, header: Header, user: User = NOBODY) -> Refused:
        self._counts[reason] += 1
        counter = _COUNTERS.get(reason)
        if counter is None or not header.flags & REPORTABLE:
            return Refused(reason)
        return Refused(reason, seal_report(header, self.engine, counter, self._counts[reason], user))

    def _refill(self) -> None:
        now = time.monotonic()
        self._tries = min(float(VAIN_TRIES), self._tries + (now - self._tries_at) * VAIN_TRIES)
        self._tries_at = now


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
