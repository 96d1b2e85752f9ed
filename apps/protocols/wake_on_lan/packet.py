"""The magic packet (AMD publication 20213, "Magic Packet Technology", §3)."""

import re

_DIGITS = re.compile(r"[0-9a-fA-F]{12}")
_SEPARATORS = str.maketrans("", "", ":-.")


class BadAddress(ValueError):
    """A text that is no MAC address."""


def magic_packet(mac_address: str) -> bytes:
    """Give six bytes of 0xFF and sixteen times the address; raises BadAddress."""
    digits = mac_address.translate(_SEPARATORS)
    if not _DIGITS.fullmatch(digits):
        raise BadAddress(mac_address)
    return b"\xff" * 6 + bytes.fromhex(digits) * 16
