"""Starts the processes in order, watches them, starts again what dies, and stops them in reverse order.

Plain Python on one thread: the children are forks of this process, so it must own no thread and no connection.
"""

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import FrameType

from apps.system import children
from apps.system.processes import ProcessSpec, in_order

TICK = 0.1  # seconds
FIRST_DELAY = 0.3  # seconds before the first new start; doubles with every failure in a row
LONGEST_DELAY = 30.0
RAN_WELL = 30.0  # a process that lived this long starts again without delay
STOP_WITHIN = 5.0
KILL_AFTER = 4.2  # leaves time for the processes that the others stand on


class State(StrEnum):
    """Where a process is in its life."""

    WAITING = "waiting"  # for what it needs, or for its delay
    STARTING = "starting"  # runs, has not said that it is ready
    RUNNING = "running"
    DONE = "done"  # a step that ended well
    STOPPED = "stopped"


@dataclass
class Child:
    """What the supervisor knows of one process."""

    spec: ProcessSpec
    state: State = State.WAITING
    pid: int | None = None
    started: float = 0.0  # monotonic seconds
    started_at: float = 0.0  # seconds since the epoch
    not_before: float = 0.0
    failures: int = 0
    restarts: int = 0
    told: bool = False  # that it is to stop
    output: int | None = None
    buffer: bytes = field(default=b"", repr=False)


