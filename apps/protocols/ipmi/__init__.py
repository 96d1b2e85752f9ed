"""Management controllers by IPMI 2.0 over RMCP+, on the event loop.

``IpmiConnection`` looks whether anybody is there, signs in by pyghmi (``signing_in``), and gives an ``IpmiSession``: it
seals packets (``sealing``, ``channel``) and asks one question at a time (``messages``). The modules of one subject each
(``about``, ``chassis``, ``records``, ``measuring``, ``fru``, ``event_log``) hold pure decoders and the questions that
belong to them, which take a session. ``sol`` is serial over LAN, and ``IpmiConsole`` the task that carries it.
"""

from apps.protocols.ipmi.connection import IpmiConnection
from apps.protocols.ipmi.console import IpmiConsole
from apps.protocols.ipmi.session import IpmiSession
from apps.protocols.ipmi.target import IpmiTarget

__all__ = ["IpmiConnection", "IpmiConsole", "IpmiSession", "IpmiTarget"]
