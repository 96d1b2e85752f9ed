"""What the drawers of an alert and of an incident show."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext

from apps.alerts.listing import incidents as incident_listing
from apps.alerts.models import Alert, AlertDefinition, Incident
from apps.alerts.services.arrivals import Binding
from apps.alerts.sources import EVENT_SOURCE, label_of
from apps.components.models import Component
from apps.core import scoping


def is_event(found: Alert) -> bool:
    """Say whether it came as a Redfish event, whose raw form is a text."""
    return found.source == EVENT_SOURCE


def event_text(found: Alert) -> str:
    """Give a Redfish event as it came; empty where it was not kept, or came in another way."""
    if not is_event(found) or not found.datagram:
        return ""
    return json.dumps(json.loads(bytes(found.datagram)), indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a notification, with what the definition calls it and says that its value means."""

    name: str
    oid: str
    kind: str
    value: str
    word: str = ""


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
        "may_define": bool(found.trap_oid) and not found.matched and scoping.may(request.user, "definitions"),
        "octets": bytes(found.datagram).hex(" ") if found.datagram and not is_event(found) else "",
        "event": event_text(found),
        "is_event": is_event(found),
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
    """Give the variables in the order in which they came, each with its name and word where the definition has one."""
    words = definition.words if definition is not None else {}
    variables = []
    for place, one in enumerate(bindings, start=1):
        name = _name_of(definition, one["oid"], place)
        word = words.get(name, {}).get(one["value"], "")
        variables.append(Variable(name, one["oid"], one["type"], one["value"], gettext(word) if word else ""))
    return variables


def _name_of(definition: AlertDefinition | None, oid: str, place: int) -> str:
    """Give the name of a variable: of that object, an instance of it, or of its place."""
    for name, known, below in definition.named_objects if definition is not None else ():
        if known in {oid, f"#{place}"} or oid.startswith(below):
            return name
    return ""


def _may_act(request: HttpRequest, incident: Incident) -> bool:
    return incident.is_open and Incident.objects.visible_to(request.user, "alerts").filter(pk=incident.pk).exists()
