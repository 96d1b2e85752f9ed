"""Whose word counts where several interfaces say who a machine is."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from apps.components.models import Component, ManagementInterface
from apps.components.services import machines
from apps.drivers import registry
from apps.drivers.contract import Capability

HARDWARE = ("serial_number", "manufacturer", "model")  # a controller knows them better
SOFTWARE = ("operating_system", "location")  # what runs there knows them better
LEARNED = (*HARDWARE, *SOFTWARE)
UUID = "uuid"


@dataclass(frozen=True, slots=True)
class Said:
    """What one interface said of the machine behind it."""

    interface_id: int
    is_controller: bool
    facts: Mapping[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """Give what it said in answer to one question; empty where that is nothing that identifies."""
        text = str(self.facts.get(name, ""))
        if name == UUID:
            return text if machines.parse_uuid(text) is not None else ""
        return text


def winner(said: Iterable[Said], name: str) -> Said | None:
    """Give the one whose word counts: of the hardware a controller, of the software an agent; of equals the first.

    A serial number that no one wrote ("To be filled by O.E.M.") counts only where nobody says a real one.
    """
    hardware = name == UUID or name in HARDWARE

    def rank(one: Said) -> tuple[bool, bool, int]:
        empty_words = name == "serial_number" and not machines.serial_key(one.value(name))
        return empty_words, one.is_controller is not hardware, one.interface_id

    return min((one for one in said if one.value(name)), key=rank, default=None)


def who_says(said: Iterable[Said], name: str, value: str) -> tuple[list[int], list[tuple[int, str]]]:
    """Give the interfaces that say this value, and what others say instead; of a UUID the byte order does not count."""

    def form(text: str) -> str:
        number = machines.parse_uuid(text) if name == UUID else None
        return machines.uuid_key(number) if number is not None else text.strip().casefold()

    told = [(one.interface_id, one.value(name)) for one in said if name and one.value(name)]
    same = [pk for pk, text in told if form(text) == form(value)]
    return same, [(pk, text) for pk, text in told if pk not in same]


def controllers() -> frozenset[str]:
    """Give the drivers that speak with a machine's controller: it answers when the machine is off, and switches it."""
    return frozenset(spec.name for spec in registry.specs().values() if Capability.POWER in spec.capabilities)


def said_of(rows: Iterable[ManagementInterface]) -> list[Said]:
    """Give what interfaces said last."""
    known = controllers()
    return [Said(row.pk, row.driver in known, row.identity) for row in rows]


def with_news(said: Sequence[Said], interface_id: int, facts: Mapping[str, Any]) -> list[Said]:
    """Give the same after one interface said something new."""
    return [replace(one, facts=facts) if one.interface_id == interface_id else one for one in said]


def is_taken(value: uuid.UUID, component_id: int) -> bool:
    """Say whether another component has a hardware UUID, in either byte order."""
    others = Component.objects.filter(uuid__in=machines.in_both_orders(value)).exclude(pk=component_id)
    return others.exists()


def follow(
    component: Component,
    before: Sequence[Said],
    now: Sequence[Said],
    *,
    forget: bool = False,
    taken: Callable[[uuid.UUID, int], bool] = is_taken,
) -> None:
    """Let the fields of a component, which is not saved, be what its interfaces say now; what was typed stays.

    ``forget`` empties what nobody says any more. ``taken`` says whether a UUID is another component's.
    """
    for name in LEARNED:
        longest = getattr(Component._meta.get_field(name), "max_length", None)
        told = winner(now, name)
        is_learned = getattr(component, name) in {"", *(one.value(name)[:longest] for one in before)}
        if is_learned and (told is not None or forget):
            setattr(component, name, told.value(name)[:longest] if told is not None else "")
    _follow_uuid(component, before, now, forget=forget, taken=taken)


def _follow_uuid(
    component: Component,
    before: Sequence[Said],
    now: Sequence[Said],
    *,
    forget: bool,
    taken: Callable[[uuid.UUID, int], bool],
) -> None:
    learned = {machines.parse_uuid(one.value(UUID)) for one in before}
    if component.uuid is not None and component.uuid not in learned:
        return
    told = winner(now, UUID)
    value = machines.parse_uuid(told.value(UUID)) if told is not None else None
    if value is None:
        component.uuid = None if forget else component.uuid
        return
    if not taken(value, component.pk):
        component.uuid = value
