"""The dialogs, and the pages, of limits: of one sensor, and of several at once."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from apps.components.models import Component
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.htmx import wants_part
from apps.drivers.contract import Quantity
from apps.groups.models import Group
from apps.monitoring.forms import LimitsForm, ManyLimitsForm
from apps.monitoring.models import Limit, Sensor
from apps.monitoring.panels import LABELS
from apps.monitoring.services import limits, readings
from apps.monitoring.services import limits_of_many as many


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


@require_http_methods(["GET", "HEAD", "POST"])
def limits_of_many(request: HttpRequest, pk: int, quantity: str) -> HttpResponse:
    """Ask for limits and set them on several sensors of one quantity, here or in the whole group."""
    component = get_object_or_404(Component.objects.visible_to(request.user).select_related("group"), pk=pk)
    found = [view for view in readings.latest(component) if view.kind == quantity]
    if not found:
        raise Http404
    if not scoping.may(request.user, "components", component.group_id):
        raise PermissionDenied
    components = _of_group(request, component)
    rows = Sensor.objects.filter(pk__in=[view.id for view in found]).select_related("interface__component")
    sensors = {row.pk: row for row in rows}
    others = many.alike(list(sensors.values()), components.exclude(pk=pk))
    number = others.values("interface__component").distinct().count()
    form = ManyLimitsForm(
        request.POST or None,
        limits=many.shared(view.limits for view in found),
        sensors=[(view.id, view.label) for view in found],
        others=_others(component, number),
    )
    if request.method == "POST" and (back := _many_set(request, component, sensors, form)):
        return HttpResponseClientRedirect(back) if wants_part(request) else redirect(back)
    context = {"component": component, "kind": LABELS[Quantity(quantity)], "form": form, "unit": found[0].unit}
    context |= {"url": request.path}
    template = "monitoring/_limits_of_many.html" if wants_part(request) else "monitoring/limits_of_many.html"
    return render(request, template, context, status=400 if request.method == "POST" else 200)


def _of_group(request: HttpRequest, component: Component) -> Any:
    """Give the components of the group and those below it whose limits the user may set."""
    groups = Group.objects.visible_to(request.user).tree().subtree(component.group_id)
    return Component.objects.visible_to(request.user, "components").filter(group__in=groups)


def _others(component: Component, number: int) -> str:
    sentence = ngettext(
        "also the same sensors of %(number)s other component in %(group)s and below",
        "also the same sensors of %(number)s other components in %(group)s and below",
        number,
    )
    return sentence % {"number": number, "group": component.group} if number else ""


def _many_set(request: HttpRequest, component: Component, sensors: Mapping[int, Sensor], form: ManyLimitsForm) -> str:
    """Set what was entered and give where to go then; nothing where something is wrong."""
    reset = "reset" in request.POST
    if not form.is_valid() and (not reset or {"sensors", "where"} & form.errors.keys()):
        return ""
    chosen = [sensors[one] for one in form.cleaned_data["sensors"]]
    wanted = None if reset else {name: form.cleaned_data[name] for name in limits.FIELDS}
    actor = Actor.of(request)
    try:
        if form.cleaned_data["where"] == form.GROUP:
            job = many.start(chosen, _of_group(request, component), wanted, actor)
            return job.get_absolute_url()
        number = many.set_limits(chosen, wanted, actor)
    except ValidationError as error:
        form.add_error(None, error)
        return ""
    said = ngettext("The limits of %(number)s sensor were set.", "The limits of %(number)s sensors were set.", number)
    messages.success(request, said % {"number": number})
    return f"{component.get_absolute_url()}?tab=sensors"


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
