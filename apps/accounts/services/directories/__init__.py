"""Directories: who stands in an LDAP or Active Directory server signs in, with what his groups there hold here."""
