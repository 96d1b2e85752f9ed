"""The fleet cut into groups, with a cell for every component, coloured by status or by a quantity.

A cell is drawn for each component as long as a page can carry them; a larger fleet shows those that stand out: the ones
that are not normal, or those with the highest values.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache

from django.db.models import Case, CharField, Count, F, Max, QuerySet, Value, When
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from apps.components.models import Component, Status
from apps.groups.models import Tree
from apps.monitoring.services.fleet_power import measured_lately
from apps.portal import phrasing
from apps.portal.dashboard.scales import NONE, OLD, SCALES, STATUS, Scale
from apps.portal.dashboard.strip import Share, state_of
from apps.portal.phrasing import STATES, word_of

CELLS = 1500  # a page with more cells is slow to draw and says no more
HIGHEST, FEWEST = 800, 10  # the highest values of a large fleet that are drawn, and of one group at least
EXCEPTIONS = 60  # cells of one group once only those that stand out are drawn


@dataclass(frozen=True, slots=True)
class Cell:
    """One component as the map shows it: its class, and what its colour means in words."""

    pk: int
    name: str
    css: str
    words: str


@dataclass(slots=True)
class Cluster:
    """One group of the map; ``counts`` are by state, or by step of the scale."""

    pk: int
    name: str
    counts: dict[str, int] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    highest: float | None = None

    def add(self, what: str, number: int = 1) -> None:
        """Count components of a state or step."""
        self.counts[what] = self.counts.get(what, 0) + number

    @property
    def total(self) -> int:
        """Give how many components stand in it."""
        return sum(self.counts.values())

    @property
    def url(self) -> str:
        """Give the list of what stands in it."""
        return f"{reverse('components:list')}?group={self.pk}"

    @property
    def drawn(self) -> SafeString:
        """Draw its cells; built by hand, because a template needs ten times as long for a thousand of them."""
        base = reverse("components:component", args=[0])[:-2]
        parts = []
        for index, cell in enumerate(self.cells):
            label = f"{escape(cell.name)} — {escape(cell.words)}"
            parts.append(
                f'<a class="{cell.css}" href="{base}{cell.pk}/" tabindex="{-1 if index else 0}" '
                f'aria-label="{label}" title="{label}"></a>'
            )
        return mark_safe("".join(parts))  # noqa: S308 - every text in it is escaped above


@dataclass(frozen=True, slots=True)
class Mark:
    """One entry of the legend: a state, or a step with the class of its cells, and how many have it."""

    words: str
    count: int
    state: str = ""
    css: str = ""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The map with its legend."""

    clusters: list[Cluster]
    legend: list[Mark]
    colours: str
    label: Promise | str
    unit: str
    only_exceptions: bool
    measured: int | None  # how many components have a value; None where it shows the status


def heat_map(
    components: "QuerySet[Component]", tree: Tree, shares: Collection[Share], total: int, colours: str
) -> HeatMap:
    """Draw a fleet of so many components, whose shares by state are known."""
    clusters = {pk: Cluster(pk, tree.path_name(pk)) for pk in tree.parents}
    rows = components.order_by()
    large = total > CELLS
    if colours == STATUS and large:
        _many_states(rows, shares, clusters)
    elif colours == STATUS:
        _each_state(rows, clusters)
    else:
        (_many_values if large else _each_value)(rows, clusters, SCALES[colours])
    shown = [clusters[pk] for pk in tree.ordered() if clusters[pk].total]
    counts: dict[str, int] = {}
    for cluster in shown:
        for what, number in cluster.counts.items():
            counts[what] = counts.get(what, 0) + number
    if colours == STATUS:
        legend = [Mark(word_of(state), counts.get(state, 0), state) for state in (*Status.values, "suspended")]
        return HeatMap(shown, legend, colours, _("Status"), "", large, None)
    scale = SCALES[colours]
    measured = sum(number for what, number in counts.items() if what not in {NONE, OLD})
    return HeatMap(shown, _steps(scale, counts), colours, scale.label, scale.unit, large, measured)


