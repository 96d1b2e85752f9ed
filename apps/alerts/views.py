"""The pages of alerts: the list with its drawer, acknowledging and closing, and assigning an unknown sender."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRedirect

from apps.alerts import listing
from apps.alerts.forms import AcknowledgeForm, ListForm
from apps.alerts.models import Alert, Incident, Severity
from apps.alerts.services import incidents, reinterpret
from apps.components.models import Component
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.forms import row_id
from apps.core.htmx import wants_part

AT_ONCE = 1000  # incidents in one request
HISTORY = 20  # alerts of an incident in the drawer


@require_safe
@vary_on_headers("HX-Request")
def alert_list(request: HttpRequest) -> HttpResponse:
    """Show the alerts of a tab, newest first."""
    template = "alerts/_alerts.html" if wants_part(request) else "alerts/list.html"
    return render(request, template, _list_context(request, request.get_full_path()))


@require_safe
@vary_on_headers("HX-Request")
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one alert in the drawer; by its own address with the list behind it."""
    found = get_object_or_404(
        Alert.objects.visible_to(request.user).select_related("component", "incident", "definition"), pk=pk
    )
    context = _alert_context(request, found)
    if wants_part(request):
        return render(request, "alerts/_alert.html", context)
    return render(request, "alerts/list.html", {**_list_context(request, reverse("alerts:list")), **context})


@require_http_methods(["GET", "POST"])
def acknowledge(request: HttpRequest) -> HttpResponse:
    """Ask for a note and a time, then take note of the chosen problems."""
    chosen = _chosen(request)
    form = AcknowledgeForm(request.POST or None)

    def do() -> list[Incident]:
        return incidents.acknowledge(chosen, Actor.of(request), form.cleaned_data["note"], form.cleaned_data["until"])

    def said(number: int) -> str:
        return ngettext("%(number)s problem acknowledged.", "%(number)s problems acknowledged.", number)

    return _ask(request, chosen, "acknowledge", form, do, said)


@require_http_methods(["GET", "POST"])
def close(request: HttpRequest) -> HttpResponse:
    """Ask, then end the chosen problems."""
    chosen = _chosen(request)

    def do() -> list[Incident]:
        return incidents.close(chosen, Actor.of(request))

    def said(number: int) -> str:
        return ngettext("%(number)s problem closed.", "%(number)s problems closed.", number)

    return _ask(request, chosen, "close", None, do, said)


@require_POST
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which component an alert of an unknown sender is from."""
    found = get_object_or_404(Alert.objects.visible_to(request.user), pk=pk)
    if not scoping.may(request.user, "alerts"):
        raise PermissionDenied
    chosen = row_id(request.POST.get("component", ""))
    if found.component_id is not None or chosen not in found.candidates:
        raise Http404
    component = get_object_or_404(Component.objects.visible_to(request.user), pk=chosen)
    reinterpret(found, Actor.of(request), component=component, definition=found.definition)
    messages.success(request, _("The alert was assigned to %(component)s.") % {"component": component})
    return redirect(found)


def _list_context(request: HttpRequest, url: str) -> dict[str, Any]:
    wanted = ListForm(request.GET).wanted
    shown = wanted.get("show", "open")
    filters = {name: value for name, value in wanted.items() if name not in {"show", "before"}}
    return {
        "list_url": url,
        "page": listing.page_of(request.user, wanted),
        "tabs": listing.tabs(request.user, shown),
        "shown": shown,
        "wanted": wanted,
        "filtered": bool(filters),
        "severities": [(word.value, word.label, word.value in wanted.get("severity", [])) for word in Severity],
        "types": listing.alert_types(request.user),
        "may_act": scoping.may_somewhere(request.user, "alerts"),
    }


def _alert_context(request: HttpRequest, found: Alert) -> dict[str, Any]:
    history, permitted = [], False
    if found.incident is not None:
        same = Alert.objects.visible_to(request.user).filter(incident=found.incident)
        history = list(same.order_by("-pk")[:HISTORY])
        permitted = Incident.objects.visible_to(request.user, "alerts").filter(pk=found.incident_id).exists()
    candidates: list[Component] = []
    if found.component_id is None and found.candidates and scoping.may(request.user, "alerts"):
        candidates = list(Component.objects.visible_to(request.user).filter(pk__in=found.candidates))
    return {
        "alert": found,
        "incident": found.incident,
        "history": history,
        "candidates": candidates,
        "may_define": bool(found.trap_oid) and not found.matched and scoping.may(request.user, "definitions"),
        "may_close": permitted and found.incident is not None and found.incident.is_open,
        "octets": bytes(found.datagram).hex(" ") if found.datagram else "",
    }


def _chosen(request: HttpRequest) -> list[Incident]:
    """Give the chosen incidents; 404 when one is not visible, 403 when one is not permitted."""
    sent = (request.POST if request.method == "POST" else request.GET).getlist("incident")
    ids = {int(word) for word in sent if word.isdecimal() and len(word) < 19}
    if not ids or len(ids) > AT_ONCE:
        raise Http404
    chosen = list(
        Incident.objects.visible_to(request.user).filter(pk__in=ids).select_related("component").worst_first()
    )
    if len(chosen) != len(ids):
        raise Http404
    if Incident.objects.visible_to(request.user, "alerts").filter(pk__in=ids).count() != len(ids):
        raise PermissionDenied
    return chosen


def _ask(
    request: HttpRequest,
    chosen: list[Incident],
    verb: str,
    form: AcknowledgeForm | None,
    do: Callable[[], list[Incident]],
    said: Callable[[int], str],
) -> HttpResponse:
    """Show the dialog, or do what it says and go back to where it was opened."""
    back = request.POST.get("next", "") or request.headers.get("HX-Current-URL", "") or request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = reverse("alerts:list")
    if request.method == "POST" and (form is None or form.is_valid()):
        number = len(do())
        messages.success(request, said(number) % {"number": number})
        return HttpResponseClientRedirect(back) if wants_part(request) else redirect(back)
    context = {"chosen": chosen, "form": form, "next": back, "verb": verb, "url": reverse(f"alerts:{verb}")}
    template = f"alerts/_{verb}.html" if wants_part(request) else "alerts/ask.html"
    return render(request, template, context, status=400 if request.method == "POST" else 200)
