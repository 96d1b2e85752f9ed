"""The clock: Celery beat on the schedules in the database, which also says that it is alive."""

import logging
import time

from django.core.cache import cache
from django_celery_beat.schedulers import DatabaseScheduler

HEARTBEAT_KEY = "system:beat"
HEARTBEAT_EVERY = 5.0  # seconds
HEARTBEAT_LOST = 30.0  # seconds after which the clock counts as dead
log = logging.getLogger(__name__)


class Scheduler(DatabaseScheduler):
    """Celery's database scheduler with a heartbeat in the cache."""

    _last_heartbeat = 0.0

    def tick(self, *args: object, **kwargs: object) -> float:
        """Send what is due, then say that the clock runs."""
        wait: float = super().tick(*args, **kwargs)
        if time.monotonic() - self._last_heartbeat >= HEARTBEAT_EVERY:
            self._last_heartbeat = time.monotonic()
            try:
                cache.set(HEARTBEAT_KEY, time.time(), timeout=3600)
            except Exception as error:  # the cache's client decides what it raises; the clock goes on in any case
                log.warning("the heartbeat could not be written: %s", error)
        return min(wait, HEARTBEAT_EVERY)


def heartbeat_age() -> float | None:
    """Give the seconds since the last heartbeat, None when there was none."""
    last = cache.get(HEARTBEAT_KEY)
    return None if last is None else max(0.0, time.time() - last)
