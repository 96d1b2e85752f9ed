"""Starts one process of the portal so that it can never outlive its supervisor."""

import ctypes
import os
import pwd
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterable

import setproctitle

from apps.system.processes import ProcessSpec

PR_SET_PDEATHSIG = 1
LEASH_VARIABLE = "ESM_LEASH_FD"
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


def watch_leash(descriptor: int) -> None:
    """End this process and its whole group when the supervisor is gone: politely first, for good a little later."""

    def wait() -> None:
        os.read(descriptor, 1)  # nothing is ever written: this returns when the other end is closed
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(LAST_PATIENCE)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="leash", daemon=True).start()


def start(spec: ProcessSpec, *, output: int | None, keep: Iterable[int], leash: int, user: str) -> int:
    """Fork a process and give its id; it keeps only the descriptors named, its output goes to ``output``."""
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    try:
        _enter(spec, parent, output, set(keep), leash, user)
        code = _run(spec, leash)
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


def _enter(spec: ProcessSpec, parent: int, output: int | None, keep: set[int], leash: int, user: str) -> None:
    """Turn the fresh fork into a process of its own: session, user, signals, descriptors."""
    if not spec.foreground:
        os.setsid()
    if user and spec.as_user and os.geteuid() == 0:
        drop_privileges(user)
    die_with_parent(signal.SIGTERM, parent)  # after the change of user, which would clear it
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN if spec.run else signal.SIG_DFL)
    if spec.foreground:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDWR)
    if not spec.foreground:
        os.dup2(nothing, 0)
    if output is not None:
        os.dup2(output, 1)
        os.dup2(output, 2)
    # What belongs to the supervisor is covered, not closed: its number must not be given out again while an object of
    # the forked interpreter still believes to own it.
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        if descriptor > 2 and descriptor not in keep and descriptor not in (nothing, leash):
            try:
                os.dup2(nothing, descriptor, inheritable=False)
            except OSError:  # the descriptor of the listing itself
                continue
    for descriptor in keep:
        os.set_inheritable(descriptor, True)
    os.environ.update(spec.environment)


def _run(spec: ProcessSpec, leash: int) -> int:
    if spec.run is None:
        os.execvp(spec.argv[0], spec.argv)  # noqa: S606 - a list of our own, no shell
    setproctitle.setproctitle(" ".join(spec.argv))
    setproctitle.setthreadtitle(f"esm-{spec.name}"[:15])
    if not spec.foreground:
        os.environ[LEASH_VARIABLE] = str(leash)
        watch_leash(leash)
    result = spec.run()
    return result if isinstance(result, int) else 0
