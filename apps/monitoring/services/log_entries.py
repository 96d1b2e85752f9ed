"""Finds entries of event logs: newest first, by the place of the last one, and by the words that their readers see.

Words are sought in what is shown, in the reader's language, so not by the database; the number of entries that an
interface keeps is limited, and one page looks at so many at most.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from django.db.models import Q, QuerySet

from apps.alerts.models import Severity
from apps.components.models import Status
from apps.monitoring import naming
from apps.monitoring.models import LoggedEntry

SEARCHED = 5_000  # entries that one page of a search looks at
WORDS = 8  # more words of a search are not looked at
AT_ONCE = 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MARKS: dict[str, Q] = {  # what an entry of a severity is
    Severity.INFORMATION.value: Q(status=Status.NORMAL, asserted=True),
    Severity.NORMAL.value: Q(status=Status.NORMAL, asserted=False),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; nothing said is all."""

    severities: tuple[str, ...] = ()
    interface_id: int | None = None
    words: str = ""
    start: datetime | None = None
    end: datetime | None = None
    present: bool | None = None  # True: those that the device still has; False: those from before a clearing

    @property
    def terms(self) -> list[str]:
        """Give the words that are looked for."""
        return [word.casefold() for word in self.words.replace("\x00", "").split()[:WORDS]]

    def within(self, found: "QuerySet[LoggedEntry]") -> "QuerySet[LoggedEntry]":
        """Keep what is wanted, words aside."""
        if self.severities:
            either = Q(pk=None)
            for one in self.severities:
                either |= MARKS.get(one, Q(status=one))
            found = found.filter(either)
        if self.interface_id is not None:
            found = found.filter(interface=self.interface_id)
        if self.start is not None:
            found = found.filter(placed_at__gte=self.start)
        if self.end is not None:
            found = found.filter(placed_at__lt=self.end)
        if self.present is not None:
            found = found.filter(cleared_at__isnull=self.present)
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands in the list."""

    at: datetime
    pk: int

    @classmethod
    def after(cls, entry: LoggedEntry) -> Self:
        """Give the place of an entry, behind which the list goes on."""
        return cls(entry.placed_at, entry.pk)

    @classmethod
    def of(cls, raw: str) -> Self | None:
        """Read it from an address; nonsense is the beginning."""
        at, _dot, pk = raw.partition(".")
        if not (at.isascii() and at.isdigit() and len(at) <= 17 and pk.isascii() and pk.isdigit() and len(pk) <= 18):
            return None
        return cls(EPOCH + timedelta(microseconds=int(at)), int(pk))

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(microseconds=1)}.{self.pk}"

    def behind(self, found: "QuerySet[LoggedEntry]") -> "QuerySet[LoggedEntry]":
        """Keep the entries that come after this place."""
        return found.filter(Q(placed_at__lt=self.at) | Q(placed_at=self.at, pk__lt=self.pk), placed_at__lte=self.at)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some entries, newest first, and where the older ones begin.

    Where a search stopped before it had filled the page and before the end, ``searched_to`` says how far it came.
    """

    rows: list[LoggedEntry] = field(default_factory=list)
    older: Place | None = None
    searched_to: datetime | None = None


def newest(found: "QuerySet[LoggedEntry]", wanted: Wanted, before: Place | None, size: int) -> Stretch:
    """Give a page of the entries that are wanted; what the device wrote is left to who looks at one of them."""
    rows: list[LoggedEntry] = []
    looked_at, last = 0, before
    terms = wanted.terms
    for entry in _walk(wanted.within(found), before):
        if len(rows) == size:
            return Stretch(rows, Place.after(rows[-1]))
        if looked_at == SEARCHED:
            return Stretch(rows, last, last.at if last is not None else None)
        if not terms or holds(entry, terms):
            rows.append(entry)
        looked_at += bool(terms)
        last = Place.after(entry)
    return Stretch(rows)


def all_of(found: "QuerySet[LoggedEntry]", wanted: Wanted) -> Iterator[LoggedEntry]:
    """Give all that are wanted, newest first, some at a time."""
    terms = wanted.terms
    return (entry for entry in _walk(wanted.within(found), None, whole=True) if not terms or holds(entry, terms))


def _walk(found: "QuerySet[LoggedEntry]", before: Place | None, *, whole: bool = False) -> Iterator[LoggedEntry]:
    found = found.select_related("interface").order_by("-placed_at", "-pk")
    if not whole:
        found = found.defer("raw")
    while True:
        some = list((found if before is None else before.behind(found))[:AT_ONCE])
        yield from some
        if len(some) < AT_ONCE:
            return
        before = Place.after(some[-1])


def holds(entry: LoggedEntry, terms: list[str]) -> bool:
    """Say whether all words are in what is shown of an entry."""
    shown = f"{entry.text} {source_of(entry)} {entry.source} {entry.key}".casefold()
    return all(term in shown for term in terms)


def source_of(entry: LoggedEntry) -> str:
    """Give what an entry is about in the reader's language: words of ours are translated, a device's names stay."""
    return naming.label(entry.source, "")


def among(found: "QuerySet[LoggedEntry]", wanted: Wanted) -> Any:
    """Give all that are wanted as what can be cut into pages: rows of the database, or what a search found."""
    terms = wanted.terms
    chosen = wanted.within(found).select_related("interface").order_by("-placed_at", "-pk")
    if not terms:
        return chosen
    ids = [entry.pk for entry in _walk(wanted.within(found), None) if holds(entry, terms)]
    return _Found(chosen, ids)


class _Found:
    """The ids that a search found, of which only those of one page are read whole."""

    def __init__(self, rows: "QuerySet[LoggedEntry]", ids: list[int]) -> None:
        self._rows, self._ids = rows, ids

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, wanted: slice) -> list[LoggedEntry]:
        ids = self._ids[wanted]
        rows = self._rows.in_bulk(ids)
        return [rows[pk] for pk in ids if pk in rows]
