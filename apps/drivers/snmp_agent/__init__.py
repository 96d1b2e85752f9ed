"""A server, or anything else that runs a plain SNMP agent: MIB-2, HOST-RESOURCES-MIB, IF-MIB and UCD-SNMP-MIB."""
