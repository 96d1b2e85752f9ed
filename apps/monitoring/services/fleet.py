"""Keeps what the whole fleet measured: a sample every five minutes, and hours and days out of the roll-ups.

The roll-ups hold all sensors of one interface; a page over ten thousand components would have to read one of each. Here
the same values stand turned round: one row holds one quantity of four thousand components.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np
from django.db.models import Max, Min
from django.utils import timezone
from numpy.typing import NDArray

from apps.components.models import ManagementInterface
from apps.components.services import identity
from apps.core import rows
from apps.core.writes import turn
from apps.monitoring import layouts, packing
from apps.monitoring.models import FleetQuantity, FleetSpan, FleetValues, LastValues
from apps.monitoring.packing import Numbers
from apps.monitoring.services.periods import Periods
from apps.monitoring.services.precedence import Rank, rank
from apps.monitoring.services.staleness import DECIDES_STALENESS, is_stale

PART = 4096  # components in one row
EVERY = 300  # seconds between two samples
DAY, WEEK = 86400, 7 * 86400  # seconds; weeks are counted since 1970

Table = NDArray[np.float64]  # (lines, sensors)


class Gatherer:
    """Takes the values of one interface after the other and writes those of the fleet."""

    def __init__(self) -> None:
        self._found: dict[FleetQuantity, dict[int, Table]] = defaultdict(dict)
        self._ranks: dict[tuple[FleetQuantity, int], Rank] = {}  # of those whose values these are

    def add(self, component_id: int, interface_id: int, driver: str, layout_id: int, table: Numbers) -> None:
        """Take (lines, sensors) of an interface. Where two of a component measure the same, precedence says whose."""
        is_controller = driver in identity.controllers()
        for quantity, line in of_device(layout_id, table).items():
            whole = quantity is not FleetQuantity.POWER or layouts.foremost_of(layout_id).metered
            mine = rank(quantity.value, interface_id, is_controller=is_controller, is_whole=whole)
            if mine <= self._ranks.get((quantity, component_id), mine):
                self._ranks[quantity, component_id] = mine
                self._found[quantity][component_id] = line

    def keep(self, quantity: FleetQuantity, component_id: int, line: Table) -> None:
        """Take the numbers of one component."""
        self._found[quantity][component_id] = line

    def write(self, span: FleetSpan, at: int) -> None:
        """Write them; doing it again changes nothing."""
        made = [
            (span.value, quantity.value, at, part, packing.pack_ids(ids), packing.pack(values))
            for quantity, lines in self._found.items()
            for part, ids, values in _parts(lines)
        ]
        with turn():
            rows.insert(
                FleetValues,
                ("span", "quantity", "at", "part", "components", "values"),
                made,
                "ON CONFLICT (span, quantity, at, part) DO UPDATE SET components = excluded.components,"
                ' "values" = excluded."values"',
            )


def _parts(lines: Mapping[int, Table]) -> Iterable[tuple[int, Sequence[int], Numbers]]:
    by_part: dict[int, list[int]] = defaultdict(list)
    for pk in sorted(lines):
        by_part[pk // PART].append(pk)
    for part, ids in by_part.items():
        yield part, ids, np.stack([lines[pk] for pk in ids], axis=1).reshape(-1)


def of_device(layout_id: int, table: Numbers) -> dict[FleetQuantity, Table]:
    """Give of (lines, sensors) what stands for the whole device, a number for each line; NaN is "not measured"."""
    chosen = layouts.foremost_of(layout_id)
    values = np.asarray(table, dtype=np.float64)
    found: dict[FleetQuantity, Table] = {}
    for quantity, place in (
        (FleetQuantity.CPU, chosen.cpu),
        (FleetQuantity.MEMORY, chosen.memory),
        (FleetQuantity.TEMPERATURE, chosen.temperature),
    ):
        if place is not None:
            found[quantity] = values[:, place]
    for quantity, places in ((FleetQuantity.DISK, chosen.disks), (FleetQuantity.TRAFFIC, chosen.traffic)):
        if places:
            found[quantity] = _highest(values[:, places])
    if chosen.powers:
        found[FleetQuantity.POWER] = _whole(values[:, chosen.powers])
    return {quantity: line for quantity, line in found.items() if not np.isnan(line[:3]).any()}


def _highest(part: Table) -> Table:
    highest: Table = np.where(np.isnan(part), -np.inf, part).max(axis=1)
    return np.where(np.isinf(highest), np.nan, highest)


def _whole(part: Table) -> Table:
    """Sum up; the number of values in the fourth line is that of the sensor that has most."""
    measured = ~np.isnan(part)
    total = np.where(measured.any(axis=1), np.where(measured, part, 0.0).sum(axis=1), np.nan)
    if len(part) == 4:
        total[3] = np.nanmax(part[3]) if measured[3].any() else 0.0
    return total


def sample(now: datetime | None = None) -> int:
    """Keep what is measured at the moment and not stale; gives how many interfaces had something."""
    now = now or timezone.now()
    periods = Periods.now()
    gatherer = Gatherer()
    count = 0
    last = (
        LastValues.objects.filter(interface__in=ManagementInterface.objects.managed())
        .select_related("interface__component")
        .only("layout_id", "values", *DECIDES_STALENESS)
    )
    for row in last.order_by("interface_id").iterator(500):
        if is_stale(row.interface, row.measured_at, periods, now):
            continue
        owner, values = row.interface, packing.unpack(row.values).reshape(1, -1)
        gatherer.add(owner.component_id, owner.pk, owner.driver, row.layout_id, values)
        count += 1
    seconds = int(now.timestamp())
    gatherer.write(FleetSpan.SAMPLE, (seconds - seconds % EVERY) * 1000)
    return count


def weeks_until() -> int:
    """Give up to which moment (ms) the weeks are complete; 0 when there are none."""
    last = FleetValues.objects.filter(span=FleetSpan.WEEK).aggregate(last=Max("at"))["last"]
    return 0 if last is None else last + WEEK * 1000


def roll_up_weeks(days_until: int) -> int:
    """Put the days that are complete (up to that moment, ms) into weeks; gives how many were done."""
    done = 0
    while True:
        days = FleetValues.objects.filter(span=FleetSpan.DAY, at__gte=weeks_until())
        first = days.aggregate(first=Min("at"))["first"]
        if first is None:
            return done
        start = first - first % (WEEK * 1000)
        if start + WEEK * 1000 > days_until:
            return done
        _week(start)
        done += 1


def _week(start: int) -> None:
    gatherer = Gatherer()
    for quantity in FleetQuantity:
        days = FleetValues.objects.filter(
            span=FleetSpan.DAY, quantity=quantity, at__gte=start, at__lt=start + WEEK * 1000
        )
        found: dict[int, list[Table]] = defaultdict(list)
        for packed_ids, packed in days.order_by("at").values_list("components", "values").iterator(50):
            lines = packing.unpack(packed).astype(np.float64).reshape(4, -1)
            for place, pk in enumerate(packing.unpack_ids(packed_ids).tolist()):
                found[pk].append(lines[:, place])
        for pk, lines_of in found.items():
            low, mean, high, count = np.stack(lines_of, axis=1)
            weighed = (mean * count).sum() / count.sum() if count.sum() else mean.mean()
            gatherer.keep(quantity, pk, np.array([low.min(), weighed, high.max(), count.sum()]))
    gatherer.write(FleetSpan.WEEK, start)
