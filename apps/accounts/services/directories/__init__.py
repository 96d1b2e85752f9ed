"""Directories: who stands in an LDAP or Active Directory server signs in, and what his groups there are granted holds."""
