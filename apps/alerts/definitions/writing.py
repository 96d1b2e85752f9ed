"""How a definition's lists and mappings are written in a form, a line for each entry, and read back."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.alerts.services.oids import ENTERPRISE_SPECIFIC, WRITTEN, trap_oid_of

_VERSION_1 = re.compile(r"(\S+)\s+(\d{1,2})(?:\s+(\d{1,10}))?")
_LIMIT = re.compile(r"(?:>=|≥)\s*(\S+)")


def lines(text: str) -> list[str]:
    """Give the lines that say something."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def read_traps(text: str) -> list[str]:
    """Read object identifiers of traps; a line may also have enterprise, generic and specific number (version 1)."""
    found = []
    for line in lines(text):
        written = line.strip(".")
        version_1 = _VERSION_1.fullmatch(line)
        if WRITTEN.fullmatch(written):
            found.append(written)
        elif version_1 and WRITTEN.fullmatch(enterprise := version_1[1].strip(".")):
            generic, specific = int(version_1[2]), int(version_1[3] or 0)
            if generic > ENTERPRISE_SPECIFIC:
                raise ValidationError(_("%(line)s: the generic number is from 0 to 6.") % {"line": line})
            found.append(trap_oid_of(enterprise, generic, specific))
        else:
            raise ValidationError(
                _("%(line)s is neither an object identifier nor enterprise, generic and specific number.")
                % {"line": line}
            )
    return list(dict.fromkeys(found))


def write_pairs(pairs: Mapping[str, str]) -> str:
    """Write a mapping: ``name = value``."""
    return "\n".join(f"{name} = {value}" for name, value in pairs.items())


def read_pairs(text: str) -> dict[str, str]:
    """Read what ``write_pairs`` wrote."""
    found: dict[str, str] = {}
    for line in lines(text):
        name, sign, value = line.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise ValidationError(_("%(line)s: write it as name = value.") % {"line": line})
        found[name.strip()] = value.strip()
    return found


def write_words(words: Mapping[str, Mapping[str, str]]) -> str:
    """Write the words for values: ``binding 3 = failed``."""
    return "\n".join(f"{name} {value} = {word}" for name, values in words.items() for value, word in values.items())


def read_words(text: str) -> dict[str, dict[str, str]]:
    """Read what ``write_words`` wrote."""
    found: dict[str, dict[str, str]] = {}
    for left, word in read_pairs(text).items():
        name, _space, value = left.partition(" ")
        if not value.strip():
            raise ValidationError(_("%(line)s: write it as binding, value = word.") % {"line": f"{left} = {word}"})
        found.setdefault(name, {})[value.strip()] = word
    return found


def write_cases(rules: Mapping[str, Any]) -> str:
    """Write which value means which severity: ``3 = critical``, ``>= 41 = critical``."""
    exact = [f"{value} = {severity}" for value, severity in rules.get("values", {}).items()]
    limits = [f">= {limit} = {severity}" for limit, severity in rules.get("from", {}).items()]
    return "\n".join([*exact, *limits])


def read_cases(binding: str, text: str) -> dict[str, Any]:
    """Read what ``write_cases`` wrote; nothing where no case is named."""
    values: dict[str, str] = {}
    limits: dict[str, str] = {}
    for line in lines(text):
        left, sign, severity = line.rpartition("=")
        if not sign or not left.strip():
            raise ValidationError(_("%(line)s: write it as value = severity, or >= limit = severity.") % {"line": line})
        limit = _LIMIT.fullmatch(left.strip())
        (limits if limit else values)[limit[1] if limit else left.strip()] = severity.strip()
    if not values and not limits:
        return {}
    parts = {"values": values, "from": limits}
    return {"binding": binding, **{name: part for name, part in parts.items() if part}}


def write_lines(items: Sequence[str]) -> str:
    """Write one entry a line."""
    return "\n".join(items)
