"""The rows of inventories as the database takes them: which say exactly what was listed again, and new ones.

Nearly always nothing changed since the day before. That is found out by the rows themselves, read without an object for
each: a mark beside them would cost less still, and be wrong as soon as somebody else touches a row.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from apps.components.models import InventoryItem
from apps.core import rows
from apps.drivers.contract import InventoryItem as Item
from apps.monitoring.services.inventory_changes import Facts

Place = tuple[str, str]  # kind and key of a part

_TOLD = ("name", "status", "details", "section", "traits")
_JSON = frozenset({"details", "traits"})
_NEW = ("interface_id", "kind", "key", *_TOLD, "read_at")


def place_of(item: Item) -> Place:
    """Give where a part stands among those of its interface."""
    return item.kind.value, item.key[:200]


def unchanged(listed: Iterable[tuple[int, Sequence[Item]]], facts_of: Callable[[Item], Facts]) -> set[int]:
    """Give the interfaces whose rows are exactly what was listed; of a list that is not whole that is not asked."""
    whole = {pk: items for pk, items in listed if not any(item.unread or item.partial for item in items)}
    if not whole:
        return set()
    stored = _stored(whole)
    return {pk for pk, items in whole.items() if _is_same(items, stored[pk], facts_of)}


def _stored(interface_ids: Iterable[int]) -> Mapping[int, dict[Place, Sequence[Any]]]:
    among = rows.among(interface_ids)
    statement = (
        f'SELECT interface_id, kind, "key", {", ".join(_TOLD)} FROM {InventoryItem._meta.db_table}'  # noqa: S608
        f" WHERE interface_id IN ({among.sql})"
    )
    found: dict[int, dict[Place, Sequence[Any]]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(statement, among.params)
        for interface_id, kind, key, *told in cursor.fetchall():
            found[interface_id][kind, key] = told
    return found


def _is_same(items: Sequence[Item], stored: Mapping[Place, Sequence[Any]], facts_of: Callable[[Item], Facts]) -> bool:
    seen: set[Place] = set()
    for item in items:
        place = place_of(item)
        if place in seen:
            continue
        seen.add(place)
        if (row := stored.get(place)) is None:
            return False
        for column, fact, value in zip(_TOLD, facts_of(item), row, strict=True):
            if fact != (json.loads(value) if column in _JSON else value):
                return False
    return len(seen) == len(stored)


def insert(new: Iterable[InventoryItem]) -> None:
    """Write rows that are not there yet; where two workers list one device at once, the first one counts."""
    moment = rows.moment_writer()
    told = []
    for row in new:
        facts = [json.dumps(getattr(row, name)) if name in _JSON else getattr(row, name) for name in _TOLD]
        told.append((row.interface_id, row.kind, row.key, *facts, moment(row.read_at)))
    rows.insert(InventoryItem, _NEW, told, 'ON CONFLICT (interface_id, kind, "key") DO NOTHING')
