"""The words of SNMP: types of values, kinds of PDUs, error statuses, and the tuples that carry them (RFC 3416 §3)."""

from enum import Enum, IntEnum
from ipaddress import IPv4Address
from typing import NamedTuple, TypeAlias

from apps.protocols.errors import DeviceError

Oid: TypeAlias = str


class Tag(IntEnum):
    """The types a value can have, by their BER tag (RFC 3416 §3)."""

    INTEGER = 0x02
    OCTET_STRING = 0x04
    NULL = 0x05
    OBJECT_IDENTIFIER = 0x06
    IP_ADDRESS = 0x40
    COUNTER32 = 0x41
    GAUGE32 = 0x42
    TIME_TICKS = 0x43
    OPAQUE = 0x44
    NSAP_ADDRESS = 0x45
    COUNTER64 = 0x46
    UNSIGNED32 = 0x47
    NO_SUCH_OBJECT = 0x80
    NO_SUCH_INSTANCE = 0x81
    END_OF_MIB_VIEW = 0x82


class PduKind(IntEnum):
    """The protocol data units of the three versions, by their BER tag (RFC 1157 §4.1, RFC 3416 §3)."""

    GET = 0xA0
    GET_NEXT = 0xA1
    RESPONSE = 0xA2
    SET = 0xA3
    TRAP_V1 = 0xA4
    GET_BULK = 0xA5
    INFORM = 0xA6
    TRAP_V2 = 0xA7
    REPORT = 0xA8


class ErrorStatus(IntEnum):
    """What an agent says in a response's error-status (RFC 3416 §3)."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    BAD_VALUE = 3
    READ_ONLY = 4
    GEN_ERR = 5
    NO_ACCESS = 6
    WRONG_TYPE = 7
    WRONG_LENGTH = 8
    WRONG_ENCODING = 9
    WRONG_VALUE = 10
    NO_CREATION = 11
    INCONSISTENT_VALUE = 12
    RESOURCE_UNAVAILABLE = 13
    COMMIT_FAILED = 14
    UNDO_FAILED = 15
    AUTHORIZATION_ERROR = 16
    NOT_WRITABLE = 17
    INCONSISTENT_NAME = 18


class Absent(Enum):
    """Why an agent has no value at an object identifier (RFC 3416 §3)."""

    NO_SUCH_OBJECT = 0x80
    NO_SUCH_INSTANCE = 0x81
    END_OF_MIB_VIEW = 0x82


Value: TypeAlias = int | float | bytes | str | IPv4Address | Absent | None
RawVarbind: TypeAlias = tuple[Oid, int, Value]


class Varbind(NamedTuple):
    """One variable binding: object identifier, BER tag and value."""

    oid: Oid
    tag: int
    value: Value


class Pdu(NamedTuple):
    """A PDU of any kind but the v1 trap; for GETBULK the two numbers are non-repeaters and max-repetitions."""

    kind: int
    request_id: int
    error_status: int
    error_index: int
    varbinds: list[RawVarbind]


class Malformed(DeviceError, ValueError):
    """These bytes are not SNMP."""


def malformed(what: str) -> Malformed:
    """The one error of this codec: ``what`` says which part of the message is not SNMP."""
    return Malformed("The answer is not valid SNMP: %(what)s", what=what)
