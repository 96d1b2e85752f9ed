"""Writes lists of alerts as CSV and JSON, piece by piece: a million take no more memory than a thousand."""

import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.alerts.listing import walking
from apps.alerts.models import Alert
from apps.alerts.sources import label_of
from apps.core import audit
from apps.core.actors import Actor
from apps.core.csv_file import csv_response
from apps.core.sent_file import file_response
from apps.core.writes import turn

CSV, JSON = "csv", "json"
KINDS = (CSV, JSON)
AT_ONCE = 1000


def answer(request: HttpRequest, step: walking.Step, kind: str, actor: Actor, asked: str) -> StreamingHttpResponse:
    """Give the alerts of a list as a file, in the reader's language and zone; who took which list is audited."""
    with turn():
        audit.record(actor, "alert.export", name=asked, after={"format": kind, "filter": asked})
    name, pieces = f"alerts-{timezone.localdate().isoformat()}", walking.all_of(step, AT_ONCE)
    if kind == CSV:
        return csv_response(request, name, _lines(pieces))
    return file_response(request, f"{name}.json", "application/json", _objects(pieces))


def head_line() -> list[str]:
    """Give the names of the columns."""
    zone = timezone.get_current_timezone_name()
    return [
        *(_("Computer"), _("Product"), _("Date"), _("Time (%(zone)s)") % {"zone": zone}, _("Type"), _("Trap name")),
        *(_("Source"), _("ID"), _("Detail"), _("What to do"), _("Severity"), _("Title"), _("Occurred")),
        *(_("Component ID"), _("Address"), _("Trap OID")),
    ]


def line_of(alert: Alert) -> list[str]:
    """Give an alert as a line of a table."""
    row = object_of(alert)
    occurred = f"{timezone.localtime(alert.occurred_at):%Y-%m-%d %H:%M:%S}" if alert.occurred_at else ""
    return [
        *(row["computer"], row["product"], row["date"], row["time"], row["type"], row["trap_name"], row["source"]),
        *(str(alert.pk), row["detail"], row["remedy"], str(alert.get_severity_display()), row["title"], occurred),
        *("" if alert.component_id is None else str(alert.component_id), alert.address or "", alert.trap_oid),
    ]


def object_of(alert: Alert) -> dict[str, Any]:
    """Give an alert as an object; what arrived is added to it by ``raw_of``."""
    received = timezone.localtime(alert.received_at)
    return {
        "id": alert.pk,
        "computer": str(alert.component) if alert.component is not None else alert.component_name,
        "product": alert.product,
        "date": f"{received:%Y-%m-%d}",
        "time": f"{received:%H:%M:%S}",
        "type": _(alert.alert_type),
        "trap_name": str(alert.definition) if alert.definition is not None else alert.trap_oid,
        "source": label_of(alert.source),
        "detail": str(alert.detail),
        "remedy": str(alert.remedy),
        "severity": alert.severity,
        "title": str(alert.title),
        "received_at": alert.received_at.isoformat(),
        "occurred_at": alert.occurred_at.isoformat() if alert.occurred_at else None,
        "component": alert.component_id,
        "address": alert.address,
        "incident": alert.incident_id,
        "quiet": alert.quiet,
    }


def raw_of(alert: Alert) -> dict[str, Any]:
    """Give what arrived."""
    return {
        "version": alert.version,
        "trap_oid": alert.trap_oid,
        "enterprise": alert.enterprise,
        "request_id": alert.request_id,
        "bindings": alert.bindings,
        "datagram": bytes(alert.datagram).hex(),
    }


def _lines(pieces: Iterator[list[Alert]]) -> Iterator[list[str]]:
    """Give the names of the columns, then a line for each alert."""
    yield head_line()
    for alerts in pieces:
        yield from map(line_of, alerts)


def _objects(pieces: Iterator[list[Alert]]) -> Iterator[str]:
    """Write a list of objects, a piece at a time."""
    before = "[\n"
    for alerts in pieces:
        rows = [json.dumps({**object_of(alert), "raw": raw_of(alert)}, ensure_ascii=False) for alert in alerts]
        yield before + ",\n".join(rows)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"
