"""The write turn: on SQLite, writers queue up fairly in front of the one writer that the database allows.

SQLite's own busy handler polls and lets the impatient win; under load one writer in a hundred waits for seconds. A file
lock is handed on in order instead. On PostgreSQL the turn is just a transaction.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from django.db import connection, transaction


@contextmanager
def turn() -> Iterator[None]:
    """Run a short write transaction (at most 500 rows, 50 ms, no network) when it is our turn.

    Inside a transaction it is a savepoint: the turn was taken when the outer one began. What waits for the commit runs
    after the turn.
    """
    if connection.in_atomic_block or connection.vendor != "sqlite" or _is_memory():
        with transaction.atomic():
            yield
        return
    with _queue(f"{connection.settings_dict['NAME']}.turn") as leave, transaction.atomic():
        transaction.on_commit(leave)  # the first of them: the others may speak to the broker, and take turns themselves
        yield


def _is_memory() -> bool:
    name = str(connection.settings_dict["NAME"])
    return name == ":memory:" or "mode=memory" in name


@contextmanager
def _queue(path: str) -> Iterator[Callable[[], None]]:
    """Wait first for the place at the head of the queue, then for the writer to finish; only one waits at the head.

    Gives what ends the turn before the end. A lock belongs to the file as it was opened, and threads come and go with
    the requests: both are opened for each turn.
    """
    with ExitStack() as kept:
        with ExitStack() as waited:
            _lock(f"{path}-head", waited)
            _lock(path, kept)
        yield kept.close


def _lock(path: str, until: ExitStack) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until.callback(os.close, descriptor)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    until.callback(fcntl.flock, descriptor, fcntl.LOCK_UN)  # a process forked meanwhile has it open, too
