"""The repository of sensor data records, and what parts say of themselves (IPMI 2.0 §33, §34)."""

import struct
from typing import TYPE_CHECKING

from apps.simulators.bmc import hardware, parts
from apps.simulators.bmc.commands.registry import (
    CANNOT_RETURN_SO_MUCH,
    NOT_PRESENT,
    OUT_OF_RANGE,
    RESERVATION_CANCELLED,
    STORAGE,
    TOO_LONG,
    Asked,
    Refused,
    command,
)
from apps.simulators.bmc.sdr import Repository

if TYPE_CHECKING:
    from apps.simulators.bmc.controller import Controller

REPOSITORY = Repository(hardware.SENSORS, hardware.PARTS, made_at=1_772_400_000)  # 2026-03-01, as firmware is made
_VERSION = 0x51
_CAN_RESERVE = 0x02
_WHOLE = 0xFF
_MOST_AT_ONCE = 80
_MOST_OF_A_PART = 96
_INFO = struct.pack("<BHHIIB", _VERSION, len(REPOSITORY), 0x2000, REPOSITORY.made_at, REPOSITORY.made_at, _CAN_RESERVE)


@command(STORAGE, 0x20)
def get_sdr_repository_info(controller: "Controller", asked: Asked) -> bytes:
    return _INFO


@command(STORAGE, 0x21)
def get_sdr_repository_allocation_info(controller: "Controller", asked: Asked) -> bytes:
    return struct.pack("<HHHHB", 512, 64, 128, 128, 1)


@command(STORAGE, 0x22)
def reserve_sdr_repository(controller: "Controller", asked: Asked) -> bytes:
    kept = controller.settings
    kept.sdr_reservation = kept.sdr_reservation % 0xFFFF + 1
    return struct.pack("<H", kept.sdr_reservation)


@command(STORAGE, 0x23)
def get_sdr(controller: "Controller", asked: Asked) -> bytes:
    reservation, number = asked.number(0), asked.number(2)
    offset, count = asked.data[4], asked.data[5]
    if (offset or reservation) and reservation != controller.settings.sdr_reservation:
        raise Refused(RESERVATION_CANCELLED)
    found = REPOSITORY.get(number)
    if found is None:
        raise Refused(NOT_PRESENT)
    following, record = found
    if offset > len(record):
        raise Refused(OUT_OF_RANGE)
    if count == _WHOLE:
        count = len(record) - offset
    if count > _MOST_AT_ONCE:
        raise Refused(CANNOT_RETURN_SO_MUCH)
    return following + record[offset : offset + count]


@command(STORAGE, 0x28)
def get_sdr_repository_time(controller: "Controller", asked: Asked) -> bytes:
    return struct.pack("<I", controller.machine.log.now())


def _area(controller: "Controller", number: int) -> bytes:
    area = controller.areas.get(number)
    if area is None:
        area = parts.describe(number, controller.machine)
        if area is None:
            raise Refused(NOT_PRESENT)
        controller.areas[number] = area
    if number in (3, 4, 5) and not controller.machine.is_on:
        raise Refused(0xD5)  # memory and cards are not powered
    return area


@command(STORAGE, 0x10)
def get_fru_inventory_area_info(controller: "Controller", asked: Asked) -> bytes:
    return struct.pack("<HB", len(_area(controller, asked.data[0])), 0)


@command(STORAGE, 0x11)
def read_fru_data(controller: "Controller", asked: Asked) -> bytes:
    area, offset, count = _area(controller, asked.data[0]), asked.number(1), asked.data[3]
    if offset >= len(area):
        raise Refused(OUT_OF_RANGE)
    if count > _MOST_OF_A_PART:
        raise Refused(TOO_LONG)
    part = area[offset : offset + count]
    return bytes((len(part),)) + part
