"""The controllers of a fleet's servers: another side of the same machines, which stays when they are switched off.

Identity, power, temperatures and what is broken are the same on both sides.
"""

from apps.simulators.fleet.controllers.serving import Controllers, serve

__all__ = ["Controllers", "serve"]
