"""The users of the controller (IPMI 2.0 §22.26 to §22.30)."""

from typing import TYPE_CHECKING

from apps.simulators.bmc.accounts import NO_ACCESS, Privilege
from apps.simulators.bmc.commands.about import channel, place_of
from apps.simulators.bmc.commands.registry import APPLICATION, BAD_LENGTH, INVALID_FIELD, Asked, Refused, command

if TYPE_CHECKING:
    from apps.simulators.bmc.controller import Controller

_CHANGE_FLAGS = 0x80
_ENABLED, _DISABLED = 0x40, 0x80
_OF_20 = 0x80
_WRONG_PASSWORD, _WRONG_LENGTH = 0x80, 0x81


@command(APPLICATION, 0x43, Privilege.ADMINISTRATOR)
def set_user_access(controller: "Controller", asked: Asked) -> bytes:
    first = asked.data[0]
    channel(first)
    account = controller.accounts.places[place_of(asked, 1, controller)]
    limit = asked.data[2] & 0x0F
    if not Privilege.CALLBACK <= limit <= Privilege.ADMINISTRATOR and limit != NO_ACCESS:
        raise Refused(INVALID_FIELD)
    if first & _CHANGE_FLAGS:
        account.flags = first & 0x70
    account.limit = limit
    return b""


@command(APPLICATION, 0x44, Privilege.OPERATOR)
def get_user_access(controller: "Controller", asked: Asked) -> bytes:
    channel(asked.data[0])
    places = controller.accounts.places
    account = places[place_of(asked, 1, controller)]
    enabled = sum(one.enabled for one in places.values())
    state = _ENABLED if account.enabled else _DISABLED
    return bytes((len(places), state | enabled & 0x3F, 1, account.flags | account.limit))


@command(APPLICATION, 0x45, Privilege.ADMINISTRATOR)
def set_user_name(controller: "Controller", asked: Asked) -> bytes:
    number = place_of(asked, 0, controller)
    name = asked.bytes(1, 16).rstrip(b"\0").decode("latin-1")
    if number == 1:
        raise Refused(INVALID_FIELD)  # stays without a name
    if name and any(one.name == name for other, one in controller.accounts.places.items() if other != number):
        raise Refused(INVALID_FIELD)
    controller.accounts.places[number].name = name
    return b""


@command(APPLICATION, 0x46, Privilege.OPERATOR)
def get_user_name(controller: "Controller", asked: Asked) -> bytes:
    account = controller.accounts.places[place_of(asked, 0, controller)]
    return account.name.encode("latin-1").ljust(16, b"\0")


@command(APPLICATION, 0x47, Privilege.ADMINISTRATOR)
def set_user_password(controller: "Controller", asked: Asked) -> bytes:
    account = controller.accounts.places[place_of(asked, 0, controller)]
    length = 20 if asked.data[0] & _OF_20 else 16
    match asked.data[1] & 0x03:
        case 0:
            account.enabled = False
        case 1:
            account.enabled = True
        case 2:
            given = asked.data[2:]
            if len(given) != length:
                raise Refused(BAD_LENGTH)
            account.password, account.longest = given.rstrip(b"\0"), length
        case _:
            given = asked.bytes(2, length)
            if account.longest != length and len(account.password) > 16:
                raise Refused(_WRONG_LENGTH)
            if not account.has_password(given):
                raise Refused(_WRONG_PASSWORD)
    return b""