class Supervisor:
    """Runs a list of processes until it is told to stop."""

    def __init__(
        self,
        specs: Iterable[ProcessSpec],
        *,
        descriptors: Mapping[str, Mapping[str, tuple[int, ...]]] | None = None,
        user: str = "",
        say: Callable[[str], None] = print,
        changed: Callable[[list[Child]], None] = lambda children: None,
        each_second: Callable[[], None] = lambda: None,
    ) -> None:
        """``descriptors``: process name → environment variable → sockets that are handed down in it."""
        self.children = [Child(spec) for spec in in_order(specs)]
        self._descriptors = descriptors or {}
        self._user = user
        self._say = say
        self._changed = changed
        self._each_second = each_second
        self._selector = selectors.DefaultSelector()
        self._guard = children.Guard()
        self._stopping_since: float | None = None
        self._hurry = False
        self._code = 0
        self._width = max((len(child.spec.name) for child in self.children), default=0)

    # --- the loop -----------------------------------------------------------------------------------------------
    def run(self) -> int:
        """Watch until everything has stopped; give the exit code."""
        self._guard.start()
        wake, wake_up = socket.socketpair()
        wake.setblocking(False)
        wake_up.setblocking(False)
        signal.set_wakeup_fd(wake_up.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, self._asked_to_stop)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        self._selector.register(wake, selectors.EVENT_READ, None)
        next_second = 0.0
        while True:
            for key, _mask in self._selector.select(TICK):
                if key.data is None:
                    self._drain(wake)
                else:
                    self._read(key.data)
            self._reap()
            if self._stopping_since is None:
                self._start_what_can()
            elif self._stop_step(time.monotonic() - self._stopping_since):
                break
            if time.monotonic() >= next_second:
                next_second = time.monotonic() + 1
                self._guard.start_again_if_ended(self._groups())
                self._each_second()
        signal.set_wakeup_fd(-1)
        self._guard.dismiss()
        return self._code

    @staticmethod
    def _drain(wake: socket.socket) -> None:
        try:
            while wake.recv(256):
                pass
        except BlockingIOError:
            return

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
            self._say("Stopping …")
        else:
            self._hurry = True

    # --- starting -----------------------------------------------------------------------------------------------
    def _start_what_can(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.state is State.STARTING and not child.spec.once and (not child.spec.ready or child.spec.ready()):
                self._set(child, State.RUNNING)
            if child.state is State.WAITING and now >= child.not_before and self._has_what_it_needs(child):
                self._start(child)

    def _has_what_it_needs(self, child: Child) -> bool:
        needed = [other for other in self.children if other.spec.name in child.spec.needs]
        return all(other.state in {State.RUNNING, State.DONE} for other in needed)

    def _start(self, child: Child) -> None:
        handed_down = self._descriptors.get(child.spec.name, {})
        child.spec.environment.update(
            {name: ",".join(str(fd) if fd >= 0 else "" for fd in numbers) for name, numbers in handed_down.items()}
        )
        keep = [fd for numbers in handed_down.values() for fd in numbers if fd >= 0]
        output = None
        if not child.spec.foreground:
            child.output, output = os.pipe()
            os.set_blocking(child.output, False)
            self._selector.register(child.output, selectors.EVENT_READ, child)
        child.pid = children.start(child.spec, output=output, keep=keep, user=self._user)
        if output is not None:
            os.close(output)
        child.started, child.started_at = time.monotonic(), time.time()
        self._set(child, State.STARTING)

    def _set(self, child: Child, state: State) -> None:
        child.state = state
        self._guard.tell(self._groups())
        self._changed(self.children)

    def _groups(self) -> list[int]:
        return [child.pid for child in self.children if child.pid and not child.spec.foreground]

    # --- what they say ------------------------------------------------------------------------------------------
    def _read(self, child: Child) -> None:
        if child.output is None:
            return
        try:
            data = os.read(child.output, 65536)
        except BlockingIOError:
            return
        if not data:
            self._selector.unregister(child.output)
            os.close(child.output)
            child.output = None
        *lines, child.buffer = (child.buffer + data).split(b"\n")
        if child.buffer and (not data or len(child.buffer) > 65536):
            lines, child.buffer = [*lines, child.buffer], b""
        for line in lines:
            self._tell(child, line.decode(errors="replace"))

    def _tell(self, child: Child, text: str) -> None:
        self._say(f"{child.spec.name:<{self._width}} | {text}")

    # --- what ends ----------------------------------------------------------------------------------------------
    def _reap(self) -> None:
        for child in self.children:
            if child.pid is None:
                continue
            ended = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                continue
            if not child.spec.foreground:
                self._kill_group(child)  # its own children go with it; the id is still ours, nobody else can have it
            _pid, status = os.waitpid(child.pid, 0)
            while child.output is not None and self._has_output(child.output):
                self._read(child)
            if child.output is not None:
                self._selector.unregister(child.output)
                os.close(child.output)
                child.output = None
            child.pid = None
            self._ended(child, os.waitstatus_to_exitcode(status))

    @staticmethod
    def _has_output(descriptor: int) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            return bool(selector.select(0))

    def _ended(self, child: Child, code: int) -> None:
        if self._stopping_since is not None:
            self._set(child, State.STOPPED)
        elif child.spec.once and code == 0:
            self._set(child, State.DONE)
            if child.spec.done:
                child.spec.done()
        elif child.spec.once:
            self._code = 1
            self._set(child, State.STOPPED)
            self._say(f"The start failed at the step “{child.spec.name}”.")
            self._stopping_since = time.monotonic()
        else:
            lived = time.monotonic() - child.started
            child.failures = 0 if lived >= RAN_WELL else child.failures + 1
            delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (child.failures - 1)) if child.failures else 0.0
            child.not_before = time.monotonic() + delay
            child.restarts += 1
            reason = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            self._tell(child, f"ended ({reason}) after {lived:.0f} s; starts again in {delay:.1f} s")
            self._set(child, State.WAITING)

    # --- stopping -----------------------------------------------------------------------------------------------
    def _stop_step(self, elapsed: float) -> bool:
        """Tell every process to stop once nothing that needs it runs any more; give True when all have ended."""
        for child in reversed(self.children):
            if child.pid is None:
                continue
            if elapsed >= STOP_WITHIN - 0.2 or (self._hurry and child.told):
                self._kill_group(child)
            elif not child.told and not self._needed(child):
                child.told = True
                self._tell(child, "stopping")
                self._signal(child, signal.SIGTERM)
            elif elapsed >= KILL_AFTER and not self._needed(child):
                self._kill_group(child)
        return all(child.pid is None for child in self.children)

    def _needed(self, child: Child) -> bool:
        return any(other.pid is not None and child.spec.name in other.spec.needs for other in self.children)

    @staticmethod
    def _signal(child: Child, number: signal.Signals) -> None:
        if child.pid is not None:
            os.kill(child.pid, number)  # not reaped yet, so the id is ours

    def _kill_group(self, child: Child) -> None:
        if child.spec.foreground:
            self._signal(child, signal.SIGKILL)
            return
        try:
            os.killpg(child.pid or 0, signal.SIGKILL)
        except ProcessLookupError:
            self._signal(child, signal.SIGKILL)  # the fork has not reached its own session yet
