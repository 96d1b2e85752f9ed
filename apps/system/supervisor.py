"""Starts the processes in order, watches them, starts again what dies, and stops them in reverse order.

Plain Python on one thread: the children are forks of this process, so it must own no thread and no connection.
"""

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import FrameType

from apps.system import children
from apps.system.control import Control
from apps.system.instance import ProcessState, Restart
from apps.system.processes import ProcessSpec, in_order
from apps.system.pulses import SILENT_AFTER, Pulses

TICK = 0.1  # seconds
FIRST_DELAY = 0.3  # seconds before the first new start; doubles with every failure in a row
LONGEST_DELAY = 30.0
RAN_WELL = 30.0  # a process that lived this long starts again without delay
STOP_WITHIN = 5.0
KILL_AFTER = 4.2  # leaves time for the processes that the others stand on
ANSWERED_WITHIN = 0.5  # seconds that whoever ordered it gets to tell of it, before a process is stopped


class State(StrEnum):
    """Where a process is in its life."""

    WAITING = "waiting"  # for what it needs, or for its delay
    STARTING = "starting"  # runs, has not said that it is ready
    RUNNING = "running"
    DONE = "done"  # a step that ended well
    STOPPED = "stopped"
    OFF = "off"  # switched off by an option


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
    stop_at: float | None = None  # when it is told so because of an order, monotonic seconds
    reason: Restart | None = None  # why it is being stopped, to be started again
    wanted: bool = True  # False: it is switched off
    last_restart: Restart | None = None
    pulses: Pulses | None = None
    output: int | None = None
    buffer: bytes = field(default=b"", repr=False)

    def published(self) -> ProcessState:
        """Give what others may know."""
        return ProcessState(
            self.spec.name, self.state.value, self.pid, self.started_at, self.restarts, self.last_restart
        )


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
        control: Control | None = None,
    ) -> None:
        """``descriptors``: process name → environment variable → sockets that are handed down in it."""
        self.children = [Child(spec) for spec in in_order(specs)]
        self.again = False  # it was ordered that everything is started anew
        self._control = control
        self._descriptors = dict(descriptors or {})
        self._user = user
        self._say = say
        self._changed = changed
        self._each_second = each_second
        self._selector = selectors.DefaultSelector()
        self._guard = children.Guard()
        self._stopping_since: float | None = None
        self._stop_at: float | None = None
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
        self._selector.register(wake, selectors.EVENT_READ, lambda: self._drain(wake))
        if self._control:
            self._selector.register(self._control.socket, selectors.EVENT_READ, self._control.receive)
        next_second = 0.0
        while True:
            for key, _mask in self._selector.select(TICK):
                if isinstance(key.data, Child):
                    self._read(key.data)
                else:
                    key.data()
            self._reap()
            if self._stop_at is not None and time.monotonic() >= self._stop_at:
                self._asked_to_stop()
                self._stop_at = None
            if self._stopping_since is None:
                self._stop_what_is_ordered()
                self._start_what_can()
            elif self._stop_step(time.monotonic() - self._stopping_since):
                break
            if time.monotonic() >= next_second:
                next_second = time.monotonic() + 1
                self._guard.start_again_if_ended(self._groups())
                self._ask_whether_they_live()
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

    def _asked_to_stop(self, number: int = 0, frame: FrameType | None = None) -> None:
        if number:
            self.again = False  # a signal says that it is to end, whatever was ordered before
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
            self._say("Stopping …")
        else:
            self._hurry = True

    # --- orders -------------------------------------------------------------------------------------------------
    def find(self, name: str) -> Child | None:
        """Give a process that can be ordered about; steps of the start cannot."""
        return next((child for child in self.children if child.spec.name == name and not child.spec.once), None)

    def restart(self, child: Child, by: str) -> None:
        """Stop one process in a moment, and start it again; one that waits for its delay starts now."""
        child.not_before = 0.0
        if child.pid is not None and child.stop_at is None:
            child.reason = Restart(time.time(), "ordered", by)
            child.stop_at = time.monotonic() + ANSWERED_WITHIN

    def stop(self, *, again: bool, by: str = "") -> None:
        """Stop everything in a moment; ``again``: to be started anew by whoever runs this supervisor."""
        if self._stopping_since is not None:
            return  # it ends already
        self.again = again
        self._stop_at = time.monotonic() + ANSWERED_WITHIN
        for child in self.children:
            child.reason = Restart(time.time(), "ordered", by)

    def hand_down(self, child: Child, sockets: Mapping[str, tuple[int, ...]]) -> None:
        """Let a process have these sockets from its next start on, beside what it had."""
        self._descriptors[child.spec.name] = {**self._descriptors.get(child.spec.name, {}), **sockets}

    def switch(self, child: Child, on: bool) -> None:
        """Stop a process until it is switched on again, or start it; its sockets are whoever's who opened them."""
        if child.wanted == on:
            return
        child.wanted = on
        if not on and child.pid is not None:
            child.stop_at = time.monotonic()
        elif not on:
            self._set(child, State.OFF)
        elif child.state is State.OFF:
            child.not_before = 0.0
            self._set(child, State.WAITING)

    def _stop_what_is_ordered(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.stop_at is None or child.pid is None or now < child.stop_at:
                continue
            if not child.told:
                child.told = True
                self._tell(child, f"stopping ({child.reason.detail})" if child.reason else "stopping")
                self._signal(child, signal.SIGTERM)
            elif now >= child.stop_at + KILL_AFTER:
                self._kill_group(child)

    def _ask_whether_they_live(self) -> None:
        for child in self.children:
            if child.pulses is None or child.state is not State.RUNNING or child.stop_at is not None:
                continue
            child.pulses.ask()
            if child.pulses.unanswered >= SILENT_AFTER:
                child.reason = Restart(time.time(), "silent", f"{child.pulses.silence:.0f}")
                self._tell(child, f"has not answered for {child.pulses.silence:.0f} s")
                self._kill_group(child)

    # --- starting -----------------------------------------------------------------------------------------------
    def _start_what_can(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.state is State.STARTING and not child.spec.once and (not child.spec.ready or child.spec.ready()):
                self._set(child, State.RUNNING)
            if child.state is State.WAITING and not child.wanted:
                self._set(child, State.OFF)
            if child.state is State.WAITING and now >= child.not_before and self._has_what_it_needs(child):
                self._start(child)

    def _has_what_it_needs(self, child: Child) -> bool:
        needed = [other for other in self.children if other.spec.name in child.spec.needs]
        return all(other.state in {State.RUNNING, State.DONE, State.OFF} for other in needed)

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
        child.told, child.stop_at, child.reason = False, None, None
        if child.spec.pulse and child.pulses is None:
            child.pulses = Pulses(child.spec.pulse, self._selector)
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
            if child.pulses:
                child.pulses.stop()
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
        elif not child.wanted:
            self._set(child, State.OFF)
        else:
            self._comes_again(child, code)

    def _comes_again(self, child: Child, code: int) -> None:
        lived = time.monotonic() - child.started
        ordered = child.reason is not None and child.reason.reason == "ordered"
        child.failures = 0 if ordered or lived >= RAN_WELL else child.failures + 1
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (child.failures - 1)) if child.failures else 0.0
        child.not_before = time.monotonic() + delay
        child.restarts += 1
        name = signal.Signals(-code).name if code < 0 else str(code)
        found = Restart(time.time(), "signal" if code < 0 else "exit", name)
        child.last_restart = replace(child.reason, at=time.time()) if child.reason else found
        reason = f"signal {name}" if code < 0 else f"exit code {name}"
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
