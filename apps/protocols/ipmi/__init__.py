"""Management controllers by IPMI 2.0 over RMCP+: the one adapter around pyghmi.

The library blocks; ``IpmiConnection`` runs it in a few threads, after an asynchronous look whether anybody is there.
The modules of one subject each (``about``, ``chassis``, ``records``, ``measuring``, ``fru``, ``event_log``) hold pure
decoders and the questions that belong to them, which take an ``IpmiSession`` and block. ``sol`` is serial over LAN, and
``IpmiConsole`` what runs it in a thread of its own.
"""

from apps.protocols.ipmi.connection import IpmiConnection
from apps.protocols.ipmi.console import IpmiConsole
from apps.protocols.ipmi.session import IpmiSession
from apps.protocols.ipmi.target import IpmiTarget

__all__ = ["IpmiConnection", "IpmiConsole", "IpmiSession", "IpmiTarget"]
