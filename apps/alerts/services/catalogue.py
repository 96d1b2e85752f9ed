"""The definitions in memory: recognises a trap by its exact object identifier, else by the longest known prefix."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from apps.alerts.models import AlertDefinition

FRESH = 5.0  # seconds that a process trusts what it read


@dataclass(frozen=True)
class Catalogue:
    """All definitions, found by key and by object identifier."""

    definitions: tuple[AlertDefinition, ...]

    @cached_property
    def by_key(self) -> dict[str, AlertDefinition]:
        """Give the definitions by key."""
        return {definition.key: definition for definition in self.definitions}

    @cached_property
    def _exact(self) -> dict[str, AlertDefinition]:
        return {entry.trap_oid: entry for entry in self.definitions if entry.trap_oid and not entry.prefix}

    @cached_property
    def _prefixes(self) -> dict[str, AlertDefinition]:
        return {entry.trap_oid: entry for entry in self.definitions if entry.trap_oid and entry.prefix}

    @cached_property
    def cleared_by_partner(self) -> frozenset[str]:
        """Give the keys of the definitions whose problems another definition ends."""
        return frozenset(key for entry in self.definitions if entry.enabled for key in entry.clears)

    def match(self, trap_oid: str) -> AlertDefinition | None:
        """Give the definition of a trap. One that is switched off hides the trap: no shorter prefix takes its place."""
        found = self._exact.get(trap_oid)
        at = trap_oid
        while found is None and at and self._prefixes:
            found = self._prefixes.get(at)
            at = at.rpartition(".")[0]
        return found if found is not None and found.enabled else None

    def ended_by(self, definition: AlertDefinition) -> Iterable[AlertDefinition]:
        """Give the definitions whose problems this one ends."""
        return [self.by_key[key] for key in definition.clears if key in self.by_key]


_current: Catalogue | None = None
_read_at = 0.0


def current() -> Catalogue:
    """Give the definitions, at most five seconds old."""
    global _current, _read_at
    if _current is None or time.monotonic() - _read_at >= FRESH:
        _current = Catalogue(tuple(AlertDefinition.objects.all()))
        _read_at = time.monotonic()
    return _current


def forget() -> None:
    """Make this process read the definitions again."""
    global _current
    _current = None
