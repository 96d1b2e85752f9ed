"""Carries the serial line of a machine over a session, each packet acknowledged or sent again (IPMI 2.0 §15)."""

import asyncio
from typing import TYPE_CHECKING

from apps.simulators.bmc import settings
from apps.simulators.bmc.session import Session
from apps.simulators.bmc.terminal import Terminal
from apps.simulators.bmc.wire import SOL

if TYPE_CHECKING:
    from apps.simulators.bmc.controller import Controller

MOST_IN = 200  # characters that are taken with one packet
MOST_OUT = 160
_KEPT = 64 * 1024  # bytes that wait to be sent; what is older is lost
_HEAD = 4
_NOT_TAKEN, _BREAK = 0x40, 0x10  # from the console
_DEACTIVATED = 0x10  # from here
_FLUSH_OUT = 0x01
_LAST_NUMBER = 15


class SerialOverLan:
    """The one line of a controller, and the session that has it."""

    def __init__(self, controller: "Controller", terminal: Terminal) -> None:
        self.terminal = terminal
        self.terminal.hear = self._said
        self.session: Session | None = None
        self.lost = 0  # packets that nobody acknowledged
        self._controller = controller
        self._buffer = bytearray()
        self._number = self._heard = 0
        self._under_way: bytes = b""  # what was sent and not yet acknowledged
        self._tries = 0
        self._timer: asyncio.TimerHandle | None = None
        self._retry: asyncio.TimerHandle | None = None

    def activate(self, session: Session) -> None:
        """Give the line to a session."""
        self._forget()
        self.session = session

    def deactivate(self) -> None:
        """Take the line away from the session that has it, and tell it so."""
        session = self.session
        if session is not None:
            self._send(session, bytes((0, 0, 0, _DEACTIVATED)))
        self._forget()

    def session_ended(self, session: Session) -> None:
        """A session is over, and with it the line."""
        if session is self.session:
            self._forget()

    def close(self) -> None:
        """Stop."""
        self._forget()
        self.terminal.close()

    def _forget(self) -> None:
        self.session = None
        self._buffer.clear()
        self._number = self._heard = 0
        self._under_way = b""
        for timer in (self._timer, self._retry):
            if timer is not None:
                timer.cancel()
        self._timer = self._retry = None

    def _send(self, session: Session, content: bytes) -> None:
        if not self._controller.is_silent:
            self._controller.send(session.seal(SOL, content), session.peer)

    # --- from the machine ---------------------------------------------------------------------------------------------

    def _said(self, said: bytes) -> None:
        if self.session is None:
            return
        self._buffer += said
        del self._buffer[:-_KEPT]
        interval, threshold = self._controller.settings.sol[settings.SOL_ACCUMULATE]
        if len(self._buffer) >= threshold:
            self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(max(1, interval) * 0.005, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.session is None or self._under_way or not self._buffer:
            return
        self._under_way = bytes(self._buffer[:MOST_OUT])
        del self._buffer[:MOST_OUT]
        self._number = self._number % _LAST_NUMBER + 1
        self._tries = self._controller.settings.sol[settings.SOL_RETRY][0] & 0x07
        self._try()

    def _try(self) -> None:
        if self.session is None:
            return
        self._send(self.session, bytes((self._number, 0, 0, 0)) + self._under_way)
        interval = self._controller.settings.sol[settings.SOL_RETRY][1] * 0.01
        self._retry = asyncio.get_running_loop().call_later(max(0.05, interval), self._try_again)

    def _try_again(self) -> None:
        if self._tries:
            self._tries -= 1
            self._try()
        else:
            self.lost += 1
            self._under_way = b""
            self._flush()

    def _acknowledged(self, number: int, taken: int, not_taken: bool) -> None:
        if not self._under_way or number != self._number:
            return
        if not_taken and not taken:
            return  # it is sent again by and by
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if taken < len(self._under_way):
            self._buffer[:0] = self._under_way[taken:]
        self._under_way = b""
        self._flush()

    # --- from the console ---------------------------------------------------------------------------------------------

    def hear(self, session: Session, content: bytes) -> bytes | None:
        """Take a packet of the session; gives the packet that acknowledges it."""
        if session is not self.session or len(content) < _HEAD:
            return None
        number, acknowledged, taken, operation = content[0] & 0x0F, content[1] & 0x0F, content[2], content[3]
        if acknowledged:
            self._acknowledged(acknowledged, taken, bool(operation & _NOT_TAKEN))
        if not number:
            return None
        keys = content[_HEAD:][:MOST_IN]
        if number != self._heard:  # else it comes once more because our word for it was lost
            self._heard = number
            self._operate(operation)
            self.terminal.type(keys)
        return session.seal(SOL, bytes((0, number, len(keys), 0)))

    def _operate(self, operation: int) -> None:
        if operation & _FLUSH_OUT:
            self._buffer.clear()
        if operation & _BREAK:
            self.terminal.take_break()
