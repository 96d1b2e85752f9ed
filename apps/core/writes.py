"""The write turn: on SQLite, writers queue up fairly in front of the one writer that the database allows.

SQLite's own busy handler polls and lets the impatient win; under load one writer in a hundred waits for seconds. A file
lock is handed on in order instead. On PostgreSQL the turn is just a transaction.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

_local = threading.local()


@contextmanager
def turn() -> Iterator[None]:
    """Run a short write transaction (at most 500 rows, 50 ms, no network) when it is our turn.

    Inside a transaction it is a savepoint: the turn was taken when the outer one began.
    """
    if connection.in_atomic_block or connection.vendor != "sqlite" or _is_memory():
        with transaction.atomic():
            yield
        return
    with _queue(f"{connection.settings_dict['NAME']}.turn"), transaction.atomic():
        yield


def _is_memory() -> bool:
    name = str(connection.settings_dict["NAME"])
    return name == ":memory:" or "mode=memory" in name


@contextmanager
def _queue(path: str) -> Iterator[None]:
    """Wait first for the place at the head of the queue, then for the writer to finish; only one waits at the head."""
    head, writer = _descriptors(path)
    fcntl.flock(head, fcntl.LOCK_EX)
    try:
        fcntl.flock(writer, fcntl.LOCK_EX)
    finally:
        fcntl.flock(head, fcntl.LOCK_UN)
    try:
        yield
    finally:
        fcntl.flock(writer, fcntl.LOCK_UN)


def _descriptors(path: str) -> tuple[int, int]:
    """Give this thread's two lock files; a forked child opens its own, because a lock belongs to the open file."""
    key = (os.getpid(), path)
    if getattr(_local, "key", None) != key:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        _local.files = (os.open(f"{path}-head", flags, 0o600), os.open(path, flags, 0o600))
        _local.key = key
    files: tuple[int, int] = _local.files
    return files
