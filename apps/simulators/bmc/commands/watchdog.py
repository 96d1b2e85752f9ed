"""The watchdog (IPMI 2.0 §27)."""

import struct
from typing import TYPE_CHECKING

from apps.simulators.bmc.accounts import Privilege
from apps.simulators.bmc.commands.registry import APPLICATION, INVALID_FIELD, Asked, Refused, command

if TYPE_CHECKING:
    from apps.simulators.bmc.controller import Controller

_NEVER_SET = 0x80
_KEEPS_RUNNING, _RUNS = 0x40, 0x40
_ACTIONS = 4


@command(APPLICATION, 0x22, Privilege.OPERATOR)
def reset_watchdog_timer(controller: "Controller", asked: Asked) -> bytes:
    if not controller.watchdog.is_set:
        raise Refused(_NEVER_SET)
    controller.watchdog.touch()
    return b""


@command(APPLICATION, 0x24, Privilege.OPERATOR)
def set_watchdog_timer(controller: "Controller", asked: Asked) -> bytes:
    use, action, before, clear, count = struct.unpack("<BBBBH", asked.bytes(0, 6))
    if action & 0x07 >= _ACTIONS or not use & 0x07:
        raise Refused(INVALID_FIELD)
    watchdog = controller.watchdog
    ran = watchdog.runs
    watchdog.set(use & 0x87, action, before, clear, count)
    if ran and use & _KEEPS_RUNNING:
        watchdog.touch()
    return b""


@command(APPLICATION, 0x25)
def get_watchdog_timer(controller: "Controller", asked: Asked) -> bytes:
    one = controller.watchdog
    use = one.use | (_RUNS if one.runs else 0)
    return struct.pack("<BBBBHH", use, one.action, one.before, one.expired, one.count, one.left)
