"""What the tests of the drivers share."""

from tests.peers import snmpd

__all__ = ["snmpd"]
