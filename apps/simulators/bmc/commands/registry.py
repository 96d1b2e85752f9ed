"""What a simulated controller can be told: commands by network function and number, with the privilege they need."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from apps.simulators.bmc.accounts import Privilege
from apps.simulators.bmc.session import Session

if TYPE_CHECKING:
    from apps.simulators.bmc.controller import Controller

CHASSIS, SENSOR, APPLICATION, STORAGE, TRANSPORT, GROUP = 0x00, 0x04, 0x06, 0x0A, 0x0C, 0x2C

RESERVATION_CANCELLED, OUT_OF_SPACE, BAD_LENGTH, TOO_LONG, OUT_OF_RANGE = 0xC5, 0xC4, 0xC7, 0xC8, 0xC9
CANNOT_RETURN_SO_MUCH, NOT_PRESENT, INVALID_FIELD, NOT_FOR_THIS, NOT_NOW = 0xCA, 0xCB, 0xCC, 0xCD, 0xD5
UNKNOWN_PARAMETER, SET_IN_PROGRESS, READ_ONLY = 0x80, 0x81, 0x82


class Refused(Exception):
    """The command is answered with a completion code other than 0 (§5.2)."""

    def __init__(self, code: int, data: bytes = b"") -> None:
        super().__init__(f"0x{code:02X}")
        self.code, self.data = code, data


class Asked(NamedTuple):
    """The bytes of a command, and the session that it came in."""

    data: bytes
    session: Session | None

    def number(self, at: int, length: int = 2) -> int:
        """Read a number, its low byte first; refuses what is too short."""
        part = self.data[at : at + length]
        if len(part) < length:
            raise Refused(BAD_LENGTH)
        return int.from_bytes(part, "little")

    def bytes(self, at: int, length: int) -> bytes:
        """Read some bytes; refuses what is too short."""
        part = self.data[at : at + length]
        if len(part) < length:
            raise Refused(BAD_LENGTH)
        return part


Work = Callable[["Controller", Asked], bytes]
COMMANDS: dict[tuple[int, int], tuple[Privilege, Work]] = {}


def command(netfn: int, number: int, needed: Privilege = Privilege.USER) -> Callable[[Work], Work]:
    """Register what answers a command."""

    def register(work: Work) -> Work:
        COMMANDS[netfn, number] = (needed, work)
        return work

    return register
