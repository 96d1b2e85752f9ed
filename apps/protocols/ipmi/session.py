"""One signed-in conversation with a management controller (IPMI 2.0, RMCP+).

pyghmi signs in; questions are asked here, because the library repeats every question by itself (also "reset"), waits up
to forty seconds for a dead controller and signs in anew behind one's back.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

from apps.protocols.errors import (
    AuthenticationFailed,
    ContactError,
    DeviceError,
    NotNow,
    Stage,
    Unreachable,
    Unsupported,
)
from apps.protocols.ipmi.messages import SEQUENCES, About, Answer, answered, question
from apps.protocols.ipmi.sealing import IPMI, SERIAL_OVER_LAN
from apps.protocols.ipmi.signing_in import NO_SUITE_17, ONLY_IPMI_1_5, SignedIn, SigningIn
from apps.protocols.ipmi.target import IpmiTarget

APPLICATION, CHASSIS, SENSOR, STORAGE, TRANSPORT, DCMI = 0x06, 0x00, 0x04, 0x0A, 0x0C, 0x2C

OK = 0x00
NODE_BUSY = 0xC0
INVALID_COMMAND = 0xC1
TIMED_OUT = 0xC3
RESERVATION_CANCELLED = 0xC5
NOT_PRESENT = 0xCB
INSUFFICIENT_PRIVILEGE = 0xD4
NOT_IN_PRESENT_STATE = 0xD5
TOO_LONG = frozenset({0xC7, 0xC8, 0xC9, 0xCA, 0xFF})  # what controllers say when one asks for too much at once
CANNOT = frozenset({0xC1, 0xC2, 0xCC, 0xCD})
FOR_NOW = frozenset({NODE_BUSY, TIMED_OUT, 0xCE, 0xD0, 0xD1, 0xD2, NOT_IN_PRESENT_STATE})  # busy, starting, updating

LOGIN_PATIENCE = 20.0  # seconds
ORDER_PATIENCE = 10.0  # seconds: an order is sent once, so that it gets more time
FIRST_WAIT = 1.5  # seconds; controllers are slow when they read a bus
LONGER = 1.5  # each attempt waits so many times the one before
BUSY_TRIES, BUSY_PAUSE = 5, 0.3

_CLOSE_SESSION = 0x3C
_WRONG_LOGIN = (
    "incorrect password",
    "unauthorized name",
    "invalid role",
    "unauthorized role",
    "privilege",
    "user",
    "integrity check value reported",  # the controller's word for a proof that was made with another password
)
_PRIVILEGES = (4, 3, 2)  # administrator, operator, user
_TOO_MUCH_ASKED = ("role", "privilege", "unauthorized name")  # accounts may be unknown above their privilege
_NO_ROOM = "insufficient resources"
_NO_SUITE = ("authentication algorithm", "integrity algorithm", "confidentiality algorithm", "cipher suite")


class IpmiSession:
    """A session of one event loop; one question at a time."""

    def __init__(self, target: IpmiTarget, address: str) -> None:
        self.target = target
        self._address = address  # numeric
        self._deadline = time.monotonic() + target.budget
        self._open: SignedIn | None = None
        self._turn = asyncio.Lock()
        self._about: About | None = None
        self._answer: asyncio.Future[Answer | None] | None = None
        self._sequence = 0
        self._serial: Callable[[bytes], None] | None = None

    @property
    def suite(self) -> int | None:
        """The cipher suite in use: 17 or 3; None without a session."""
        return self._open.suite if self._open is not None else None

    @property
    def number(self) -> int:
        """What the controller calls this session; 0 without one."""
        return self._open.number if self._open is not None else 0

    def stay(self) -> None:
        """Last longer than the budget of one conversation: a console is open for hours."""
        self._deadline = math.inf

    def listen(self, handler: Callable[[bytes], None] | None) -> None:
        """Have a handler told what comes over serial over LAN."""
        self._serial = handler

    def send_payload(self, payload: bytes) -> None:
        """Send a packet of serial over LAN, once."""
        self._send(SERIAL_OVER_LAN, payload)

    async def login(self) -> None:
        """Sign in with suite 17, then with suite 3 unless that is forbidden; raises the ContactError of the stage."""
        words = ""
        for privilege in _PRIVILEGES:
            words = await self._try_login(privilege)
            if self._open is not None:
                return
            if not any(one in words.lower() for one in _TOO_MUCH_ASKED):
                break
        self._refuse(words)

    async def _try_login(self, privilege: int) -> str:
        """Sign in with a privilege; give the library's words when it did not work."""
        try:
            signing = SigningIn(self.target, self._address, privilege)
        except OSError as error:
            raise Unreachable(
                "There is no way to %(address)s: %(reason)s",
                stage=Stage.ROUTE,
                address=self.target.address,
                reason=error.strerror or type(error).__name__,
            ) from error
        try:
            words = await signing.finish(min(LOGIN_PATIENCE, self._deadline - time.monotonic()))
        finally:
            self._open = signing.session()
            if self._open is not None:
                self._open.channel.heard = self._heard
        if words:
            await self.logout()  # should the controller think otherwise
        return words

    def _refuse(self, words: str) -> NoReturn:
        """Raise what the library's words about a login mean."""
        address, low = self.target.address, words.lower()
        if NO_SUITE_17 in low:
            raise Unsupported(
                "%(address)s does not know cipher suite 17, and suite 3 is not allowed for this interface",
                stage=Stage.SIGN_IN,
                address=address,
            )
        if ONLY_IPMI_1_5.lower() in low:
            raise Unsupported("%(address)s speaks only IPMI 1.5", stage=Stage.SIGN_IN, address=address)
        if _NO_ROOM in low:
            raise DeviceError(
                "%(address)s has no free session: %(reason)s", stage=Stage.SIGN_IN, address=address, reason=words
            )
        if any(one in low for one in _NO_SUITE):
            raise Unsupported(
                "%(address)s knows neither cipher suite 17 nor 3: %(reason)s",
                stage=Stage.SIGN_IN,
                address=address,
                reason=words,
            )
        if any(one in low for one in _WRONG_LOGIN):
            raise AuthenticationFailed("%(address)s refuses the login: %(reason)s", address=address, reason=words)
        if low in ("", "none", "timeout", "given up") or "no longer connected" in low or "failed to init" in low:
            raise Unreachable(
                "%(address)s is there, but does not complete the login", stage=Stage.SIGN_IN, address=address
            )
        raise DeviceError("%(address)s: %(reason)s", stage=Stage.SIGN_IN, address=address, reason=words)

    async def ask(self, netfn: int, command: int, data: Sequence[int] = (), *, lun: int = 0) -> Answer:
        """Ask, several times if need be; give the answer whatever its code. ``Unreachable`` when none comes."""
        answer = await self._attempt(netfn, command, data, lun, self._waits())
        for _ in range(BUSY_TRIES):
            if answer.code != NODE_BUSY:
                break
            await asyncio.sleep(BUSY_PAUSE)
            answer = await self._attempt(netfn, command, data, lun, self._waits())
        return answer

    async def tell(self, netfn: int, command: int, data: Sequence[int] = (), *, lun: int = 0) -> bytes:
        """Ask, and give the bytes of an answer that went well; raises what its code means."""
        answer = await self.ask(netfn, command, data, lun=lun)
        if answer.code != OK:
            raise self.error(answer)
        return answer.data

    async def order(self, netfn: int, command: int, data: Sequence[int] = ()) -> bytes:
        """Send something that changes the machine exactly once; silence says nothing of whether it was done."""
        answer = await self._attempt(netfn, command, data, 0, iter((ORDER_PATIENCE,)))
        if answer.code != OK:
            raise self.error(answer)
        return answer.data

    def error(self, answer: Answer) -> ContactError:
        """Give what a completion code means as one of our errors."""
        address, words = self.target.address, answer.words
        if answer.code == INSUFFICIENT_PRIVILEGE:
            return Unsupported("%(address)s does not allow this account to do that", address=address)
        if answer.code in CANNOT:
            return Unsupported("%(address)s cannot do that: %(reason)s", address=address, reason=words)
        kind = NotNow if answer.code in FOR_NOW else DeviceError
        return kind("%(address)s: %(reason)s", address=address, reason=words)

    def _waits(self) -> Iterator[float]:
        wait = max(self.target.timeout, FIRST_WAIT)
        for _ in range(self.target.retries + 2):
            yield wait
            wait *= LONGER

    async def _attempt(self, netfn: int, command: int, data: Sequence[int], lun: int, waits: Iterator[float]) -> Answer:
        async with self._turn:
            # A late answer to an earlier question is not taken for this one; attempts look alike, as the standard asks.
            self._sequence = (self._sequence + 1) % SEQUENCES
            self._about = About(netfn, command, self._sequence)
            asked = question(self._about, data, lun)
            for wait in waits:
                self._send(IPMI, asked)
                found = await self._wait(wait)
                if found is not None:
                    return found
        raise self._silent()

    async def _wait(self, seconds: float) -> Answer | None:
        """Wait for an answer; None when none comes in time."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Unreachable(
                "%(address)s did not finish within %(seconds)s s",
                stage=Stage.PROTOCOL,
                address=self.target.address,
                seconds=f"{self.target.budget:g}",
            )
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Answer | None] = loop.create_future()
        self._answer = waiting
        limit = loop.call_later(min(seconds, left), _give, waiting, None)
        try:
            return await waiting
        finally:
            limit.cancel()

    def _heard(self, packet: bytes) -> None:
        """Take a packet: an answer to the present question, or what comes over serial over LAN."""
        came = self._open.seal.open(packet) if self._open is not None else None
        if came is None:
            return
        kind, payload = came
        if kind == SERIAL_OVER_LAN and self._serial is not None:
            self._serial(payload)
        elif kind == IPMI and self._answer is not None:
            told = answered(payload)
            if told is not None and told[0] == self._about:
                _give(self._answer, told[1])

    def _send(self, kind: int, payload: bytes) -> None:
        if self._open is None:
            raise self._silent()
        self._open.channel.send(self._open.seal.seal(kind, payload))

    def _silent(self) -> Unreachable:
        return Unreachable("%(address)s stopped answering", stage=Stage.PROTOCOL, address=self.target.address)

    async def logout(self) -> None:
        """Close the session at the controller, which has few of them; raises nothing."""
        if self._open is None:
            return
        self._deadline = time.monotonic() + 3 * FIRST_WAIT
        try:
            number = self._open.number.to_bytes(4, "little")
            await self._attempt(APPLICATION, _CLOSE_SESSION, number, 0, iter((FIRST_WAIT / 2, FIRST_WAIT)))
        except ContactError:
            pass  # whoever does not answer has no session either
        finally:
            self._open.channel.close()
            self._open = None


def _give(waiting: "asyncio.Future[Answer | None]", answer: Answer | None) -> None:
    if not waiting.done():
        waiting.set_result(answer)
