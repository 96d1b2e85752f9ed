"""What a draft of a definition would have made of the last week; changes nothing, and takes a bounded time."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.alerts.models import PROBLEMS, Alert, AlertDefinition, Severity
from apps.alerts.services import catalogue
from apps.alerts.services.ingestion import explain
from apps.alerts.services.interpretation import interpret
from apps.alerts.services.past import WEEK, concerned
from apps.alerts.services.reinterpretation import arrival_of

ROWS = 5000
SECONDS = 2.0
EXAMPLES = 8
_CHUNK = 500
SLOT, HEIGHT, BOTTOM = 80, 90, 96  # of the drawing of the days


@dataclass(frozen=True, slots=True)
class Day:
    """One day: how many alerts the definition explained, and would explain."""

    day: date
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of the week, as it was and with the draft; ``severity`` is empty for the sums."""

    what: str
    before: int
    after: int
    severity: str = ""

    @property
    def difference(self) -> int:
        """Give how many more there would be."""
        return self.after - self.before

    @property
    def signed(self) -> str:
        """Write the difference with its sign."""
        return f"{self.difference:+,}".replace("-", "−") if self.difference else "0"


@dataclass(frozen=True, slots=True)
class Example:
    """One alert, as it is shown and as it would be."""

    alert: Alert
    was: str  # a severity; "unmatched"
    becomes: str
    title: Any

    @property
    def differs(self) -> bool:
        """Say whether the draft changes it."""
        return self.was != self.becomes or str(self.title) != str(self.alert.title)


@dataclass(slots=True)
class Preview:
    """The figures of the week. ``complete`` is false where only the newest alerts were looked at."""

    since: datetime
    looked_at: int = 0
    took: timedelta = timedelta(0)
    complete: bool = True
    days: list[Day] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)

    @property
    def seconds(self) -> str:
        """Give how long it took, for people."""
        return f"{self.took.total_seconds():.1f}"

    @property
    def width(self) -> int:
        """Give how wide the drawing of the days is."""
        return len(self.days) * SLOT

    @property
    def bars(self) -> list[dict[str, int]]:
        """Give where the bars of the days stand in the drawing, two for each."""
        most = max((number for day in self.days for number in (day.before, day.after)), default=0) or 1
        found = []
        for place, day in enumerate(self.days):
            before, after = round(day.before * HEIGHT / most), round(day.after * HEIGHT / most)
            x = place * SLOT + 12
            ends = {"before": before, "before_y": BOTTOM - before, "after": after, "after_y": BOTTOM - after}
            found.append({"x": x, "after_x": x + 30, **ends})
        return found


UNMATCHED = "unmatched"


def preview(draft: AlertDefinition, user: Any) -> Preview:
    """Replay the last week's alerts that a user may see with a draft; ``draft`` is never saved."""
    started = time.monotonic()
    since = timezone.now() - WEEK
    known = catalogue.current()
    with_draft = known.with_draft(draft)
    found = Preview(since)
    before, after = _Sum(), _Sum()
    for alert in _newest(concerned(draft, known, Alert.objects.visible_to(user), since)):
        if found.looked_at >= ROWS or time.monotonic() - started > SECONDS:
            found.complete = False
            found.since = alert.received_at
            break
        found.looked_at += 1
        _look(alert, draft, with_draft, before, after, found.examples)
    found.days = _days(before, after, found.since)
    found.lines = _lines(before, after)
    found.examples = sorted(found.examples, key=lambda one: not one.differs)[:EXAMPLES]
    found.took = timedelta(seconds=time.monotonic() - started)
    return found


class _Sum:
    """What is counted of one side."""

    def __init__(self) -> None:
        self.days: Counter[date] = Counter()
        self.severities: Counter[str] = Counter()
        self.problems: set[tuple[Any, str]] = set()

    def add(self, alert: Alert, severity: str, thing: str) -> None:
        self.days[timezone.localdate(alert.received_at)] += 1
        self.severities[severity] += 1
        if severity in PROBLEMS:
            self.problems.add((alert.component_id or alert.address, thing))


def _newest(alerts: Any) -> Iterator[Alert]:
    """Give alerts from the newest on, a few at a time."""
    before: int | None = None
    while True:
        rows = list(
            (alerts if before is None else alerts.filter(pk__lt=before))
            .select_related("component", "definition")
            .defer("datagram")
            .order_by("-pk")[:_CHUNK]
        )
        yield from rows
        if len(rows) < _CHUNK:
            return
        before = rows[-1].pk


def _look(
    alert: Alert,
    draft: AlertDefinition,
    known: catalogue.Catalogue,
    before: _Sum,
    after: _Sum,
    examples: list[Example],
) -> None:
    was_ours = draft.pk is not None and alert.definition_id == draft.pk and alert.matched
    meaning = interpret(known, alert.trap_oid, alert.enterprise, alert.bindings, alert.component)
    is_ours = meaning.definition is draft
    if was_ours:
        before.add(alert, alert.severity, alert.object)
    if is_ours:
        after.add(alert, meaning.severity, meaning.object)
    if not was_ours and not is_ours:
        return
    differing = sum(one.differs for one in examples)
    if len(examples) < EXAMPLES or differing < EXAMPLES:
        seen = Alert(received_at=alert.received_at)
        explain(seen, arrival_of(alert, alert.component, meaning.definition))
        was = alert.severity if alert.matched else UNMATCHED
        example = Example(alert, was, seen.severity if seen.matched else UNMATCHED, seen.title)
        if len(examples) < EXAMPLES or example.differs:
            examples.append(example)


def _days(before: _Sum, after: _Sum, since: datetime) -> list[Day]:
    first, last = timezone.localdate(since), timezone.localdate()
    span = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [Day(day, before.days[day], after.days[day]) for day in span]


def _lines(before: _Sum, after: _Sum) -> list[Line]:
    lines = [Line("alerts", before.severities.total(), after.severities.total())]
    lines += [
        Line("severity", before.severities[word], after.severities[word], word)
        for word in Severity.values
        if before.severities[word] or after.severities[word]
    ]
    return [*lines, Line("problems", len(before.problems), len(after.problems))]
