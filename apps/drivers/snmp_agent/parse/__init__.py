"""Pure functions from an SNMP agent's answers to the portal's values, one module per subject."""
