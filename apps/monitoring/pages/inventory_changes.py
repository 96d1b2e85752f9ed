"""The pages of inventory changes over all components, and the changes as files."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from apps.components.models import Component
from apps.components.pages.look import Look
from apps.components.panels import Detail
from apps.core.csv_file import csv_response
from apps.core.htmx import wants_part
from apps.monitoring.models import InventoryChange
from apps.monitoring.panels import inventory_changes
from apps.monitoring.services import inventory_history


@require_safe
@vary_on_headers("HX-Request")
def fleet_changes(request: HttpRequest) -> HttpResponse:
    """Show the changes of all components that the user may see."""
    found = InventoryChange.objects.visible_to(request.user)
    template = "monitoring/_fleet_changes.html" if wants_part(request) else "monitoring/fleet_changes.html"
    return render(request, template, {"panel": inventory_changes.page_of(found, request.GET)})


@require_safe
def fleet_changes_file(request: HttpRequest) -> StreamingHttpResponse:
    """Send the changes of all components that the address names as CSV."""
    return _file(request, InventoryChange.objects.visible_to(request.user), "inventory-changes")


@require_safe
def component_changes_file(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Send the changes of one component that the address names as CSV."""
    look = Look(request, get_object_or_404(Component.objects.visible_to(request.user), pk=pk))
    return _file(request, inventory_changes.visible(look), f"inventory-changes-{pk}")


def _file(request: HttpRequest, found: "QuerySet[InventoryChange]", name: str) -> StreamingHttpResponse:
    chosen = inventory_changes.wanted_of(request.GET).within(found)
    rows = _rows(inventory_history.all_of(chosen))
    return csv_response(request, f"{name}-{timezone.localdate().isoformat()}", rows)


def _rows(changes: Iterable[InventoryChange]) -> Iterator[list[Any]]:
    """Give one line for each detail that differs, or for a part of which none is known."""
    yield [
        *(_("Noticed"), _("Component"), _("Interface"), _("Kind"), _("Part"), _("Number in the device"), _("Change")),
        *(_("Detail"), _("Before"), _("After")),
    ]
    for row in changes:
        line = inventory_changes.line_of(row)
        place = (str(row.interface.component), str(row.interface), str(line.kind))
        about = [row.at, *place, line.label, row.key, line.word]
        for fact in line.facts:
            yield [*about, fact.label, _plain(fact.before), _plain(fact.after)]
        if not line.facts:
            yield [*about, "", "", ""]


def _plain(detail: Detail | None) -> Any:
    """Give a value as a program reads it: a number without its unit."""
    return "" if detail is None else detail.value
