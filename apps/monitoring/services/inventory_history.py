"""Finds inventory changes, newest first: they are numbered as they were noticed, so their number is their place."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q, QuerySet

from apps.monitoring.models import InventoryChange

WORDS = 8  # more words of a search are not looked at
AT_ONCE = 500
SEARCHED = ("name", "words", "interface__component__name", "interface__component__alias")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes; nothing said is all."""

    changes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    words: str = ""
    start: datetime | None = None

    def within(self, found: "QuerySet[InventoryChange]") -> "QuerySet[InventoryChange]":
        """Keep what is wanted."""
        if self.changes:
            found = found.filter(change__in=self.changes)
        if self.kinds:
            found = found.filter(kind__in=self.kinds)
        if self.start is not None:
            found = found.filter(at__gte=self.start)
        for word in self.words.split()[:WORDS]:
            anywhere = Q()
            for name in SEARCHED:
                anywhere |= Q(**{f"{name}__icontains": word})
            found = found.filter(anywhere)
        return found


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some changes, newest first; the older ones begin behind ``older``."""

    rows: list[InventoryChange] = field(default_factory=list)
    older: int | None = None


def newest(found: "QuerySet[InventoryChange]", before: int | None, size: int) -> Stretch:
    """Give a page of changes, with what is shown of their components."""
    behind = found if before is None else found.filter(pk__lt=before)
    rows = list(behind.select_related("interface__component").defer("words").order_by("-pk")[: size + 1])
    return Stretch(rows[:size], rows[size - 1].pk if len(rows) > size else None)


def all_of(found: "QuerySet[InventoryChange]") -> Iterator[InventoryChange]:
    """Give all of them, some at a time."""
    before: int | None = None
    while True:
        stretch = newest(found, before, AT_ONCE)
        yield from stretch.rows
        before = stretch.older
        if before is None:
            return
