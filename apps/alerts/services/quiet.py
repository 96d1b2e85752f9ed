"""Decides whether people are told of an alert: the one place that does."""

from apps.alerts.models import Incident, IncidentState
from apps.alerts.models.alert import Quiet
from apps.components.models import Component


def quiet_reason(component: Component | None, incident: Incident | None) -> Quiet:
    """Give the reason for silence. A recovery is never quiet because its problem was acknowledged.

    An acknowledged problem keeps its cause in the status, because the device is no better for it; only the telling
    stops.
    """
    if component is not None and component.suspended:
        return Quiet.SUSPENDED
    if incident is not None and incident.state == IncidentState.ACKNOWLEDGED:
        return Quiet.ACKNOWLEDGED
    return Quiet.NO
