"""The pages of network ports that do not count in the status: the button at a port, the list, and the guide's file."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.components.models import Component
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.htmx import wants_part
from apps.monitoring.forms import NicFileForm
from apps.monitoring.models import ExcludedPort
from apps.monitoring.services import nic_file, port_exclusion, readings

PER_PAGE = 50


@require_POST
def set_excluded(request: HttpRequest, pk: int, interface: int, index: int) -> HttpResponse:
    """Take one port out of the status of its component, or let it count again."""
    component = get_object_or_404(Component.objects.visible_to(request.user), pk=pk)
    if not scoping.may(request.user, "components", component.group_id):
        raise PermissionDenied
    port = next(
        (
            port
            for report in readings.ports(component)
            for port in report.ports
            if (report.interface_id, port.index) == (interface, index)
        ),
        None,
    )
    if port is None:
        raise Http404
    exclude = request.POST.get("excluded") == "1"
    try:
        (port_exclusion.exclude if exclude else port_exclusion.include)(component, port, Actor.of(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        said = _("%(port)s does not count any more.") if exclude else _("%(port)s counts again.")
        messages.success(request, said % {"port": port.name})
    return redirect(f"{component.get_absolute_url()}?tab=ports")


@require_http_methods(["GET", "HEAD", "POST"])
def excluded_ports(request: HttpRequest) -> HttpResponse:
    """Show the excluded ports, and take the guide's file."""
    may_import = scoping.may_somewhere(request.user, "components")
    if request.method == "POST" and not may_import:
        raise PermissionDenied
    form = NicFileForm(request.POST, request.FILES) if request.method == "POST" else NicFileForm()
    report = None
    if request.method == "POST" and form.is_valid():
        report = nic_file.take(form.cleaned_data["lines"], request.user, Actor.of(request))
        form = NicFileForm()
    rows = ExcludedPort.objects.visible_to(request.user).select_related("component")
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "permitted": scoping.scope_of(request.user, "components"),
        "form": form,
        "report": report,
        "may_import": may_import,
    }
    template = "monitoring/_excluded_ports.html" if wants_part(request) else "monitoring/excluded_ports.html"
    return render(request, template, context, status=400 if form.errors else 200)


@require_POST
def include_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget one exclusion."""
    row = get_object_or_404(ExcludedPort.objects.visible_to(request.user).select_related("component"), pk=pk)
    if not scoping.may(request.user, "components", row.component.group_id):
        raise PermissionDenied
    name = row.port_name or row.mac_address
    port_exclusion.remove(row, Actor.of(request))
    messages.success(request, _("%(port)s counts again.") % {"port": name})
    return redirect("monitoring:excluded-ports")
