"""The SNMP client of the running event loop, the same for every driver that speaks SNMP."""

from apps.drivers.per_loop import PerLoop
from apps.protocols.snmp import SnmpClient

snmp_client = PerLoop(SnmpClient)
