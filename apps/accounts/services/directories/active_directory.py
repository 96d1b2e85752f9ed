"""How groups are found in an Active Directory: by its own chain rule, and the primary group, which names nobody."""

import struct
from collections.abc import Iterable
from typing import Any

from django_auth_ldap.config import LDAPGroupType
from ldap.filter import escape_filter_chars

IN_CHAIN = "1.2.840.113556.1.4.1941"  # LDAP_MATCHING_RULE_IN_CHAIN, MS-ADTS 3.1.1.3.4.4.3


class DirectGroupType(LDAPGroupType):
    """The groups that name somebody as their member, and his primary group."""

    rule = "member"

    def user_groups(self, ldap_user: Any, group_search: Any) -> Iterable[tuple[str, Any]]:
        """Give the groups of a user as pairs of distinguished name and attributes."""
        found = dict(self._primary(ldap_user, group_search))
        members = [ldap_user.dn, *self._groups_that_may_be_members(found)]
        terms = "".join(f"({self.rule}={escape_filter_chars(dn)})" for dn in members)
        search = group_search.search_with_additional_term_string(f"(|{terms})")
        found.update(search.execute(ldap_user.connection))
        return found.items()

    def _groups_that_may_be_members(self, primary: dict[str, Any]) -> list[str]:
        return []

    def _primary(self, ldap_user: Any, group_search: Any) -> Iterable[tuple[str, Any]]:
        """Find the group that only the user's own entry tells of, by its security identifier."""
        sid, number = ldap_user.attrs.get("objectSid"), ldap_user.attrs.get("primaryGroupID")
        if not sid or not number:
            return []
        group = primary_group_sid(as_bytes(sid[0]), int(number[0]))
        term = "".join(f"\\{byte:02x}" for byte in group)
        found: Iterable[tuple[str, Any]] = group_search.search_with_additional_term_string(
            f"(objectSid={term})"
        ).execute(ldap_user.connection)
        return found


class ChainedGroupType(DirectGroupType):
    """The same with all the groups that those are in; the server walks the chain."""

    rule = f"member:{IN_CHAIN}:"

    def _groups_that_may_be_members(self, primary: dict[str, Any]) -> list[str]:
        return list(primary)


def primary_group_sid(user_sid: bytes, number: int) -> bytes:
    """Give the binary security identifier of a group of the user's own domain (MS-DTYP 2.4.2.2)."""
    return user_sid[:-4] + struct.pack("<I", number)


def as_bytes(value: str | bytes) -> bytes:
    """Give a binary value back that the library took for a text because its bytes happened to be one."""
    return value.encode() if isinstance(value, str) else value
