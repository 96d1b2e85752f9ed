"""Who is highest in what over a range of time, when disks will be full, and what each group needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from apps.components.models import Component
from apps.drivers.contract import Quantity
from apps.monitoring.models import FleetQuantity, Sensor
from apps.monitoring.services import fleet_history, history, trends
from apps.monitoring.services.fleet_history import Totals
from apps.monitoring.services.fleet_scope import FleetScope
from apps.monitoring.services.readings import SensorView, latest_of
from apps.monitoring.services.trends import Forecast, forecast

TOP = 10
PORTS_LOOKED_AT = 2  # times as many components as are listed: their busiest ports are read one by one


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list: whose value, what exactly, its mean and highest over the range."""

    component: Component
    sensor: SensorView | Sensor | None
    mean: float
    highest: float
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class TopLists:
    """The lists of the page, the highest first; of disks also those that will be full first."""

    cpu: list[Entry]
    memory: list[Entry]
    disks: list[Entry]
    filling: list[Entry]
    ports: list[Entry]


@dataclass(frozen=True, slots=True)
class GroupLine:
    """What the components of one group had over the range; None is "not measured"."""

    pk: int
    name: str
    total: int
    means: Mapping[str, float | None]  # by quantity; of power the sum
    highest: Mapping[str, float | None]
    own: bool = False  # the components that stand in the chosen group itself


def read(scope: FleetScope, start: datetime, end: datetime) -> dict[FleetQuantity, Totals]:
    """Read what everything else here is made from, once."""
    return {
        quantity: fleet_history.totals(
            quantity, scope.drawing if quantity in fleet_history.SUMMED else scope.ids, start, end
        )
        for quantity in FleetQuantity
    }


def top_lists(found: Mapping[FleetQuantity, Totals], start: datetime, end: datetime) -> TopLists:
    """Give the lists over the components of a scope."""
    cpu, memory, disk, traffic = (
        found[quantity]
        for quantity in (FleetQuantity.CPU, FleetQuantity.MEMORY, FleetQuantity.DISK, FleetQuantity.TRAFFIC)
    )
    fullest, filling, busiest = disk.highest(TOP), _filling(disk), traffic.highest(TOP * PORTS_LOOKED_AT)
    ranked = ((cpu, cpu.highest(TOP)), (memory, memory.highest(TOP)), (disk, fullest + filling), (traffic, busiest))
    components = Component.objects.in_bulk({int(of.ids[place]) for of, places in ranked for place in places})
    views = latest_of({int(disk.ids[place]) for place in [*fullest, *filling]})

    def entries(of: Totals, places: Sequence[int], *, disks: bool = False) -> list[Entry]:
        listed = [(components.get(int(of.ids[place])), place) for place in places]
        return [
            Entry(
                one,
                _fullest(views.get(one.pk, [])) if disks else None,
                float(of.mean[place]),
                float(of.high[place]),
                forecast(of.fits.of(place)) if disks else None,
            )
            for one, place in listed
            if one is not None
        ]

    return TopLists(
        cpu=entries(cpu, cpu.highest(TOP)),
        memory=entries(memory, memory.highest(TOP)),
        disks=entries(disk, fullest, disks=True),
        filling=entries(disk, filling, disks=True),
        ports=_ports(entries(traffic, busiest), start, end),
    )


def _filling(disk: Totals) -> list[int]:
    """Give the places of those that will be full first."""
    growing = np.flatnonzero((disk.fits.per_day > 0) & (disk.fits.share >= trends.GOOD))
    told = [(forecast(disk.fits.of(int(place))).days, int(place)) for place in growing]
    return [place for _days, place in sorted((days, place) for days, place in told if days is not None)[:TOP]]


def _fullest(views: Sequence[SensorView]) -> SensorView | None:
    disks = [view for view in views if view.kind is Quantity.STORAGE and view.value is not None]
    limited = [view for view in disks if view.limits_source is not None] or disks
    return max(limited, key=lambda view: view.value or 0.0, default=None)


def _ports(candidates: Sequence[Entry], start: datetime, end: datetime) -> list[Entry]:
    """Read the ports of the components whose busiest port is busiest: what one carried alone is not more than that."""
    if not candidates:
        return []
    owners = {entry.component.pk: entry.component for entry in candidates}
    sensors = list(
        Sensor.objects.filter(interface__component__in=owners, quantity=Quantity.TRAFFIC, gone_at=None)
        .select_related("interface__component")
        .order_by("pk")
    )
    measured = history.summaries(sensors, start, end)
    found = [
        Entry(owners[sensor.interface.component_id], sensor, measured[sensor.pk].mean, measured[sensor.pk].high)
        for sensor in sensors
        if sensor.pk in measured
    ]
    return sorted(found, key=lambda entry: -entry.mean)[:TOP]


@dataclass(frozen=True, slots=True)
class GroupLines:
    """The lines of a table by group: the groups right below the chosen one, and what stands in it directly, last."""

    groups: list[int]
    line_of: NDArray[np.int64]  # by the rows of the scope
    sizes: NDArray[np.int64]


def lines_of(scope: FleetScope) -> GroupLines:
    """Lay the components of a scope out in lines."""
    tree = scope.tree
    tops = tree.children[scope.group] if scope.group is not None else tree.children[None]
    if scope.group is None and tree.whole:
        tops = tree.children[tree.root]
    belongs: dict[int, int] = {below: top for top in tops for below in tree.subtree(top)}
    chosen = scope.group if scope.group is not None else (tree.root if tree.whole else 0)
    lines = [*tops, chosen]
    line_of = np.array([lines.index(belongs.get(int(group), chosen)) for group in scope.groups], dtype=np.int64)
    return GroupLines(lines, line_of, np.bincount(line_of, minlength=len(lines)))


def by_group(scope: FleetScope, found: Mapping[FleetQuantity, Totals], laid_out: GroupLines) -> list[GroupLine]:
    """Give what the components of each line had over the range."""
    tree, lines, line_of, sizes = scope.tree, laid_out.groups, laid_out.line_of, laid_out.sizes
    means: dict[str, list[float | None]] = {}
    highest: dict[str, list[float | None]] = {}
    for quantity, totals in found.items():
        places = line_of[np.isin(scope.ids, totals.ids)]
        summed = quantity in fleet_history.SUMMED
        means[quantity], highest[quantity] = _over(totals, places, len(lines), summed=summed)
    return [
        GroupLine(
            pk,
            tree.names.get(pk, ""),
            int(sizes[at]),
            {name: values[at] for name, values in means.items()},
            {name: values[at] for name, values in highest.items()},
            own=at == len(lines) - 1,
        )
        for at, pk in enumerate(lines)
        if sizes[at]
    ]


def _over(
    found: Totals, line_of: NDArray[np.int64], size: int, *, summed: bool
) -> tuple[list[float | None], list[float | None]]:
    """Put the components of each line together: the mean of their means, or the sum, and the highest of all."""
    known = ~np.isnan(found.mean)
    count = np.bincount(line_of[known], minlength=size)
    total = np.bincount(line_of[known], weights=found.mean[known], minlength=size)
    high = np.full(size, -np.inf)
    np.maximum.at(high, line_of[known], found.high[known])
    means = [None if not n else float(t) if summed else float(t / n) for t, n in zip(total, count, strict=True)]
    return means, [None if not n else float(h) for h, n in zip(high, count, strict=True)]
