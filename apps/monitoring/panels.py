"""What the component's page shows of monitoring, as typed values for its templates."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.components.extensions import Figure
from apps.components.models import Component
from apps.components.pages.look import Look
from apps.drivers.contract import Limits, PortState, Quantity, Status
from apps.monitoring.models import Liveness
from apps.monitoring.services import liveness, readings
from apps.monitoring.services.readings import PortsView, SensorView

LABELS: dict[Quantity, Promise | str] = {
    Quantity.CPU: _("Processors"),
    Quantity.MEMORY: _("Memory"),
    Quantity.STORAGE: _("Storage"),
    Quantity.TEMPERATURE: _("Temperatures"),
    Quantity.POWER: _("Power"),
    Quantity.TRAFFIC: _("Traffic"),
    Quantity.ERRORS: _("Errors and discards"),
    Quantity.LOAD: _("Load"),
    Quantity.PROCESSES: _("Processes"),
    Quantity.LATENCY: _("Round trip"),
    Quantity.UPTIME: _("Uptime"),
    Quantity.OTHER: _("Others"),
}
_CHARTED = (Quantity.CPU, Quantity.MEMORY, Quantity.STORAGE, Quantity.TRAFFIC, Quantity.TEMPERATURE, Quantity.POWER,
            Quantity.LATENCY)  # fmt: skip
_RANK = {Status.CRITICAL: 0, Status.WARNING: 1, Status.UNKNOWN: 2, Status.NORMAL: 3}


@dataclass(frozen=True, slots=True)
class SensorGroup:
    """The sensors of one quantity, worst first."""

    kind: Quantity
    label: Promise | str
    sensors: Sequence[SensorView]


@dataclass(frozen=True, slots=True)
class SensorPanel:
    """All sensors of a component."""

    groups: Sequence[SensorGroup]
    total: int
    out_of_range: int
    measured_at: datetime | None  # of the oldest
    stale: bool  # any of them

    @property
    def worst(self) -> list[SensorView]:
        """Give the sensors that are out of range, worst first."""
        found = [view for group in self.groups for view in group.sensors if _RANK[view.status] < _RANK[Status.UNKNOWN]]
        return sorted(found, key=_by_rank)


@dataclass(frozen=True, slots=True)
class Tile:
    """One value that a page shows large, with the sensor behind it."""

    kind: Quantity
    label: Promise | str
    sensor: SensorView


@dataclass(frozen=True, slots=True)
class PortPanel:
    """The network ports of a component."""

    reports: Sequence[PortsView]
    up: int
    down: int
    total: int


@dataclass(frozen=True, slots=True)
class AddressView:
    """Whether an address answers ping."""

    address: str
    answers: bool
    since: datetime
    access_lost_at: datetime | None
    stale: bool  # the sweeps stand still


@dataclass(frozen=True, slots=True)
class Position:
    """Where a value lies between the ends of a small scale, and where its limits lie; all from 0 to 100."""

    value: float
    lower_critical: float | None
    lower_warning: float | None
    upper_warning: float | None
    upper_critical: float | None


def _by_rank(view: SensorView) -> int:
    return _RANK[view.status]


def sensor_panel(component: Component) -> SensorPanel | None:
    """Give the sensors by quantity; None when the component has none."""
    views = readings.latest(component)
    if not views:
        return None
    by_kind: dict[Quantity, list[SensorView]] = defaultdict(list)
    for view in views:
        by_kind[view.kind].append(view)
    return SensorPanel(
        groups=[
            SensorGroup(kind, label, sorted(by_kind[kind], key=_by_rank))
            for kind, label in LABELS.items()
            if kind in by_kind
        ],
        total=len(views),
        out_of_range=sum(_RANK[view.status] < _RANK[Status.UNKNOWN] for view in views),
        measured_at=min(view.measured_at for view in views),
        stale=any(view.stale for view in views),
    )


def tiles(panel: SensorPanel) -> list[Tile]:
    """Give what a page shows large: of each charted quantity the sensor that says most."""
    found = []
    groups = {group.kind: group for group in panel.groups}
    for kind in _CHARTED:
        group = groups.get(kind)
        if group is not None and kind is not Quantity.TRAFFIC:
            found.append(Tile(kind, group.label, _foremost(group)))
    return found


def _foremost(group: SensorGroup) -> SensorView:
    """The fullest disk that has limits; elsewhere the first that the device lists, which is the whole."""
    listed = sorted(group.sensors, key=lambda view: view.id)
    if group.kind is Quantity.STORAGE:
        limited = [view for view in listed if view.limits_source is not None] or listed
        return max(limited, key=lambda view: view.value if view.value is not None else -1.0)
    return listed[0]


def charts(panel: SensorPanel) -> list[SensorGroup]:
    """Give the sensors that are worth a chart, by quantity: at most six each, the busiest ports first."""
    found = []
    for group in panel.groups:
        if group.kind in _CHARTED:
            ordered = sorted(group.sensors, key=lambda view: view.id)
            if group.kind is Quantity.TRAFFIC:
                ordered = sorted(ordered, key=lambda view: -(view.value or 0.0))
            found.append(SensorGroup(group.kind, group.label, ordered[:6]))
    return sorted(found, key=lambda group: _CHARTED.index(group.kind))


def read_sensors(look: Look) -> SensorPanel | None:
    """Give the sensors for one look at a page, however many panels show some of them."""
    return look.once("monitoring.sensors", lambda: sensor_panel(look.component))


def figures(look: Look) -> list[Figure]:
    """Give the strip of values at the top of a component's overview."""
    panel = read_sensors(look)
    return [
        Figure(
            label=tile.label,
            value=tile.sensor.value,
            unit=tile.sensor.unit,
            state=tile.sensor.status if _RANK[tile.sensor.status] < _RANK[Status.UNKNOWN] else "",
            note=tile.sensor.name,
            stale=tile.sensor.stale,
            measured_at=tile.sensor.measured_at,
        )
        for tile in (tiles(panel) if panel is not None else ())
    ]


def port_panel(component: Component) -> PortPanel | None:
    """Give the ports; None when no interface reported any."""
    reports = [report for report in readings.ports(component) if report.ports]
    if not reports:
        return None
    states = [port.state for report in reports for port in report.ports]
    return PortPanel(reports, states.count(PortState.UP), states.count(PortState.DOWN), len(states))


def addresses(component: Component) -> list[AddressView]:
    """Give the addresses that are pinged."""
    stale = not liveness.is_current()
    rows = Liveness.objects.filter(component=component).order_by("pk")
    return [AddressView(row.address, row.answers, row.since, row.access_lost_at, stale) for row in rows]


def position(view: SensorView) -> Position | None:
    """Give where a value lies on a scale that shows it and all its limits; None without value or limits."""
    if view.value is None or view.limits_source is None:
        return None
    limits = view.limits
    given = [limit for limit in _four(limits) if limit is not None]
    if not given:
        return None
    low = min(0.0, view.value, *given)
    high = max(100.0 if view.unit == "%" else 0.0, view.value, max(given) + 0.15 * (max(given) - low))
    span = (high - low) or 1.0

    def place(number: float | None) -> float | None:
        return None if number is None else round(100 * (number - low) / span, 1)

    return Position(place(view.value) or 0.0, *(place(limit) for limit in _four(limits)))


def _four(limits: Limits) -> tuple[float | None, ...]:
    return limits.lower_critical, limits.lower_warning, limits.upper_warning, limits.upper_critical
