"""Power measured and limited (DCMI 1.5 §6.1, §6.6)."""

import struct
from typing import TYPE_CHECKING

from apps.simulators.bmc import hardware
from apps.simulators.bmc.accounts import Privilege
from apps.simulators.bmc.commands.registry import GROUP, INVALID_FIELD, OUT_OF_RANGE, Asked, Refused, command

if TYPE_CHECKING:
    from apps.simulators.bmc.controller import Controller

_DCMI = 0xDC
_NO_ACTIVE_LIMIT, _LIMIT_OUT_OF_RANGE, _TIME_OUT_OF_RANGE = 0x80, 0x84, 0x85
_STATISTICS, _ENHANCED = 0x01, 0x02
_MEASURING = 0x40
_SAMPLES = 12
_WINDOW = 600  # seconds
_SHORTEST = 1000  # ms in which a limit takes hold
_LONGEST_NAME = 64


def _dcmi(asked: Asked) -> bytes:
    if asked.data[:1] != bytes((_DCMI,)):
        raise Refused(INVALID_FIELD)
    return asked.data[1:]


@command(GROUP, 0x01)
def get_dcmi_capabilities(controller: "Controller", asked: Asked) -> bytes:
    head = bytes((_DCMI, 1, 5, 2))
    match _dcmi(asked)[0]:
        case 1:  # power is managed; there is a LAN besides the machine's own interface
            return head + bytes((0x00, 0x01, 0x01))
        case 2:
            return head + struct.pack("<HBB", controller.machine.log.room, 0, 0) + b"\x05"
        case 3:
            return head + bytes((0x20, 0x00))
        case 4:
            return head + bytes((0x01, 0xFF, 0xFF))
        case 5:  # over ten minutes, in enhanced statistics
            return head + bytes((1, 0x4A))
    raise Refused(OUT_OF_RANGE)


@command(GROUP, 0x02)
def get_power_reading(controller: "Controller", asked: Asked) -> bytes:
    mode, machine = _dcmi(asked)[0], controller.machine
    if mode not in (_STATISTICS, _ENHANCED):
        raise Refused(INVALID_FIELD)
    now = machine.clock()
    window = min(_WINDOW, max(1, int(now - machine.started_at)))
    drawn = [machine.watts_at(now - window * place / _SAMPLES) for place in range(_SAMPLES)]
    return bytes((_DCMI,)) + struct.pack(
        "<HHHHIIB",
        round(drawn[0]),
        int(min(drawn)),
        -int(-max(drawn) // 1),
        round(sum(drawn) / len(drawn)),
        machine.log.now(),
        window * 1000,
        _MEASURING,
    )


@command(GROUP, 0x03)
def get_power_limit(controller: "Controller", asked: Asked) -> bytes:
    _dcmi(asked)
    kept = controller.settings.power_limit
    told = bytes((_DCMI, 0, 0)) + struct.pack("<BHIHH", kept.action, kept.watts, kept.correction, 0, kept.sampling)
    if controller.machine.power_limit is None:
        raise Refused(_NO_ACTIVE_LIMIT, told)
    return told


@command(GROUP, 0x04, Privilege.OPERATOR)
def set_power_limit(controller: "Controller", asked: Asked) -> bytes:
    if len(_dcmi(asked)) < 14:
        raise Refused(0xC7)
    action, watts, correction, _, sampling = struct.unpack("<BHIHH", asked.bytes(4, 11))
    if not hardware.IDLE_WATTS <= watts <= 0x3FF * 4:
        raise Refused(_LIMIT_OUT_OF_RANGE)
    if correction < _SHORTEST:
        raise Refused(_TIME_OUT_OF_RANGE)
    kept = controller.settings.power_limit
    kept.action, kept.watts, kept.correction, kept.sampling = action, watts, correction, sampling
    if controller.machine.power_limit is not None:
        controller.machine.power_limit = watts
    return bytes((_DCMI,))


@command(GROUP, 0x05, Privilege.OPERATOR)
def activate_power_limit(controller: "Controller", asked: Asked) -> bytes:
    wanted = _dcmi(asked)[0] & 0x01
    controller.machine.power_limit = controller.settings.power_limit.watts if wanted else None
    return bytes((_DCMI,))


@command(GROUP, 0x06)
def get_asset_tag(controller: "Controller", asked: Asked) -> bytes:
    return _part_of(controller.machine.asset, _dcmi(asked))


@command(GROUP, 0x09)
def get_controller_name(controller: "Controller", asked: Asked) -> bytes:
    return _part_of(controller.settings.name or f"DCMI-{controller.machine.name}", _dcmi(asked))


@command(GROUP, 0x0A, Privilege.ADMINISTRATOR)
def set_controller_name(controller: "Controller", asked: Asked) -> bytes:
    told = _dcmi(asked)
    offset, count = told[0], told[1]
    if offset + count > _LONGEST_NAME:
        raise Refused(OUT_OF_RANGE)
    part = told[2 : 2 + count].decode("latin-1")
    controller.settings.name = (controller.settings.name[:offset].ljust(offset) + part).rstrip("\0")
    return bytes((_DCMI, offset + count))


def _part_of(text: str, asked: bytes) -> bytes:
    told, offset, count = text.encode("latin-1"), asked[0], asked[1]
    if count > 16 or offset > len(told):
        raise Refused(OUT_OF_RANGE)
    return bytes((_DCMI, len(told))) + told[offset : offset + count]
