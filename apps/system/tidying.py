"""Gives back, once a minute, what a process of the portal holds and does not need.

The supervisor makes Python's collector of cycles rare, because it costs a process that is busy. In one that is not,
garbage would lie for a quarter of an hour, and with it connections and all that C libraries keep for them; and what was
freed stays with the allocator, a little more for each thread and each hour.
"""

import ctypes
import gc
import threading
import time

EVERY = 60.0  # seconds

_libc = ctypes.CDLL(None)


def begin() -> None:
    """Do it from now on, on a thread that ends with the process."""
    threading.Thread(target=_go_on, name="tidying", daemon=True).start()


def tidy() -> None:
    """Collect what is only held by itself, and have the C library return free memory where it can (glibc)."""
    gc.collect()
    trim = getattr(_libc, "malloc_trim", None)
    if trim is not None:
        trim(0)


def _go_on() -> None:
    while True:
        time.sleep(EVERY)
        tidy()
