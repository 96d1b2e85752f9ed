"""What the component's page shows of monitoring, as typed values for its templates."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.components.extensions import Figure
from apps.components.models import Category, Component
from apps.components.pages.look import Look
from apps.drivers.contract import WORST_FIRST, PortState, Quantity, Status
from apps.monitoring.courses import Course, courses
from apps.monitoring.foremost import meter_among
from apps.monitoring.models import Liveness
from apps.monitoring.panels.parts import port_reports_of
from apps.monitoring.services import liveness, readings
from apps.monitoring.services.readings import SensorView
from apps.monitoring.windows import RANGES, USUAL

LABELS: dict[Quantity, Promise | str] = {
    Quantity.CPU: _("Processors"),
    Quantity.MEMORY: _("Memory"),
    Quantity.STORAGE: _("Storage"),
    Quantity.TEMPERATURE: _("Temperatures"),
    Quantity.HUMIDITY: _("Humidity"),
    Quantity.FAN: _("Fans"),
    Quantity.POWER: _("Power"),
    Quantity.VOLTAGE: _("Voltages"),
    Quantity.CURRENT: _("Currents"),
    Quantity.FREQUENCY: _("Frequencies"),
    Quantity.CHARGE: _("Battery charge"),
    Quantity.RUNTIME: _("Battery runtime"),
    Quantity.TRAFFIC: _("Traffic"),
    Quantity.ERRORS: _("Errors and discards"),
    Quantity.LOAD: _("Load"),
    Quantity.PROCESSES: _("Processes"),
    Quantity.LATENCY: _("Round trip"),
    Quantity.CHARGE: _("Battery charge"),
    Quantity.RUNTIME: _("Battery runtime"),
    Quantity.VOLTAGE: _("Voltages"),
    Quantity.CURRENT: _("Currents"),
    Quantity.FREQUENCY: _("Frequencies"),
    Quantity.FAN: _("Fans"),
    Quantity.HUMIDITY: _("Humidity"),
    Quantity.UPTIME: _("Uptime"),
    Quantity.OTHER: _("Others"),
}
LARGE: dict[Quantity, Promise | str] = {
    Quantity.CPU: _("CPU"),
    Quantity.MEMORY: _("Memory"),
    Quantity.STORAGE: _("Fullest disk"),
    Quantity.CHARGE: _("Battery charge"),
    Quantity.RUNTIME: _("Battery runtime"),
    Quantity.TEMPERATURE: _("Temperature"),
    Quantity.CHARGE: _("Battery charge"),
    Quantity.RUNTIME: _("Battery runtime"),
    Quantity.POWER: _("Power"),
    Quantity.LATENCY: _("Round trip"),
}
ALWAYS = (Quantity.CPU, Quantity.MEMORY, Quantity.STORAGE)  # told as not measured, too
TREND = timedelta(hours=6)
FIRST_SENSORS, CHARTS = 10, 4


@dataclass(frozen=True, slots=True)
class SensorRow:
    """One line of a sensor table."""

    view: SensorView
    course: Course

    @property
    def is_span(self) -> bool:
        """Say whether the value is a length of time that reads better in days and hours."""
        return self.view.unit == "s"

    @property
    def mark(self) -> float | None:
        """Give the limit that the drawing of its course shows."""
        return self.view.limits.upper_warning


@dataclass(frozen=True, slots=True)
class SensorGroup:
    """The sensors of one quantity, worst first."""

    kind: Quantity
    label: Promise | str
    rows: Sequence[SensorRow]


@dataclass(frozen=True, slots=True)
class SensorPanel:
    """Sensors of a component; ``groups`` may be a part of all."""

    groups: Sequence[SensorGroup]
    total: int
    out_of_range: int
    stale_since: datetime | None  # when the oldest stale value was measured
    may_set: bool
    chosen: int | None = None


@dataclass(frozen=True, slots=True)
class AddressView:
    """Whether an address answers ping."""

    address: str
    answers: bool
    since: datetime
    access_lost_at: datetime | None
    stale: bool  # the sweeps stand still


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: where its values come from and what it is called."""

    url: str
    title: str
    kind: Promise | str


