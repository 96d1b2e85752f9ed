"""What the tests of the drivers share."""

from tests.peers import snmpd
from tests.redfish_peers import ilo, redfish_certificates

__all__ = ["ilo", "redfish_certificates", "snmpd"]
