"""Writes lists of alerts as CSV and JSON, piece by piece: a million take no more memory than a thousand."""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.alerts.listing import walking
from apps.alerts.models import Alert
from apps.alerts.sources import label_of
from apps.core import audit
from apps.core.actors import Actor
from apps.core.csv_file import MARK, defused
from apps.core.stream import let_go
from apps.core.writes import turn

CSV, JSON = "csv", "json"
TYPES = {CSV: "text/csv; charset=utf-8", JSON: "application/json"}
AT_ONCE = 1000


def answer(request: HttpRequest, step: walking.Step, kind: str, actor: Actor, asked: str) -> StreamingHttpResponse:
    """Give the alerts of a list as a file, in the reader's language and zone; who took which list is audited."""
    with turn():
        audit.record(actor, "alert.export", name=asked, after={"format": kind, "filter": asked})
    parts = written(step, kind)
    # A server with a loop would read a plain iterator to its end before it sends anything.
    content = _in_loop(parts) if hasattr(request, "scope") else parts
    today = timezone.localdate().isoformat()
    headers = {"Content-Disposition": f'attachment; filename="alerts-{today}.{kind}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(content, content_type=TYPES[kind], headers=headers)


async def _in_loop(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Have each part written in the request's own thread, which holds no database connection while the client reads."""

    def following() -> bytes | None:
        try:
            return next(parts, None)
        finally:
            let_go()

    while (part := await sync_to_async(following)()) is not None:
        yield part


def written(step: walking.Step, kind: str) -> Iterator[bytes]:
    """Write all alerts of a list, so many at a time; what arrives meanwhile is not among them."""
    language, zone = translation.get_language() or "en", timezone.get_current_timezone()
    write = _lines if kind == CSV else _objects
    with translation.override(language), timezone.override(zone):
        head = _line(head_line(), MARK) if kind == CSV else "["
    yield head.encode()
    first = True
    pieces = walking.all_of(step, AT_ONCE)
    while True:
        # The reader's language holds while a part is written, not while somebody else's request runs.
        with translation.override(language), timezone.override(zone):
            alerts = next(pieces, None)
            if alerts is None:
                break
            part = write(alerts, first)
        first = False
        yield part.encode()
    if kind == JSON:
        yield b"\n]\n"


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


def _lines(alerts: Sequence[Alert], _first: bool) -> str:
    return "".join(_line(line_of(alert)) for alert in alerts)


def _line(cells: Sequence[str], before: str = "") -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([defused(cell) for cell in cells])
    return before + out.getvalue()


def _objects(alerts: Sequence[Alert], first: bool) -> str:
    rows = [json.dumps({**object_of(alert), "raw": raw_of(alert)}, ensure_ascii=False) for alert in alerts]
    return ("\n" if first else ",\n") + ",\n".join(rows)
