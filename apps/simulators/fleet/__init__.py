"""A simulated fleet: one process answers for up to thousands of SNMP agents, each on a loopback address of its own."""

from apps.simulators.fleet.agents import Agents, serve
from apps.simulators.fleet.control import Remote
from apps.simulators.fleet.faults import FaultKind
from apps.simulators.fleet.fleet import Fleet
from apps.simulators.fleet.plan import BadPlan, Plan, Spec, mixed, read

__all__ = ["Agents", "BadPlan", "FaultKind", "Fleet", "Plan", "Remote", "Spec", "mixed", "read", "serve"]
