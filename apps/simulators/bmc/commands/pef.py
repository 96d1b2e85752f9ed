"""Which events become alerts, alerts on demand, and events from outside (IPMI 2.0 §29.3, §30)."""

import struct
from typing import TYPE_CHECKING

from apps.simulators.bmc import settings
from apps.simulators.bmc.accounts import Privilege
from apps.simulators.bmc.commands.registry import (
    BAD_LENGTH,
    INVALID_FIELD,
    OUT_OF_RANGE,
    READ_ONLY,
    SENSOR,
    SET_IN_PROGRESS,
    UNKNOWN_PARAMETER,
    Asked,
    Refused,
    command,
)

if TYPE_CHECKING:
    from apps.simulators.bmc.controller import Controller

_REVISION, _VERSION = 0x11, 0x51
_ALERTS = 0x01
_READ_ONLY = frozenset({settings.FILTER_COUNT, settings.POLICY_COUNT})
_INITIATE, _GET_STATUS, _CLEAR_STATUS = range(3)


@command(SENSOR, 0x02, Privilege.OPERATOR)
def platform_event(controller: "Controller", asked: Asked) -> bytes:
    data = asked.data[-7:]
    if len(data) != 7:
        raise Refused(BAD_LENGTH)
    _, kind, number, direction_and_type, *behind = data
    controller.machine.note_raw(kind, number, direction_and_type, (behind[0], behind[1], behind[2]))
    return b""


@command(SENSOR, 0x10)
def get_pef_capabilities(controller: "Controller", asked: Asked) -> bytes:
    return bytes((_VERSION, _ALERTS, settings.FILTERS))


@command(SENSOR, 0x11, Privilege.ADMINISTRATOR)
def arm_pef_postpone_timer(controller: "Controller", asked: Asked) -> bytes:
    return b"\0"  # events are always taken care of by the controller itself


@command(SENSOR, 0x12, Privilege.ADMINISTRATOR)
def set_pef_parameter(controller: "Controller", asked: Asked) -> bytes:
    kept, number, data = controller.settings, asked.data[0] & 0x7F, asked.data[1:]
    if number in _READ_ONLY:
        raise Refused(READ_ONLY)
    if number in (settings.FILTER, settings.FILTER_FIRST, settings.POLICY):
        table, place, length = _entry(controller, number, data)
        if len(data) != length + 1:
            raise Refused(BAD_LENGTH)
        table[place][:length] = data[1:]
    elif number not in kept.pef:
        raise Refused(UNKNOWN_PARAMETER)
    elif len(data) != len(kept.pef[number]):
        raise Refused(BAD_LENGTH)
    elif number == settings.PEF_PROGRESS:
        if data[0] & 0x03 == 1 and kept.pef[number] == b"\x01":
            raise Refused(SET_IN_PROGRESS)
        kept.pef[number] = bytes((data[0] & 0x01,))
    else:
        kept.pef[number] = data
    return b""


@command(SENSOR, 0x13, Privilege.OPERATOR)
def get_pef_parameter(controller: "Controller", asked: Asked) -> bytes:
    number, head = asked.data[0] & 0x7F, bytes((_REVISION,))
    if asked.data[0] & 0x80:
        return head
    if number in (settings.FILTER, settings.FILTER_FIRST, settings.POLICY):
        table, place, length = _entry(controller, number, asked.data[1:])
        return head + bytes((place + 1,)) + bytes(table[place][:length])
    if number not in controller.settings.pef:
        raise Refused(UNKNOWN_PARAMETER)
    return head + controller.settings.pef[number]


def _entry(controller: "Controller", number: int, data: bytes) -> tuple[list[bytearray], int, int]:
    """Give the table that a parameter is of, the place in it, and how many bytes are meant."""
    kept = controller.settings
    table = kept.policies if number == settings.POLICY else kept.filters
    place = (data[0] & 0x7F) - 1
    if not 0 <= place < len(table):
        raise Refused(OUT_OF_RANGE)
    length = settings.POLICY_LENGTH if number == settings.POLICY else settings.FILTER_LENGTH
    return table, place, 1 if number == settings.FILTER_FIRST else length


@command(SENSOR, 0x14, Privilege.ADMINISTRATOR)
def set_last_processed_event(controller: "Controller", asked: Asked) -> bytes:
    controller.settings.last_processed = asked.number(1)
    return b""


@command(SENSOR, 0x15, Privilege.ADMINISTRATOR)
def get_last_processed_event(controller: "Controller", asked: Asked) -> bytes:
    log = controller.machine.log
    last = next(reversed(log.entries), 0xFFFF)
    own = controller.settings.last_processed
    return struct.pack("<IHHH", log.added_at, last, own, own)


@command(SENSOR, 0x16, Privilege.ADMINISTRATOR)
def alert_immediate(controller: "Controller", asked: Asked) -> bytes:
    which, action = asked.data[1] & 0x0F, asked.data[1] >> 6
    if which >= len(controller.settings.destinations):
        raise Refused(OUT_OF_RANGE)
    if action == _GET_STATUS:
        return bytes((controller.alerts.status,))
    if action == _CLEAR_STATUS:
        controller.alerts.status = 0
        return b""
    if action != _INITIATE:
        raise Refused(INVALID_FIELD)
    event = asked.data[3:]
    if len(event) not in (0, 8):
        raise Refused(BAD_LENGTH)
    controller.alerts.send_now(which, event)
    return b""


@command(SENSOR, 0x17, Privilege.NONE)
def acknowledge_pet(controller: "Controller", asked: Asked) -> bytes:
    if len(asked.data) < 12:
        raise Refused(BAD_LENGTH)
    controller.alerts.acknowledged(asked.number(0))
    return b""
