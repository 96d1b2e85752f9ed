"""Tells open pages that something changed, and nothing more: what it is, they ask for themselves.

Topics are words: ``status``, ``alert``, ``job``, ``component``. Publishing never fails the caller: a page that hears
nothing asks by itself after a while. ``access`` is told to no page: somebody may now do less, or more, or nothing.
"""

import logging
from functools import cache

import redis
from django.conf import settings
from django.db import transaction

CHANNEL = "esm.events"
TOPICS = ("status", "alert", "job", "component")
ACCESS = "access"  # for what lasts longer than a request
log = logging.getLogger(__name__)


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.EVENTS_REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


def publish(*topics: str) -> None:
    """Say after the commit that rows of these topics changed."""
    transaction.on_commit(lambda: _send(topics), robust=True)


def _send(topics: tuple[str, ...]) -> None:
    try:
        for topic in topics:
            _client().publish(CHANNEL, topic)
    except (redis.RedisError, OSError) as error:
        log.debug("nobody was told of %s: %s", topics, error)
