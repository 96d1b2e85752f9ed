"""The definitions in memory: recognises a trap by its exact object identifier, else by the longest known prefix.

A look costs as many steps as the identifier has parts, however many definitions there are.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Count, Max

from apps.alerts.models import AlertDefinition, Severity
from apps.alerts.services.oids import above, enterprise_of, other_form
from apps.alerts.services.products import Product

FRESH = 2.0  # seconds after which a process asks whether something changed
PRODUCT_FIRST = frozenset({"1.3.6.1.4.1.232", "1.3.6.1.4.1.232.9.4.11"})
"""Enterprises whose shipped definitions win over those that users make (iLO)."""

Senders = Mapping[str, AlertDefinition]
"""Enterprise → the definition for its traps alone; "" for everybody's."""


@dataclass(frozen=True)
class Catalogue:
    """All definitions, found by key and by object identifier."""

    definitions: tuple[AlertDefinition, ...]

    @cached_property
    def by_key(self) -> dict[str, AlertDefinition]:
        """Give the definitions by key."""
        return {definition.key: definition for definition in self.definitions}

    @cached_property
    def recognised(self) -> dict[tuple[str, str, str], tuple[AlertDefinition | None, Product | None]]:
        """Keep what was recognised so far, by the names of a trap, its enterprise and its sender's model."""
        return {}

    @cached_property
    def _exact(self) -> dict[str, Senders]:
        return self._index(prefix=False)

    @cached_property
    def _prefixes(self) -> dict[str, Senders]:
        return self._index(prefix=True)

    def _index(self, *, prefix: bool) -> dict[str, Senders]:
        found: dict[str, dict[str, AlertDefinition]] = {}
        for definition in self.definitions:
            if definition.prefix is not prefix:
                continue
            # A user need not know by which of its two names a trap comes; files name both where they differ.
            others = map(other_form, definition.oids) if definition.is_own and not prefix else ()
            for oid in (*definition.oids, *others):
                senders = found.setdefault(oid, {})
                other = senders.get(definition.enterprise)
                if other is None or precedence(definition, oid) < precedence(other, oid):
                    senders[definition.enterprise] = definition
        return found  # type: ignore[return-value]  # a dictionary of dictionaries is a mapping of mappings to read

    @cached_property
    def _ends(self) -> dict[str, list[AlertDefinition]]:
        return {entry.key: self._ended_by(entry) for entry in self.definitions}

    def _ended_by(self, definition: AlertDefinition) -> list[AlertDefinition]:
        ended = [self.by_key[key] for key in definition.clears if key in self.by_key]
        says_so_itself = Severity.NORMAL in definition.severities and len(definition.severities) > 1
        return [definition, *ended] if says_so_itself else ended

    @cached_property
    def cleared_by_partner(self) -> frozenset[str]:
        """Give the keys of the definitions whose problems another definition ends, or the same with another value."""
        return frozenset(ended.key for entry in self.definitions if entry.enabled for ended in self.ended_by(entry))

    def find(self, trap_oid: str, enterprise: str = "") -> AlertDefinition | None:
        """Give the definition that decides about a trap, also one that is switched off and so hides it."""
        for oid in (trap_oid, other_form(trap_oid)):
            senders = self._exact.get(oid)
            if senders is not None and (found := _for_sender(senders, enterprise)) is not None:
                return found
        if self._prefixes:
            for oid in above(trap_oid):
                senders = self._prefixes.get(oid)
                if senders is not None and (found := _for_sender(senders, enterprise)) is not None:
                    return found
        return None

    def match(self, trap_oid: str, enterprise: str = "") -> AlertDefinition | None:
        """Give the definition of a trap. One that is switched off hides the trap: no shorter prefix takes its place."""
        found = self.find(trap_oid, enterprise)
        return found if found is not None and found.enabled else None

    def ended_by(self, definition: AlertDefinition) -> Iterable[AlertDefinition]:
        """Give the definitions whose problems this one ends."""
        return self._ends.get(definition.key) or self._ended_by(definition)

    def with_draft(self, draft: AlertDefinition) -> "Catalogue":
        """Give what it would be with a draft in the place of the definition of its key."""
        return Catalogue((*(entry for entry in self.definitions if entry.key != draft.key), draft))


def precedence(definition: AlertDefinition, oid: str) -> tuple[bool, bool, int]:
    """Say which of several definitions of one trap goes first: the smallest.

    One that is switched on; then a user's own before a shipped one, but for the enterprises of ``PRODUCT_FIRST``; then
    the older one.
    """
    shipped_first = oid in PRODUCT_FIRST or enterprise_of(oid) in PRODUCT_FIRST
    return not definition.enabled, definition.is_own is shipped_first, definition.pk or 0


def _for_sender(senders: Senders, enterprise: str) -> AlertDefinition | None:
    """Give the definition for the longest enterprise above a sender's, else everybody's."""
    if enterprise and (len(senders) > 1 or "" not in senders):
        for oid in above(enterprise):
            if oid in senders:
                return senders[oid]
    return senders.get("")


Stamp = tuple[int, datetime | None]

_current: Catalogue | None = None
_stamp: Stamp = (0, None)
_asked_at = 0.0


def current() -> Catalogue:
    """Give the definitions; a change anywhere is seen within two seconds."""
    global _current, _stamp, _asked_at
    if _current is None or time.monotonic() - _asked_at >= FRESH:
        counted = AlertDefinition.objects.aggregate(number=Count("pk"), changed=Max("changed_at"))
        stamp = (counted["number"], counted["changed"])
        if _current is None or stamp != _stamp:
            _current = Catalogue(tuple(AlertDefinition.objects.order_by("pk")))
            _stamp = stamp
        _asked_at = time.monotonic()
    return _current


def forget() -> None:
    """Make this process read the definitions again."""
    global _current
    _current = None
