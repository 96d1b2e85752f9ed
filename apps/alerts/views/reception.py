"""The page of alert reception: what comes in and what not, and what devices have to know of us."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.alerts.services import reception
from apps.alerts.subscriptions import summary
from apps.core import options, scoping
from apps.core.htmx import wants_part


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show how reception stands, to those who may enter credentials."""
    if not scoping.may_somewhere(request.user, "credentials"):
        raise PermissionDenied
    state = reception.reception_state()
    in_charge = scoping.may(
        request.user, "credentials"
    )  # of the whole fleet: what is left behind has no group any more
    context = {
        "state": state,
        "seen_at": datetime.fromisoformat(state.at) if state else None,
        "counts": reception.counted(),
        "senders": reception.senders(request.user),
        "level": options.get("trap_v3_level"),
        "subscriptions": summary.counted(request.user),
        "farewells": summary.farewells() if in_charge else [],
    }
    return render(request, "alerts/_reception.html" if wants_part(request) else "alerts/reception.html", context)
