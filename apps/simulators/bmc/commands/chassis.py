"""Power, lamp, restart cause and boot options (IPMI 2.0 §28)."""

import math
from typing import TYPE_CHECKING

from apps.simulators.bmc.accounts import Privilege
from apps.simulators.bmc.commands.registry import (
    CHASSIS,
    INVALID_FIELD,
    NOT_NOW,
    READ_ONLY,
    SET_IN_PROGRESS,
    UNKNOWN_PARAMETER,
    Asked,
    Refused,
    command,
)
from apps.simulators.bmc.faults import Fault
from apps.simulators.bmc.machine import NotNow, Order

if TYPE_CHECKING:
    from apps.simulators.bmc.controller import Controller

_LAMP_KNOWN, _LAMP_FOR_A_TIME, _LAMP_FOR_GOOD = 0x40, 0x10, 0x20
_FOR_GOOD = 0x01
_USUAL_LIGHT = 15  # seconds
_VERSION = 0x01
_PROGRESS, _SELECTOR, _SCAN, _VALID_BITS, _ACKNOWLEDGE, _FLAGS, _INITIATOR = range(7)
_LENGTHS = {_SELECTOR: 1, _SCAN: 1, _VALID_BITS: 1, _ACKNOWLEDGE: 2, _INITIATOR: 9}
_NO_CHANGE, _POLICIES = 3, 0x07


@command(CHASSIS, 0x00)
def get_chassis_capabilities(controller: "Controller", asked: Asked) -> bytes:
    return bytes((0x05, 0x20, 0x20, 0x20, 0x20))  # intrusion sensor, diagnostic interrupt


@command(CHASSIS, 0x01)
def get_chassis_status(controller: "Controller", asked: Asked) -> bytes:
    machine = controller.machine
    policy = controller.settings.restore_policy
    lamp = _LAMP_FOR_GOOD if machine.is_lit_for_good else _LAMP_FOR_A_TIME if machine.is_lit else 0
    faults = machine.faults
    misc = _LAMP_KNOWN | lamp | (0x01 if machine.opened else 0)
    misc |= 0x04 if Fault.DRIVE_FAILED in faults else 0
    misc |= 0x08 if Fault.FAN_STOPPED in faults else 0
    power = (0x01 if machine.is_on else 0) | policy << 5
    return bytes((power, 0x10 if machine.switched_by_command else 0, misc, 0))


@command(CHASSIS, 0x02, Privilege.OPERATOR)
def chassis_control(controller: "Controller", asked: Asked) -> bytes:
    number = asked.data[0] & 0x0F
    if number not in list(Order):
        raise Refused(INVALID_FIELD)
    try:
        controller.machine.order(Order(number))
    except NotNow:
        raise Refused(NOT_NOW) from None
    return b""


@command(CHASSIS, 0x04, Privilege.OPERATOR)
def chassis_identify(controller: "Controller", asked: Asked) -> bytes:
    seconds = asked.data[0] if asked.data else _USUAL_LIGHT
    for_good = len(asked.data) > 1 and asked.data[1] & _FOR_GOOD
    controller.machine.light(math.inf if for_good else seconds)
    return b""


@command(CHASSIS, 0x06, Privilege.OPERATOR)
def set_power_restore_policy(controller: "Controller", asked: Asked) -> bytes:
    policy = asked.data[0] & 0x07
    if policy > _NO_CHANGE:
        raise Refused(INVALID_FIELD)
    if policy != _NO_CHANGE:
        controller.settings.restore_policy = policy
    return bytes((_POLICIES,))


@command(CHASSIS, 0x07)
def get_system_restart_cause(controller: "Controller", asked: Asked) -> bytes:
    return bytes((controller.machine.restart_cause, 1))


@command(CHASSIS, 0x08, Privilege.OPERATOR)
def set_system_boot_options(controller: "Controller", asked: Asked) -> bytes:
    number, data, options = asked.data[0] & 0x7F, asked.data[1:], controller.settings.boot_options
    if number == _PROGRESS:
        state = data[0] & 0x03
        if state == 1 and options.get(_PROGRESS) == b"\x01":
            raise Refused(SET_IN_PROGRESS)
        options[_PROGRESS] = bytes((state & 0x01,))
    elif number == _FLAGS:
        controller.machine.boot_flags = asked.bytes(1, 5)
    elif number in _LENGTHS:
        options[number] = asked.bytes(1, _LENGTHS[number])
    elif number == 7:
        raise Refused(READ_ONLY)
    else:
        raise Refused(UNKNOWN_PARAMETER)
    return b""


@command(CHASSIS, 0x09, Privilege.OPERATOR)
def get_system_boot_options(controller: "Controller", asked: Asked) -> bytes:
    number = asked.data[0] & 0x7F
    if number == _FLAGS:
        told = controller.machine.boot_flags
    elif number == _PROGRESS:
        told = controller.settings.boot_options.get(_PROGRESS, b"\0")
    elif number in _LENGTHS:
        told = controller.settings.boot_options.get(number, bytes(_LENGTHS[number]))
    else:
        raise Refused(UNKNOWN_PARAMETER)
    return bytes((_VERSION, number)) + told


@command(CHASSIS, 0x0F)
def get_power_on_hours_counter(controller: "Controller", asked: Asked) -> bytes:
    machine = controller.machine
    hours = int((machine.clock() - machine.started_at) // 3600) if machine.is_on else 0
    return b"\x3c" + hours.to_bytes(4, "little")
