"""What people do with problems: acknowledge and close them, and say which component an unknown sender is."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from apps.alerts.forms import AcknowledgeForm, IncidentListForm
from apps.alerts.listing import incidents as incident_listing
from apps.alerts.models import Alert, Incident
from apps.alerts.services import incidents, reinterpret
from apps.components.models import Component
from apps.core import scoping
from apps.core.actors import Actor
from apps.core.forms import row_id
from apps.core.htmx import wants_part
from apps.groups.models import Group


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


def _chosen(request: HttpRequest) -> list[Incident]:
    """Give the chosen incidents; 404 when one is not visible, 403 when one is not permitted."""
    sent = request.POST if request.method == "POST" else request.GET
    if request.method == "GET" and sent.get("scope") == "filter":
        return _matching(request, sent.get("filter", ""))
    ids = {int(word) for word in sent.getlist("incident") if word.isdecimal() and len(word) < 19}
    if not ids or len(ids) > incident_listing.AT_ONCE:
        raise Http404
    found = Incident.objects.visible_to(request.user).filter(pk__in=ids)
    chosen = list(found.select_related("component").worst_first())
    if len(chosen) != len(ids):
        raise Http404
    if Incident.objects.visible_to(request.user, "alerts").filter(pk__in=ids).count() != len(ids):
        raise PermissionDenied
    return chosen


def _matching(request: HttpRequest, query: str) -> list[Incident]:
    """Give the incidents of a list that the user may act on; the last heard of when they are too many."""
    wanted, tree = IncidentListForm(QueryDict(query)).wanted, Group.objects.visible_to(request.user).tree()
    chosen = incident_listing.actionable(request.user, wanted, tree, incident_listing.AT_ONCE)
    if not chosen:
        raise Http404
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
