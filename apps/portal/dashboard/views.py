"""Shows the first page, or what changes of it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from apps.components.models import Component
from apps.core import scoping
from apps.core.htmx import wants_part
from apps.groups.models import Group
from apps.monitoring.services import fleet_power
from apps.monitoring.windows import NAMES
from apps.portal.dashboard import cards, strip
from apps.portal.dashboard import choice as choices
from apps.portal.dashboard.heat_map import heat_map
from apps.portal.dashboard.scales import COLOURS


@require_safe
@vary_on_headers("HX-Request")
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show the whole fleet, or a group of it; an empty portal says what to do first."""
    tree = Group.objects.visible_to(request.user).tree()
    components = Component.objects.visible_to(request.user)
    choice = choices.of(request, tree)
    groups = tree.subtree(choice.group) if choice.group is not None else None
    if groups is not None:
        components = components.filter(group__in=groups)
    shares = strip.shares_of(components)
    counts = strip.counts_of(shares)
    total = sum(counts[state] for state in strip.ORDER)
    context: dict[str, Any] = {
        "total": total,
        "may_register": scoping.may_somewhere(request.user, "components"),
    }
    if not total and choice.group is None:
        return render(request, "portal/welcome.html", context)
    context |= {
        "choice": choice,
        "here": choice.address(),
        "strip": strip.figures(components, counts, choice.group, choice.window),
        "map": heat_map(components, tree, shares, total, choice.colours),
        "colours": [(choice.address(colours=name), label, name == choice.colours) for name, label in COLOURS.items()],
        "attention": cards.needs_attention(request.user, tree, choice.group),
        "jobs": cards.running(request.user, groups),
        "suspended": cards.suspended(request.user, components, counts["unmanaged"]),
        "power": fleet_power.now(components),
        "power_chart": cards.power_chart(choice),
        "changes": cards.latest_changes(request.user, tree, choice.group),
        "disks": cards.highest(components, "disk"),
        "busiest": cards.highest(components, "cpu"),
        "partial": wants_part(request),
    }
    if not wants_part(request):
        # Once for each visit: the peak of a range costs more than what else is fetched again and again.
        window, metered = choice.window, context["power"].measured
        context |= {
            "power_over": fleet_power.over(components, window.start, window.end) if metered else None,
            "groups": [(pk, tree.path_name(pk), pk == choice.group) for pk in tree.ordered()],
            "ranges": [(word, NAMES[word], word == choice.window.word) for word in choices.RANGES],
        }
    return render(request, "portal/_dashboard.html" if wants_part(request) else "portal/dashboard.html", context)
