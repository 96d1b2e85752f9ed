"""The page that shows a device's changed certificate beside the one it is known by, and takes the new one."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.components.models import Component, ManagementInterface
from apps.components.services import certificates
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict


@require_http_methods(["GET", "HEAD", "POST"])
def certificate(request: HttpRequest, pk: int, interface: int) -> HttpResponse:
    """Show both certificates; accept the one that was shown."""
    component = get_object_or_404(Component.objects.visible_to(request.user), pk=pk)
    if not scoping.may(request.user, "components", component.group_id):
        raise PermissionDenied
    row = get_object_or_404(ManagementInterface.objects.filter(component=component), pk=interface)
    if not certificates.is_pinned(row):
        raise Http404
    if request.method == "POST":
        try:
            certificates.accept(row, request.POST.get("fingerprint", ""), Actor.of(request))
        except Conflict as conflict:
            messages.error(request, str(conflict))
            return redirect(request.path)
        messages.success(request, _("The new certificate was accepted; the device is asked now."))
        return redirect(component)
    context = {"component": component, "row": row, "pair": certificates.compare(row)}
    return render(request, "components/certificate.html", context)