@dataclass(frozen=True, slots=True)
class Charts:
    """Some charts over one range."""

    charts: Sequence[Chart]
    ranges: Sequence[tuple[str, Promise | str, bool]]
    chosen: SensorView | None = None


# --- sensors -------------------------------------------------------------------------------------------------------


def views(look: Look) -> list[SensorView]:
    """Give what the sensors measured last, read once for the page."""
    return look.once("sensors", lambda: readings.latest(look.component))


def _trends(look: Look) -> dict[tuple[int, str], Course]:
    since = timezone.now() - TREND
    return look.once("courses", lambda: courses({view.interface_id for view in views(look)}, since))


def course_of(look: Look, view: SensorView) -> Course:
    """Give the values of a sensor over the last hours, for the small drawing beside it."""
    return _trends(look).get((view.interface_id, view.key), [])


def _by_rank(view: SensorView) -> int:
    return WORST_FIRST[view.status]


def _row(look: Look, view: SensorView) -> SensorRow:
    return SensorRow(view, course_of(look, view))


def _panel(look: Look, groups: Sequence[SensorGroup], chosen: int | None = None) -> SensorPanel:
    found = views(look)
    return SensorPanel(
        groups=groups,
        total=len(found),
        out_of_range=sum(WORST_FIRST[view.status] < WORST_FIRST[Status.UNKNOWN] for view in found),
        stale_since=min((view.measured_at for view in found if view.stale), default=None),
        may_set=look.may("components"),
        chosen=chosen,
    )


def all_sensors(look: Look) -> SensorPanel:
    """Give the sensors by quantity, worst first in each."""
    by_kind: dict[Quantity, list[SensorView]] = defaultdict(list)
    for view in views(look):
        by_kind[view.kind].append(view)
    groups = [
        SensorGroup(kind, label, [_row(look, view) for view in sorted(by_kind[kind], key=_by_rank)])
        for kind, label in LABELS.items()
        if kind in by_kind
    ]
    chosen = _chosen(look)
    return _panel(look, groups, chosen.id if chosen else None)


def first_sensors(look: Look) -> SensorPanel:
    """Give the sensors that say most: what is out of range, then one after the other of every quantity."""
    taken: dict[Quantity, int] = defaultdict(int)
    places = []
    for view in views(look):
        taken[view.kind] += 1
        limited = view.limits_source is None
        places.append((_by_rank(view), limited, taken[view.kind], list(LABELS).index(view.kind), view))
    places.sort(key=lambda place: place[:4])
    rows = [_row(look, place[4]) for place in places[:FIRST_SENSORS]]
    return _panel(look, [SensorGroup(Quantity.OTHER, "", rows)] if rows else [])


def disks(look: Look) -> SensorPanel | None:
    """Give the disks, the fullest first; None where there are none."""
    found = [view for view in views(look) if view.kind is Quantity.STORAGE]
    found.sort(key=lambda view: -(view.value if view.value is not None else -1.0))
    if not found:
        return None
    return _panel(look, [SensorGroup(Quantity.STORAGE, LABELS[Quantity.STORAGE], [_row(look, v) for v in found])])


def count_disks(look: Look) -> int:
    """Give how many disks there are, for the tab."""
    return sum(view.kind is Quantity.STORAGE for view in views(look))


def has_disks(look: Look) -> bool:
    """Say whether there is any disk."""
    return count_disks(look) > 0


def count_sensors(look: Look) -> int:
    """Give how many sensors there are, for the tab."""
    return len(views(look))


