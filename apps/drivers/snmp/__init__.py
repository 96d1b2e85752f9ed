"""What all drivers that speak SNMP share: the conversation, the standard MIBs that any agent may have, rates."""
