"""One entry of an event log with all that the device wrote, and the entries of a component as a file."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from apps.components.models import Component
from apps.components.pages.look import Look
from apps.core.csv_file import csv_response
from apps.core.htmx import wants_part
from apps.monitoring.models import LoggedEntry
from apps.monitoring.panels import event_log
from apps.monitoring.services import log_entries


def _look(request: HttpRequest, pk: int) -> Look:
    return Look(request, get_object_or_404(Component.objects.visible_to(request.user), pk=pk))


@require_safe
@vary_on_headers("HX-Request")
def logged_entry(request: HttpRequest, pk: int, entry_pk: int) -> HttpResponse:
    """Show one entry, in a dialog or as a page."""
    look = _look(request, pk)
    entry = get_object_or_404(event_log.visible(look).select_related("interface"), pk=entry_pk)
    names = {log.interface.pk: log.label for log in event_log.logs_of(look)}
    (line,) = event_log.lines_of([entry])
    context = {
        "component": look.component,
        "line": line,
        "entry": entry,
        "log": names.get(entry.interface_id, entry.interface.driver),
    }
    return render(request, "monitoring/_logged_entry.html" if wants_part(request) else "monitoring/entry.html", context)


@require_safe
def event_log_file(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Send the entries that the address names as CSV, in the reader's language and zone."""
    look = _look(request, pk)
    wanted = event_log.wanted_of(request.GET)
    names = {log.interface.pk: log.label for log in event_log.logs_of(look)}
    found = log_entries.all_of(event_log.visible(look), wanted)
    return csv_response(request, f"event-log-{pk}-{timezone.localdate().isoformat()}", _rows(found, names))


def _rows(entries: Iterator[LoggedEntry], names: dict[int, str]) -> Iterator[list[Any]]:
    yield [
        *(_("Severity"), _("Occurred"), _("Read"), _("Interface"), _("Number in the device"), _("Source"), _("Event")),
        *(_("Cleared"), _("As the device wrote it")),
    ]
    for entry in entries:
        yield [
            *(str(event_log.NAMES[entry.severity]), entry.at, entry.read_at),
            *(names.get(entry.interface_id, entry.interface.driver), entry.key, log_entries.source_of(entry)),
            *(str(entry.text), entry.cleared_at, entry.raw),
        ]
