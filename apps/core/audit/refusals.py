"""Keeps refusals from filling the disk: the first of a kind from one network are written, the rest is counted.

They are counted in the cache: a flood costs no write. When the hour is over, one entry says how many there were.
"""

import logging
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

from apps.core.actors import Actor, ActorKind
from apps.core.models import AuditEntry, FoldedRefusals, Outcome
from apps.core.writes import turn

ALONE = 30  # written one by one: of one kind, from one network, in one hour
ALONE_AT_ALL = 600  # from all networks
WINDOW = timedelta(hours=1)
KEPT = WINDOW * 24  # a count that has to be told outlives its hour, should the clockwork stand still
ANYWHERE = "*"
log = logging.getLogger(__name__)


def stands_alone(actor: Actor, action: str) -> bool:
    """Say whether a refusal is to be written; it is counted."""
    network = _network_of(actor.address)
    try:
        if network != ANYWHERE and _counted(network, action) > ALONE:
            return False
        return _counted(ANYWHERE, action) <= ALONE_AT_ALL
    except (RedisError, OSError) as error:
        log.warning("refusals are not counted: %s", error)
        return True


def close_ended(now: datetime | None = None) -> int:
    """Write how many refusals were counted in the hours that are over; gives how many entries that made."""
    moment = now or timezone.now()
    made = 0
    for row in FoldedRefusals.objects.filter(until__lte=moment)[:500]:
        key, alone = _key(row.network, row.action), ALONE_AT_ALL if row.network == ANYWHERE else ALONE
        more = max(1, int(cache.get(key) or 0) - alone)
        with turn():
            if not FoldedRefusals.objects.filter(pk=row.pk).delete()[0]:
                continue
            address = None if row.network == ANYWHERE else str(ip_network(row.network).network_address)
            AuditEntry.objects.create(
                actor_kind=ActorKind.SYSTEM,
                actor_name="portal",
                login="portal",
                address=address,
                action=row.action,
                family=row.action.partition(".")[0],
                object_name=row.network,
                after={"more": more, "from": row.since.isoformat(), "until": row.until.isoformat()},
                outcome=Outcome.REFUSED,
            )
        cache.delete(key)
        made += 1
    return made


def _counted(network: str, action: str) -> int:
    """Count one more; with the first that is not written, remember to say later how many there were."""
    key, most = _key(network, action), ALONE_AT_ALL if network == ANYWHERE else ALONE
    cache.add(key, 0, timeout=WINDOW.total_seconds())
    try:
        number = int(cache.incr(key))
    except ValueError:  # it went out just now
        return 1
    if number == most + 1:
        now = timezone.now()
        cache.touch(key, timeout=KEPT.total_seconds())
        with turn():
            FoldedRefusals.objects.update_or_create(
                network=network, action=action, defaults={"since": now, "until": now + WINDOW}
            )
    return number


def _key(network: str, action: str) -> str:
    return f"audit:refused:{action}:{network}"


def _network_of(address: str | None) -> str:
    """Give the network that counts as one: an IPv4 address alone, of IPv6 what one subscriber has."""
    if address is None:
        return ANYWHERE
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return ANYWHERE
    return str(ip_network(f"{found}/{32 if found.version == 4 else 64}", strict=False))
