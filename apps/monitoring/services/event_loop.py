"""One event loop for each process, in a thread of its own, for the life of the process.

Sockets and what protocol clients learned of devices belong to a loop and serve every round. The loop's thread never
touches the database; whoever submits work does that, in his own thread. A forked child makes its own loop.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_pid = 0
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None


def submit(work: Coroutine[Any, Any, T]) -> "Future[T]":
    """Start work on the process's loop."""
    return asyncio.run_coroutine_threadsafe(work, _running())


def _running() -> asyncio.AbstractEventLoop:
    global _pid, _loop, _thread
    with _lock:
        if _loop is None or _pid != os.getpid() or _thread is None or not _thread.is_alive():
            _loop = asyncio.new_event_loop()
            _pid = os.getpid()
            _thread = threading.Thread(target=_run, args=(_loop,), name="devices", daemon=True)
            _thread.start()
        return _loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def stop() -> None:
    """End the loop of this process; what still runs on it is cancelled."""
    global _loop, _thread
    with _lock:
        loop, thread, _loop, _thread = _loop, _thread, None, None
    if loop is None or thread is None or _pid != os.getpid() or not thread.is_alive():
        return
    asyncio.run_coroutine_threadsafe(_cancel_all(), loop)
    thread.join(timeout=5)


async def _cancel_all() -> None:
    loop = asyncio.get_running_loop()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    loop.stop()


def _forget_parents_loop() -> None:
    """A lock that another thread held at the fork would never be given back in the child."""
    global _lock, _loop, _thread
    _lock, _loop, _thread = threading.Lock(), None, None


os.register_at_fork(after_in_child=_forget_parents_loop)
