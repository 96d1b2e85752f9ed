"""Brings the definitions of the files into the database; may be repeated, and keeps what people changed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.utils import timezone

from apps.alerts.models import AlertDefinition
from apps.alerts.services import catalogue
from apps.alerts.services.checking import KINDS
from apps.alerts.services.files import BadDefinition, Entries, parse
from apps.core.writes import turn

__all__ = ["BadDefinition", "load", "read"]

_AT_ONCE = 200
_STORED = [*KINDS, "origin", "made", "changed_at"]


def load(folder: Path) -> dict[str, int]:
    """Load every ``*.yaml`` of a folder; gives how many were new, changed and switched off. Raises BadDefinition.

    What people changed stays as they have it; the rest follows the file. A definition that is in no file any more is
    switched off: its alerts still point at it.
    """
    wanted = read(sorted(folder.glob("*.yaml")))
    present = {row.key: row for row in AlertDefinition.objects.all()}
    now = timezone.now()
    new, changed, gone = [], [], []
    for key, fields in wanted.items():
        row = present.get(key)
        if row is None:
            new.append(AlertDefinition(key=key, made=_made(fields), changed_at=now, **fields))
        elif row.made != _made(fields) or row.origin != fields["origin"]:
            _follow(row, fields)
            row.changed_at = now
            changed.append(row)
    for row in present.values():
        if row.origin and row.key not in wanted and row.enabled:
            row.enabled = False
            row.made = {**row.made, "enabled": False}  # not people's doing: it comes back with the file
            row.changed_at = now
            gone.append(row)
    for start in range(0, max(len(new), len(changed), len(gone)), _AT_ONCE):
        chunk = slice(start, start + _AT_ONCE)
        with turn():
            AlertDefinition.objects.bulk_update(gone[chunk], ["enabled", "made", "changed_at"])
            AlertDefinition.objects.bulk_update(changed[chunk], _STORED, batch_size=50)
            AlertDefinition.objects.bulk_create(new[chunk])
    catalogue.forget()
    return {"new": len(new), "changed": len(changed), "switched off": len(gone)}


def _made(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in KINDS}


def _follow(row: AlertDefinition, fields: dict[str, Any]) -> None:
    """Take over what the file says, but for the fields that people changed."""
    kept = set(row.changes) if row.made else {"enabled"} if not row.enabled else set()
    for name in KINDS:
        if name not in kept:
            setattr(row, name, fields[name])
    row.made, row.origin = _made(fields), fields["origin"]


def read(paths: Iterable[Path]) -> Entries:
    """Read and check definition files together; gives complete fields, and their file as ``origin``, by key."""
    found: Entries = {}
    for path in paths:
        for key, fields in parse(path.read_text(encoding="utf-8"), path.name).items():
            if key in found:
                raise BadDefinition(f"{path.name}: {key} is defined twice")
            found[key] = {**fields, "origin": path.name}
    for key, fields in found.items():
        for partner in fields["clears"]:
            if partner not in found:
                raise BadDefinition(f"{fields['origin']}: {key} clears {partner}, which is not defined")
    return found
