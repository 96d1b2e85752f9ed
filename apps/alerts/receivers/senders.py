"""Finds the component that an alert came from, by the address of its sender."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import chain
from typing import Any

from django.db import connection

from apps.components.models import Component, ManagementInterface
from apps.components.services import host_names
from apps.core import rows

FRESH = 5.0  # seconds that the list of further addresses is trusted
FRESH_TO_STRANGERS = 1.0  # seconds that it is trusted when it does not know a sender: who was just entered may be one
# What an alert needs to know of its component, in the order of the model, in which from_db takes values.
FIELDS = tuple(
    field.attname
    for field in Component._meta.concrete_fields
    if field.attname in {"id", "name", "alias", "group_id", "suspended", "model"}
)
Found = Mapping[str, Sequence[Component]]  # by address
KEPT = 20_000  # components as they were read last


class Senders:
    """Addresses → components, asked of the database for each batch; extra addresses are cached."""

    def __init__(self) -> None:
        self._extra: Mapping[str, Sequence[int]] = {}
        self._read_at = -FRESH
        self._kept: dict[int, tuple[Sequence[Any], Component]] = {}

    def find(self, addresses: Iterable[str]) -> dict[str, list[Component]]:
        """Give the components that have one of these addresses; more than one for an address means: not known which."""
        wanted = set(addresses)
        ids: dict[str, set[int]] = defaultdict(set)
        components: dict[int, Component] = {}
        interfaces, table = ManagementInterface._meta.db_table, Component._meta.db_table
        given, parameters = rows.table("wanted", {"address": "text"}, [(address,) for address in wanted])
        for address, *values in self._read(
            f"{given} JOIN {interfaces} i ON i.address = wanted.address JOIN {table} c ON c.id = i.component_id",
            parameters,
            "i.address, ",
        ):
            ids[address].add(values[0])
            components[values[0]] = self._component(values)
        every = self._extra_addresses(wanted - ids.keys())
        extra = {address: every[address] for address in wanted & every.keys()}
        more = {pk for pks in extra.values() for pk in pks} - components.keys()
        if more:
            given, parameters = rows.table("wanted", {"id": "bigint"}, [(pk,) for pk in more])
            for row in self._read(f"{given} JOIN {table} c ON c.id = wanted.id", parameters):
                components[row[0]] = self._component(list(row))
        for address, pks in extra.items():
            ids[address].update(pks)
        return {address: [components[pk] for pk in sorted(found) if pk in components] for address, found in ids.items()}

    def _read(self, source: str, parameters: Sequence[Any], first: str = "") -> list[Sequence[Any]]:
        columns = ", ".join(f"c.{name}" for name in FIELDS)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {first}{columns} FROM {source}", parameters)  # noqa: S608
            return cursor.fetchall()

    def _component(self, row: Sequence[Any]) -> Component:
        """Give the component of a row; the same object as last time where nothing changed."""
        known = self._kept.get(row[0])
        if known is None or known[0] != row:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            known = self._kept[row[0]] = (row, Component.from_db(connection.alias, FIELDS, row))
        return known[1]

    def _extra_addresses(self, unknown: Set[str]) -> Mapping[str, Sequence[int]]:
        fresh = FRESH if unknown <= self._extra.keys() else FRESH_TO_STRANGERS
        if time.monotonic() - self._read_at >= fresh:
            extra: dict[str, list[int]] = defaultdict(list)
            for pk, addresses in Component.objects.exclude(alert_addresses=[]).values_list("pk", "alert_addresses"):
                for address in addresses:
                    extra[address].append(pk)
            for pk, address in chain(host_names.further_addresses(), host_names.known_addresses()):
                if pk not in extra[address]:
                    extra[address].append(pk)
            self._extra, self._read_at = extra, time.monotonic()
        return self._extra
