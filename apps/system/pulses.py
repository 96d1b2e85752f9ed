"""Asks processes whether they still answer, without waiting for any of them."""

import contextlib
import selectors
import socket
import time
from dataclasses import dataclass

from apps.system.processes import Pulse

ASKED_EVERY = 10.0  # seconds; also how long one answer is waited for
SILENT_AFTER = 6  # questions in a row without an answer


@dataclass
class Pulses:
    """The questions to one process. They are counted, not timed: the supervisor itself may have slept meanwhile.

    Nothing is counted before the first answer: a process may have to wait for something before it can give one.
    """

    pulse: Pulse
    selector: selectors.BaseSelector
    unanswered: int = 0
    answered: bool = False
    _asked_at: float = 0.0
    _asking: socket.socket | None = None

    @property
    def silence(self) -> float:
        """Give for how many seconds it has not answered."""
        return self.unanswered * ASKED_EVERY

    def ask(self) -> None:
        """Put the next question when it is time; one that is still open counts as not answered."""
        now = time.monotonic()
        if now - self._asked_at < ASKED_EVERY:
            return
        self._asked_at = now
        if self._asking is not None:
            self._count()
        try:
            self._asking = self._connect()
            self.selector.register(self._asking, selectors.EVENT_WRITE, self._may_go_on)
        except OSError:
            self._count()

    def stop(self) -> None:
        """Forget the question and what was counted: the process ends, or is another one."""
        self._leave()
        self.unanswered, self.answered, self._asked_at = 0, False, time.monotonic()

    def _connect(self) -> socket.socket:
        address = self.pulse.address
        family = (
            socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        )
        asking = socket.socket(family, socket.SOCK_STREAM)
        asking.setblocking(False)
        try:
            asking.connect(address)
        except BlockingIOError:
            if family == socket.AF_UNIX:  # its line is full, and does not become free by waiting
                asking.close()
                raise
        except OSError:
            asking.close()
            raise
        return asking

    def _may_go_on(self) -> None:
        """Send the question once connected; then anything that comes, or the end, is an answer."""
        if self._asking is None:
            return
        events = self.selector.get_key(self._asking).events
        try:
            if events == selectors.EVENT_WRITE:
                self._asking.send(self.pulse.question)
                self.selector.modify(self._asking, selectors.EVENT_READ, self._may_go_on)
                return
            self._asking.recv(4096)
        except BlockingIOError:
            return
        except ConnectionRefusedError:
            self._count()
            return
        except OSError:  # it hung up: then it works
            pass
        self.unanswered, self.answered = 0, True
        self._leave()

    def _count(self) -> None:
        self.unanswered += self.answered
        self._leave()

    def _leave(self) -> None:
        if self._asking is not None:
            with contextlib.suppress(KeyError, ValueError):
                self.selector.unregister(self._asking)
            self._asking.close()
            self._asking = None
