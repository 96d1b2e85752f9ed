"""The table of ports: what firewalls have to let through, and whether what should answer does."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from apps.components.models import Component
from apps.core import scoping
from apps.core.htmx import wants_part
from apps.portal.processes import require_settings
from apps.system import port_table
from apps.system.port_table import DIRECTIONS, PROTOCOLS

LARGEST = 2**63 - 1


@require_safe
@vary_on_headers("HX-Request")
def ports(request: HttpRequest) -> HttpResponse:
    """Show the table, as far as it is asked for; with a component, its ports can be tried."""
    require_settings(request)
    component = _component(request)
    every = port_table.lines()
    used = request.GET.get("used", "true")
    words, direction = request.GET.get("q", "").strip(), request.GET.get("direction", "")
    protocol = request.GET.get("protocol", "")
    found = port_table.narrowed(every, words, direction, protocol, "true" if used == "true" else "")
    context: dict[str, Any] = {
        "tab": "ports",
        "sections": _by_section(found),
        "number": len(found),
        "total": len(every),
        "words": words,
        "directions": [(value, label, value == direction) for value, label in DIRECTIONS.items()],
        "protocols": [(value, value.upper(), value == protocol) for value in PROTOCOLS],
        "used": used,
        "component": component,
        "only_this_machine": port_table.only_this_machine(),
    }
    return render(request, "portal/_ports.html" if wants_part(request) else "portal/ports.html", context)


def _by_section(found: list[port_table.Line]) -> list[tuple[str, list[tuple[port_table.Line, Any]]]]:
    sections: dict[str, list[tuple[port_table.Line, Any]]] = {}
    for line in found:
        sections.setdefault(line.row.section, []).append((line, port_table.testable(line)))
    return [(port_table.translated(name), lines) for name, lines in sections.items()]


def _component(request: HttpRequest) -> Component | None:
    """Give the component that is named by its number, or by its whole name."""
    word = request.GET.get("component", "").strip()
    if not word:
        return None
    visible = Component.objects.visible_to(request.user, "check")
    if word.isascii() and word.isdigit() and int(word) <= LARGEST:
        by_number = visible.filter(pk=int(word)).first()
        if by_number is not None:
            return by_number
    return visible.filter(name__iexact=word).order_by("pk").first()


@require_POST
def try_port(request: HttpRequest) -> HttpResponse:
    """Try a port of the table at the addresses of a component; only what the table holds can be tried."""
    require_settings(request)
    component = get_object_or_404(Component.objects.visible_to(request.user), pk=_number(request, "component"))
    if not scoping.may(request.user, "check", component.group_id):
        raise PermissionDenied
    number = _number(request, "port")
    if number not in {each for line in port_table.lines(ask=False) for each in port_table.testable(line)}:
        raise Http404
    found = port_table.try_component(component, number)
    results = [(address, *port_table.STATES[reach.value]) for address, reach in found]
    nothing = _("It has no address: no way of managing is set up.")
    return render(request, "portal/_tried.html", {"results": results, "nothing": nothing})


def _number(request: HttpRequest, name: str) -> int:
    word = request.POST.get(name, "")
    if not (word.isascii() and word.isdigit() and int(word) <= LARGEST):
        raise Http404
    return int(word)
