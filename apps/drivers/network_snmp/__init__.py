"""A switch, a router, an access point: MIB-2 in any SNMP version, LLDP neighbours, and the health of its hardware."""
