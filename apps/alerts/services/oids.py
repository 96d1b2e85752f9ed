"""Object identifiers of notifications: the two ways of writing one, and walking up from one (RFC 3584 §3).

Redfish events have names of the same shape, so that all that is said of traps holds for them, too.
"""

import re
from collections.abc import Iterator

WRITTEN = re.compile(r"\d{1,10}(\.\d{1,10})+")
EVENTS = "redfish"
"""Above the names of all Redfish events, which are recognised as traps are: redfish.<registry>.<message>."""
EVENT = re.compile(rf"{EVENTS}(\.[A-Za-z0-9][\w-]{{0,99}}){{0,2}}", re.ASCII)
PROPERTY = re.compile(r"[A-Za-z]\w{0,59}(\.[1-9]\d?)?", re.ASCII)  # of an event: Message, MessageArgs.1
STANDARD_TRAPS = "1.3.6.1.6.3.1.1.5"
ENTERPRISE_SPECIFIC = 6


def trap_oid_of(enterprise: str, generic: int, specific: int) -> str:
    """Give the version 2 name of a version 1 trap (RFC 3584 §3.1)."""
    if generic == ENTERPRISE_SPECIFIC:
        return f"{enterprise}.0.{specific}"
    return f"{STANDARD_TRAPS}.{generic + 1}"


def enterprise_of(trap_oid: str) -> str:
    """Give the enterprise that a notification's name implies (RFC 3584 §3.2); none for the standard traps."""
    if trap_oid.startswith(f"{STANDARD_TRAPS}."):
        return ""
    enterprise, _dot, _specific = trap_oid.rpartition(".")
    return enterprise.removesuffix(".0")


def number_of(trap_oid: str) -> str:
    """Give the number of a notification within its enterprise."""
    return trap_oid.rpartition(".")[2]


def other_form(trap_oid: str) -> str:
    """Give the same notification with the zero that version 1 puts before the number, or without it.

    A MIB may name a notification ``E.7``; a version 1 agent sends it as enterprise E, number 7, and that becomes
    ``E.0.7``.
    """
    before, _dot, number = trap_oid.rpartition(".")
    return f"{before.removesuffix('.0')}.{number}" if before.endswith(".0") else f"{before}.0.{number}"


def above(oid: str) -> Iterator[str]:
    """Give an object identifier and everything above it, the longest first."""
    at = oid
    while at:
        yield at
        at = at.rpartition(".")[0]


def is_below(oid: str, root: str) -> bool:
    """Say whether an object identifier is a root or stands below it."""
    return oid == root or oid.startswith(f"{root}.")
