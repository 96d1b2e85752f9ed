"""Decides whether people are told of an alert: the one place that does."""

from typing import Any, Protocol

from apps.alerts.models import IncidentState, Quiet
from apps.components.models import Component


class WithState(Protocol):
    """An incident, or what stands for one."""

    state: Any


def quiet_reason(component: Component | None, incident: WithState | None) -> Quiet:
    """Give the reason for silence. A recovery is never quiet because its problem was acknowledged.

    An acknowledged problem keeps its cause in the status, because the device is no better for it; only the telling
    stops. A problem that begins while its component is quiet is held, and told when the silence is over
    (``telling.tell_held``).
    """
    if component is not None and component.suspended:
        return Quiet.SUSPENDED
    if incident is not None and incident.state == IncidentState.ACKNOWLEDGED:
        return Quiet.ACKNOWLEDGED
    return Quiet.NO
