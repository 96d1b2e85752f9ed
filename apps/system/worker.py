"""Celery workers and the beat, started so that none of their processes can be left behind."""

import os
import signal
import warnings
from typing import Any

from celery import current_app
from celery.exceptions import SecurityWarning
from celery.signals import worker_process_init

from apps.system import children, workers

POLL_QUEUES = ("poll", "poll-blocking")
OTHER_QUEUES = ("control", "batch", "notify", "default")
THREADS = 32  # made when they are needed; what the other queues do is mostly waiting, an order up to ten minutes


@worker_process_init.connect
def _leave_with_the_worker(**_: Any) -> None:
    """A pool process never outlives the worker that forked it, however that one ends."""
    children.die_with_parent(signal.SIGKILL, os.getppid())


def work(queues: tuple[str, ...], *, pool: str, concurrency: int, name: str) -> int:
    """Run a worker on these queues until told to stop."""
    argv = ["--quiet", "worker", "--queues", ",".join(queues), "--pool", pool, "--concurrency", str(concurrency)]
    workers.give_signs_of_life(name)
    argv += ["--hostname", f"{name}@%h", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    return _command(argv)


def keep_time() -> int:
    """Run the beat until told to stop."""
    return _command(
        ["--quiet", "beat", "--scheduler", "apps.system.beat:Scheduler", "--pidfile=", "--loglevel", "WARNING"]
    )


def _command(argv: list[str]) -> int:
    warnings.filterwarnings("ignore", category=SecurityWarning)  # messages are JSON only; preflight speaks of root
    try:
        return current_app.start(argv) or 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
