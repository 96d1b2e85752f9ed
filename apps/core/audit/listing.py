"""Walks the audit, newest first, by the place of the last entry and never by offset, however many there are.

One filter leads: its index gives its entries in the order of time. What else is asked for, and the scope of somebody
who does not see everything, is looked for in a window of so many of them; a page says how far it came, and goes on.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core import audit_words, rows, scope_sql, scoping
from apps.core.models import AuditEntry, AuditQuerySet

SEARCHED = 8_000  # entries that one page looks through
FEW = 3_000  # of somebody's groups: so many are looked through at once
COUNTED = 10_000  # where counting stops
WORDS = 8  # more words of a search are not looked at
PERIODS: Mapping[str, tuple[Promise | str, timedelta]] = {
    "1h": (_("Last hour"), timedelta(hours=1)),
    "24h": (_("Last 24 hours"), timedelta(hours=24)),
    "7d": (_("Last 7 days"), timedelta(days=7)),
    "30d": (_("Last 30 days"), timedelta(days=30)),
}

LEADING = {  # filters that have an index of their own, and their columns; the rarest first
    "who": "login",
    "address": "address",
    "action": "action",
    "group": "group",
    "family": "family",
}
COLUMNS = (
    *("login", "address", "action", "group", "former_group", "family", "outcome", "actor_kind", "actor_name"),
    *("object_type", "object_id", "object_name", "sequence"),
)
ITS = {f"its_{column}": Coalesce(column, column) for column in COLUMNS}  # the same value, that no index has
Facts = dict[str, Any]
Wanted = Mapping[str, Any]
"""Valid filters by name: ``object_type`` … ``outcome`` (several), ``from``, ``to``, ``period``, ``q``."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some entries, newest first, and the one behind which the older ones begin.

    Where a search came to the end of its window before it had filled the piece, ``searched_to`` says how far.
    """

    entries: list[AuditEntry] = field(default_factory=list)
    older: int | None = None
    searched_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    at: datetime
    pk: int

    def behind(self) -> Q:
        """Keep what comes after it in the list."""
        return Q(at__lte=self.at) & (Q(at__lt=self.at) | Q(pk__lt=self.pk))

    def within(self) -> Q:
        """Keep what does not come after it."""
        return Q(at__gte=self.at) & (Q(at__gt=self.at) | Q(pk__gte=self.pk))


def stretch(user: Any, wanted: Wanted, before: int | None, size: int) -> Stretch:
    """Give a piece of what a user may see and asks for."""
    found = _search(user, wanted, before)
    if found is None:
        return Stretch()
    ids = list(found.rows.newest_first().values_list("pk", flat=True)[: size + 1])
    entries = in_order(ids[:size])
    if len(ids) > size:
        return Stretch(entries, ids[size - 1])
    if found.edge is not None:
        return Stretch(entries, found.edge.pk, found.edge.at)
    return Stretch(entries)


def count(user: Any, wanted: Wanted, before: int | None = None) -> int:
    """Count what one piece looks at, up to a number: counting a million takes longer than anybody waits."""
    found = _search(user, wanted, before)
    return found.rows.order_by()[:COUNTED].count() if found is not None else 0


def every(user: Any, wanted: Wanted) -> AuditQuerySet:
    """Give all that a user may see and asks for, however long the database looks."""
    leading, others = _conditions(wanted)
    return _entries(wanted).visible_to(user).filter(*map(_its, others), *_words(wanted), **leading)


def all_of(user: Any, wanted: Wanted, size: int = 1000) -> Iterator[AuditEntry]:
    """Walk through all that a user may see and asks for, piece by piece."""
    before: int | None = None
    while True:
        piece = stretch(user, wanted, before, size)
        yield from piece.entries
        if piece.older is None:
            return
        before = piece.older


def in_order(ids: Sequence[int]) -> list[AuditEntry]:
    """Read entries by their ids, in this order."""
    found = AuditEntry.objects.in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


@dataclass(frozen=True, slots=True)
class _Found:
    rows: AuditQuerySet
    edge: _Place | None = None


def _search(user: Any, wanted: Wanted, before: int | None) -> _Found | None:
    """Give what one piece is taken from; None where nothing can be."""
    leading, others = _conditions(wanted)
    found = _entries(wanted)
    if before is not None:
        place = AuditEntry.objects.filter(pk=before).values_list("at", "pk").first()
        if place is None:  # removed meanwhile, and with it all that was older
            return None
        found = found.filter(_Place(*place).behind())
    asked = [*map(_its, others), *_words(wanted)]
    scope = scoping.scope_of(user, "audit")
    if not isinstance(scope, scoping.Everything):
        own = _few_of(scope)
        if own is not None:
            return _Found(found.filter(_its(leading), *asked, pk__in=rows.among(own))) if own else None
        groups = scope_sql.within(scope)
        asked = [Q(its_group__in=groups) | Q(its_former_group__in=groups), *asked]
    found = found.filter(**leading)
    if not asked:
        return _Found(found)
    edges = found.newest_first().values_list("at", "pk")[SEARCHED - 1 : SEARCHED + 1]
    places = [_Place(at, pk) for at, pk in edges]
    edge = places[0] if len(places) > 1 else None
    if edge is not None:
        found = found.filter(edge.within())
    return _Found(found.filter(*asked), edge)


def _few_of(scope: frozenset[int]) -> list[int] | None:
    """Give the ids of all entries that concerned some groups; None when they are many."""
    ids: set[int] = set()
    for name in ("group", "former_group"):
        ids.update(AuditEntry.objects.filter(**{f"{name}__in": scope}).order_by().values_list("pk", flat=True)[:FEW])
    return sorted(ids) if len(ids) < FEW else None


def _conditions(wanted: Wanted) -> tuple[Facts, list[Facts]]:
    """Give the filter that leads, the one that leaves least, and the others."""
    found: list[Facts] = []
    several: list[Facts] = []
    about = {name: wanted[name] for name in ("object_type", "object_id") if name in wanted}
    for name, column in (("id", "pk"), ("sequence", "sequence")):
        if name in wanted:
            found.append({column: wanted[name]})
    if len(about) == 2:
        found.append(about)
    for name, column in LEADING.items():
        if name in wanted:
            found.append({column: wanted[name]})
    for name, column in (("outcome", "outcome"), ("kind", "actor_kind")):
        values = wanted.get(name, ())
        if len(values) == 1:
            found.append({column: values[0]})
        elif values:
            several.append({f"{column}__in": values})
    if len(about) == 1:
        several.append(about)
    several += [{name: wanted[name]} for name in ("actor_name", "object_name") if name in wanted]
    return (found[0] if found else {}), [*found[1:], *several]


def _its(facts: Facts) -> Q:
    """Hold the row against it, and keep the database from walking another index than the one that leads."""
    return Q(**{name if name == "pk" else f"its_{name}": value for name, value in facts.items()})


def _words(wanted: Wanted) -> list[Q]:
    return [_holds(word) for word in wanted.get("q", "").replace("\x00", "").split()[:WORDS]]


def _entries(wanted: Wanted) -> AuditQuerySet:
    """Begin with the time that is asked for."""
    found: AuditQuerySet = AuditEntry.objects.filter(_between(wanted)).alias(**ITS)
    if "q" in wanted:
        found = found.alias(before_text=Cast("before", TextField()), after_text=Cast("after", TextField()))
    return found


def _between(wanted: Wanted) -> Q:
    start, end = wanted.get("from"), wanted.get("to")
    period = PERIODS.get(wanted.get("period", ""))
    if period is not None:
        start, end = timezone.now() - period[1], None
    asked = Q()
    if start is not None:
        asked &= Q(at__gte=start)
    if end is not None:
        asked &= Q(at__lt=end)
    return asked


def _holds(word: str) -> Q:
    """Keep entries that have a word in what their row shows, in the reader's language, or in what was changed."""
    asked = (
        Q(actor_name__icontains=word)
        | Q(object_name__icontains=word)
        | Q(address__icontains=word)
        | Q(action__icontains=word)
        | Q(action__in=audit_words.acts_called(word))
    )
    for text in dict.fromkeys((word, json.dumps(word)[1:-1])):  # SQLite keeps what is not ASCII escaped
        asked |= Q(before_text__icontains=text) | Q(after_text__icontains=text)
    return asked
