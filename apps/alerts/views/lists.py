"""The lists of alerts and of incidents, each with the drawer that shows one, and what is new above them."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from apps.alerts.forms import IncidentListForm, ListForm
from apps.alerts.listing import alerts as alert_listing
from apps.alerts.listing import incidents as incident_listing
from apps.alerts.listing import narrowing, words
from apps.alerts.listing.narrowing import Wanted
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
        return HttpResponse(status=204)  # a page of older ones stands still
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
        return HttpResponse(status=204)  # a page of older ones stands still
    context = {
        **_frame(request, "incident", wanted),
        "number": incident_listing.news(request.user, wanted, tree, wanted["since"]),
        "most": incident_listing.NEWS,
        "tabs": incident_listing.tabs(request.user, wanted.get("show", "open")),
    }
    return render(request, "alerts/_news_part.html", context)


def _alerts(request: HttpRequest) -> dict[str, Any]:
    wanted, tree = ListForm(request.GET).wanted, _tree(request)
    shown = wanted.get("show", "open")
    page = alert_listing.page_of(request.user, wanted, tree)
    reasons = [(one.value, one.label) for one in Quiet if one.value]
    boxes = [
        ("source", _("Source"), _ticked(wanted, "source", sources.items())),
        (
            "quiet",
            _("Told to nobody"),
            _ticked(wanted, "quiet", reasons),
        ),
    ]
    if shown not in narrowing.FOLDED:
        boxes.append(("state", _("Problem"), _ticked(wanted, "state", narrowing.STATES.items())))
    return {
        **_frame(request, "alert", wanted),
        **_filters(request, wanted, tree),
        "boxes": boxes,
        "page": page,
        "older": _changed(request.GET, before=page.older),
        "tabs": alert_listing.tabs(request.user, shown),
    }


def _incidents(request: HttpRequest) -> dict[str, Any]:
    wanted, tree = IncidentListForm(request.GET).wanted, _tree(request)
    page = incident_listing.page_of(request.user, wanted, tree)
    older = page.older
    return {
        **_frame(request, "incident", wanted),
        **_filters(request, wanted, tree),
        "page": page,
        "older": _changed(request.GET, before=older.pk, at=older.at.isoformat()) if older is not None else "",
        "tabs": incident_listing.tabs(request.user, wanted.get("show", "open")),
        "total": incident_listing.count_actionable(request.user, wanted, tree, incident_listing.AT_ONCE),
    }


def _frame(request: HttpRequest, kind: str, wanted: Wanted) -> dict[str, Any]:
    """Give what the parts of a list need that are fetched alone, too."""
    return {
        "kind": kind,
        "base_url": reverse("alerts:list" if kind == "alert" else "alerts:incidents"),
        "news_url": reverse(f"alerts:{kind}-news"),
        "here": _changed(request.GET, since=None),  # this piece of the list
        "query": _changed(request.GET, **dict.fromkeys(narrowing.PLACES)),  # the newest piece of it
        "part": wants_part(request),
        "shown": wanted.get("show", "open"),
        "wanted": wanted,
        "may_act": scoping.may_somewhere(request.user, "alerts"),
    }


def _filters(request: HttpRequest, wanted: Wanted, tree: Tree) -> dict[str, Any]:
    """Give what the filters offer, and those that are in force."""
    types = alert_listing.alert_types(wanted.get("alert_type", []))
    group = wanted.get("group")
    return {
        "chips": narrowing.chips(request.GET, wanted, tree, request.user),
        "severities": [_toggle(request.GET, wanted, one) for one in Severity],
        "types": [(name, name in wanted.get("alert_type", ())) for name in types],
        "groups": [(pk, tree.path_name(pk), pk == group) for pk in tree.ordered()],
        "periods": [(name, one[0], name == wanted.get("period")) for name, one in narrowing.PERIODS.items()],
        "suggested": words.suggested(request.user, wanted["q"]) if "q" in wanted else [],
    }


def _toggle(query: QueryDict, wanted: Wanted, severity: Severity) -> dict[str, Any]:
    """Give a severity with the query in which it is chosen, or is so no longer."""
    chosen = list(wanted.get("severity", ()))
    others = [one for one in chosen if one != severity.value]
    now = others if severity.value in chosen else [*chosen, severity.value]
    changed = query.copy()
    changed.setlist("severity", now)
    return {
        "value": severity.value,
        "label": severity.label,
        "chosen": severity.value in chosen,
        "query": _changed(changed, **dict.fromkeys(narrowing.PLACES)),
    }


def _ticked(wanted: Wanted, name: str, options: Iterable[tuple[str, Any]]) -> list[tuple[str, Any, bool]]:
    return [(value, label, value in wanted.get(name, ())) for value, label in options]


def _changed(query: QueryDict, **values: Any) -> str:
    """Write a query in which some values are others; None takes them out."""
    changed = query.copy()
    for name, value in values.items():
        changed.pop(name, None)
        if value is not None:
            changed[name] = str(value)
    return changed.urlencode()


def _tree(request: HttpRequest) -> Tree:
    return Group.objects.visible_to(request.user).tree()
