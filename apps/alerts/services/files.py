"""The written form of definitions: reads a file of ours, and writes one that reads back to the same.

An entry is recognised by ``trap_oid``, or as version 1 has it by ``enterprise`` with ``specific`` or ``generic``; both
become one form (RFC 3584 §3.1); ``specific`` may be several numbers. What stands beside ``definitions`` (``family``,
``alert_type``, ``enterprises``, ``bindings``) is the default of every entry; with several ``enterprises`` each number
is one of each of them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from django.core.exceptions import ValidationError

from apps.alerts.models import AlertDefinition
from apps.alerts.services.checking import KINDS, check, complete
from apps.alerts.services.oids import ENTERPRISE_SPECIFIC, WRITTEN, trap_oid_of

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_SHARED: Mapping[str, type] = {"family": str, "alert_type": str, "enterprises": list, "bindings": dict}
_VERSION_1 = ("specific", "generic")
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
LARGEST = 2_000_000  # octets of a file that somebody sends
LARGEST_SPECIFIC = 2**32 - 1
_GENERIC = range(ENTERPRISE_SPECIFIC)

Entries = dict[str, dict[str, Any]]


class BadDefinition(ValueError):
    """A definition file says something that is not allowed; the message names file and entry."""


def parse(text: str, where: str) -> Entries:
    """Read and check one file; gives complete fields by key. Raises BadDefinition."""
    try:
        content = yaml.load(text, Loader=_LOADER) or {}  # noqa: S506  # one of the safe loaders
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BadDefinition(f"{where}: {error}") from error
    entries = content.get("definitions") if isinstance(content, dict) else None
    if not isinstance(entries, dict):
        raise BadDefinition(f"{where}: there is no mapping 'definitions'")
    shared = {name: value for name, value in content.items() if name != "definitions"}
    for name, value in shared.items():
        if name not in _SHARED:
            raise BadDefinition(f"{where}: there is no field {name!r}")
        if not isinstance(value, _SHARED[name]):
            raise BadDefinition(f"{where}: {name} must be a {_SHARED[name].__name__}")
    for key in entries:
        if not isinstance(key, str) or not KEY.fullmatch(key):
            raise BadDefinition(f"{where}: {key!r} cannot be the key of a definition")
    return {key: _entry(f"{where}: {key}", entry, shared) for key, entry in entries.items()}


def _entry(where: str, entry: Any, shared: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise BadDefinition(f"{where} is not a mapping")
    for name, value in entry.items():
        if name not in KINDS and name not in _VERSION_1:
            raise BadDefinition(f"{where}: there is no field {name!r}")
        if name in KINDS and not isinstance(value, KINDS[name]) and not (name == "enterprise" and _is_list(value)):
            raise BadDefinition(f"{where}: {name} must be a {KINDS[name].__name__}")
    given: dict[str, Any] = {name: shared[name] for name in ("family", "alert_type") if name in shared}
    given |= _recognised(where, {**entry}, shared.get("enterprises", []))
    used = _used(given, shared.get("bindings", {}))
    given["bindings"] = {**used, **given.get("bindings", {})}
    fields = complete({**given, **{name: _texts(given[name]) for name in ("words", "severity_by") if name in given}})
    try:
        check(fields)
    except ValidationError as error:
        name, sentences = next(iter(error.message_dict.items()))
        raise BadDefinition(f"{where}: {name}: {sentences[0]}") from error
    return fields


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _used(entry: Mapping[str, Any], shared: Mapping[str, str]) -> dict[str, str]:
    """Give the shared bindings that an entry speaks of."""
    spoken = " ".join(str(entry.get(name, "")) for name in ("title", "detail", "remedy"))
    objects = (word.removeprefix("@") for word in entry.get("object", "").split())
    needed = {*objects, *entry.get("words", {}), entry.get("severity_by", {}).get("binding")}
    return {name: oid for name, oid in shared.items() if name in needed or f"%({name})s" in spoken}


def _recognised(where: str, entry: dict[str, Any], enterprises: list[str]) -> dict[str, Any]:
    """Put the names of version 1 into the form of version 2."""
    numbers = {name: entry.pop(name) for name in _VERSION_1 if name in entry}
    if not numbers:
        return entry
    if len(numbers) > 1 or entry.get("trap_oid"):
        raise BadDefinition(f"{where}: give one of trap_oid, specific and generic")
    ((kind, given),) = numbers.items()
    wanted = given if isinstance(given, list) else [given]
    if not wanted or not all(type(number) is int and 0 <= number <= LARGEST_SPECIFIC for number in wanted):
        raise BadDefinition(f"{where}: {kind} must be a number")
    own = entry.pop("enterprise", "")
    senders = own if isinstance(own, list) else [own] if own else enterprises
    for sender in senders:
        if not isinstance(sender, str) or not WRITTEN.fullmatch(sender):
            raise BadDefinition(f"{where}: {sender!r} is not an object identifier")
    if kind == "generic":
        if wanted[0] not in _GENERIC or len(senders) > 1 or len(wanted) > 1:
            raise BadDefinition(f"{where}: generic is a number from 0 to 5, of one enterprise")
        # A standard trap, but only of devices of this enterprise.
        return {**entry, "trap_oid": trap_oid_of("", wanted[0], 0), "enterprise": "".join(senders)}
    if not senders:
        raise BadDefinition(f"{where}: specific needs an enterprise")
    first, *others = [trap_oid_of(sender, ENTERPRISE_SPECIFIC, number) for number in wanted for sender in senders]
    return {**entry, "trap_oid": first, "also": [*others, *entry.get("also", [])]}


def _texts(value: Any) -> Any:
    """Write the numbers of a mapping as texts: YAML reads ``2: failed`` as a number, traps carry texts."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else f"{key}": _texts(inner) for key, inner in value.items()}
    return value


class _Block(_DUMPER):  # type: ignore[misc, valid-type]
    """Writes sentences in quotes and everything else plainly."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        return True


def dump(definitions: Iterable[AlertDefinition]) -> str:
    """Write definitions as a file that reads back to the same."""
    empty = complete({})
    entries = {
        definition.key: {
            name: value
            for name in KINDS
            if (value := getattr(definition, name)) != empty[name] or name in ("name", "severity", "title")
        }
        for definition in definitions
    }
    return yaml.dump({"definitions": entries}, Dumper=_Block, sort_keys=False, allow_unicode=True, width=1000)
