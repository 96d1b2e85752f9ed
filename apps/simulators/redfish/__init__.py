"""A simulated Redfish service over TLS, in the shape of an iLO: sessions, power, logs, and faults on command."""

from apps.simulators.redfish.machine import Fault, Machine
from apps.simulators.redfish.service import Service, serve

__all__ = ["Fault", "Machine", "Service", "serve"]
