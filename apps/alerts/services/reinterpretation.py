"""Changes what an alert means; what arrived stays as it is."""

from apps.alerts.models import Alert, AlertDefinition, Incident, IncidentState, Severity
from apps.alerts.services import catalogue, products
from apps.alerts.services.arrivals import Arrival, Value
from apps.alerts.services.folding import Folding, settle_causes
from apps.alerts.services.ingestion import explain
from apps.alerts.services.interpretation import meaning_of
from apps.alerts.services.naming import names_of, shown_object
from apps.alerts.services.quiet import quiet_reason
from apps.components.models import Component
from apps.core import audit, events
from apps.core.actors import Actor
from apps.core.writes import turn


def reinterpret(
    alert: Alert, actor: Actor, *, component: Component | None, definition: AlertDefinition | None
) -> Alert:
    """Say anew which component an alert is from and which definition explains it; audited.

    Its incident follows: the alert leaves the one it was folded into, and opens or joins the one it belongs to now. A
    recovery that is understood late ends nothing, because the problem may have come back since.
    """
    with turn():
        alert = Alert.objects.select_for_update(of=("self",)).select_related("definition").get(pk=alert.pk)
        before = _meaning(alert)
        left = leave(alert.incident_id, alert.severity)
        arrival = arrival_of(alert, component, definition)
        alert.component = component
        alert.component_name = component.name if component is not None else ""
        alert.object = arrival.object[:200]
        explain(alert, arrival)
        problem = None
        if arrival.matched and arrival.is_problem:
            folding = Folding([arrival], catalogue.current())
            problem = folding.take(arrival)
            folding.store()
        alert.incident_id = problem.pk if problem is not None else None
        alert.quiet = quiet_reason(component, problem).value
        alert.save()
        settle_causes(left)
        audit.record(actor, "alert.reinterpret", alert, before=before, after=_meaning(alert))
        events.publish("alert")
    return alert


def arrival_of(alert: Alert, component: Component | None, definition: AlertDefinition | None) -> Arrival:
    """Read a stored alert as if it had just arrived from that component with that definition."""
    object_key, product = alert.object, alert.product
    severity = alert_type = ""
    params: dict[str, Value] = {name: value for name, value in alert.title.params.items()}
    if alert.trap_oid:
        model = component.model if component is not None else ""
        sender = products.known().of_trap(alert.trap_oid, alert.enterprise, model)
        meaning = meaning_of(definition, sender, alert.trap_oid, alert.bindings)
        product, severity, alert_type = meaning.product, meaning.severity, meaning.alert_type
        object_key, params = meaning.object, dict(meaning.params)
        if definition is not None:
            part = (component.pk if component is not None else 0, object_key)
            known = names_of(definition.object_kind, [part]) if component is not None else {}
            params["object"] = shown_object(definition, object_key, params, known.get(part))
    params.pop("component", None)
    return Arrival(
        source=alert.source,
        received_at=alert.received_at,
        definition=definition,
        severity=severity,
        alert_type=alert_type,
        component=component,
        address=alert.address,
        object=object_key,
        params=params,
        trap_oid=alert.trap_oid,
        enterprise=alert.enterprise,
        product=product,
        bindings=tuple(alert.bindings),
    )


def leave(incident_id: int | None, severity: str) -> list[Incident]:
    """Take an alert of this severity out of its incident, which ends when nothing is left in it."""
    incident = Incident.objects.select_for_update().filter(pk=incident_id).first()
    if incident is None or severity == Severity.NORMAL:
        return []
    incident.count = max(incident.count - 1, 0)
    if incident.count == 0 and incident.is_open:
        incident.state = IncidentState.CLOSED.value
        incident.closed_at = incident.last_at
    incident.save(update_fields=["count", "state", "closed_at"])
    return [incident]


def _meaning(alert: Alert) -> dict[str, object]:
    return {
        "component": alert.component_id,
        "definition": alert.definition.key if alert.definition else None,
        "severity": alert.severity,
        "object": alert.object,
    }
