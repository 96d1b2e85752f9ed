"""Statistics over the whole fleet or a group: courses, what each group below it needs, and who is highest in what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from apps.monitoring import windows
from apps.monitoring.charting import BEFORE
from apps.monitoring.models import FleetQuantity
from apps.monitoring.pages.charts import UNITS, scope_of
from apps.monitoring.services import fleet_power, rankings
from apps.monitoring.services.fleet_power import Drawn
from apps.monitoring.services.fleet_scope import FleetScope
from apps.monitoring.services.rankings import GroupLine, GroupLines
from apps.monitoring.windows import NAMES, Window

COURSES: dict[FleetQuantity, Promise | str] = {
    FleetQuantity.CPU: gettext_lazy("mean over the components, and the lowest and highest among them"),
    FleetQuantity.MEMORY: gettext_lazy("mean over the components, and the lowest and highest among them"),
    FleetQuantity.DISK: gettext_lazy("mean of each component's fullest disk, and the lowest and highest among them"),
    FleetQuantity.TEMPERATURE: gettext_lazy("mean over the components, and the lowest and highest among them"),
    FleetQuantity.POWER: gettext_lazy("sum over the components that measure it; UPSs are not added"),
    FleetQuantity.TRAFFIC: gettext_lazy("mean of each component's busiest port, and the lowest and highest among them"),
}
USUAL = (FleetQuantity.CPU, FleetQuantity.MEMORY, FleetQuantity.TEMPERATURE, FleetQuantity.POWER)


@dataclass(frozen=True, slots=True)
class CourseChart:
    """One chart of the page."""

    label: str
    note: Promise | str
    url: str


@require_safe
def statistics(request: HttpRequest) -> HttpResponse:
    """Show statistics over a range of time; what is chosen stands in the address."""
    scope = scope_of(request)
    window, wrong = windows.forgiving(request.GET, "7d")
    compare = request.GET.get("compare") == BEFORE
    shown = [quantity for quantity in FleetQuantity if quantity in request.GET.getlist("quantity")] or list(USUAL)
    tree = scope.tree
    found = rankings.read(scope, window.start, window.end)
    laid_out = rankings.lines_of(scope)
    by_group = rankings.by_group(scope, found, laid_out)
    power = fleet_power.by_line(scope, laid_out.line_of, len(laid_out.groups), window.start, window.end)
    context: dict[str, Any] = {
        "scope": scope,
        "window": window,
        "wrong": wrong and {"field": wrong.field, "sentence": _(wrong.sentence)},
        "asked": {"from": request.GET.get("from", ""), "to": request.GET.get("to", "")},
        "compare": compare,
        "ranges": [(word, name, word == window.word) for word, name in NAMES.items()],
        "groups": [(pk, tree.path_name(pk), pk == scope.group) for pk in tree.ordered()],
        "quantities": [(quantity.value, quantity.label, quantity in shown) for quantity in FleetQuantity],
        "charts": [_chart(quantity, scope, window, compare=compare) for quantity in shown],
        "lists": rankings.top_lists(found, window.start, window.end),
        "by_group": by_group,
        "power": _power(by_group, laid_out, power),
        "power_of_all": power[-1],
        "query": urlencode({**window.query, **({"compare": BEFORE} if compare else {})}),
    }
    return render(request, "monitoring/statistics.html", context, status=400 if wrong else 200)


def _power(
    shown: Sequence[GroupLine], laid_out: GroupLines, power: Sequence[Drawn]
) -> list[tuple[GroupLine, Drawn]] | None:
    """Give the lines of the table of power; None where nobody measures any."""
    if not (power[-1].now.measured or power[-1].mean.measured):
        return None
    places = [place for place, size in enumerate(laid_out.sizes.tolist()) if size]
    return [(line, power[place]) for line, place in zip(shown, places, strict=True)]


def _chart(quantity: FleetQuantity, scope: FleetScope, window: Window, *, compare: bool) -> CourseChart:
    wanted: dict[str, Any] = {"quantity": quantity.value, **window.query}
    if scope.group is not None:
        wanted["group"] = scope.group
    if compare:
        wanted["compare"] = BEFORE
    url = f"{reverse('monitoring:fleet-chart')}?{urlencode(wanted)}"
    return CourseChart(f"{quantity.label} ({UNITS[quantity]})", COURSES[quantity], url)
