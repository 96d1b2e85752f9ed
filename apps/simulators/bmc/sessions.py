"""Opens and closes the sessions of a simulated controller, which has few of them (IPMI 2.0 §13.17 to §13.24)."""

import hmac
import os
from collections.abc import Callable
from typing import Any

from apps.simulators.bmc.accounts import Accounts, Privilege
from apps.simulators.bmc.session import AES_CBC_128, SUITES, Session, Suite
from apps.simulators.bmc.wire import OPEN_REQUEST, OPEN_RESPONSE, RAKP1, RAKP2, RAKP3, RAKP4, outside_2_0

ROOM = 8
OPEN_WITHIN = 20.0  # seconds for the whole login
IDLE = 60.0  # seconds after which a session ends by itself
_RETRANSMITTED = 16  # answers that are remembered

NO_ROOM, UNKNOWN_SESSION, NO_AUTHENTICATION, NO_INTEGRITY = 0x01, 0x02, 0x04, 0x05
TOO_MUCH_ASKED, BAD_LENGTH, UNKNOWN_NAME, WRONG_CODE = 0x0A, 0x0C, 0x0D, 0x0F
NO_ENCRYPTION, NO_SUITE, BAD_PARAMETER = 0x10, 0x11, 0x12

_BY_NAME_ALONE = 0x10


class Sessions:
    """The sessions that are open or being opened, by their own number."""

    def __init__(self, accounts: Accounts, guid: bytes, clock: Callable[[], float]) -> None:
        self.accounts, self.guid = accounts, guid
        self.room = ROOM
        self.is_full = False  # as if others had taken all
        self.suites: tuple[Suite, ...] = SUITES
        self.refuses = False  # whatever the password is
        self.opened = self.asked = 0  # since the start: those that came in, and logins that named somebody
        self.ended: Callable[[Session], None] = lambda session: None
        self._clock = clock
        self._by_id: dict[bytes, Session] = {}

    def __len__(self) -> int:
        return len(self.open)

    @property
    def open(self) -> list[Session]:
        """Give those that are open, without those that were idle for too long."""
        self._tidy()
        return [session for session in self._by_id.values() if session.is_open]

    def get(self, own_id: bytes) -> Session | None:
        """Give a session by its own number, whose time counts anew."""
        session = self._by_id.get(own_id)
        if session is not None and session.is_open:
            session.used_at = self._clock()
        return session

    def close(self, session: Session) -> None:
        """End a session."""
        if self._by_id.pop(session.own_id, None) is not None and session.is_open:
            self.ended(session)

    def close_all(self) -> None:
        """End all, as a reset does."""
        for session in list(self._by_id.values()):
            self.close(session)

    def _tidy(self) -> None:
        now = self._clock()
        for session in list(self._by_id.values()):
            late = now - session.used_at > IDLE if session.is_open else now - session.begun_at > OPEN_WITHIN
            if late:
                self.close(session)

    # --- login --------------------------------------------------------------------------------------------------------

    def hear(self, kind: int, payload: bytes, peer: Any) -> bytes | None:
        """Answer a packet of the login; None where there is nothing to say."""
        if kind == OPEN_REQUEST and len(payload) >= 32:
            return outside_2_0(OPEN_RESPONSE, self._begin(payload, peer))
        if kind == RAKP1 and len(payload) >= 28:
            return outside_2_0(RAKP2, self._name(payload))
        if kind == RAKP3 and len(payload) >= 8:
            told = self._prove(payload)
            return None if told is None else outside_2_0(RAKP4, told)
        return None

    def _begin(self, payload: bytes, peer: Any) -> bytes:
        tag, asked, console_id = payload[0], payload[1] & 0x0F, payload[4:8]

        def refusal(status: int) -> bytes:
            return bytes((tag, status, asked, 0)) + console_id

        algorithms = payload[12] & 0x3F, payload[20] & 0x3F, payload[28] & 0x3F
        if asked > Privilege.ADMINISTRATOR:
            return refusal(BAD_PARAMETER)
        suite = self._choose(algorithms)
        if isinstance(suite, int):
            return refusal(suite)
        self._tidy()
        if self.is_full or len(self._by_id) >= self.room:
            return refusal(NO_ROOM)
        own_id = os.urandom(4)
        while own_id == bytes(4) or own_id in self._by_id:
            own_id = os.urandom(4)
        self._by_id[own_id] = Session(suite, console_id, own_id, asked, self._clock(), peer)
        chosen = ((0, suite.authentication), (1, suite.integrity), (2, AES_CBC_128))
        told = b"".join(bytes((part, 0, 0, 8, algorithm, 0, 0, 0)) for part, algorithm in chosen)
        return bytes((tag, 0, asked or Privilege.ADMINISTRATOR, 0)) + console_id + own_id + told

    def _choose(self, wanted: tuple[int, int, int]) -> Suite | int:
        for place, known, status in (
            (0, {suite.authentication for suite in self.suites}, NO_AUTHENTICATION),
            (1, {suite.integrity for suite in self.suites}, NO_INTEGRITY),
            (2, {AES_CBC_128}, NO_ENCRYPTION),
        ):
            if wanted[place] not in known:
                return status
        for suite in self.suites:
            if (suite.authentication, suite.integrity) == wanted[:2]:
                return suite
        return NO_SUITE

    def _name(self, payload: bytes) -> bytes:
        tag, session = payload[0], self._by_id.get(payload[4:8])
        if session is None or session.is_open:
            return bytes((tag, UNKNOWN_SESSION, 0, 0)) + bytes(4)

        def refusal(status: int) -> bytes:
            self.close(session)
            return bytes((tag, status, 0, 0)) + session.console_id

        self.asked += 1
        role, length = payload[24], payload[27]
        name = payload[28 : 28 + length]
        if length > 16 or len(name) != length:
            return refusal(BAD_LENGTH)
        alone = bool(role & _BY_NAME_ALONE)
        account = self.accounts.find(name.decode("latin-1"), role & 0x0F, by_name_alone=alone)
        if account is None:
            return refusal(UNKNOWN_NAME)
        if alone and account.limit < role & 0x0F:
            return refusal(TOO_MUCH_ASKED)
        session.account, session.console_random = account, payload[8:24]
        session.role = bytes((role, length)) + name
        session.limit = min(role & 0x0F or Privilege.ADMINISTRATOR, account.limit)
        proof = session.proof_of_controller(self.guid, account.password)
        return bytes((tag, 0, 0, 0)) + session.console_id + session.own_random + self.guid + proof

    def _prove(self, payload: bytes) -> bytes | None:
        tag, session = payload[0], self._by_id.get(payload[4:8])
        if session is None or session.account is None or session.is_open:
            return bytes((tag, UNKNOWN_SESSION, 0, 0)) + bytes(4)
        if payload[1]:  # the console gives up
            self.close(session)
            return None
        password = session.account.password
        if self.refuses or not hmac.compare_digest(payload[8:], session.proof_of_console(password)):
            self.close(session)
            return bytes((tag, WRONG_CODE, 0, 0)) + session.console_id
        session.used_at = self._clock()
        session.privilege = Privilege(min(Privilege.USER, session.limit))
        self.opened += 1
        session.number = (self.opened - 1) % 0x3F + 1
        return bytes((tag, 0, 0, 0)) + session.console_id + session.open(self.guid, password)
