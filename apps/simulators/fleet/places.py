"""Where the controllers of a fleet's servers are, and who may sign in to them."""

from ipaddress import IPv4Address

USERNAME = "watcher"
ILO_PASSWORD = "simulated-controller-password"  # noqa: S105
BMC_PASSWORD = "simulated-password"  # noqa: S105 - IPMI takes no more than twenty characters
CONSOLE_PASSWORD = "secret"  # noqa: S105 - of anybody who signs in on a serial console
BEHIND = 256  # how far a controller's address is from its server's


def address_of(address: str) -> str:
    """Give the address of the controller of the server at an address."""
    return str(IPv4Address(address) + BEHIND)
