"""The lists of alerts and of incidents, each with the drawer that shows one, and what is new above them."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from apps.alerts.forms import IncidentListForm, ListForm
from apps.alerts.listing import alerts as alert_listing
from apps.alerts.listing import incidents as incident_listing
from apps.alerts.listing import narrowing, words
from apps.alerts.models import Alert, Incident, Severity
from apps.alerts.models.alert import Quiet
from apps.alerts.sources import sources
from apps.alerts.views.details import alert_details, incident_details
from apps.core import scoping
from apps.core.htmx import wants_part
from apps.groups.models import Group, Tree


@require_safe
@vary_on_headers("HX-Request")
def alert_list(request: HttpRequest) -> HttpResponse:
    """Show the alerts of a tab, newest first."""
    template = "alerts/_alerts.html" if wants_part(request) else "alerts/list.html"
    return render(request, template, _alerts(request))


@require_safe
@vary_on_headers("HX-Request")
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one alert in the drawer; by its own address with the list behind it."""
    found = get_object_or_404(
        Alert.objects.visible_to(request.user).select_related("component", "incident", "definition"), pk=pk
    )
    context = alert_details(request, found)
    if wants_part(request):
        return render(request, "alerts/_alert.html", context)
    return render(request, "alerts/list.html", {**_alerts(request), **context})


@require_safe
def alert_news(request: HttpRequest) -> HttpResponse:
    """Say how many alerts came since the list was read."""
    wanted, tree = ListForm(request.GET).wanted, _tree(request)
    if "since" not in wanted:
        raise Http404
    context = {
        **_frame(request, "alert", wanted),
        "number": alert_listing.news(request.user, wanted, tree, wanted["since"]),
        "most": alert_listing.NEWS,
        "tabs": alert_listing.tabs(request.user, wanted.get("show", "open")),
    }
    return render(request, "alerts/_news_part.html", context)


@require_safe
@vary_on_headers("HX-Request")
def incident_list(request: HttpRequest) -> HttpResponse:
    """Show the incidents of a state, the last heard of first."""
    template = "incidents/_incidents.html" if wants_part(request) else "incidents/list.html"
    return render(request, template, _incidents(request))


@require_safe
@vary_on_headers("HX-Request")
def incident(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one incident in the drawer; by its own address with the list behind it."""
    found = get_object_or_404(
        Incident.objects.visible_to(request.user).select_related("component", "definition"), pk=pk
    )
    context = incident_details(request, found)
    if wants_part(request):
        return render(request, "incidents/_incident.html", context)
    return render(request, "incidents/list.html", {**_incidents(request), **context})


@require_safe
def incident_news(request: HttpRequest) -> HttpResponse:
    """Say how many incidents were heard of since the list was read."""
    wanted, tree = IncidentListForm(request.GET).wanted, _tree(request)
    if "since" not in wanted:
        raise Http404
    context = {
        **_frame(request, "incident", wanted),
        "number": incident_listing.news(request.user, wanted, tree, wanted["since"]),
        "most": incident_listing.NEWS,
        "tabs": incident_listing.tabs(request.user, wanted.get("show", "open")),
    }
    return render(request, "alerts/_news_part.html", context)


def _alerts(request: HttpRequest) -> dict[str, Any]:
    wanted, tree = ListForm(request.GET).wanted, _tree(request)
    return {
        **_frame(request, "alert", wanted),
        **_filters(request, wanted, tree),
        "page": alert_listing.page_of(request.user, wanted, tree),
        "tabs": alert_listing.tabs(request.user, wanted.get("show", "open")),
        "sources": [(name, label, name in wanted.get("source", ())) for name, label in sources.items()],
        "states": [(name, label, name in wanted.get("state", ())) for name, label in narrowing.STATES.items()],
        "reasons": [(one.value, one.label, one.value in wanted.get("quiet", ())) for one in Quiet if one.value],
    }


def _incidents(request: HttpRequest) -> dict[str, Any]:
    wanted, tree = IncidentListForm(request.GET).wanted, _tree(request)
    return {
        **_frame(request, "incident", wanted),
        **_filters(request, wanted, tree),
        "page": incident_listing.page_of(request.user, wanted, tree),
        "tabs": incident_listing.tabs(request.user, wanted.get("show", "open")),
        "total": incident_listing.count_actionable(request.user, wanted, tree, incident_listing.AT_ONCE),
    }


def _frame(request: HttpRequest, kind: str, wanted: narrowing.Wanted) -> dict[str, Any]:
    """Give what the parts of a list need that are fetched alone, too."""
    query = request.GET.copy()
    query.pop("since", None)
    here = query.urlencode()
    for place in narrowing.PLACES:
        query.pop(place, None)
    return {
        "kind": kind,
        "base_url": reverse(f"alerts:{'list' if kind == 'alert' else 'incidents'}"),
        "news_url": reverse(f"alerts:{kind}-news"),
        "here": here,  # this piece of the list
        "query": query.urlencode(),  # the newest piece of it
        "shown": wanted.get("show", "open"),
        "wanted": wanted,
        "may_act": scoping.may_somewhere(request.user, "alerts"),
    }


def _filters(request: HttpRequest, wanted: narrowing.Wanted, tree: Tree) -> dict[str, Any]:
    """Give what the filters offer, and those that are in force."""
    chosen = wanted.get("severity", ())
    types = alert_listing.alert_types(wanted.get("alert_type", []))
    group = wanted.get("group")
    return {
        "chips": narrowing.chips(request.GET, wanted, tree, request.user),
        "severities": [(one.value, one.label, one.value in chosen) for one in Severity],
        "types": [(name, name in wanted.get("alert_type", ())) for name in types],
        "groups": [(pk, tree.path_name(pk), pk == group) for pk in tree.ordered()],
        "periods": [
            (name, label, name == wanted.get("period")) for name, (label, _length) in narrowing.PERIODS.items()
        ],
        "suggested": words.suggested(request.user, wanted["q"]) if "q" in wanted else [],
    }


def _tree(request: HttpRequest) -> Tree:
    return Group.objects.visible_to(request.user).tree()
