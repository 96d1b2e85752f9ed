"""Who the controller is, its sessions and its channel (IPMI 2.0 §20, §22)."""

import struct
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from apps.simulators.bmc.accounts import NO_ACCESS, Privilege
from apps.simulators.bmc.commands.registry import (
    APPLICATION,
    INVALID_FIELD,
    NOT_PRESENT,
    OUT_OF_RANGE,
    Asked,
    Refused,
    command,
)
from apps.simulators.bmc.session import AES_CBC_128, Session

if TYPE_CHECKING:
    from apps.simulators.bmc.controller import Controller

CHANNEL, THIS_CHANNEL = 1, 0x0E
NEC = 119
_PRODUCT = 0x0F21
_FIRMWARE = (2, 0x45)
_ANSWERS_2_0 = 0x80
_STANDARD_SUITE = 0xC0
_PER_PAGE = 16
_BY_HANDLE, _BY_ID = 0xFE, 0xFF
_PORT_DATA = struct.Struct("<4s6sH")


@command(APPLICATION, 0x01)
def get_device_id(controller: "Controller", asked: Asked) -> bytes:
    maker, product = NEC.to_bytes(3, "little"), _PRODUCT.to_bytes(2, "little")
    return bytes((0x20, 0x01, *_FIRMWARE, 0x02, 0xBF)) + maker + product + b"\x01\x07\0\0"


@command(APPLICATION, 0x02, Privilege.ADMINISTRATOR)
@command(APPLICATION, 0x03, Privilege.ADMINISTRATOR)
def reset(controller: "Controller", asked: Asked) -> bytes:
    controller.restart_soon()
    return b""


@command(APPLICATION, 0x04)
def get_self_test_results(controller: "Controller", asked: Asked) -> bytes:
    return b"\x55\x00"


@command(APPLICATION, 0x37, Privilege.NONE)
def get_system_guid(controller: "Controller", asked: Asked) -> bytes:
    return controller.guid


def channel(number: int) -> int:
    """Give the channel that is meant; refuses all but the one that there is."""
    if number & 0x0F not in (CHANNEL, THIS_CHANNEL):
        raise Refused(INVALID_FIELD)
    return CHANNEL


@command(APPLICATION, 0x38, Privilege.NONE)
def get_channel_authentication_capabilities(controller: "Controller", asked: Asked) -> bytes:
    own, extended = channel(asked.data[0]), asked.data[0] & _ANSWERS_2_0
    return bytes((own, 0x80 if extended else 0x00, 0x04, 0x02 if extended else 0x00, 0, 0, 0, 0))


@command(APPLICATION, 0x54, Privilege.NONE)
def get_channel_cipher_suites(controller: "Controller", asked: Asked) -> bytes:
    own = channel(asked.data[0])
    told = b"".join(
        bytes((_STANDARD_SUITE, suite.number, suite.authentication, 0x40 | suite.integrity, 0x80 | AES_CBC_128))
        for suite in controller.sessions.suites
    )
    page = asked.data[2] & 0x3F
    return bytes((own,)) + told[page * _PER_PAGE : (page + 1) * _PER_PAGE]


@command(APPLICATION, 0x3B)
def set_session_privilege_level(controller: "Controller", asked: Asked) -> bytes:
    session, wanted = asked.session, asked.data[0] & 0x0F
    if session is None or wanted > Privilege.ADMINISTRATOR or wanted == Privilege.CALLBACK:
        raise Refused(INVALID_FIELD)
    if wanted > session.limit:
        raise Refused(0x81)
    if wanted:
        session.privilege = Privilege(wanted)
    return bytes((session.privilege,))


@command(APPLICATION, 0x3C, Privilege.CALLBACK)
def close_session(controller: "Controller", asked: Asked) -> bytes:
    own_id = asked.bytes(0, 4)
    found = next((one for one in controller.sessions.open if one.own_id == own_id), None)
    if found is None:
        raise Refused(0x87)
    if found is not asked.session and asked.session and asked.session.privilege < Privilege.ADMINISTRATOR:
        raise Refused(0xD4)
    controller.sessions.close(found)
    return b""


@command(APPLICATION, 0x3D)
def get_session_info(controller: "Controller", asked: Asked) -> bytes:
    sessions, which = controller.sessions.open, asked.data[0]
    if which == 0:
        found = asked.session
    elif which == _BY_HANDLE:
        found = next((one for one in sessions if one.number == asked.data[1]), None)
    elif which == _BY_ID:
        found = next((one for one in sessions if one.own_id == asked.bytes(1, 4)), None)
    else:
        found = sessions[which - 1] if which <= len(sessions) else None
    head = bytes((found.number if found else 0, controller.sessions.room, len(sessions)))
    if found is None:
        if which in (_BY_HANDLE, _BY_ID):
            raise Refused(NOT_PRESENT)
        return head
    return head + _session(controller, found)


def _session(controller: "Controller", session: Session) -> bytes:
    places = controller.accounts.places.items()
    user = next((number for number, account in places if account is session.account), 0)
    address, port = session.peer[:2] if isinstance(session.peer, tuple) else ("0.0.0.0", 0)
    where = _PORT_DATA.pack(IPv4Address(address).packed, bytes(6), port)
    return bytes((user, session.privilege, 0x10 | CHANNEL)) + where


@command(APPLICATION, 0x40, Privilege.ADMINISTRATOR)
def set_channel_access(controller: "Controller", asked: Asked) -> bytes:
    channel(asked.data[0])
    access, limit = asked.data[1], asked.data[2]
    kept = controller.settings.channel_access
    for change, new, place in ((access >> 6, access & 0x3F, 0), (limit >> 6, limit & 0x0F, 1)):
        if change in (1, 2):
            if place and new > Privilege.ADMINISTRATOR:
                raise Refused(INVALID_FIELD)
            kept[place] = new
    controller.changed()
    return b""


@command(APPLICATION, 0x41)
def get_channel_access(controller: "Controller", asked: Asked) -> bytes:
    channel(asked.data[0])
    if asked.data[1] >> 6 not in (1, 2):
        raise Refused(INVALID_FIELD)
    return bytes(controller.settings.channel_access)


@command(APPLICATION, 0x42)
def get_channel_info(controller: "Controller", asked: Asked) -> bytes:
    if asked.data[0] & 0x0F == 0:  # the bus inside the machine, which has no sessions
        return bytes((0, 0x01, 0x01, 0x00, 0xF2, 0x1B, 0, 0, 0))
    own = channel(asked.data[0])
    # A LAN of IEEE 802.3; sessions: many; the maker of the protocol is the IPMI forum.
    return bytes((own, 0x04, 0x01, 0x80 | min(len(controller.sessions), 0x3F), 0xF2, 0x1B, 0, 0, 0))


@command(APPLICATION, 0x2F, Privilege.USER)
def get_global_enables(controller: "Controller", asked: Asked) -> bytes:
    return b"\x08"  # the event log is written


def place_of(asked: Asked, at: int, controller: "Controller") -> int:
    """Read the number of a user; refuses what is none."""
    number = asked.data[at] & 0x3F
    if number not in controller.accounts.places:
        raise Refused(OUT_OF_RANGE)
    return number


__all__ = ["CHANNEL", "NEC", "NO_ACCESS", "channel", "place_of"]
