"""Starts one process of the portal so that it can never outlive its supervisor."""

import contextlib
import ctypes
import os
import pwd
import signal
import sys
import time
import traceback
from collections.abc import Iterable

import setproctitle

from apps.system import tidying
from apps.system.processes import ProcessSpec

PR_SET_PDEATHSIG = 1
LAST_PATIENCE = 4.0  # seconds between the polite and the final signal once the supervisor is gone

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(number: signal.Signals, parent: int) -> None:
    """Have the kernel send this process a signal when its parent ends; end at once if that has happened already."""
    _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def drop_privileges(user: str) -> None:
    """Become an ordinary user for good."""
    entry = pwd.getpwnam(user)
    os.initgroups(entry.pw_name, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ.update(HOME=entry.pw_dir, USER=entry.pw_name, LOGNAME=entry.pw_name)


def unreadable_for(user: str, paths: Iterable[str]) -> list[str]:
    """Give those of the files that a user cannot read, as the user itself finds out."""
    wanted = list(paths)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            drop_privileges(user)
            os.write(writing, "\0".join(path for path in wanted if not os.access(path, os.R_OK)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        found = pipe.read().decode()
    os.waitpid(child, 0)
    return found.split("\0") if found else []


class Guard:
    """A small process that ends the process groups of the portal when the supervisor is gone, however it went.

    The kernel's own signal to the children (``die_with_parent``) reaches only those, not what they started themselves.
    """

    def __init__(self) -> None:
        self.pid = 0
        self._pipe = -1

    def start(self) -> None:
        """Fork the guard."""
        reading, self._pipe = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(reading)
            return
        try:
            os.setsid()
            restore_signals()
            _cover_descriptors({reading})
            setproctitle.setproctitle("manage.py up: guard")
            _guard(reading)
        finally:
            os._exit(0)

    def tell(self, groups: Iterable[int]) -> None:
        """Say which process groups there are now."""
        with contextlib.suppress(BrokenPipeError):  # it is being started again
            os.write(self._pipe, (" ".join(map(str, groups)) + "\n").encode())

    def start_again_if_ended(self, groups: Iterable[int]) -> None:
        """Start the guard again when somebody killed it."""
        if os.waitpid(self.pid, os.WNOHANG) != (0, 0):
            os.close(self._pipe)
            self.start()
            self.tell(groups)

    def dismiss(self) -> None:
        """Let the guard end: everything has stopped."""
        self.tell([])
        os.close(self._pipe)
        os.waitpid(self.pid, 0)


def _guard(reading: int) -> None:
    """Remember the last list until the supervisor's end of the pipe closes, then end what is on it."""
    last = b""
    with open(reading, "rb", buffering=0) as pipe:
        pending = b""
        while data := pipe.read(4096):
            *lines, pending = (pending + data).split(b"\n")
            last = lines[-1] if lines else last
    groups = [int(word) for word in last.split()]
    _signal_groups(groups, signal.SIGTERM)
    deadline = time.monotonic() + LAST_PATIENCE
    while _signal_groups(groups, 0) and time.monotonic() < deadline:
        time.sleep(0.1)
    _signal_groups(groups, signal.SIGKILL)


def _signal_groups(groups: Iterable[int], number: int) -> int:
    """Signal the groups and give how many there still are."""
    found = 0
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            found += 1
    return found


def restore_signals() -> None:
    """Give a fork of the supervisor the ordinary signal handling."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)


def start(spec: ProcessSpec, *, output: int | None, keep: Iterable[int], user: str) -> int:
    """Fork a process and give its id; it keeps only the descriptors named, its output goes to ``output``."""
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    try:
        _enter(spec, parent, output, set(keep), user)
        code = _run(spec)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                code = code or 1
    os._exit(code)


def _enter(spec: ProcessSpec, parent: int, output: int | None, keep: set[int], user: str) -> None:
    """Turn the fresh fork into a process of its own: session, user, signals, descriptors."""
    if not spec.foreground:
        os.setsid()
    if user and spec.as_user and os.geteuid() == 0:
        drop_privileges(user)
    die_with_parent(signal.SIGTERM, parent)  # after the change of user, which would clear it
    restore_signals()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN if spec.run else signal.SIG_DFL)
    if spec.foreground:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not spec.foreground:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if output is not None:
        os.dup2(output, 1)
        os.dup2(output, 2)
    _cover_descriptors(keep)
    for descriptor in keep:
        os.set_inheritable(descriptor, True)
    os.environ.update(spec.environment)


def _cover_descriptors(keep: set[int]) -> None:
    """Let go of everything but the standard streams and what is named.

    The numbers are covered, not freed: they must not be given out again while an object of the forked interpreter
    still believes to own them.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        if descriptor > 2 and descriptor not in keep and descriptor != nothing:
            os.dup2(nothing, descriptor, inheritable=False)


def _run(spec: ProcessSpec) -> int:
    if spec.run is None:
        os.execvp(spec.argv[0], spec.argv)  # noqa: S606 - a list of our own, no shell
    setproctitle.setproctitle(" ".join(spec.argv))
    setproctitle.setthreadtitle(f"esm-{spec.name}"[:15])
    if not spec.once:
        tidying.begin()
    result = spec.run()
    return result if isinstance(result, int) else 0
