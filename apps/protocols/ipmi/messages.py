"""Questions to a controller, and its answers: what is inside of a packet (IPMI 2.0 §13.8, §5.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

SEQUENCES = 64

_CONTROLLER, _OURSELVES = 0x20, 0x81
_CODES = {
    0xC0: "Node busy",
    0xC1: "Invalid command",
    0xC3: "Timeout while processing the command",
    0xC4: "Out of space",
    0xC5: "Reservation cancelled",
    0xC7: "Request data length invalid",
    0xC8: "Request data field length limit exceeded",
    0xC9: "Parameter out of range",
    0xCA: "Cannot return the number of requested data bytes",
    0xCB: "Requested sensor, data, or record not present",
    0xCC: "Invalid data field in request",
    0xCD: "Command illegal for the sensor or record type",
    0xCE: "Response could not be provided",
    0xD0: "Response could not be provided while the repository is updated",
    0xD1: "Response could not be provided while firmware is updated",
    0xD2: "Response could not be provided while the controller starts",
    0xD3: "Destination unavailable",
    0xD4: "Insufficient privilege level",
    0xD5: "Command not supported in the present state",
    0xFF: "Unspecified error",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a completion code (IPMI 2.0 §5.2), and the bytes after it."""

    code: int
    data: bytes

    @property
    def words(self) -> str:
        """The completion code as the standard words it."""
        return f"0x{self.code:02X} {_CODES.get(self.code, '')}".strip()


class About(NamedTuple):
    """What an answer repeats of its question."""

    netfn: int
    command: int
    sequence: int


def question(about: About, data: Sequence[int], lun: int = 0) -> bytes:
    """Write a question."""
    head = bytes((_CONTROLLER, about.netfn << 2 | lun))
    body = bytes((_OURSELVES, about.sequence << 2, about.command, *data))
    return b"".join((head, bytes((-sum(head) & 0xFF,)), body, bytes((-sum(body) & 0xFF,))))


def answered(payload: bytes) -> tuple[About, Answer] | None:
    """Read an answer, and which question it belongs to; None when it is none."""
    if len(payload) < 8 or not payload[1] & 0x04:
        return None
    about = About((payload[1] >> 2) - 1, payload[5], payload[4] >> 2)
    return about, Answer(payload[6], payload[7:-1])
