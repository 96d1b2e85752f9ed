"""ICMP echo for IPv4 and IPv6: thousands of addresses through one socket per family (RFC 792, RFC 4443 §4)."""

from apps.protocols.ping.pinger import Pinger, ping, sweep
from apps.protocols.ping.sockets import PingNotPermitted, open_sockets, rights

__all__ = ["PingNotPermitted", "Pinger", "open_sockets", "ping", "rights", "sweep"]
