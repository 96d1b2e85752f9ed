"""What pages ask of monitoring: the data of a chart."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.components.models import Component
from apps.monitoring.models import Sensor
from apps.monitoring.panels import chart_data
from apps.monitoring.services import history, limits, presence
from apps.monitoring.time_range import BadRange, time_range


@require_safe
def chart(request: HttpRequest, pk: int, sensor_pk: int) -> JsonResponse:
    """Give the history of a sensor by columns, as the chart in the page draws it; times are seconds since 1970."""
    component = get_object_or_404(Component.objects.visible_to(request.user), pk=pk)
    sensor = get_object_or_404(
        Sensor.objects.visible_to(request.user).select_related("interface__component"),
        pk=sensor_pk,
        interface__component=component,
    )
    presence.watch(component.pk)
    try:
        start, end = time_range(request.GET)
    except BadRange as error:
        return JsonResponse({"errors": {error.field: [_(error.sentence)]}}, status=400)
    series = history.samples(sensor, start, end)
    body: dict[str, Any] = {
        "sensor": sensor.pk,
        "name": sensor.name,
        "unit": sensor.unit,
        "step": series.step,
        "from": start.timestamp(),
        "to": end.timestamp(),
        "limits": asdict(limits.in_force(sensor)),
        **chart_data(series),
    }
    return JsonResponse(body)
