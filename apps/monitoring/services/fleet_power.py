"""What many components draw together: now, on average and at most over a range, and on how many each sum stands.

A sum is never told alone: beside it stands how many of the components measure their power at all. What a UPS passes on,
the devices behind it measure once more: UPSs are not added. A component counts once, however many ways measure it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from django.db.models import Count, Exists, OuterRef, QuerySet, Sum
from numpy.typing import NDArray

from apps.components.models import Category, Component, ManagementInterface
from apps.monitoring.models import FleetQuantity
from apps.monitoring.packing import Ids
from apps.monitoring.services import fleet_history, staleness
from apps.monitoring.services.fleet_scope import FleetScope


@dataclass(frozen=True, slots=True)
class Together:
    """A sum in watts, None where nothing was measured, over ``measured`` of ``total`` components."""

    watts: float | None
    measured: int
    total: int

    @property
    def is_whole(self) -> bool:
        """Say whether nothing is missing in it."""
        return self.measured == self.total


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest sum of a range, and when it was; ``step`` is the seconds that it is the mean of."""

    together: Together
    at: datetime
    step: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """What some components draw now, and drew over a range."""

    now: Together
    mean: Together
    peak: Peak | None


def measured_lately() -> Exists:
    """Say whether any interface of a component answered lately: what it measured then is not stale."""
    answered = ManagementInterface.objects.filter(
        component=OuterRef("pk"), last_answer_at__gte=staleness.stale_before()
    )
    return Exists(answered)


def now(components: "QuerySet[Component]") -> Together:
    """Sum up what was measured lately."""
    drawing = components.exclude(category=Category.UPS).order_by()
    known = drawing.filter(measured_lately(), power__isnull=False).aggregate(watts=Sum("power"), measured=Count("pk"))
    return Together(known["watts"], known["measured"], drawing.count())


def over(components: "QuerySet[Component]", start: datetime, end: datetime) -> Drawn:
    """Give what they draw now and drew over a range."""
    drawing = components.exclude(category=Category.UPS).order_by("pk")
    ids = fleet_history.chosen(list(drawing.values_list("pk", flat=True)))
    (line,) = _history(ids, np.zeros(len(ids), dtype=np.int64), 1, start, end)
    return Drawn(now(components), *line)


def by_line(scope: FleetScope, line_of: NDArray[np.int64], lines: int, start: datetime, end: datetime) -> list[Drawn]:
    """Give the same for each line of a table, and for all together at the end; ``line_of`` is by the scope's rows."""
    drawing = np.array([category != Category.UPS for _pk, _group, category in scope.rows], dtype=bool)
    places = line_of[drawing]
    found = _history(scope.drawing, places, lines, start, end, whole=True)
    watts, measured = np.zeros(lines), np.zeros(lines, dtype=np.int64)
    line_of_group = dict(zip(scope.groups.tolist(), line_of.tolist(), strict=True))
    rows = scope.components.exclude(category=Category.UPS).filter(measured_lately(), power__isnull=False).order_by()
    for group, total, number in rows.values_list("group").annotate(watts=Sum("power"), number=Count("pk")):
        if group in line_of_group:  # else it was registered a moment ago
            watts[line_of_group[group]] += total
            measured[line_of_group[group]] += number
    sizes = np.bincount(places, minlength=lines)
    present = [
        Together(float(w) if m else None, int(m), int(s)) for w, m, s in zip(watts, measured, sizes, strict=True)
    ]
    everything = int(measured.sum())
    present.append(Together(float(watts.sum()) if everything else None, everything, len(places)))
    return [Drawn(one, *history) for one, history in zip(present, found, strict=True)]


def _history(
    ids: Ids, line_of: NDArray[np.int64], lines: int, start: datetime, end: datetime, *, whole: bool = False
) -> list[tuple[Together, Peak | None]]:
    """Give mean and peak of each line, and of all together where the whole is asked for."""
    sums = fleet_history.sums(FleetQuantity.POWER, ids, line_of, lines, start, end)
    sizes = [*np.bincount(line_of, minlength=lines).tolist(), len(ids)]
    told = []
    for place in range(lines + 1 if whole else lines):
        size, moment = int(sizes[place]), int(sums.at[place])
        count = int(sums.known[place])
        mean = Together(float(sums.mean[place]) if count else None, count, size)
        peak = None
        if moment:
            highest = Together(float(sums.peak[place]), int(sums.measured[place]), size)
            peak = Peak(highest, datetime.fromtimestamp(moment / 1000, UTC), int(sums.step[place]))
        told.append((mean, peak))
    return told
