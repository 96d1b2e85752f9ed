"""A thin client of Redfish services (DMTF DSP0266) over TLS: sessions, pinned certificates, bounded answers."""

from apps.protocols.redfish.answers import Answer, Refused, asks_for_restart
from apps.protocols.redfish.client import RedfishClient
from apps.protocols.redfish.target import RedfishTarget

__all__ = ["Answer", "RedfishClient", "RedfishTarget", "Refused", "asks_for_restart"]
