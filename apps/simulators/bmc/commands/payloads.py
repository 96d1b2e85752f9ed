"""Serial over LAN: its settings, who may have it, who has it (IPMI 2.0 §24, §26)."""

import struct
from typing import TYPE_CHECKING

from apps.simulators.bmc import settings
from apps.simulators.bmc.accounts import Privilege
from apps.simulators.bmc.commands.about import channel, place_of
from apps.simulators.bmc.commands.registry import (
    APPLICATION,
    BAD_LENGTH,
    INVALID_FIELD,
    READ_ONLY,
    SET_IN_PROGRESS,
    TRANSPORT,
    UNKNOWN_PARAMETER,
    Asked,
    Refused,
    command,
)
from apps.simulators.bmc.serial_over_lan import MOST_IN, MOST_OUT
from apps.simulators.bmc.wire import SOL

if TYPE_CHECKING:
    from apps.simulators.bmc.controller import Controller

_REVISION = 0x11
_ALREADY, _DISABLED, _ONLY_ENCRYPTED = 0x80, 0x81, 0x84
_ENCRYPTED = 0x80
_SOL_BIT, _IPMI_BIT = 0x02, 0x01
_NO_VLAN = 0xFFFF
_INSUFFICIENT = 0xD4


def _only_line(asked: Asked) -> None:
    if asked.data[0] & 0x3F != SOL or asked.data[1] & 0x0F != 1:
        raise Refused(INVALID_FIELD)


@command(APPLICATION, 0x48)
def activate_payload(controller: "Controller", asked: Asked) -> bytes:
    _only_line(asked)
    session, kept, line = asked.session, controller.settings.sol, controller.serial_over_lan
    if session is None or session.account is None:
        raise Refused(INVALID_FIELD)
    if not kept[settings.SOL_ENABLED][0] & 0x01:
        raise Refused(_DISABLED)
    needed = kept[settings.SOL_PRIVILEGE][0] & 0x0F
    if session.privilege < needed or not session.account.serial_over_lan:
        raise Refused(_INSUFFICIENT)
    if not asked.data[2] & _ENCRYPTED:
        raise Refused(_ONLY_ENCRYPTED)
    if line.session is not None:
        raise Refused(_ALREADY)
    line.activate(session)
    return bytes(4) + struct.pack("<HHHH", MOST_IN + 4, MOST_OUT + 4, controller.port, _NO_VLAN)


@command(APPLICATION, 0x49)
def deactivate_payload(controller: "Controller", asked: Asked) -> bytes:
    _only_line(asked)
    line = controller.serial_over_lan
    if line.session is None:
        raise Refused(_ALREADY)
    if line.session is asked.session:
        line.session_ended(line.session)
    else:
        line.deactivate()
    return b""


@command(APPLICATION, 0x4A)
def get_payload_activation_status(controller: "Controller", asked: Asked) -> bytes:
    if asked.data[0] & 0x3F != SOL:
        raise Refused(INVALID_FIELD)
    return bytes((1, 1 if controller.serial_over_lan.session else 0, 0))


@command(APPLICATION, 0x4B)
def get_payload_instance_info(controller: "Controller", asked: Asked) -> bytes:
    _only_line(asked)
    session = controller.serial_over_lan.session
    return (session.own_id if session else bytes(4)) + bytes((1,)) + bytes(7)


@command(APPLICATION, 0x4C, Privilege.ADMINISTRATOR)
def set_user_payload_access(controller: "Controller", asked: Asked) -> bytes:
    channel(asked.data[0])
    account = controller.accounts.places[place_of(asked, 1, controller)]
    if asked.data[2] & _SOL_BIT:
        account.serial_over_lan = asked.data[1] >> 6 == 0
    return b""


@command(APPLICATION, 0x4D, Privilege.OPERATOR)
def get_user_payload_access(controller: "Controller", asked: Asked) -> bytes:
    channel(asked.data[0])
    account = controller.accounts.places[place_of(asked, 1, controller)]
    return bytes((_SOL_BIT if account.serial_over_lan else 0, 0, 0, 0))


@command(APPLICATION, 0x4E)
def get_channel_payload_support(controller: "Controller", asked: Asked) -> bytes:
    channel(asked.data[0])
    return bytes((_IPMI_BIT | _SOL_BIT, 0, 0x3F, 0, 0, 0, 0, 0))


@command(APPLICATION, 0x4F)
def get_channel_payload_version(controller: "Controller", asked: Asked) -> bytes:
    channel(asked.data[0])
    if asked.data[1] not in (0, SOL, *range(0x10, 0x16)):
        raise Refused(0x80)
    return b"\x10"


@command(TRANSPORT, 0x21, Privilege.ADMINISTRATOR)
def set_sol_parameter(controller: "Controller", asked: Asked) -> bytes:
    channel(asked.data[0])
    kept, number, data = controller.settings.sol, asked.data[1], asked.data[2:]
    if number not in kept:
        raise Refused(UNKNOWN_PARAMETER)
    if number in (settings.SOL_CHANNEL, settings.SOL_PORT):
        raise Refused(READ_ONLY)
    if len(data) != len(kept[number]):
        raise Refused(BAD_LENGTH)
    if number == settings.SOL_PROGRESS:
        if data[0] & 0x03 == 1 and kept[number] == b"\x01":
            raise Refused(SET_IN_PROGRESS)
        data = bytes((data[0] & 0x01,))
    kept[number] = data
    return b""


@command(TRANSPORT, 0x22)
def get_sol_parameter(controller: "Controller", asked: Asked) -> bytes:
    channel(asked.data[0])
    if asked.data[0] & 0x80:
        return bytes((_REVISION,))
    number = asked.data[1]
    if number not in controller.settings.sol:
        raise Refused(UNKNOWN_PARAMETER)
    if number == settings.SOL_PORT:
        return bytes((_REVISION,)) + controller.port.to_bytes(2, "little")
    return bytes((_REVISION,)) + controller.settings.sol[number]
