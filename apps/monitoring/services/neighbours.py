"""Keeps who is at the other ends of the cables: rows change only when that does, and who is gone stays a while."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.components.models import Component, ManagementInterface
from apps.core.writes import turn
from apps.drivers.contract import Neighbour as Told
from apps.monitoring.models import Neighbour

FORGOTTEN_AFTER = timedelta(days=90)  # since it is gone
INTERFACES_AT_ONCE = 20
_NAMED = ("local_port", "chassis_id", "port_id")
_FACTS = (
    "port_index",
    "chassis_id_kind",
    "port_id_kind",
    "port_description",
    "system_name",
    "system_description",
    "capabilities",
    "addresses",
)


def keep(heard: Sequence[tuple[int, Sequence[Told]]]) -> None:
    """Make the present rows of interfaces exactly what their devices hear, by difference."""
    for start in range(0, len(heard), INTERFACES_AT_ONCE):
        _keep(heard[start : start + INTERFACES_AT_ONCE])


def _keep(heard: Sequence[tuple[int, Sequence[Told]]]) -> None:
    now = timezone.now()
    with turn():
        asked = [interface_id for interface_id, _told in heard]
        present = set(ManagementInterface.objects.filter(pk__in=asked).values_list("pk", flat=True))
        rows: dict[int, dict[tuple[str, ...], Neighbour]] = defaultdict(dict)
        for row in Neighbour.objects.filter(interface__in=asked).order_by("pk"):
            rows[row.interface_id][tuple(getattr(row, name) for name in _NAMED)] = row
        new: list[Neighbour] = []
        changed: list[Neighbour] = []
        for interface_id, told in heard:
            if interface_id not in present:
                continue
            known = rows[interface_id]
            heard_now = {tuple(fields[name] for name in _NAMED): fields for fields in map(_fields, told)}
            for place, fields in heard_now.items():
                row = known.get(place)
                if row is None:
                    new.append(Neighbour(interface_id=interface_id, since=now, **fields))
                elif row.gone_at is not None or any(getattr(row, name) != fields[name] for name in _FACTS):
                    row.since = now if row.gone_at is not None else row.since
                    row.gone_at = None
                    for name in _FACTS:
                        setattr(row, name, fields[name])
                    changed.append(row)
            for place, row in known.items():
                if place not in heard_now and row.gone_at is None:
                    row.gone_at = now
                    changed.append(row)
        Neighbour.objects.bulk_create(new, batch_size=100)
        Neighbour.objects.bulk_update(changed, [*_FACTS, "since", "gone_at"], batch_size=100)


def _fields(told: Told) -> dict[str, Any]:
    def text(value: str, length: int) -> str:
        return value.replace("\x00", "")[:length]

    return {
        "local_port": text(told.local_port, 200),
        "port_index": told.port_index,
        "chassis_id": text(told.chassis_id, 255),
        "chassis_id_kind": told.chassis_id_kind,
        "port_id": text(told.port_id, 255),
        "port_id_kind": told.port_id_kind,
        "port_description": text(told.port_description, 255),
        "system_name": text(told.system_name, 255),
        "system_description": text(told.system_description, 1000),
        "capabilities": list(told.capabilities),
        "addresses": list(told.addresses),
    }


def of_component(component: Component) -> list[Neighbour]:
    """Give the neighbours of a component, present and gone, in the order of its ports."""
    return list(Neighbour.objects.filter(interface__component=component).order_by("interface", "port_index", "pk"))


def by_port(found: Iterable[Neighbour]) -> dict[tuple[int, int], list[Neighbour]]:
    """Sort neighbours by interface and number of the local port; a port that hears somebody forgets who was there."""
    sorted_out: dict[tuple[int, int], list[Neighbour]] = defaultdict(list)
    for neighbour in found:
        if neighbour.port_index is not None:
            sorted_out[neighbour.interface_id, neighbour.port_index].append(neighbour)
    for heard in sorted_out.values():
        if present := [neighbour for neighbour in heard if neighbour.gone_at is None]:
            heard[:] = present
        else:
            heard[:] = [max(heard, key=lambda neighbour: neighbour.gone_at or neighbour.since)]
    return sorted_out
