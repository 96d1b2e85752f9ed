"""An alert on its way into the database: what came, from whom, and what it means."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext_noop

from apps.alerts.models import AlertDefinition
from apps.components.models import Component
from apps.core.phrases import Phrase

UNKNOWN_TITLE = gettext_noop("Unknown trap %(trap_oid)s")
NOTHING = "–"  # stands where the sender left out what a sentence speaks of
_PLACE = re.compile(r"%\((\w+)\)s")


Binding = Mapping[str, object]
"""One variable of a notification as it is stored: ``oid``, ``type`` and ``value``, a text."""


def named_bindings(definition: AlertDefinition, bindings: Sequence[Binding]) -> dict[str, str]:
    """Give the bindings that a definition has a name for: exactly that object, or an instance of it."""
    named: dict[str, str] = {}
    for name, oid in definition.bindings.items():
        for binding in bindings:
            if binding["oid"] == oid or str(binding["oid"]).startswith(f"{oid}."):
                named[name] = str(binding["value"])
                break
    return named


def object_of(definition: AlertDefinition, bindings: Sequence[Binding]) -> str:
    """Give what the alert is about: the value of the object's binding, else the instance at its name's end."""
    if not definition.object:
        return ""
    named = named_bindings(definition, bindings)
    if definition.object in named:
        return named[definition.object]
    for oid in definition.bindings.values():
        for binding in bindings:
            if str(binding["oid"]).startswith(f"{oid}."):
                return str(binding["oid"])[len(oid) + 1 :]
    return ""


@dataclass(frozen=True, slots=True)
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
    bindings: tuple[Binding, ...] = ()
    datagram: bytes = b""
    digest: str = ""
    candidates: tuple[int, ...] = ()

    @property
    def where(self) -> str:
        """Give the component's name, else the address."""
        return str(self.component) if self.component is not None else self.address or ""

    def phrase(self, text: str) -> Phrase:
        """Fill the places of a sentence; what nobody gave is shown as left out."""
        known = {
            "component": self.where,
            "object": self.object,
            "trap_oid": self.trap_oid,
            "address": self.address or "",
            **self.params,
        }
        return Phrase(text, {name: known.get(name) or NOTHING for name in _PLACE.findall(text)})
