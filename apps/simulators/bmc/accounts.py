"""Who may sign in to a simulated controller, and as what (IPMI 2.0 §22.26 to §22.30)."""

from dataclasses import dataclass, field
from enum import IntEnum

PLACES = 10
_LONGEST = 20


class Privilege(IntEnum):
    """What a session may do."""

    NONE = 0  # asked without a session, too
    CALLBACK = 1
    USER = 2
    OPERATOR = 3
    ADMINISTRATOR = 4


NO_ACCESS = 0x0F


@dataclass(slots=True)
class Account:
    """One of the numbered places for users."""

    name: str = ""
    password: bytes = field(default=b"", repr=False)
    enabled: bool = False
    limit: int = NO_ACCESS  # a Privilege, or none
    flags: int = 0x10  # callback only, link authentication, messaging: as Get User Access gives them
    longest: int = 16  # what the password was set with, 16 or 20
    serial_over_lan: bool = True

    def has_password(self, given: bytes) -> bool:
        """Compare as controllers do, without the zeros at the end."""
        return self.password.rstrip(b"\0") == given.rstrip(b"\0")


class Accounts:
    """The users of a controller, by number; 1 has no name."""

    def __init__(self) -> None:
        self.places = {number: Account() for number in range(1, PLACES + 1)}

    def add(self, name: str, password: str, limit: Privilege = Privilege.ADMINISTRATOR) -> int:
        """Give somebody the next free place; raises ``ValueError``."""
        if len(name.encode()) > 16 or len(password.encode()) > _LONGEST:
            raise ValueError("IPMI takes user names of up to 16 bytes and passwords of up to 20 bytes")
        for number, account in self.places.items():
            if number > 1 and not account.name:
                account.name, account.password, account.limit = name, password.encode(), limit
                account.enabled, account.longest = True, _LONGEST
                return number
        raise ValueError("there is no place left")

    def find(self, name: str, role: int, *, by_name_alone: bool) -> Account | None:
        """Find who signs in; by name and privilege, the first who may have it counts (§13.20)."""
        for account in self.places.values():
            usable = account.enabled and account.limit != NO_ACCESS and account.flags & 0x10
            if account.name == name and usable and (by_name_alone or account.limit >= role):
                return account
        return None
