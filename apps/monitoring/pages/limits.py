"""The dialog, and the page, of a sensor's limits."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from apps.components.models import Component
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.htmx import wants_part
from apps.monitoring.forms import LimitsForm
from apps.monitoring.models import Limit, Sensor
from apps.monitoring.services import limits


@require_http_methods(["GET", "HEAD", "POST"])
def sensor_limits(request: HttpRequest, pk: int, sensor_pk: int) -> HttpResponse:
    """Ask for a sensor's own limits and set them, or go back to the device's."""
    sensor = _sensor(request, pk, sensor_pk)
    component = sensor.interface.component
    if not scoping.may(request.user, "components", component.group_id):
        raise PermissionDenied
    form = LimitsForm(request.POST or None, limits=limits.in_force(sensor))
    if request.method == "POST" and _is_set(request, sensor, form):
        back = f"{component.get_absolute_url()}?tab=sensors&sensor={sensor.pk}"
        return HttpResponseClientRedirect(back) if wants_part(request) else redirect(back)
    context = {
        "component": component,
        "sensor": sensor,
        "form": form,
        "has_own": Limit.objects.filter(interface=sensor.interface_id, key=sensor.key).exists(),
    }
    template = "monitoring/_limits.html" if wants_part(request) else "monitoring/limits.html"
    return render(request, template, context, status=400 if request.method == "POST" else 200)


def _sensor(request: HttpRequest, pk: int, sensor_pk: int) -> Sensor:
    component = get_object_or_404(Component.objects.visible_to(request.user), pk=pk)
    found: Sensor = get_object_or_404(
        Sensor.objects.visible_to(request.user).select_related("interface__component"),
        pk=sensor_pk,
        interface__component=component,
    )
    return found


def _is_set(request: HttpRequest, sensor: Sensor, form: LimitsForm) -> bool:
    """Set what was entered; what cannot be stands at its field."""
    if "reset" in request.POST:
        limits.set_limits(sensor, None, Actor.of(request))
        return True
    if not form.is_valid():
        return False
    try:
        limits.set_limits(sensor, form.cleaned_data, Actor.of(request))
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True
