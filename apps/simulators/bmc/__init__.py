"""Simulated management controllers that speak IPMI 2.0 over RMCP+, many in one process, each in front of a machine."""

from apps.simulators.bmc.accounts import Privilege
from apps.simulators.bmc.controller import Controller
from apps.simulators.bmc.faults import Fault
from apps.simulators.bmc.machine import Event, Machine, Order, Started, Switched
from apps.simulators.bmc.nature import Measured, Pace, Product
from apps.simulators.bmc.server import Server, serve, serve_all

__all__ = [
    "Controller",
    "Event",
    "Fault",
    "Machine",
    "Measured",
    "Order",
    "Pace",
    "Privilege",
    "Product",
    "Server",
    "Started",
    "Switched",
    "serve",
    "serve_all",
]
