"""An alert on its way into the database: what came, from whom, and what it means."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring as quoted

from django.utils.translation import gettext_noop

from apps.alerts.models import PROBLEMS, AlertDefinition, Severity
from apps.components.models import Component
from apps.core.phrases import Phrase

UNKNOWN_TITLE = gettext_noop("Unknown trap %(trap_oid)s")
NOTHING = "–"  # stands where the sender left out what a sentence speaks of
_PLACE = re.compile(r"%\((\w+)\)s")


Binding = Mapping[str, str]
"""One variable of a notification as it is stored: ``oid``, ``type`` and ``value``, a text."""


def named_bindings(definition: AlertDefinition, bindings: Sequence[Binding]) -> dict[str, str]:
    """Give the bindings that a definition has a name for: exactly that object, or an instance of it."""
    named: dict[str, str] = {}
    for name, oid, below in definition.named_objects:
        for binding in bindings:
            if binding["oid"].startswith(below) or binding["oid"] == oid:
                named[name] = binding["value"]
                break
    return named


def object_of(definition: AlertDefinition, bindings: Sequence[Binding], named: Mapping[str, str]) -> str:
    """Give what the alert is about: the value of the object's binding, else the instance at its name's end."""
    if not definition.object:
        return ""
    if definition.object in named:
        return named[definition.object]
    for _name, _oid, below in definition.named_objects:
        for binding in bindings:
            if binding["oid"].startswith(below):
                return binding["oid"][len(below) :]
    return ""


@lru_cache(maxsize=8192)
def _places(text: str) -> tuple[str, ...]:
    return tuple(_PLACE.findall(text))


@lru_cache(maxsize=8192)
def _head(text: str) -> str:
    return f"[{quoted(text)}, {{"


@dataclass(slots=True)
class Arrival:
    """One alert before it is stored. Without a definition it is unmatched."""

    source: str
    received_at: datetime
    definition: AlertDefinition | None
    component: Component | None = None
    address: str | None = None
    object: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
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

    @property
    def severity(self) -> str:
        """Give how bad it is; unknown where nobody defined it."""
        return self.definition.severity if self.definition is not None else Severity.UNKNOWN.value

    @property
    def is_problem(self) -> bool:
        """Say whether it opens an incident, or is folded into an open one."""
        return self.severity in PROBLEMS

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
        known: dict[str, str] | None = None
        result = []
        for text in texts:
            places = _places(text)
            if not places:
                result.append(Phrase(text).dumps() if text.startswith('["') else text)
                continue
            known = known or self._known()
            filled = ", ".join([f"{quoted(name)}: {quoted(known.get(name) or NOTHING)}" for name in places])
            result.append(f"{_head(text)}{filled}}}]")
        return result

    def _known(self) -> dict[str, str]:
        return {
            "component": self.where,
            "object": self.object,
            "trap_oid": self.trap_oid,
            "address": self.address or "",
            **self.params,
        }
