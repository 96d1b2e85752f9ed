"""Claims what is due: one statement moves the next time forward and says whose turn it is.

Two workers that claim at once never get the same interface, and a claim needs no release: whoever dies with it loses
one round. A round of inventories is a day, so the claim of one lasts an hour, and who has read it adds the rest. The
next time stays on its grid (due + n periods), so that neither lateness nor an outage shifts or bunches the polls.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from apps.core.writes import turn
from apps.drivers import registry
from apps.drivers.contract import Capability
from apps.monitoring.services.periods import INVENTORY_LEASE, Periods, moment_of, seconds_of, whole

AT_ONCE = 500  # rows in one transaction
SHARD = 200
_RULES_KEY = "monitoring:rules"


@dataclass(frozen=True, slots=True)
class Shard:
    """Interfaces that one task asks; it is of no use any more when the next round begins."""

    interface_ids: tuple[int, ...]
    blocking: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Claimed:
    pk: int
    driver: str
    next_at: datetime


def claim_polls(now: datetime | None = None) -> list[Shard]:
    """Claim every interface whose poll is due."""
    now = now or timezone.now()
    periods = Periods.now()
    _bring_forward(periods, now)
    period, params = periods.sql()
    return _shards(_claim("next_poll_at", period, params, None, now))


def claim_inventories(now: datetime | None = None) -> list[Shard]:
    """Claim every interface whose daily inventory is due, for an hour; ``inventory.keep`` makes a day of it."""
    wanted = {Capability.IDENTITY, Capability.INVENTORY}
    drivers = [spec.name for spec in registry.specs().values() if spec.capabilities & wanted]
    period = f"CASE WHEN i.failures >= 0 THEN {INVENTORY_LEASE} END"
    return _shards(_claim("next_inventory_at", period, [], drivers, now or timezone.now()))


def _claim(
    column: str, period: str, params: list[Any], drivers: Collection[str] | None, now: datetime
) -> list[_Claimed]:
    claimed: list[_Claimed] = []
    while True:
        batch = _claim_some(column, period, params, drivers, now)
        claimed += batch
        if len(batch) < AT_ONCE:
            return claimed


def _claim_some(
    column: str, period: str, params: list[Any], drivers: Collection[str] | None, now: datetime
) -> list[_Claimed]:
    """The one place with UPDATE … RETURNING, which Django cannot say."""
    postgresql = connection.vendor == "postgresql"
    moment = connection.ops.adapt_datetimefield_value(now)
    only = f"AND i.driver IN ({', '.join(['%s'] * len(drivers))})" if drivers is not None else ""
    stamp = now.timestamp()
    # S608: all that is put in are names and numbers of our own.
    statement = f"""
        UPDATE components_managementinterface
        SET {column} = {moment_of(f"due.planned + due.period * ({whole('(%s - due.planned) / due.period')} + 1)")}
        FROM (
            SELECT i.id AS id, {seconds_of(f"i.{column}")} AS planned, {period} AS period
            FROM components_managementinterface i JOIN components_component c ON c.id = i.component_id
            WHERE i.{column} <= %s AND i.enabled AND NOT c.unmanaged {only}
                AND {period} > 0
                AND NOT EXISTS (
                    SELECT 1 FROM components_reservation r WHERE r.interface_id = i.id AND r.until > %s
                )
            ORDER BY i.{column}
            LIMIT {AT_ONCE} {"FOR UPDATE OF i SKIP LOCKED" if postgresql else ""}
        ) AS due
        WHERE components_managementinterface.id = due.id
        RETURNING components_managementinterface.id, components_managementinterface.driver,
            components_managementinterface.{column}
    """  # noqa: S608
    values = [stamp, *params, moment, *(drivers or ()), *params, moment]
    with turn(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [_Claimed(pk, driver, _aware(next_at)) for pk, driver, next_at in cursor.fetchall()]


def _aware(value: Any) -> datetime:
    found = parse_datetime(value) if isinstance(value, str) else value
    if not isinstance(found, datetime):
        raise TypeError(f"{value!r} is no moment")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _shards(claimed: list[_Claimed]) -> list[Shard]:
    """Cut into shards; those whose next round comes soon stay together, because their task expires soon."""
    specs = registry.specs()
    found: list[Shard] = []
    for blocking in (False, True):
        share = sorted(
            (one for one in claimed if bool((spec := specs.get(one.driver)) and spec.blocking) is blocking),
            key=lambda one: one.next_at,
        )
        for start in range(0, len(share), SHARD):
            part = share[start : start + SHARD]
            found.append(Shard(tuple(one.pk for one in part), blocking, part[0].next_at))
    return found


def _bring_forward(periods: Periods, now: datetime) -> None:
    """When the rules changed (an option, a sign-in, an open page), let nobody wait longer than the new period.

    Those that are brought forward are spread over a minute at most, by their ids.
    """
    rules = repr(periods)
    if cache.get(_RULES_KEY) == rules:
        return
    period, params = periods.sql()
    stamp = now.timestamp()
    spread = "(due.id %% 60)"
    statement = f"""
        UPDATE components_managementinterface
        SET next_poll_at = {moment_of(f"%s + CASE WHEN due.open_page THEN 0 ELSE {spread} END")}
        FROM (
            SELECT i.id AS id, {_is_watched(periods)} AS open_page
            FROM components_managementinterface i JOIN components_component c ON c.id = i.component_id
            WHERE i.enabled AND {period} > 0 AND {seconds_of("i.next_poll_at")} > %s + {period}
            LIMIT {AT_ONCE}
        ) AS due
        WHERE components_managementinterface.id = due.id
    """  # noqa: S608
    while True:
        with turn(), connection.cursor() as cursor:
            cursor.execute(statement, [stamp, *periods.watched, *params, stamp, *params])
            changed = cursor.rowcount
        if changed < AT_ONCE:
            break
    cache.set(_RULES_KEY, rules, timeout=3600)


def _is_watched(periods: Periods) -> str:
    return f"(c.id IN ({', '.join(['%s'] * len(periods.watched))}))" if periods.watched else "(1 = 0)"


def expires_in(shard: Shard) -> float:
    """Give the seconds for which a task with this shard is of use: just under what is left of its period."""
    return max(5.0, (shard.expires_at.timestamp() - time.time()) * 0.95)
