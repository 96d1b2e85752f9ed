"""Alerts, the incidents they open and close, the definitions that explain them, and what reception counts."""

from apps.alerts.models.alert import Alert, AlertQuerySet, Quiet
from apps.alerts.models.counter import REFUSALS, Count, Counter
from apps.alerts.models.definition import DEFAULT_ALERT_TYPE, PROBLEMS, AlertDefinition, Severity
from apps.alerts.models.incident import OPEN_INCIDENTS, Incident, IncidentQuerySet, IncidentState
from apps.alerts.models.subscription import EventSubscription, Farewell, SubscriptionState

__all__ = [
    "DEFAULT_ALERT_TYPE",
    "OPEN_INCIDENTS",
    "PROBLEMS",
    "REFUSALS",
    "Alert",
    "AlertDefinition",
    "AlertQuerySet",
    "Count",
    "Counter",
    "EventSubscription",
    "Farewell",
    "Incident",
    "IncidentQuerySet",
    "IncidentState",
    "Quiet",
    "Severity",
    "SubscriptionState",
]
