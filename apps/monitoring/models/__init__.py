"""Readings and their history, what was heard last, event logs, and who answers."""

from apps.monitoring.models.event_log import LoggedEntry, LogPlace
from apps.monitoring.models.fleet import FleetQuantity, FleetSpan, FleetValues
from apps.monitoring.models.history import RollUp, RollUpProgress, Sample, SensorLayout, Span
from apps.monitoring.models.inventory_change import Change, InventoryChange
from apps.monitoring.models.last import LastPorts, LastPower, LastStates, LastValues
from apps.monitoring.models.network import ExcludedPort, Liveness, Neighbour
from apps.monitoring.models.sensor import Limit, Sensor

__all__ = [
    "Change",
    "ExcludedPort",
    "FleetQuantity",
    "FleetSpan",
    "FleetValues",
    "InventoryChange",
    "LastPorts",
    "LastPower",
    "LastStates",
    "LastValues",
    "Limit",
    "Liveness",
    "LogPlace",
    "LoggedEntry",
    "Neighbour",
    "RollUp",
    "RollUpProgress",
    "Sample",
    "Sensor",
    "SensorLayout",
    "Span",
]
