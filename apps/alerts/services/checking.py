"""What a definition may say: one check for files, pages and the API."""

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.alerts.models import AlertDefinition, Severity
from apps.alerts.services.oids import EVENT, PROPERTY, WRITTEN, is_below
from apps.protocols.ipmi.platform_event import ENTERPRISE

NEEDED = ("name", "severity", "title")
SENTENCES = ("title", "detail", "remedy")
GIVEN = frozenset({"component", "object", "trap_oid", "address", "product", "number"})
"""Places of a sentence that the portal fills by itself."""

KINDS: Mapping[str, type] = {
    **dict.fromkeys(("name", "family", "trap_oid", "enterprise", "severity", "alert_type"), str),
    **dict.fromkeys((*SENTENCES, "object", "object_kind"), str),
    **dict.fromkeys(("prefix", "counts", "enabled"), bool),
    **dict.fromkeys(("also", "clears"), list),
    **dict.fromkeys(("bindings", "words", "severity_by"), dict),
}
"""The fields that a file may set, with the kind of their values."""

_TYPES: Mapping[type, Promise | str] = {
    str: _("This must be a text."),
    bool: _("This must be yes or no."),
    list: _("This must be a list."),
    dict: _("This must be a mapping."),
}
_PLACE = re.compile(r"%\((\w+)\)s")
_NAME = re.compile(r"[A-Za-z_]\w{0,39}")
_NTH = re.compile(r"#[1-9]\d{0,2}")
_LONGEST = {"name": 200, "family": 60, "trap_oid": 400, "enterprise": 400, "alert_type": 60, "object": 60}
_LONGEST_SENTENCE = 2000
_MOST = 100  # entries of a list or mapping

Faults = dict[str, list[Promise | str]]


def complete(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give every field of a definition: what is given, else the default. Does not check."""
    empty = AlertDefinition()
    return {**{name: getattr(empty, name) for name in KINDS}, **given}


def check(fields: Mapping[str, Any], known_keys: frozenset[str] | None = None) -> None:
    """Refuse what a definition may not say; raises ValidationError by field.

    ``known_keys`` are the definitions that it may end; without them that is not looked at.
    """
    faults: Faults = {}
    for name, kind in KINDS.items():
        value = fields.get(name, kind())
        if not isinstance(value, kind):
            faults.setdefault(name, []).append(_TYPES[kind])
    if not faults:
        _check_texts(fields, faults)
        _check_recognition(fields, faults)
        _check_bindings(fields, faults)
        _check_partners(fields, faults, known_keys)
    if faults:
        raise ValidationError(faults)


def _say(faults: Faults, field: str, sentence: Promise | str, **params: object) -> None:
    text = sentence % params if params else sentence
    faults.setdefault(field, []).append(text)


def _check_texts(fields: Mapping[str, Any], faults: Faults) -> None:
    for name in NEEDED:
        if not str(fields.get(name, "")).strip():
            _say(faults, name, _("This is needed."))
    if fields.get("severity") and fields["severity"] not in Severity.values:
        _say(faults, "severity", _("There is no severity %(word)s."), word=fields["severity"])
    for name, longest in _LONGEST.items():
        if len(fields.get(name, "")) > longest:
            _say(faults, name, _("At most %(number)s characters."), number=longest)
    places = GIVEN | set(fields.get("bindings", {}))
    for name in SENTENCES:
        text = fields.get(name, "")
        if len(text) > _LONGEST_SENTENCE:
            _say(faults, name, _("At most %(number)s characters."), number=_LONGEST_SENTENCE)
        unfilled = set(_PLACE.findall(text)) - places if fields.get("trap_oid") else ()  # else who raises it fills them
        for place in sorted(unfilled):
            _say(faults, name, _("Nothing fills the place %(place)s: no binding has this name."), place=place)
        if _PLACE.search(text) and "%" in _PLACE.sub("", text).replace("%%", ""):
            _say(faults, name, _("In a text with places, write a percent sign twice."))


def _check_recognition(fields: Mapping[str, Any], faults: Faults) -> None:
    named = [("trap_oid", fields.get("trap_oid", "")), ("enterprise", fields.get("enterprise", ""))]
    also = fields.get("also", [])
    if also and not fields.get("trap_oid"):
        _say(faults, "trap_oid", _("This is needed."))
    for name, oid in [*named, *(("also", oid) for oid in also)]:
        if oid and not (isinstance(oid, str) and (WRITTEN.fullmatch(oid) or _names_event(name, oid))):
            _say(faults, name, _("%(oid)s is not an object identifier."), oid=oid)


def _names_event(field: str, oid: str) -> bool:
    return field in {"trap_oid", "also"} and EVENT.fullmatch(oid) is not None


def _check_bindings(fields: Mapping[str, Any], faults: Faults) -> None:
    bindings = fields.get("bindings", {})
    trap_oid = fields.get("trap_oid", "")
    of_event = EVENT.fullmatch(trap_oid) is not None or is_below(trap_oid, ENTERPRISE)
    if len(bindings) > _MOST:
        _say(faults, "bindings", _("At most %(number)s entries."), number=_MOST)
    for name, oid in bindings.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name in GIVEN - {"object"}:
            _say(faults, "bindings", _("%(name)s cannot be the name of a binding."), name=name)
        known = isinstance(oid, str) and (WRITTEN.fullmatch(oid) or _NTH.fullmatch(oid))
        if not known and not (of_event and isinstance(oid, str) and PROPERTY.fullmatch(oid)):
            _say(faults, "bindings", _("%(oid)s is neither an object identifier nor a place such as #2."), oid=oid)
    for part in fields.get("object", "").split():
        if not part.startswith("=") and part.removeprefix("@") not in bindings:
            _say(faults, "object", _("There is no binding %(name)s."), name=part)
    for name, words in fields.get("words", {}).items():
        if name not in bindings:
            _say(faults, "words", _("There is no binding %(name)s."), name=name)
        elif not isinstance(words, dict) or not all(
            isinstance(value, str) and isinstance(word, str) for value, word in words.items()
        ):
            _say(faults, "words", _("Give a word for each value, both as texts."))
    _check_severity_by(fields, faults)


def _check_severity_by(fields: Mapping[str, Any], faults: Faults) -> None:
    rules = fields.get("severity_by", {})
    if not rules:
        return
    if unknown := sorted(set(map(str, rules)) - {"binding", "values", "from"}):
        _say(faults, "severity_by", _("There is no field %(name)s."), name=unknown[0])
        return
    if rules.get("binding") not in fields.get("bindings", {}):
        _say(faults, "severity_by", _("There is no binding %(name)s."), name=rules.get("binding", ""))
    for part in ("values", "from"):
        cases = rules.get(part, {})
        if not isinstance(cases, dict):
            _say(faults, "severity_by", _TYPES[dict])
            continue
        for value, severity in cases.items():
            if severity not in Severity.values:
                _say(faults, "severity_by", _("There is no severity %(word)s."), word=severity)
            if not isinstance(value, str) or (part == "from" and not _is_number(value)):
                _say(faults, "severity_by", _("%(value)s is not a number."), value=value)
    if not rules.get("values") and not rules.get("from"):
        _say(faults, "severity_by", _("Name at least one value."))


def _check_partners(fields: Mapping[str, Any], faults: Faults, known_keys: frozenset[str] | None) -> None:
    for key in fields.get("clears", []):
        if not isinstance(key, str) or (known_keys is not None and key not in known_keys):
            _say(faults, "clears", _("There is no definition %(key)s."), key=key)


def _is_number(word: str) -> bool:
    try:
        return float(word) == float(word)
    except ValueError:
        return False
