"""The pages of settings: what a controller is set to, the difference before it is applied, restart, setting it back."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from apps.components import ownership
from apps.components.models import Component, ManagementInterface
from apps.components.pages.listing import chosen
from apps.components.pages.look import Look
from apps.control.models import SettingsOrder
from apps.control.settings import differences, services, values
from apps.control.settings.addresses import own_address, own_addresses
from apps.control.settings.forms import SettingsForm, SettingsOfMany, Wish, together
from apps.core import options, scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.forms import row_id
from apps.core.htmx import wants_part
from apps.core.models import OPEN_STEPS, JobStep
from apps.drivers.contract import Capability, SettingsReport

NAMED = 50
CONFIRMATION = "reset"
LOST = ("network.source", "network.address", "network.mask", "network.gateway")
LOST_NAMES: Mapping[str, str] = {
    "network.source": gettext_noop("Address source"),
    "network.address": gettext_noop("IP address"),
    "network.mask": gettext_noop("Subnet mask"),
    "network.gateway": gettext_noop("Gateway"),
}


def link(look: Look) -> bool | None:
    """Say whether the page of a component leads to its settings."""
    return True if look.may(services.PERMISSION) and Capability.SETTINGS in look.capabilities else None


def link_of_many(request: HttpRequest) -> bool | None:
    """Say whether the list of components leads to the settings of many."""
    return True if scoping.may_somewhere(request.user, services.PERMISSION) else None


def _component(request: HttpRequest, pk: int) -> Component:
    found = get_object_or_404(Component.objects.visible_to(request.user).select_related("group"), pk=pk)
    services.require(Actor.of(request), [found])
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def settings(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what one component is set to; what is sent is shown as a difference."""
    component = _component(request, pk)
    interface = services.interfaces_of([component]).get(component.pk)
    snapshot = services.snapshot_of(interface)
    report = values.load(snapshot.report) if snapshot is not None else SettingsReport(())
    sent = request.method == "POST"
    form = SettingsForm(report, request.POST if sent else None)
    context = {
        "component": component,
        "interface": interface,
        "snapshot": snapshot,
        "report": report,
        "form": form,
        "read_ids": component.pk if interface is not None else "",
        "never_read": snapshot is None,
        "reading": _is_reading(interface),
        "reports": bool(differences.destinations(report)),
        "others": differences.others(report, own_addresses(interface)) if interface is not None else [],
        "way": services.called(interface),
        "part": wants_part(request),
        **_managers(request, component),
    }
    if sent and form.is_valid():
        answer = _difference(request, [component], form)
        if answer is not None:
            return answer
    template = "control/settings/_settings.html" if wants_part(request) else "control/settings/settings.html"
    return render(request, template, context, status=_status(sent, component))


def _managers(request: HttpRequest, component: Component) -> dict[str, Any]:
    """Give why nothing can be changed here where another manager has the controller, and whether one may say so."""
    return {
        "refusal": ownership.refusal(component, ownership.CONTROLLER),
        "may_manage": scoping.may(request.user, "components", component.group_id),
    }


def _status(refused: bool, component: Component) -> int:
    """Give the status of a page that refuses what was sent: 409 where nobody could have sent anything better."""
    if not refused:
        return 200
    return 409 if ownership.CONTROLLER in component.managed_elsewhere else 400


def _is_reading(interface: ManagementInterface | None) -> bool:
    steps = JobStep.objects.filter(
        interface=interface.pk if interface is not None else None, job__kind=services.READ, state__in=OPEN_STEPS
    )
    return interface is not None and steps.exists()


@require_http_methods(["GET", "HEAD", "POST"])
def settings_of_many(request: HttpRequest) -> HttpResponse:
    """Show what may be set alike on the chosen components; what is sent is shown as a difference for each."""
    given = request.POST if request.method == "POST" else request.GET
    components = list(chosen(request.user, given).select_related("group").order_by("name", "pk"))
    ways = services.interfaces_of(components)
    snapshots = {pk: found for pk, way in ways.items() if (found := services.snapshot_of(way)) is not None}
    report = together(values.load(one.report) for one in snapshots.values())
    sent = request.method == "POST" and "wished" in request.POST
    form = SettingsOfMany(report, request.POST if sent else None)
    status = 200
    if sent:
        status = 400
        if form.is_valid() and components:
            answer = _difference(request, components, form)
            if answer is not None:
                return answer
    forbidden = [one for one in components if not scoping.may(request.user, services.PERMISSION, one.group_id)]
    context = {
        "components": components,
        "total": len(components),
        "ids": ",".join(str(one.pk) for one in components),
        "named": components[:NAMED],
        "unable": [one for one in components if one.pk not in ways],
        "unread": [one for one in components if one.pk in ways and one.pk not in snapshots],
        "elsewhere": [one for one in components if one.pk in ways and ownership.CONTROLLER in one.managed_elsewhere],
        "oldest": min((one.read_at for one in snapshots.values()), default=None),
        "forbidden": forbidden,
        "report": report,
        "reports": bool(differences.destinations(report)),
        "form": form,
    }
    return render(request, "control/settings/many.html", context, status=status)


