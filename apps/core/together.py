"""What the portal's processes decide together: scripts that Redis runs one after the other, whoever sends them.

They are short, and are sent from event loops too: a server that hangs is waited for one second, and then left alone for
a while. Whoever uses them needs a way to go on without.
"""

import logging
import time
from functools import cache
from typing import Any, ClassVar

import redis
from django.conf import settings

PATIENCE = 1.0  # seconds
LEFT_ALONE = 30.0  # seconds after a failure, in which the server is not asked
log = logging.getLogger(__name__)


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)


class Script:
    """One script: it reads and writes under one key, and nobody comes between."""

    _away_until: ClassVar[dict[str, float]] = {}  # by server

    def __init__(self, source: str) -> None:
        self._source = source
        self._digest = ""

    def run(self, key: str, *values: str | int | float) -> Any:
        """Give what the script gives; None while the server is away."""
        url = settings.EVENTS_REDIS_URL
        if time.monotonic() < self._away_until.get(url, 0.0):
            return None
        client = _client(url)
        try:
            if not self._digest:
                self._digest = client.script_load(self._source)
            try:
                return client.evalsha(self._digest, 1, key, *values)
            except redis.exceptions.NoScriptError:  # the server was started anew
                return client.eval(self._source, 1, key, *values)
        except (redis.RedisError, OSError) as error:
            log.warning("processes of the portal decide alone for %g s: %s", LEFT_ALONE, error)
            self._away_until[url] = time.monotonic() + LEFT_ALONE
            return None


def forget() -> None:
    """Ask a server again that was away."""
    Script._away_until.clear()
