"""The cache in Redis, with connections that belong to the process.

Django keeps a cache object for each asyncio task and each copied context, and with it connections of its own: every
request would connect anew, and what runs beside an event loop would leave a connection behind for the collector.
"""

from typing import Any

from django.core.cache.backends import redis


class Client(redis.RedisCacheClient):
    """Takes its connections from the pools of the process; a pool knows by itself when the process was forked."""

    _of_process: dict[tuple[str, ...], dict[int, Any]] = {}

    def __init__(self, servers: list[str], *args: Any, **options: Any) -> None:
        super().__init__(servers, *args, **options)
        self._pools = self._of_process.setdefault(tuple(servers), {})


class RedisCache(redis.RedisCache):
    """Django's cache in Redis with that client."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = Client
