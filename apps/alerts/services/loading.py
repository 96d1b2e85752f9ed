"""Brings the definitions of the files into the database; may be repeated, and keeps what people switched off."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from apps.alerts.models import AlertDefinition, Severity
from apps.alerts.services import catalogue
from apps.core.writes import turn

_OID = re.compile(r"\d+(\.\d+)+")
_TEXTS = ("name", "trap_oid", "severity", "alert_type", "title", "detail", "remedy", "object", "object_kind")
_FIELDS: Mapping[str, type] = {
    **dict.fromkeys(_TEXTS, str),
    "prefix": bool,
    "counts": bool,
    "bindings": dict,
    "clears": list,
}
_NEEDED = ("name", "severity", "title")
_AT_ONCE = 200


class BadDefinition(ValueError):
    """A definition file says something that is not allowed; the message names file and entry."""


def load(folder: Path) -> dict[str, int]:
    """Load every ``*.yaml`` of a folder; gives how many were new, changed and switched off. Raises BadDefinition.

    A definition that is in no file any more is switched off: its alerts still point at it.
    """
    wanted = read(sorted(folder.glob("*.yaml")))
    present = {row.key: row for row in AlertDefinition.objects.all()}
    new, changed, gone = [], [], []
    for key, fields in wanted.items():
        row = present.get(key)
        if row is None:
            new.append(AlertDefinition(key=key, **fields))
        elif any(getattr(row, name) != value for name, value in fields.items()):
            for name, value in fields.items():
                setattr(row, name, value)
            changed.append(row)
    for row in present.values():
        if row.origin and row.key not in wanted and row.enabled:
            row.enabled = False
            gone.append(row)
    names = [*_FIELDS, "origin"]
    for start in range(0, max(len(new), len(changed), len(gone)), _AT_ONCE):
        chunk = slice(start, start + _AT_ONCE)
        with turn():
            AlertDefinition.objects.bulk_update(gone[chunk], ["enabled"])
            AlertDefinition.objects.bulk_update(changed[chunk], names)
            AlertDefinition.objects.bulk_create(new[chunk])
    catalogue.forget()
    return {"new": len(new), "changed": len(changed), "switched off": len(gone)}


def read(paths: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Read and check definition files; gives complete fields by key."""
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except yaml.YAMLError as error:
            raise BadDefinition(f"{path.name}: {error}") from error
        entries = content.get("definitions") if isinstance(content, dict) else None
        if not isinstance(entries, dict):
            raise BadDefinition(f"{path.name}: there is no mapping 'definitions'")
        for key, entry in entries.items():
            if key in found:
                raise BadDefinition(f"{path.name}: {key} is defined twice")
            found[key] = {**_checked(f"{path.name}: {key}", entry), "origin": path.name}
    for key, fields in found.items():
        for partner in fields["clears"]:
            if partner not in found:
                raise BadDefinition(f"{fields['origin']}: {key} clears {partner}, which is not defined")
    return found


def _checked(where: str, entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise BadDefinition(f"{where} is not a mapping")
    for name, value in entry.items():
        if name not in _FIELDS:
            raise BadDefinition(f"{where}: there is no field {name!r}")
        if not isinstance(value, _FIELDS[name]):
            raise BadDefinition(f"{where}: {name} must be a {_FIELDS[name].__name__}")
    for name in _NEEDED:
        if not entry.get(name):
            raise BadDefinition(f"{where}: {name} is missing")
    if entry["severity"] not in Severity.values:
        raise BadDefinition(f"{where}: there is no severity {entry['severity']!r}")
    for oid in [entry.get("trap_oid", ""), *entry.get("bindings", {}).values()]:
        if oid and not _OID.fullmatch(str(oid)):
            raise BadDefinition(f"{where}: {oid!r} is not an object identifier")
    empty = AlertDefinition()
    defaults = {name: getattr(empty, name) for name in _FIELDS}
    return {**defaults, **entry}