def figures(look: Look) -> list[Figure]:
    """Give what the page shows large: of each quantity the sensor that says most, or that nothing was measured."""
    found = {kind: [view for view in views(look) if view.kind is kind] for kind in LARGE}
    never = not views(look) and look.component.category not in (Category.ALERT_ONLY, Category.UPS)
    told = []
    for kind, label in LARGE.items():
        if found[kind]:
            told.append(_figure(label, _foremost(kind, found[kind])))
        elif never and kind in ALWAYS:
            told.append(Figure(label, None, "%"))
    return told


def _figure(label: Promise | str, view: SensorView) -> Figure:
    bad = WORST_FIRST[view.status] < WORST_FIRST[Status.UNKNOWN]
    note = view.label if view.kind is Quantity.STORAGE else ""
    return Figure(label, view.value, view.unit, view.status.value if bad else "", note, view.stale, view.measured_at)


def _foremost(kind: Quantity, found: Sequence[SensorView]) -> SensorView:
    """The fullest disk that has limits, the meter of all power; elsewhere the first one listed, which is the whole."""
    if kind is Quantity.STORAGE:
        limited = [view for view in found if view.limits_source is not None] or found
        return max(limited, key=lambda view: view.value if view.value is not None else -1.0)
    if kind is Quantity.POWER:
        return found[meter_among([(view.key, view.name) for view in found]) or 0]
    return found[0]


# --- charts --------------------------------------------------------------------------------------------------------


def overview_charts(look: Look) -> Charts | None:
    """Give the charts of the overview; None before anything was measured."""
    shown = telling(look)
    return _charts(look, shown[:CHARTS]) if shown else None


def telling(look: Look) -> list[SensorView]:
    """Give the one sensor of each quantity that says most of the component."""
    found = views(look)
    shown: list[SensorView] = []
    for kind in (Quantity.CPU, Quantity.MEMORY, Quantity.STORAGE, Quantity.TRAFFIC, *LARGE):
        of_kind = [view for view in found if view.kind is kind]
        if of_kind and kind not in {view.kind for view in shown}:
            shown.append(_busiest(look, of_kind) if kind is Quantity.TRAFFIC else _foremost(kind, of_kind))
    return shown


def _busiest(look: Look, traffic: Sequence[SensorView]) -> SensorView:
    """Give the traffic of the port that carries most; one that is up comes first, also while nothing flows."""
    up = {
        (report.interface_id, port.name)
        for report in port_reports_of(look)
        for port in report.ports
        if port.state is PortState.UP
    }

    def rank(view: SensorView) -> tuple[bool, float]:
        port = view.name.rpartition(" ")[0]  # the sensor is called after its port and the direction
        return (view.interface_id, port) in up, view.value or 0.0

    return max(traffic, key=rank)


def sensor_chart(look: Look) -> Charts | None:
    """Give the chart of the sensor that the address names, else of the first one."""
    chosen = _chosen(look)
    return _charts(look, [chosen], chosen) if chosen else None


def _chosen(look: Look) -> SensorView | None:
    wanted = look.request.GET.get("sensor", "")
    found = views(look)
    return next((view for view in found if str(view.id) == wanted), found[0] if found else None)


def _charts(look: Look, shown: Sequence[SensorView], chosen: SensorView | None = None) -> Charts:
    asked = look.request.GET.get("range", "")
    word = asked if asked in RANGES else USUAL
    return Charts(
        [
            Chart(
                f"{reverse('monitoring:chart', args=[look.component.pk, view.id])}?range={word}",
                view.label,
                LABELS[view.kind],
            )
            for view in shown
        ],
        [(name, label, name == word) for name, (label, _length) in RANGES.items()],
        chosen,
    )


# --- addresses -----------------------------------------------------------------------------------------------------


def addresses(component: Component) -> list[AddressView]:
    """Give the addresses that are pinged."""
    stale = not liveness.is_current()
    rows = Liveness.objects.filter(component=component).order_by("pk")
    return [AddressView(row.address, row.answers, row.since, row.access_lost_at, stale) for row in rows]


def pinged(look: Look) -> list[AddressView] | None:
    """Give the addresses that are pinged; None before the first sweep."""
    return addresses(look.component) or None
