"""The system event log (IPMI 2.0 §31)."""

import struct
from typing import TYPE_CHECKING

from apps.simulators.bmc.accounts import Privilege
from apps.simulators.bmc.commands.registry import (
    INVALID_FIELD,
    NOT_PRESENT,
    OUT_OF_RANGE,
    OUT_OF_SPACE,
    RESERVATION_CANCELLED,
    STORAGE,
    Asked,
    Refused,
    command,
)

if TYPE_CHECKING:
    from apps.simulators.bmc.controller import Controller

_VERSION = 0x51
_CAN_RESERVE, _CAN_REMOVE, _OVERFLOWED = 0x02, 0x08, 0x80
_WHOLE, _ENTRY = 0xFF, 16
_ERASE, _STATUS, _ERASED = 0xAA, 0x00, 0x01
_TIMESTAMPED = 0xE0  # kinds below it get the log's time
_NO_OFFSET, _FARTHEST = 0x07FF, 1440


@command(STORAGE, 0x40)
def get_sel_info(controller: "Controller", asked: Asked) -> bytes:
    log = controller.machine.log
    support = _CAN_RESERVE | _CAN_REMOVE | (_OVERFLOWED if log.overflowed else 0)
    return struct.pack(
        "<BHHIIB", _VERSION, len(log.entries), min(log.free, 0xFFFE), log.added_at, log.erased_at, support
    )


@command(STORAGE, 0x41)
def get_sel_allocation_info(controller: "Controller", asked: Asked) -> bytes:
    log = controller.machine.log
    left = log.free // _ENTRY
    return struct.pack("<HHHHB", log.room, _ENTRY, left, left, 1)


@command(STORAGE, 0x42)
def reserve_sel(controller: "Controller", asked: Asked) -> bytes:
    return struct.pack("<H", controller.machine.log.reserve())


def _check(controller: "Controller", reservation: int, *, needed: bool) -> None:
    if (needed or reservation) and reservation != controller.machine.log.reservation:
        raise Refused(RESERVATION_CANCELLED)


@command(STORAGE, 0x43)
def get_sel_entry(controller: "Controller", asked: Asked) -> bytes:
    offset, count = asked.data[4], asked.data[5]
    _check(controller, asked.number(0), needed=offset > 0)
    found = controller.machine.log.get(asked.number(2))
    if found is None:
        raise Refused(NOT_PRESENT)
    following, entry = found
    if count != _WHOLE and offset + count > _ENTRY:
        raise Refused(OUT_OF_RANGE)
    part = entry[offset:] if count == _WHOLE else entry[offset : offset + count]
    return struct.pack("<H", following) + part


@command(STORAGE, 0x44, Privilege.OPERATOR)
def add_sel_entry(controller: "Controller", asked: Asked) -> bytes:
    log, body = controller.machine.log, asked.bytes(2, 14)
    if body[0] < _TIMESTAMPED:
        body = body[:1] + struct.pack("<I", log.now()) + body[5:]
    entry = log.add(body)
    if entry is None:
        raise Refused(OUT_OF_SPACE)
    return entry[:2]


@command(STORAGE, 0x46, Privilege.OPERATOR)
def delete_sel_entry(controller: "Controller", asked: Asked) -> bytes:
    _check(controller, asked.number(0), needed=True)
    log, number = controller.machine.log, asked.number(2)
    found = log.get(number)
    if found is None:
        raise Refused(NOT_PRESENT)
    number = int.from_bytes(found[1][:2], "little")
    log.remove(number)
    return struct.pack("<H", number)


@command(STORAGE, 0x47, Privilege.OPERATOR)
def clear_sel(controller: "Controller", asked: Asked) -> bytes:
    what = asked.data[5]
    if asked.bytes(2, 3) != b"CLR" or what not in (_ERASE, _STATUS):
        raise Refused(INVALID_FIELD)
    if what == _ERASE:
        _check(controller, asked.number(0), needed=True)
        controller.clear_log()
    return bytes((_ERASED,))


@command(STORAGE, 0x48)
def get_sel_time(controller: "Controller", asked: Asked) -> bytes:
    return struct.pack("<I", controller.machine.log.now())


@command(STORAGE, 0x49, Privilege.OPERATOR)
def set_sel_time(controller: "Controller", asked: Asked) -> bytes:
    controller.machine.log.set_time(asked.number(0, 4))
    return b""


@command(STORAGE, 0x5C)
def get_sel_time_utc_offset(controller: "Controller", asked: Asked) -> bytes:
    return struct.pack("<h", controller.machine.log.utc_offset)


@command(STORAGE, 0x5D, Privilege.OPERATOR)
def set_sel_time_utc_offset(controller: "Controller", asked: Asked) -> bytes:
    (minutes,) = struct.unpack("<h", asked.bytes(0, 2))
    if abs(minutes) > _FARTHEST and minutes != _NO_OFFSET:
        raise Refused(INVALID_FIELD)
    controller.machine.log.utc_offset = minutes
    return b""
