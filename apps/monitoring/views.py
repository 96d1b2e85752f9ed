"""What pages ask of monitoring: the data of a chart."""

from dataclasses import asdict
from datetime import timedelta

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.components.models import Component
from apps.monitoring.models import Sensor
from apps.monitoring.services import history, limits, presence
from apps.monitoring.time_range import BadRange, time_range

HOURS = {"1": 1, "6": 6, "24": 24, "48": 48, "168": 168, "720": 720, "2400": 2400, "8760": 8760}


@require_safe
def chart(request: HttpRequest, pk: int, sensor_pk: int) -> JsonResponse:
    """Give the history of a sensor as the chart of a page draws it: the last ``hours``, or ``from`` and ``to``."""
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
    if request.GET.get("hours") in HOURS:
        end = timezone.now()
        start = end - timedelta(hours=HOURS[request.GET["hours"]])
    series = history.samples(sensor, start, end)
    return JsonResponse(
        {
            "sensor": sensor.pk,
            "name": sensor.name,
            "unit": sensor.unit,
            "step": series.step,
            "limits": asdict(limits.in_force(sensor)),
            "points": [[point.at.timestamp(), *point[1:]] for point in series.points],
        }
    )
