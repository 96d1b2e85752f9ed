"""Gives the data of charts: of a sensor, of several of a component, of a fleet; as JSON for the page or as a file."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.components.models import Component
from apps.core.forms import row_id
from apps.drivers.contract import Quantity
from apps.monitoring import charting, windows
from apps.monitoring.charting import BEFORE, ChartData
from apps.monitoring.models import FleetQuantity, Sensor
from apps.monitoring.panels import LABELS
from apps.monitoring.services import fleet_history, presence
from apps.monitoring.services.fleet_scope import FleetScope
from apps.monitoring.time_range import BadRange
from apps.monitoring.windows import Window

UNITS = {
    FleetQuantity.CPU: "%",
    FleetQuantity.MEMORY: "%",
    FleetQuantity.DISK: "%",
    FleetQuantity.TEMPERATURE: "°C",
    FleetQuantity.POWER: "W",
    FleetQuantity.TRAFFIC: "bit/s",
}
Read = Callable[..., ChartData]


def _answers(read: Read) -> Callable[..., HttpResponseBase]:
    """Turn what reads a chart into a view that answers with JSON, or with a file where the address ends in csv."""

    @require_safe
    @wraps(read)
    def view(request: HttpRequest, form: str, **about: Any) -> HttpResponseBase:
        try:
            window = windows.of(request.GET)
        except BadRange as error:
            return JsonResponse({"errors": {error.field: [_(error.sentence)]}}, status=400)
        found = read(request, window, **about)
        return found.as_csv(request) if form == "csv" else found.as_json()

    return view


def _compares(request: HttpRequest) -> bool:
    return request.GET.get("compare") == BEFORE


def _component(request: HttpRequest, pk: int) -> Component:
    presence.watch(pk)
    return cast(Component, get_object_or_404(Component.objects.visible_to(request.user), pk=pk))


@_answers
def sensor_chart(request: HttpRequest, window: Window, pk: int, sensor_pk: int) -> ChartData:
    """Give the history of one sensor with its limits."""
    component = _component(request, pk)
    sensors = Sensor.objects.filter(interface__component=component).select_related("interface__component")
    return charting.of_sensors([get_object_or_404(sensors, pk=sensor_pk)], window, compare=_compares(request))


@_answers
def component_chart(request: HttpRequest, window: Window, pk: int) -> ChartData:
    """Give the history of some sensors of a component that measure in the same unit."""
    component = _component(request, pk)
    wanted = charting.ids_of(request.GET.getlist("sensor"))
    rows = Sensor.objects.filter(interface__component=component, pk__in=wanted or ())
    found = {row.pk: row for row in rows.select_related("interface__component")}
    if wanted is None or len(found) != len(wanted) or len({row.unit for row in found.values()}) != 1:
        raise Http404
    sensors = [found[one] for one in wanted]
    name = str(LABELS[Quantity(sensors[0].quantity)]) if len(sensors) > 1 else ""
    return charting.of_sensors(sensors, window, compare=_compares(request), name=name)


def scope_of(request: HttpRequest) -> FleetScope:
    """Give the components that the address names and the user may see; a group that is not there is 404."""
    raw = request.GET.get("group", "")
    group = row_id(raw) if raw else None
    scope = FleetScope.of(request.user, group) if not raw or group is not None else None
    if scope is None:
        raise Http404
    return scope


@_answers
def fleet_chart(request: HttpRequest, window: Window) -> ChartData:
    """Give the course of a quantity over all components that somebody may see, or those of a group."""
    quantity = request.GET.get("quantity", "")
    if quantity not in FleetQuantity.values:
        raise Http404
    scope = scope_of(request)
    wanted = FleetQuantity(quantity)
    ids = scope.drawing if wanted in fleet_history.SUMMED else scope.ids
    course = fleet_history.course(wanted, ids, window.start, window.end)
    before = None
    if _compares(request):
        before = fleet_history.course(wanted, ids, window.before.start, window.before.end, course.step)
    return charting.of_course(str(wanted.label), UNITS[wanted], window, course, before)
