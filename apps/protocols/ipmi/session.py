"""One signed-in conversation with a management controller (IPMI 2.0, RMCP+), in the thread that calls it.

pyghmi signs in; questions are asked here, because the library repeats every question by itself (also "reset"), waits up
to forty seconds for a dead controller and signs in anew behind one's back.
"""

import math
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

from apps.protocols.errors import AuthenticationFailed, ContactError, DeviceError, Stage, Unreachable, Unsupported
from apps.protocols.ipmi.channel import GLANCE, Channel
from apps.protocols.ipmi.messages import SEQUENCES, About, Answer, answered, question
from apps.protocols.ipmi.sealing import IPMI, SERIAL_OVER_LAN
from apps.protocols.ipmi.signing_in import NO_SUITE_17, ONLY_IPMI_1_5, SigningIn
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
    """A session that is used by one thread at a time. ``stop`` may be called from any thread."""

    def __init__(self, target: IpmiTarget, address: str) -> None:
        self.target = target
        self._address = address  # numeric
        self._stopped = threading.Event()
        self._deadline = time.monotonic() + target.budget
        self._channel: Channel | None = None
        self._sequence = 0
        self._serial: Callable[[bytes], None] | None = None

    @property
    def suite(self) -> int | None:
        """The cipher suite in use: 17 or 3; None without a session."""
        return self._channel.suite if self._channel is not None else None

    @property
    def number(self) -> int:
        """What the controller calls this session; 0 without one."""
        return self._channel.number if self._channel is not None else 0

    def stay(self) -> None:
        """Last longer than the budget of one conversation: a console is open for hours."""
        self._deadline = math.inf

    def listen(self, handler: Callable[[bytes], None] | None) -> None:
        """Have a handler told what comes over serial over LAN, in the thread that asks or waits."""
        self._serial = handler

    def send_payload(self, payload: bytes) -> None:
        """Send a packet of serial over LAN, once."""
        self._open().send(SERIAL_OVER_LAN, payload)

    def wait(self, seconds: float, bell: socket.socket) -> None:
        """Wait until something came, the bell rings or the time is over; then take what came."""
        channel = self._open()
        either = select.poll()
        for one in (channel.socket, bell):
            either.register(one, select.POLLIN)
        if any(number == channel.socket.fileno() for number, _ in either.poll(1000 * seconds)):
            self._receive(channel, GLANCE)

    def stop(self) -> None:
        """Let whoever waits inside give up at his next glance."""
        self._stopped.set()

    def login(self) -> None:
        """Sign in with suite 17, then with suite 3 unless that is forbidden; raises the ContactError of the stage."""
        login = self.target.login()
        words = ""
        for privilege in _PRIVILEGES:
            words = self._try_login(login, privilege)
            if self._channel is not None:
                return
            if not any(one in words.lower() for one in _TOO_MUCH_ASKED):
                break
        self._refuse(words)

    def _try_login(self, login: tuple[bytes, bytes], privilege: int) -> str:
        """Sign in with a privilege; give the library's words when it did not work."""
        target = self.target
        limit = min(time.monotonic() + LOGIN_PATIENCE, self._deadline)
        try:
            signing = SigningIn(
                (self._address, target.port),
                login,
                privilege,
                allow_suite_3=target.allow_suite_3,
                source_port=target.source_port,
            )
        except OSError as error:
            raise Unreachable(
                "There is no way to %(address)s: %(reason)s",
                stage=Stage.ROUTE,
                address=target.address,
                reason=error.strerror or type(error).__name__,
            ) from error
        words = signing.finish(limit, self._stopped)
        self._channel = signing.channel()
        if words:
            self.logout()  # should the controller think otherwise
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

    def ask(self, netfn: int, command: int, data: Sequence[int] = (), *, lun: int = 0) -> Answer:
        """Ask, several times if need be; give the answer whatever its code. ``Unreachable`` when none comes."""
        answer = self._attempt(netfn, command, data, lun, self._waits())
        for _ in range(BUSY_TRIES):
            if answer.code != NODE_BUSY or self._stopped.wait(BUSY_PAUSE):
                break
            answer = self._attempt(netfn, command, data, lun, self._waits())
        return answer

    def tell(self, netfn: int, command: int, data: Sequence[int] = (), *, lun: int = 0) -> bytes:
        """Ask, and give the bytes of an answer that went well; raises what its code means."""
        answer = self.ask(netfn, command, data, lun=lun)
        if answer.code != OK:
            raise self.error(answer)
        return answer.data

    def order(self, netfn: int, command: int, data: Sequence[int] = ()) -> bytes:
        """Send something that changes the machine exactly once; silence says nothing of whether it was done."""
        answer = self._attempt(netfn, command, data, 0, iter((ORDER_PATIENCE,)))
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
        return DeviceError("%(address)s: %(reason)s", address=address, reason=words)

    def _waits(self) -> Iterator[float]:
        wait = max(self.target.timeout, FIRST_WAIT)
        for _ in range(self.target.retries + 2):
            yield wait
            wait *= LONGER

    def _attempt(self, netfn: int, command: int, data: Sequence[int], lun: int, waits: Iterator[float]) -> Answer:
        channel = self._open()
        # A late answer to an earlier question is not taken for this one; attempts look alike, as the standard wants it.
        self._sequence = (self._sequence + 1) % SEQUENCES
        about = About(netfn, command, self._sequence)
        asked = question(about, data, lun)
        for wait in waits:
            channel.send(IPMI, asked)
            found = self._wait(channel, about, time.monotonic() + wait)
            if found is not None:
                return found
        raise self._silent()

    def _wait(self, channel: Channel, about: About, limit: float) -> Answer | None:
        while True:
            now = time.monotonic()
            if now >= self._deadline:
                raise Unreachable(
                    "%(address)s did not finish within %(seconds)s s",
                    stage=Stage.PROTOCOL,
                    address=self.target.address,
                    seconds=f"{self.target.budget:g}",
                )
            if self._stopped.is_set():
                raise self._silent()
            if now >= limit:
                return None
            payload = self._receive(channel, min(GLANCE, limit - now))
            came = answered(payload) if payload is not None else None
            if came is not None and came[0] == about:
                return came[1]

    def _receive(self, channel: Channel, seconds: float) -> bytes | None:
        """Wait so long for a message; what comes over serial over LAN meanwhile goes to who listens."""
        came = channel.receive(seconds)
        if came is None:
            return None
        kind, payload = came
        if kind == SERIAL_OVER_LAN and self._serial is not None:
            self._serial(payload)
        return payload if kind == IPMI else None

    def _open(self) -> Channel:
        if self._channel is None:
            raise self._silent()
        return self._channel

    def _silent(self) -> Unreachable:
        return Unreachable("%(address)s stopped answering", stage=Stage.PROTOCOL, address=self.target.address)

    def logout(self) -> None:
        """Close the session at the controller, which has few of them; raises nothing."""
        channel = self._channel
        if channel is None:
            return
        self._stopped.clear()
        self._deadline = time.monotonic() + 3 * FIRST_WAIT
        try:
            number = channel.number.to_bytes(4, "little")
            self._attempt(APPLICATION, _CLOSE_SESSION, number, 0, iter((FIRST_WAIT / 2, FIRST_WAIT)))
        except ContactError:
            pass  # whoever does not answer has no session either
        finally:
            channel.close()
            self._channel = None
