"""What the tests of the drivers share."""

from tests.controllers import rack, thread
from tests.peers import snmpd
from tests.redfish_peers import ilo, redfish_certificates

__all__ = ["ilo", "rack", "redfish_certificates", "snmpd", "thread"]
