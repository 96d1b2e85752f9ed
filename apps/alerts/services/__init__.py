"""The verbs of alerts: raise, ingest, acknowledge, close, reinterpret."""

from apps.alerts.services.arrivals import Arrival
from apps.alerts.services.incidents import acknowledge, age, attention, close, reopen_overdue
from apps.alerts.services.ingestion import ingest, listeners
from apps.alerts.services.naming import exempt_objects, object_names
from apps.alerts.services.raising import raise_alert
from apps.alerts.services.reception import reception_state
from apps.alerts.services.reinterpretation import reinterpret
from apps.alerts.services.telling import tell_held

__all__ = [
    "Arrival",
    "acknowledge",
    "age",
    "attention",
    "close",
    "exempt_objects",
    "ingest",
    "listeners",
    "object_names",
    "raise_alert",
    "reception_state",
    "reinterpret",
    "reopen_overdue",
    "tell_held",
]
