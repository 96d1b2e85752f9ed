"""What django-auth-ldap needs to know, taken from the row of a directory instead of the settings file."""

from typing import Any

import ldap
from django_auth_ldap.config import (
    GroupOfNamesType,
    GroupOfUniqueNamesType,
    LDAPGroupType,
    LDAPSearch,
    LDAPSettings,
    NestedGroupOfNamesType,
    NestedGroupOfUniqueNamesType,
    PosixGroupType,
)

from apps.accounts.models import Directory, DirectoryKind, Encryption, GroupKind
from apps.accounts.services.directories import entries, syntax
from apps.accounts.services.directories.active_directory import ChainedGroupType, DirectGroupType

PREFIX = "_DIRECTORY_"  # no setting begins so: everything comes from the row
TLS_1_2 = 0x303
NAME_OF_GROUP = "cn"

# What is usual, by kind: filled in where a new directory leaves it empty.
USUAL: dict[str, dict[str, str]] = {
    DirectoryKind.LDAP.value: {
        "user_filter": "(&(objectClass=inetOrgPerson)(uid=%(user)s))",
        "username_attribute": "uid",
        "first_name_attribute": "givenName",
        "last_name_attribute": "sn",
        "mail_attribute": "mail",
        "group_kind": GroupKind.GROUP_OF_NAMES.value,
    },
    DirectoryKind.ACTIVE_DIRECTORY.value: {
        "user_filter": "(&(objectClass=user)(!(objectClass=computer))"
        "(|(sAMAccountName=%(user)s)(userPrincipalName=%(user)s)))",
        "username_attribute": "sAMAccountName",
        "first_name_attribute": "givenName",
        "last_name_attribute": "sn",
        "mail_attribute": "mail",
        "group_kind": GroupKind.ACTIVE_DIRECTORY.value,
    },
}
USUAL_GROUP_FILTER = {
    GroupKind.GROUP_OF_NAMES.value: "(objectClass=groupOfNames)",
    GroupKind.GROUP_OF_UNIQUE_NAMES.value: "(objectClass=groupOfUniqueNames)",
    GroupKind.POSIX_GROUP.value: "(objectClass=posixGroup)",
    GroupKind.ACTIVE_DIRECTORY.value: "(objectClass=group)",
}
# By kind of group, and whether groups in groups count. Members of a posixGroup are names, which cannot be groups.
GROUP_TYPES: dict[tuple[str, bool], type[LDAPGroupType]] = {
    (GroupKind.GROUP_OF_NAMES.value, False): GroupOfNamesType,
    (GroupKind.GROUP_OF_NAMES.value, True): NestedGroupOfNamesType,
    (GroupKind.GROUP_OF_UNIQUE_NAMES.value, False): GroupOfUniqueNamesType,
    (GroupKind.GROUP_OF_UNIQUE_NAMES.value, True): NestedGroupOfUniqueNamesType,
    (GroupKind.POSIX_GROUP.value, False): PosixGroupType,
    (GroupKind.POSIX_GROUP.value, True): PosixGroupType,
    (GroupKind.ACTIVE_DIRECTORY.value, False): DirectGroupType,
    (GroupKind.ACTIVE_DIRECTORY.value, True): ChainedGroupType,
}


def settings_of(directory: Directory, server: str) -> LDAPSettings:
    """Give the settings with which one server of a directory is asked."""
    host, port = syntax.split_server(server, directory.default_port)
    shown = f"[{host}]" if ":" in host else host
    group_type = GROUP_TYPES[directory.group_kind, directory.nested_groups]
    attributes = entries.attributes_of(directory)
    return LDAPSettings(
        PREFIX,
        {
            "SERVER_URI": f"{directory.scheme}://{shown}:{port}",
            "START_TLS": directory.encryption == Encryption.STARTTLS,
            "CONNECTION_OPTIONS": _connection_options(directory),
            "BIND_DN": directory.bind_dn,
            "BIND_PASSWORD": directory.bind_password or "",
            "USER_SEARCH": LDAPSearch(directory.search_base, ldap.SCOPE_SUBTREE, directory.user_filter, attributes),
            "USER_ATTRLIST": attributes,
            "GROUP_SEARCH": LDAPSearch(
                directory.group_base or directory.search_base,
                ldap.SCOPE_SUBTREE,
                directory.group_filter,
                [NAME_OF_GROUP],
            ),
            "GROUP_TYPE": group_type(name_attr=NAME_OF_GROUP),
        },
    )


def _connection_options(directory: Directory) -> dict[int, Any]:
    options: dict[int, Any] = {
        ldap.OPT_PROTOCOL_VERSION: ldap.VERSION3,
        ldap.OPT_REFERRALS: 0,  # another server would be given the password
        ldap.OPT_NETWORK_TIMEOUT: float(directory.connect_timeout),
        ldap.OPT_TIMEOUT: float(directory.answer_timeout),
        ldap.OPT_TIMELIMIT: int(directory.answer_timeout),
    }
    if directory.encryption != Encryption.NONE:
        wanted = ldap.OPT_X_TLS_DEMAND if directory.verify_tls else ldap.OPT_X_TLS_NEVER
        options |= {ldap.OPT_X_TLS_REQUIRE_CERT: wanted, ldap.OPT_X_TLS_PROTOCOL_MIN: TLS_1_2}
    return options
