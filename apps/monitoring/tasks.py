"""Monitoring's clockwork. A tick claims what is due and hands out shards; everything may run twice and expires."""

import hashlib
from collections.abc import Sequence
from typing import Any

from celery import shared_task
from celery.signals import worker_process_shutdown
from django.core.cache import cache

from apps.monitoring.models import Span
from apps.monitoring.services import (
    claiming,
    event_loop,
    fleet,
    inventory,
    limits_of_many,
    liveness,
    polling,
    retention,
    rollups,
)

POLL, POLL_BLOCKING = "poll", "poll-blocking"
TAKEN_FOR = 3600  # seconds for which a shard that was taken is not taken again
INVENTORY_EXPIRES = 1800


@shared_task(soft_time_limit=50, time_limit=60)
def tick() -> None:
    """Claim what is due and hand it to the workers that poll; where both are due, the list comes with the poll."""
    polls, inventories = claiming.claim_polls(), claiming.claim_inventories()
    due = {pk for shard in inventories for pk in shard.interface_ids}
    together = {pk for shard in polls if not shard.blocking for pk in shard.interface_ids} & due
    for shard in polls:
        ids, queue = list(shard.interface_ids), _queue(shard.blocking)
        listed = [pk for pk in ids if pk in together]
        poll_shard.apply_async((ids, listed) if listed else (ids,), queue=queue, expires=claiming.expires_in(shard))
    for shard in inventories:
        if ids := [pk for pk in shard.interface_ids if pk not in together]:
            read_inventory.apply_async((ids,), queue=_queue(shard.blocking), expires=INVENTORY_EXPIRES)


def _queue(blocking: bool) -> str:
    return POLL_BLOCKING if blocking else POLL


@shared_task(bind=True, soft_time_limit=320, time_limit=350)  # the slowest with its first log and its parts
def poll_shard(self: Any, interface_ids: list[int], listed: Sequence[int] = ()) -> None:
    """Poll these interfaces, and read the inventory of some of them."""
    if _taken_first(self.request.id):
        polling.poll(interface_ids, listed=frozenset(listed))


@shared_task(bind=True, soft_time_limit=600, time_limit=630)
def read_inventory(self: Any, interface_ids: list[int]) -> None:
    """Read identity and parts of these interfaces."""
    if _taken_first(self.request.id):
        inventory.read(interface_ids)


def _taken_first(task_id: str | None) -> bool:
    """A message that the broker hands out twice is worked on once: a round lost costs less than one doubled."""
    if task_id is None:
        return True
    return bool(cache.add(f"monitoring:task:{hashlib.sha256(task_id.encode()).hexdigest()[:32]}", 1, TAKEN_FOR))


@shared_task(soft_time_limit=100, time_limit=110)
def sweep() -> None:
    """Ping all managed addresses."""
    liveness.sweep()


@shared_task(soft_time_limit=200, time_limit=240)
def sample_fleet() -> None:
    """Keep what the whole fleet measures at the moment."""
    fleet.sample()


@shared_task(soft_time_limit=3000, time_limit=3300)
def roll_up() -> None:
    """Roll up the hours and days that have ended."""
    rollups.roll_up(Span.HOUR)
    rollups.roll_up(Span.DAY)


@shared_task(soft_time_limit=3000, time_limit=3300)
def forget_old() -> None:
    """Remove history that is older than the options say."""
    retention.forget_old()


@shared_task(soft_time_limit=1800, time_limit=1830)
def set_limits(job_id: int) -> None:
    """Set the limits of a job's sensors."""
    limits_of_many.run(job_id)


def start_set_limits(job_id: int) -> None:
    """Queue it."""
    set_limits.apply_async((job_id,), expires=600)


@worker_process_shutdown.connect
def _stop_loop(**_: Any) -> None:
    event_loop.stop()
