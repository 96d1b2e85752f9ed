"""Finds the component that an alert came from, by the address of its sender."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from apps.components.models import Component, ManagementInterface

FRESH = 5.0  # seconds that the list of extra alert addresses is trusted


class Senders:
    """Addresses → components. Interfaces are asked of the database each time, by index; extra addresses are cached."""

    def __init__(self) -> None:
        self._extra: Mapping[str, Sequence[int]] = {}
        self._read_at = -FRESH

    def find(self, addresses: Iterable[str]) -> dict[str, list[Component]]:
        """Give the components that have one of these addresses; more than one for an address means: not known which."""
        wanted = set(addresses)
        ids: dict[str, set[int]] = defaultdict(set)
        rows = ManagementInterface.objects.filter(address__in=wanted).order_by()
        for address, component_id in rows.values_list("address", "component_id"):
            ids[address].add(component_id)
        extra = self._extra_addresses()
        for address in wanted & extra.keys():
            ids[address].update(extra[address])
        fields = ("id", "name", "alias", "group_id", "suspended", "model")
        every = {component_id for found in ids.values() for component_id in found}
        components = {row.pk: row for row in Component.objects.filter(pk__in=every).only(*fields)}
        return {address: [components[pk] for pk in sorted(found) if pk in components] for address, found in ids.items()}

    def _extra_addresses(self) -> Mapping[str, Sequence[int]]:
        if time.monotonic() - self._read_at >= FRESH:
            extra: dict[str, list[int]] = defaultdict(list)
            for pk, addresses in Component.objects.exclude(alert_addresses=[]).values_list("pk", "alert_addresses"):
                for address in addresses:
                    extra[address].append(pk)
            self._extra, self._read_at = extra, time.monotonic()
        return self._extra
