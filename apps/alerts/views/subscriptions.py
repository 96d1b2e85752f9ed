"""What is done about subscriptions on pages: trying one, and taking one off the list of those left behind."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.alerts.models import EventSubscription, Farewell
from apps.alerts.subscriptions import farewells, trying
from apps.core import scoping
from apps.core.actors import Actor


@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a device send a test event, and show how that goes."""
    rows = EventSubscription.objects.visible_to(request.user).select_related("interface__component")
    row = get_object_or_404(rows, pk=pk)
    if not scoping.may(request.user, "check", row.interface.component.group_id):
        raise PermissionDenied
    return redirect(trying.order([row], Actor.of(request)))


@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a device off the list of those that could not be told to stop."""
    if not scoping.may(request.user, "credentials"):
        raise PermissionDenied
    row = get_object_or_404(Farewell.objects.defer("login"), pk=pk)
    farewells.forget(row, Actor.of(request))
    messages.success(request, _("%(name)s is not listed any more.") % {"name": row})
    return redirect("alerts:reception")
