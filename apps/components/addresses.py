"""Addresses as people write them: checked, and written in one way."""

import ipaddress
import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LONGEST = 253  # RFC 1035 §2.3.4, without the final dot
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)


def clean_host(text: str) -> str:
    """Give an address or a host name in its one form; raises ValidationError."""
    try:
        return _numeric(text.strip())
    except ValueError:
        pass
    name = text.strip().rstrip(".").casefold()
    labels = name.split(".")
    if len(name) > LONGEST or labels[-1].isdigit() or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValidationError(_("Enter an IPv4 or IPv6 address or a host name."))
    return name


def clean_address(text: str) -> str:
    """Give an IP address in its one form; raises ValidationError."""
    try:
        return _numeric(text.strip())
    except ValueError as error:
        raise ValidationError(_("Enter an IPv4 or IPv6 address.")) from error


def _numeric(text: str) -> str:
    """Read an IP address; ValueError when it is none, ValidationError when no single device can have it."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_unspecified or address.is_multicast or str(address) == "255.255.255.255":
        raise ValidationError(_("%(address)s is not the address of one device.") % {"address": address})
    return str(address)
