"""A simulated SNMP agent of version 1 and 2c: it answers from a recording of a real device, or from a dictionary."""

from apps.simulators.snmp_replay.agent import Behaviour, ReplayAgent, serve
from apps.simulators.snmp_replay.recording import Recording

__all__ = ["Behaviour", "Recording", "ReplayAgent", "serve"]
