"""What may be entered for a directory: addresses of servers, distinguished names, filters, attribute names."""

import ipaddress
import re

import ldap
import ldap.dn
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

PLACE = "%(user)s"  # where a filter takes the name that somebody typed
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|\d+(\.\d+)+")
_NOWHERE = "ldapi://%2Fnonexistent"


def split_server(text: str, default_port: int) -> tuple[str, int]:
    """Give host and port of ``host``, ``host:port``, ``[2001:db8::1]:port`` or an address; raises ValidationError."""
    host, port = _parts(text.strip())
    wrong = ValidationError(
        _("“%(text)s” is no server: enter a name or an address, and a port if it is not the usual one.")
        % {"text": text}
    )
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not _HOST.fullmatch(host) or len(host) > 253 or re.fullmatch(r"[\d.]+", host):
            raise wrong from None
    if not port:
        return host, default_port
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise wrong
    return host, int(port)


def _parts(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _bracket, rest = text[1:].partition("]")
        return host, rest.removeprefix(":") if rest.startswith(":") else ("?" if rest else "")
    if text.count(":") == 1:
        host, _colon, port = text.partition(":")
        return host, port or "?"
    return text, ""


def clean_server(text: str, scheme: str, default_port: int) -> str:
    """Give a server as it is stored; a scheme before it must be the one of the encryption. Raises ValidationError."""
    given, separator, rest = text.strip().partition("://")
    if separator:
        if given.lower() != scheme:
            raise ValidationError(
                _("“%(text)s” does not fit the encryption: leave the part before the name out.") % {"text": text}
            )
        text = rest.rstrip("/")
    host, port = split_server(text, default_port)
    shown = f"[{host}]" if ":" in host else host.lower()
    return shown if port == default_port else f"{shown}:{port}"


def clean_dn(text: str) -> str:
    """Give a distinguished name without blanks around it; raises ValidationError when it is none."""
    text = text.strip()
    if text and not ldap.dn.is_dn(text):
        raise ValidationError(_("This is no distinguished name, like ou=people,dc=example,dc=com."))
    return text


def key_of(dn: str) -> str:
    """Write a distinguished name in the one way in which two are compared."""
    try:
        parts = ldap.dn.str2dn(dn)
    except ldap.DECODING_ERROR:
        return dn.casefold()
    return ldap.dn.dn2str([[(name.lower(), value.casefold(), 1) for name, value, _flags in part] for part in parts])


def first_value(dn: str) -> str:
    """Give what a group or person is called by its distinguished name: ``Ops`` of ``cn=Ops,ou=groups,…``."""
    try:
        parts = ldap.dn.str2dn(dn)
    except ldap.DECODING_ERROR:
        return dn
    return str(parts[0][0][1]) if parts else dn


def clean_filter(text: str, *, names_user: bool) -> str:
    """Give a filter in parentheses; raises ValidationError when it is none, or does not say where the name goes."""
    text = text.strip()
    if text and not text.startswith("("):
        text = f"({text})"
    if names_user and PLACE not in text:
        raise ValidationError(_("The filter needs %(place)s where the name goes.") % {"place": PLACE})
    filled = text.replace(PLACE, "x") if names_user else text
    if "%" in filled:
        raise ValidationError(_("The filter may hold no other %% sign; write \\25 for one.") % {})
    try:
        ldap.initialize(_NOWHERE).search_ext("", ldap.SCOPE_BASE, filled)
    except ldap.FILTER_ERROR as error:
        raise ValidationError(_("This is no LDAP filter: look at the parentheses.")) from error
    except (ldap.LDAPError, ValueError):
        pass  # the library read the filter before it found nobody there
    return text


def clean_attribute(text: str) -> str:
    """Give the name of an attribute; raises ValidationError when it cannot be one."""
    text = text.strip()
    if text and not _ATTRIBUTE.fullmatch(text):
        raise ValidationError(_("This is no name of an attribute, like mail."))
    return text
