"""Finds what changed of the parts of a device between two inventories.

Told is what became of hardware and firmware; how a part is, and what changes by itself, is not. A first look tells
nothing: neither that of a device, nor that of a section, nor that of a part that could not speak before.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from apps.components.models import InventoryItem
from apps.drivers.contract import InventoryItem as Item
from apps.monitoring.models import Change, InventoryChange

UNREAD = "unread."  # how the key of what stands for a section begins
PASSING, BRIEF, PARTIAL = "passing", "brief", "partial"  # the traits of a row
NAME, SERIAL = "Name", "Serial number"
LARGE, NEARLY = 1_000_000, 0.005

Place = tuple[str, str]
Fact = tuple[str, Any, Any]  # label, before, after
Facts = tuple[str, str, dict[str, Any], str, dict[str, Any]]  # what a row says: name, status, details, section, traits


def traits_of(item: Item) -> dict[str, Any]:
    """Give what is kept of a part so that its changes can be judged."""
    traits: dict[str, Any] = {}
    if item.passing and (passing := sorted(item.passing & item.details.keys())):
        traits[PASSING] = passing
    if not item.lasting:
        traits[BRIEF] = True
    return traits


def held(facts: Facts, row: InventoryItem | None, item: Item) -> Facts:
    """Give what is to be kept of a part while its machine is off: what it does not tell stays as it was told before."""
    name, status, details, section, traits = facts
    if row is None:
        return name, status, details, section, {**traits, PARTIAL: True}
    details = {**row.details, **details}
    if passing := sorted({*traits.get(PASSING, ()), *row.traits.get(PASSING, ())} & details.keys()):
        traits = {**traits, PASSING: passing}
    if PARTIAL in row.traits:  # what was told in full once stays so
        traits = {**traits, PARTIAL: True}
    return row.name if item.partial else name, status, details, section, traits


@dataclass(frozen=True, slots=True)
class Part:
    """A part at one time: only what does not change by itself."""

    kind: str
    key: str
    name: str
    facts: Mapping[str, Any]
    traits: Mapping[str, Any]

    @classmethod
    def of(cls, row: InventoryItem) -> Self:
        """Take it from a row as it is now."""
        told = {label: value for label, value in row.details.items() if value not in ("", None)}
        for label in row.traits.get(PASSING, ()):
            told.pop(label, None)
        return cls(row.kind, row.key, row.name, told, row.traits)

    @property
    def is_told(self) -> bool:
        """Say whether its changes are told."""
        return BRIEF not in self.traits and not self.key.startswith(UNREAD)

    @property
    def sameness(self) -> tuple[str, str, str]:
        """Give by what it is recognised under another number."""
        return self.kind, self.name, json.dumps(self.facts, sort_keys=True)


@dataclass(slots=True)
class Comparison:
    """The parts of one interface from one inventory to the next; made before any row is changed."""

    interface_id: int
    is_first: bool  # nothing was told in full before
    first_sections: Collection[str]  # that were never read before
    before: dict[Place, Part] = field(default_factory=dict)
    after: dict[Place, Part] = field(default_factory=dict)

    @classmethod
    def of(cls, interface_id: int, rows: Collection[InventoryItem]) -> Self:
        """Begin with the rows of the inventory before."""
        read = [row for row in rows if not row.key.startswith(UNREAD)]
        unread = {row.section for row in rows if row.key.startswith(UNREAD)}
        return cls(
            interface_id,
            is_first=all(PARTIAL in row.traits for row in read),
            first_sections=unread.difference(row.section for row in read) if unread else (),
        )

    def came(self, row: InventoryItem) -> None:
        """Take a part that was not listed before."""
        if row.section not in self.first_sections:
            self.after[row.kind, row.key] = Part.of(row)

    def differs(self, before: Part, row: InventoryItem) -> None:
        """Take a part that says something else than before; a first word of it is no change."""
        if PARTIAL not in before.traits:
            place = row.kind, row.key
            self.before[place], self.after[place] = before, Part.of(row)

    def went(self, row: InventoryItem) -> None:
        """Take a part that is not listed any more."""
        self.before[row.kind, row.key] = Part.of(row)

    def told(self, at: datetime) -> Iterator[InventoryChange]:
        """Give the changes that are worth an entry."""
        if self.is_first or not (self.before or self.after):
            return
        before = {place: part for place, part in self.before.items() if part.is_told}
        after = {place: part for place, part in self.after.items() if part.is_told}
        _cancel(before, after)
        for place in sorted(before.keys() | after.keys()):
            was, now = before.get(place), after.get(place)
            if was is None and now is not None:
                yield self._entry(at, Change.APPEARED, now, [(label, None, told) for label, told in now.facts.items()])
            elif now is None and was is not None:
                yield self._entry(at, Change.GONE, was, [(label, told, None) for label, told in was.facts.items()])
            elif was is not None and now is not None and (facts := _differences(was, now)):
                yield self._entry(at, _change(was, now), now, facts)

    def _entry(self, at: datetime, change: Change, part: Part, facts: list[Fact]) -> InventoryChange:
        values = [value for _label, *values in facts for value in values if value is not None]
        return InventoryChange(
            interface_id=self.interface_id,
            at=at,
            change=change,
            kind=part.kind,
            key=part.key,
            name=part.name,
            facts=facts,
            words=" ".join(map(str, values)),
        )


def _cancel(before: dict[Place, Part], after: dict[Place, Part]) -> None:
    """Leave out what is the same under another number: agents count disks and ports anew when they start."""
    left: dict[tuple[str, str, str], list[Place]] = defaultdict(list)
    for place, part in after.items():
        left[part.sameness].append(place)
    for place, part in list(before.items()):
        if places := left.get(part.sameness):
            same = place if place in places else places[-1]
            places.remove(same)
            del before[place], after[same]


def _differences(was: Part, now: Part) -> list[Fact]:
    """Give what differs, label by label."""
    passing = {*was.traits.get(PASSING, ()), *now.traits.get(PASSING, ())}
    labels = dict.fromkeys((*now.facts, *was.facts))
    pairs: list[Fact] = [(NAME, was.name, now.name)]
    pairs += [(label, was.facts.get(label), now.facts.get(label)) for label in labels if label not in passing]
    return [pair for pair in pairs if not _is_same(pair[1], pair[2])]


def _is_same(was: Any, now: Any) -> bool:
    """Say whether two values are one; a size drifts a little with what an operating system keeps for itself."""
    sizes = [value for value in (was, now) if isinstance(value, int | float) and abs(value) >= LARGE]
    return bool(was == now or (len(sizes) == 2 and abs(was - now) < NEARLY * max(sizes)))


def _change(was: Part, now: Part) -> Change:
    serials = was.facts.get(SERIAL), now.facts.get(SERIAL)
    return Change.REPLACED if all(serials) and serials[0] != serials[1] else Change.CHANGED
