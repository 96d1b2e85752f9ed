"""Platform event traps: what is in one, and what acknowledges it (Platform Event Trap Format 1.0; IPMI 2.0 §30.8).

The trap is one of SNMP version 1; its specific number says what kind of event it is, and one variable holds the rest.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

ENTERPRISE = "1.3.6.1.4.1.3183.1.1"
CONTENT = f"{ENTERPRISE}.1"  # the variable

SHORTEST = 46  # octets before what a maker adds
_CONTENT = struct.Struct(">16sHIhBBBBBBB8sBIH")
_EPOCH = datetime(1998, 1, 1, tzinfo=UTC)
_NO_OFFSET = -1
_DEASSERTED, _OFFSET = 0x80, 0x0F

_RMCP = bytes.fromhex("0600ff07 00 00000000 00000000")  # no session
_TO, _FROM = 0x20, 0x81
_SENSOR, _ACKNOWLEDGE = 0x04, 0x17


class NoPlatformEvent(ValueError):
    """It is too short, or its number means nothing; the text says which."""


@dataclass(frozen=True, slots=True)
class PlatformEvent:
    """One event. ``severity``: 0 none, 1 monitor, 2 information, 4 well, 8 not critical, 16 critical, 32 past help."""

    machine: UUID
    number: int  # 0: not numbered; else repetitions have the same
    seconds: int  # since 1998, as they came; 0: no clock
    at: datetime | None
    severity: int
    sensor_type: int
    event_type: int
    offset: int
    asserted: bool
    source: int  # kind of what noticed the event
    owner: int  # of the sensor: its address on the controller's bus
    sensor: int
    data: bytes  # eight octets, of which an entry of the log has three


def read(specific: int, octets: bytes) -> PlatformEvent:
    """Read a trap's number and variable; raises ``NoPlatformEvent``."""
    if len(octets) < SHORTEST:
        raise NoPlatformEvent("the variable is too short")
    if not 0 < specific < 1 << 24:
        raise NoPlatformEvent("the number is none of a sensor's event")
    guid, number, seconds, offset, _trap, source, severity, owner, sensor, _entity, _instance, data, *_ = (
        _CONTENT.unpack_from(octets)
    )
    at = None
    if seconds:
        at = _EPOCH + timedelta(seconds=seconds) - timedelta(minutes=0 if offset == _NO_OFFSET else offset)
    return PlatformEvent(
        machine=UUID(bytes=guid),
        number=number,
        seconds=seconds,
        at=at,
        severity=severity,
        sensor_type=specific >> 16,
        event_type=specific >> 8 & 0xFF,
        offset=specific & _OFFSET,
        asserted=not specific & _DEASSERTED,
        source=source,
        owner=owner,
        sensor=sensor,
        data=data,
    )


def acknowledgement(event: PlatformEvent) -> bytes:
    """Write the datagram by which a controller stops repeating an event; it belongs to no session."""
    asked = struct.pack("<HIBBB", event.number, event.seconds, event.source, event.owner, event.sensor) + event.data[:3]
    head, body = bytes((_TO, _SENSOR << 2)), bytes((_FROM, 0, _ACKNOWLEDGE)) + asked
    message = head + _checksum(head) + body + _checksum(body)
    return _RMCP + bytes((len(message),)) + message


def _checksum(octets: bytes) -> bytes:
    return bytes((-sum(octets) & 0xFF,))
