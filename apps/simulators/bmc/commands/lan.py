"""The settings of the LAN, and where alerts go (IPMI 2.0 §23)."""

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from apps.simulators.bmc import settings
from apps.simulators.bmc.accounts import Privilege
from apps.simulators.bmc.commands.about import channel
from apps.simulators.bmc.commands.registry import (
    BAD_LENGTH,
    INVALID_FIELD,
    OUT_OF_RANGE,
    READ_ONLY,
    SET_IN_PROGRESS,
    TRANSPORT,
    UNKNOWN_PARAMETER,
    Asked,
    Refused,
    command,
)
from apps.simulators.bmc.settings import Destination

if TYPE_CHECKING:
    from apps.simulators.bmc.controller import Controller

_REVISION = 0x11
_REVISION_ALONE = 0x80
_READ_ONLY = frozenset(
    {
        settings.KNOWN_AUTHENTICATION,
        settings.DESTINATION_COUNT,
        settings.SUITE_COUNT,
        settings.SUITES,
        settings.SUITE_PRIVILEGES,
        settings.MAC,
    }
)

_WAYS = frozenset({settings.ADDRESS, settings.SOURCE, settings.MASK, settings.GATEWAY, settings.VLAN})


@command(TRANSPORT, 0x01, Privilege.ADMINISTRATOR)
def set_lan_parameter(controller: "Controller", asked: Asked) -> bytes:
    channel(asked.data[0])
    kept, number, data = controller.settings, asked.data[1], asked.data[2:]
    if number in _READ_ONLY:
        raise Refused(READ_ONLY)
    if number in (settings.DESTINATION_TYPE, settings.DESTINATION_ADDRESS):
        _set_destination(kept.destinations, number, data)
    elif number not in kept.lan:
        raise Refused(UNKNOWN_PARAMETER)
    elif len(data) != len(kept.lan[number]):
        raise Refused(BAD_LENGTH)
    elif number == settings.PROGRESS:
        if data[0] & 0x03 == 1 and kept.lan[number] == b"\x01":
            raise Refused(SET_IN_PROGRESS)
        kept.lan[number] = bytes((data[0] & 0x01,))
    elif number == settings.SOURCE and not 1 <= data[0] & 0x0F <= 4:
        raise Refused(INVALID_FIELD)
    else:
        kept.lan[number] = data
        if number in _WAYS:
            controller.changed()
    return b""


def _set_destination(destinations: list[Destination], number: int, data: bytes) -> None:
    length = 4 if number == settings.DESTINATION_TYPE else 13
    if len(data) != length:
        raise Refused(BAD_LENGTH)
    which = data[0] & 0x0F
    if which >= len(destinations):
        raise Refused(OUT_OF_RANGE)
    destination = destinations[which]
    if number == settings.DESTINATION_TYPE:
        if data[1] & 0x07:
            raise Refused(INVALID_FIELD)  # traps alone; no makers' own kinds
        destination.kind, destination.timeout, destination.retries = data[1] & 0x80, data[2], data[3] & 0x07
    else:
        if data[1] >> 4:
            raise Refused(INVALID_FIELD)  # IPv4 alone
        destination.gateway, destination.address, destination.mac = data[2] & 0x01, IPv4Address(data[3:7]), data[7:13]


@command(TRANSPORT, 0x02, Privilege.OPERATOR)
def get_lan_parameter(controller: "Controller", asked: Asked) -> bytes:
    channel(asked.data[0])
    if asked.data[0] & _REVISION_ALONE:
        return bytes((_REVISION,))
    number, which = asked.data[1], asked.data[2]
    return bytes((_REVISION,)) + _parameter(controller, number, which)


def _parameter(controller: "Controller", number: int, which: int) -> bytes:
    kept = controller.settings
    if number in (settings.DESTINATION_TYPE, settings.DESTINATION_ADDRESS):
        if which & 0x0F >= len(kept.destinations):
            raise Refused(OUT_OF_RANGE)
        one = kept.destinations[which & 0x0F]
        if number == settings.DESTINATION_TYPE:
            return bytes((which & 0x0F, one.kind, one.timeout, one.retries))
        return bytes((which & 0x0F, 0, one.gateway)) + one.address.packed + one.mac
    suites = controller.sessions.suites
    if number == settings.SUITE_COUNT:
        return bytes((len(suites),))
    if number == settings.SUITES:
        return b"\0" + bytes(suite.number for suite in suites).ljust(16, b"\0")
    if number == settings.SUITE_PRIVILEGES:
        return b"\0" + bytes((0x44,)) + bytes(7)  # the first two may be used up to administrator
    if number not in kept.lan:
        raise Refused(UNKNOWN_PARAMETER)
    return kept.lan[number]
