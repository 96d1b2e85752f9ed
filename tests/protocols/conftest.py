"""What the tests of the wire clients share."""

from collections.abc import AsyncIterator

import pytest

from apps.protocols.snmp import SnmpClient
from tests.peers import snmpd
from tests.redfish_peers import ilo, redfish_certificates

__all__ = ["ilo", "redfish_certificates", "snmpd"]


@pytest.fixture
async def client() -> AsyncIterator[SnmpClient]:
    """Our SNMP client on the test's own event loop."""
    async with SnmpClient() as client:
        yield client
