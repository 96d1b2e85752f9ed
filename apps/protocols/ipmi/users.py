"""The accounts of a controller (IPMI 2.0 §22.26 to §22.30). A password goes over the wire and is kept nowhere."""

from dataclasses import dataclass

from apps.protocols.errors import Unsupported
from apps.protocols.ipmi.session import APPLICATION, OK, IpmiSession
from apps.protocols.ipmi.target import LONGEST_PASSWORD, LONGEST_USERNAME

CALLBACK, USER, OPERATOR, ADMINISTRATOR, NO_ACCESS = 1, 2, 3, 4, 15  # privileges
MOST_USERS = 20  # that are read of one controller

_SET_ACCESS, _GET_ACCESS, _SET_NAME, _GET_NAME, _SET_PASSWORD = 0x43, 0x44, 0x45, 0x46, 0x47
_DISABLE, _ENABLE, _PASSWORD = 0, 1, 2
_CHANGE, _MESSAGING, _TWENTY_BYTES = 0x80, 0x10, 0x80
_SHORT = 16


@dataclass(frozen=True, slots=True)
class Account:
    """One account as one channel sees it; without a name it is an empty place."""

    number: int
    name: str
    enabled: bool
    privilege: int
    kept: int = 0  # bits of the access that are written as they were
    fixed: bool = False  # its name cannot be changed


async def read_accounts(session: IpmiSession, channel: int) -> list[Account]:
    """Read the accounts; none where the controller does not tell."""
    found: list[Account] = []
    most, number = 1, 1
    while number <= most:
        access = await session.ask(APPLICATION, _GET_ACCESS, (channel, number))
        if access.code != OK or len(access.data) < 4:
            if number == 1:
                return []
        else:
            most = min(access.data[0] & 0x3F, MOST_USERS)
            found.append(await _account(session, number, access.data))
        number += 1
    return found


async def _account(session: IpmiSession, number: int, access: bytes) -> Account:
    told = await session.ask(APPLICATION, _GET_NAME, (number,))
    name = told.data[:LONGEST_USERNAME].split(b"\x00")[0].decode(errors="replace") if told.code == OK else ""
    status, bits = access[1] >> 6, access[3]
    messaging = bool(bits & _MESSAGING)
    enabled = messaging and status != 2  # 0: not told, 1: it may sign in, 2: it may not
    return Account(number, name, enabled, bits & 0x0F, bits & 0x60, number <= access[2] & 0x3F)


async def set_name(session: IpmiSession, number: int, name: str) -> None:
    """Name an account."""
    await session.order(APPLICATION, _SET_NAME, (number, *_padded(name, LONGEST_USERNAME, "name")))


async def set_access(session: IpmiSession, channel: int, account: Account) -> None:
    """Set privilege and whether it may sign in by a channel."""
    bits = _CHANGE | account.kept | (_MESSAGING if account.enabled else 0) | channel
    await session.order(APPLICATION, _SET_ACCESS, (bits, account.number, account.privilege))


async def set_enabled(session: IpmiSession, number: int, enabled: bool) -> None:
    """Let an account sign in, or not."""
    await session.order(APPLICATION, _SET_PASSWORD, (number, _ENABLE if enabled else _DISABLE))


async def set_password(session: IpmiSession, number: int, password: str) -> None:
    """Set a password; one of up to 16 bytes in the short form, which also serves sessions of older programs."""
    long = len(password.encode()) > _SHORT
    size = LONGEST_PASSWORD if long else _SHORT
    data = _padded(password, size, "password")
    await session.order(APPLICATION, _SET_PASSWORD, (number | (_TWENTY_BYTES if long else 0), _PASSWORD, *data))


def _padded(text: str, size: int, what: str) -> bytes:
    data = text.encode()
    if len(data) > size:
        raise Unsupported("The %(what)s is longer than %(size)s bytes", what=what, size=size)
    return data.ljust(size, b"\x00")
