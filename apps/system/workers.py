"""Signs of life of the workers of all machines, kept by the broker: who cannot reach it does not work either."""

import json
import logging
import os
import socket
import time
from dataclasses import asdict, dataclass
from typing import Any

import redis
from celery.signals import heartbeat_sent

from apps.system import broker, usage

KEY = "esm.workers"
NOTED_EVERY = 10.0  # seconds
LOST_AFTER = 45.0  # seconds without a sign of life
FORGOTTEN_AFTER = 86400.0  # seconds
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker as it said itself."""

    machine: str
    name: str
    pid: int
    started_at: float
    seen_at: float
    memory: int | None
    processes: int

    @property
    def is_lost(self) -> bool:
        """Say whether it gave no sign of life for so long that it may be gone."""
        return time.time() - self.seen_at > LOST_AFTER


class Sign:
    """The signs of life of this process."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started_at = time.time()
        self._noted_at = -NOTED_EVERY
        self._meter = usage.Meter()

    def give(self, **_: Any) -> None:
        """Note that this worker lives, at most every ten seconds; a broker that is away is not its fault."""
        if time.monotonic() - self._noted_at < NOTED_EVERY:
            return
        self._noted_at = time.monotonic()
        machine, pid = socket.gethostname(), os.getpid()
        used = self._meter.measure({self._name: pid})[self._name]
        worker = Worker(machine, self._name, pid, self._started_at, time.time(), used.memory, used.processes)
        asked = broker.client()
        try:
            asked.hset(KEY, f"{machine}/{self._name}", json.dumps(asdict(worker)))
        except (redis.RedisError, OSError) as error:
            log.debug("no sign of life could be given: %s", error)
        finally:
            asked.close()


def give_signs_of_life(name: str) -> None:
    """Have this worker note that it lives, as long as it does."""
    heartbeat_sent.connect(Sign(name).give, weak=False)


def known() -> list[Worker]:
    """Give the workers that gave a sign of life within a day; none while the broker is away."""
    asked = broker.client()
    try:
        said = dict(asked.hgetall(KEY))
        workers = {key: Worker(**json.loads(text)) for key, text in said.items()}
        old = [key for key, worker in workers.items() if time.time() - worker.seen_at > FORGOTTEN_AFTER]
        if old:
            asked.hdel(KEY, *old)
    except (redis.RedisError, OSError, ValueError, TypeError):
        return []
    finally:
        asked.close()
    return sorted(
        (worker for key, worker in workers.items() if key not in old), key=lambda one: (one.machine, one.name)
    )