def _difference(
    request: HttpRequest, components: Sequence[Component], form: SettingsForm | Wish
) -> HttpResponse | None:
    """Show what a valid form changes; None when it asks for something that cannot be, which it then says."""
    actor = Actor.of(request)
    try:
        if "report" in request.POST:
            found = services.report_to(components, own_address)
        else:
            found = services.differ(components, form.wanted)
        order = services.propose(found, actor)
    except ValidationError as error:
        if hasattr(error, "error_dict"):
            form.refuse(error)
        else:
            form.add_error(None, error)
        return None
    except (Conflict, PermissionDenied) as error:
        form.add_error(None, str(error))
        return None
    changing = [one for one in found if one.changes]
    context = {
        "order": order,
        "single": components[0] if len(components) == 1 else None,
        "changing": changing,
        "same": [one for one in found if not one.changes and one.why_not is None],
        "not_possible": [one for one in found if one.why_not is not None],
        "lacking": [one for one in found if one.lacking],
        "at_once": options.get("settings_concurrency"),
        "may_restart": any(_may_restart(one.interface) for one in changing),
        "dangerous": any(caution.state == "critical" for one in changing for caution in one.cautions),
    }
    return render(request, "control/settings/difference.html", context)


def _may_restart(interface: ManagementInterface | None) -> bool:
    snapshot = services.snapshot_of(interface)
    return snapshot is not None and values.load(snapshot.report).may_restart


@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Read the settings of the chosen components now, and go to where they are shown or to the job."""
    components = list(chosen(request.user, request.POST).order_by("name", "pk"))
    try:
        job = services.read(components, Actor.of(request))
    except Conflict as error:
        messages.error(request, str(error))
        return redirect("components:list")
    return redirect("control:settings", components[0].pk) if len(components) == 1 else redirect(job)


@require_POST
def apply(request: HttpRequest) -> HttpResponse:
    """Carry out a difference that was shown to this user."""
    order = SettingsOrder.objects.filter(pk=row_id(request.POST.get("order", "")) or 0, user=request.user.pk).first()
    if order is None:
        raise Http404
    try:
        expect = row_id(request.POST.get("expect", ""))
        return redirect(services.apply(order, Actor.of(request), expect, restart="restart" in request.POST))
    except Conflict as error:
        messages.error(request, str(error))
        return redirect("jobs:list")


@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask before a controller is set back to what it came with; the four values of its network are lost with it."""
    component = _component(request, pk)
    interface = services.interfaces_of([component]).get(component.pk)
    snapshot = services.snapshot_of(interface)
    report = values.load(snapshot.report) if snapshot is not None else SettingsReport(())
    error = ""
    if request.method == "POST":
        if ownership.CONTROLLER not in component.managed_elsewhere and (
            request.POST.get("typed", "").strip() != CONFIRMATION
        ):
            error = _("Type %(words)s to confirm.") % {"words": CONFIRMATION}
        else:
            try:
                return redirect(services.reset(component, Actor.of(request)))
            except Conflict as refusal:
                error = str(refusal)
    context: dict[str, Any] = {
        "component": component,
        "may_reset": report.may_reset,
        "lost": [(_(LOST_NAMES[name]), _word(report, name)) for name in LOST],
        "phrase": CONFIRMATION,
        "error": error,
        **_managers(request, component),
    }
    return render(request, "control/settings/reset.html", context, status=_status(bool(error), component))


@require_http_methods(["GET", "HEAD", "POST"])
def restart(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask before a controller is restarted."""
    component = _component(request, pk)
    error = ""
    if request.method == "POST":
        try:
            return redirect(services.restart(component, Actor.of(request)))
        except Conflict as refusal:
            error = str(refusal)
    interface = services.interfaces_of([component]).get(component.pk)
    context = {
        "component": component,
        "may_restart": _may_restart(interface),
        "error": error,
        **_managers(request, component),
    }
    return render(request, "control/settings/restart.html", context, status=_status(bool(error), component))


@require_http_methods(["GET", "HEAD", "POST"])
def defaults(request: HttpRequest, pk: int) -> HttpResponse:
    """Compare what it is set to with what it came with and with what the portal wants; what is sent is that wish."""
    component = _component(request, pk)
    interface = services.interfaces_of([component]).get(component.pk)
    snapshot = services.snapshot_of(interface)
    report = values.load(snapshot.report) if snapshot is not None else SettingsReport(())
    error, usual = "", {}
    try:
        usual = differences.usual(report, own_address(interface)) if interface is not None else {}
    except ValidationError as refusal:
        error = refusal.messages[0]
    sent = request.method == "POST"
    form = Wish(usual, {} if sent else None)
    if sent and not error and form.is_valid():
        answer = _difference(request, [component], form)
        if answer is not None:
            return answer
    came_with = snapshot.came_with if snapshot is not None else None
    context = {
        "component": component,
        "snapshot": snapshot,
        "form": form,
        "error": error,
        "known": came_with is not None,
        "rows": list(differences.side_by_side(report, came_with, usual)),
        **_managers(request, component),
    }
    return render(request, "control/settings/defaults.html", context, status=_status(sent, component))


def _word(report: SettingsReport, name: str) -> str:
    found = values.find(report, name)
    return str(values.words(found[1], found[1].value)) if found is not None else "–"
