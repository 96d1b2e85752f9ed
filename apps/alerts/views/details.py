"""What the drawers of an alert and of an incident show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from apps.alerts.listing import incidents as incident_listing
from apps.alerts.models import Alert, AlertDefinition, Incident
from apps.alerts.services.arrivals import Binding
from apps.alerts.sources import label_of
from apps.components.models import Component
from apps.core import scoping


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a notification, with the name that the definition has for it."""

    name: str
    oid: str
    kind: str
    value: str


def alert_details(request: HttpRequest, found: Alert) -> dict[str, Any]:
    """Give what the drawer of an alert shows."""
    incident = found.incident
    candidates: list[Component] = []
    if found.component_id is None and found.candidates and scoping.may(request.user, "alerts"):
        candidates = list(Component.objects.visible_to(request.user).filter(pk__in=found.candidates))
    variables = named(found.definition, found.bindings)
    return {
        "alert": found,
        "source": label_of(found.source),
        "variables": variables,
        "variables_text": "\n".join(f"{one.name or one.oid}\t{one.oid}\t{one.kind}\t{one.value}" for one in variables),
        "candidates": candidates,
        "octets": bytes(found.datagram).hex(" ") if found.datagram else "",
        "incident": incident,
        "history": incident_listing.history(request.user, incident) if incident is not None else [],
        "may_close": incident is not None and _may_act(request, incident),
    }


def incident_details(request: HttpRequest, found: Incident) -> dict[str, Any]:
    """Give what the drawer of an incident shows."""
    return {
        "incident": found,
        "history": incident_listing.history(request.user, found),
        "may_close": _may_act(request, found),
    }


def named(definition: AlertDefinition | None, bindings: Sequence[Binding]) -> list[Variable]:
    """Give the variables in the order in which they came, each with its name where the definition has one."""
    known = definition.named_objects if definition is not None else ()
    return [
        Variable(
            next((name for name, oid, below in known if one["oid"] == oid or one["oid"].startswith(below)), ""),
            one["oid"],
            one["type"],
            one["value"],
        )
        for one in bindings
    ]


def _may_act(request: HttpRequest, incident: Incident) -> bool:
    return incident.is_open and Incident.objects.visible_to(request.user, "alerts").filter(pk=incident.pk).exists()
