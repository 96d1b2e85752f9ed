"""An alert on its way into the database: what came, from whom, and what it means."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring as quoted

from django.utils.translation import gettext_noop

from apps.alerts.models import PROBLEMS, AlertDefinition, Severity
from apps.alerts.services.oids import number_of
from apps.components.models import Component
from apps.core.phrases import Phrase

UNKNOWN_TITLE = gettext_noop("Unknown trap %(trap_oid)s")
NOTHING = "–"  # stands where the sender left out what a sentence speaks of
_PLACE = re.compile(r"%\((\w+)\)s")


Binding = Mapping[str, str]
"""One variable of a notification as it is stored: ``oid``, ``type`` and ``value``, a text."""

Value = str | Phrase
"""What fills a place of a sentence: data, or words of ours that are translated when they are read."""


def named_bindings(definition: AlertDefinition, bindings: Sequence[Binding]) -> dict[str, str]:
    """Give the bindings that a definition has a name for: that object, an instance of it, or the n-th (``#2``)."""
    named: dict[str, str] = {}
    for name, oid, below in definition.named_objects:
        if oid.startswith("#"):
            place = int(oid[1:]) - 1
            if place < len(bindings):
                named[name] = bindings[place]["value"]
            continue
        for binding in bindings:
            if binding["oid"].startswith(below) or binding["oid"] == oid:
                named[name] = binding["value"]
                break
    return named


def object_of(definition: AlertDefinition, bindings: Sequence[Binding], named: Mapping[str, str] | None = None) -> str:
    """Give what the alert is about, by the words of ``object``, put together with dots.

    A word is the name of a binding (its value counts), ``@`` before it (the instance at the end of its name counts), or
    ``=`` before a text (that itself). Where no value came, the instance of any binding counts.
    """
    parts = definition.object.split()
    if not parts:
        return ""
    known = named if named is not None else named_bindings(definition, bindings)
    values = [value for part in parts if (value := _part(part, definition, bindings, known))]
    if values:
        return ".".join(values)
    return next((instance for oid in definition.bindings.values() if (instance := _instance(oid, bindings))), "")


def _part(part: str, definition: AlertDefinition, bindings: Sequence[Binding], named: Mapping[str, str]) -> str:
    if part.startswith("="):
        return part[1:]
    if part.startswith("@"):
        return _instance(definition.bindings.get(part[1:], ""), bindings)
    return named.get(part, "")


def _instance(oid: str, bindings: Sequence[Binding]) -> str:
    """Give what stands behind an object's identifier in the name of a variable."""
    for binding in bindings if oid else ():
        if binding["oid"].startswith(f"{oid}."):
            return binding["oid"][len(oid) + 1 :]
    return ""


@lru_cache(maxsize=8192)
def _places(text: str) -> tuple[str, ...]:
    return tuple(_PLACE.findall(text))


@lru_cache(maxsize=8192)
def _head(text: str) -> str:
    return f"[{quoted(text)}, {{"


def _written(value: Value) -> str:
    return quoted(value) if isinstance(value, str) else value.as_json()


@dataclass(slots=True)
class Arrival:
    """One alert before it is stored. Without a definition it is unmatched."""

    source: str
    received_at: datetime
    definition: AlertDefinition | None
    component: Component | None = None
    address: str | None = None
    object: str = ""
    params: Mapping[str, Value] = field(default_factory=dict)
    occurred_at: datetime | None = None
    version: str = ""
    trap_oid: str = ""
    enterprise: str = ""
    product: str = ""
    request_id: int | None = None
    bindings: Sequence[Binding] = ()
    datagram: bytes = b""
    digest: str = ""
    candidates: Sequence[int] = ()
    severity: str = ""  # empty: as the definition has it
    alert_type: str = ""

    @property
    def grade(self) -> str:
        """Give how bad it is; unknown where nobody defined it."""
        return self.severity or (self.definition.severity if self.definition is not None else Severity.UNKNOWN.value)

    @property
    def is_problem(self) -> bool:
        """Say whether it opens an incident, or is folded into an open one."""
        return self.grade in PROBLEMS

    @property
    def matched(self) -> bool:
        """Say whether a definition explains it; one that is switched off hides its alerts."""
        return self.definition is not None and self.definition.enabled

    @property
    def where(self) -> str:
        """Give the component's name, else the address."""
        return str(self.component) if self.component is not None else self.address or ""

    def phrase(self, text: str) -> Phrase:
        """Fill the places of a sentence; what nobody gave is shown as left out."""
        known = self._known()
        return Phrase(text, {name: known.get(name) or NOTHING for name in _places(text)})

    def written(self, texts: Iterable[str]) -> list[str]:
        """Give sentences as the database keeps them: what ``phrase(text).dumps()`` gives, at a tenth of the price."""
        known: dict[str, Value] | None = None
        result = []
        for text in texts:
            places = _places(text)
            if not places:
                result.append(Phrase(text).dumps() if text.startswith('["') else text)
                continue
            known = known or self._known()
            filled = ", ".join([f"{quoted(name)}: {_written(known.get(name) or NOTHING)}" for name in places])
            result.append(f"{_head(text)}{filled}}}]")
        return result

    @property
    def written_title(self) -> str:
        """Give what happened as the database keeps it."""
        return self.written([self.definition.title if self.definition is not None else UNKNOWN_TITLE])[0]

    def _known(self) -> dict[str, Value]:
        return {
            "component": self.where,
            "object": self.object,
            "trap_oid": self.trap_oid,
            "address": self.address or "",
            "product": self.product,
            "number": number_of(self.trap_oid),
            **self.params,
        }