def _steps(scale: Scale, counts: dict[str, int]) -> list[Mark]:
    marks = [Mark(scale.words(step), counts.get(str(step), 0), css=f"h{step}") for step in scale.steps]
    marks.append(Mark(_("not measured"), counts.get(NONE, 0), css="h0"))
    if counts.get(OLD):
        marks.append(Mark(_("stale"), counts[OLD], css="hx"))
    return marks


# --- by status -----------------------------------------------------------------------------------------------------


def _each_state(rows: "QuerySet[Component]", clusters: dict[int, Cluster]) -> None:
    words = {state: word_of(state) for state in STATES}
    values = rows.order_by("name").values_list("group", "pk", "name", "status", "suspended", "unmanaged")
    for group, pk, name, status, suspended, unmanaged in values:
        state = state_of(status, suspended, unmanaged)
        clusters[group].add(state)
        clusters[group].cells.append(Cell(pk, name, f"st-{STATES[state].code}", words[state]))


def _many_states(rows: "QuerySet[Component]", shares: Iterable[Share], clusters: dict[int, Cluster]) -> None:
    for share in shares:
        clusters[share.group].add(share.state, share.number)
    words = {state: word_of(state) for state in STATES}
    bad = rows.filter(suspended=False, unmanaged=False).exclude(status=Status.NORMAL)
    for group, pk, name, status in bad.values_list("group", "pk", "name", "status")[: CELLS * 2]:
        if len(clusters[group].cells) < EXCEPTIONS:
            clusters[group].cells.append(Cell(pk, name, f"st-{STATES[status].code}", words[status]))


# --- by a quantity ---------------------------------------------------------------------------------------------------


def _each_value(rows: "QuerySet[Component]", clusters: dict[int, Cluster], scale: Scale) -> None:
    written = cache(lambda value: phrasing.quantity(value, scale.unit))
    nothing, stale = _("not measured"), _("%(value)s, stale")
    values = (
        rows.annotate(fresh=measured_lately())
        .order_by("name")
        .values_list("group", "pk", "name", scale.column, "fresh")
    )
    for group, pk, name, value, fresh in values:
        cluster = clusters[group]
        if value is None:
            cluster.add(NONE)
            cluster.cells.append(Cell(pk, name, "h0", nothing))
        elif not fresh:
            cluster.add(OLD)
            cluster.cells.append(Cell(pk, name, "hx", stale % {"value": written(value)}))
        else:
            cluster.add(str(scale.step(value)))
            cluster.cells.append(Cell(pk, name, f"h{scale.step(value)}", written(value)))
            cluster.highest = value if cluster.highest is None else max(cluster.highest, value)


def _many_values(rows: "QuerySet[Component]", clusters: dict[int, Cluster], scale: Scale) -> None:
    column = scale.column
    step = Case(
        When(**{f"{column}__isnull": True}, then=Value(NONE)),
        When(~measured_lately(), then=Value(OLD)),
        *(When(**{f"{column}__lt": bound}, then=Value(str(number))) for number, bound in enumerate(scale.bounds, 1)),
        default=Value(str(len(scale.bounds) + 1)),
        output_field=CharField(),
    )
    numbers = rows.annotate(step=step).values_list("group", "step").annotate(number=Count("pk"), highest=Max(column))
    for group, what, number, highest in numbers:
        cluster = clusters[group]
        cluster.add(what, number)
        if what not in {NONE, OLD}:
            cluster.highest = highest if cluster.highest is None else max(cluster.highest, highest)
    written = cache(lambda value: phrasing.quantity(value, scale.unit))
    high = rows.filter(measured_lately(), **{f"{column}__gte": scale.high}).order_by(F(column).desc(), "pk")
    most = max(FEWEST, HIGHEST // max(1, len(clusters)))
    for group, pk, name, value in high.values_list("group", "pk", "name", column)[: CELLS * 2]:
        if len(clusters[group].cells) < most:
            clusters[group].cells.append(Cell(pk, name, f"h{scale.step(value)}", written(value)))
