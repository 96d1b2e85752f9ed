"""Writes the audit as CSV and as JSON Lines, piece by piece; who took what is audited itself."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import audit_words
from apps.core.actors import Actor
from apps.core.audit import listing
from apps.core.audit.recording import record
from apps.core.csv_file import csv_response, csv_text
from apps.core.models import AuditEntry
from apps.core.sent_file import file_response
from apps.core.writes import turn

CSV, JSON_LINES = "csv", "jsonl"
KINDS = (CSV, JSON_LINES)
AT_ONCE = 200


def answer(
    request: HttpRequest, user: Any, wanted: listing.Wanted, kind: str, actor: Actor, asked: str
) -> StreamingHttpResponse:
    """Give the entries of a list as a file, in the reader's language and zone."""
    with turn():
        record(actor, "audit.export", name=asked, after={"format": kind, "filter": asked})
    name, entries = f"audit-{timezone.localdate().isoformat()}", listing.all_of(user, wanted)
    if kind == CSV:
        return csv_response(request, name, csv_lines(entries))
    return file_response(request, f"{name}.jsonl", "application/jsonl", json_lines(entries))


def csv_file_text(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """Write entries as the text of a CSV file."""
    return csv_text(csv_lines(entries))


def csv_lines(entries: Iterable[AuditEntry]) -> Iterator[list[Any]]:
    """Give the names of the columns, then a line for each entry."""
    zone = timezone.get_current_timezone_name()
    yield [
        *(_("Entry"), _("Time (UTC)"), _("Time (%(zone)s)") % {"zone": zone}, _("Result"), _("Kind of actor")),
        *(_("Who"), _("Address"), _("Request"), _("Action"), _("Act"), _("Kind of object"), _("Object ID")),
        *(_("Object"), _("Group ID"), _("Former group ID"), _("Before"), _("After"), _("Number in the chain")),
        _("Digest"),
    ]
    for one in entries:
        yield [
            *(one.pk, _utc(one), timezone.localtime(one.at).isoformat(), str(one.get_outcome_display())),
            *(str(one.get_actor_kind_display()), one.actor_name, one.address or "", one.request, one.action),
            *(audit_words.act(one.action), one.object_type, one.object_id, one.object_name),
            *("" if one.group is None else one.group, "" if one.former_group is None else one.former_group),
            *(_json(one.before), _json(one.after), one.sequence or "", one.digest),
        ]


def json_lines(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """Write an object in each line: all that the digest covers, so that a file can be checked by itself."""
    some: list[str] = []
    for one in entries:
        some.append(json.dumps(object_of(one), ensure_ascii=False) + "\n")
        if len(some) == AT_ONCE:
            yield "".join(some)
            some = []
    yield "".join(some)


def object_of(one: AuditEntry) -> dict[str, Any]:
    """Give an entry as an object."""
    return {
        "id": one.pk,
        "at": _utc(one),
        "at_local": timezone.localtime(one.at).isoformat(),
        "outcome": one.outcome,
        "actor_kind": one.actor_kind,
        "actor_name": one.actor_name,
        "login": one.login,
        "user": one.user_id,
        "address": one.address,
        "request": one.request,
        "action": one.action,
        "object_type": one.object_type,
        "object_id": one.object_id,
        "object_name": one.object_name,
        "group": one.group,
        "former_group": one.former_group,
        "before": one.before,
        "after": one.after,
        "form": one.form,
        "sequence": one.sequence,
        "digest": one.digest,
    }


def _utc(one: AuditEntry) -> str:
    return one.at.astimezone(UTC).isoformat()


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
