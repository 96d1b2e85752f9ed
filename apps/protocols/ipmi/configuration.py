"""What a controller is set to: LAN, access, serial over LAN, alert destinations (IPMI 2.0 §22, §23, §26, §30).

Reads give None for what a controller does not tell. Writes are sent once each and raise what the controller says.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address

from apps.protocols.errors import ContactError
from apps.protocols.ipmi.session import APPLICATION, OK, SENSOR, TRANSPORT, IpmiSession

ADDRESS, SOURCE, MASK, GATEWAY, COMMUNITY = 3, 4, 6, 12, 16  # LAN parameters, §23.2 table 23-4
DESTINATIONS, DESTINATION_TYPE, DESTINATION_ADDRESS, VLAN = 17, 18, 19, 20
STATIC, DHCP = 1, 2
LONGEST_COMMUNITY = 18
MOST_DESTINATIONS = 15

_GET_CHANNEL_INFO, _SET_CHANNEL_ACCESS, _GET_CHANNEL_ACCESS = 0x42, 0x40, 0x41
_SET_LAN, _GET_LAN = 0x01, 0x02
_SET_SOL, _GET_SOL, _SOL_ENABLED = 0x21, 0x22, 1
_SET_PEF, _GET_PEF, _PEF_CONTROL = 0x12, 0x13, 1
_ALERT_IMMEDIATE, _INITIATE, _NO_STRING = 0x16, 0x00, 0x00
_TEST_EVENT = bytes((0x41, 0x04, 0x24, 0x00, 0x6F, 0x02, 0xFF, 0xFF))  # by software: "platform event trap generated"
_THIS_CHANNEL = 0x0E
_COMPLETE, _IN_PROGRESS, _COMMIT = 0, 1, 2
_NONVOLATILE, _VOLATILE = 0x40, 0x80
_ALERTS_OFF, _MODE = 0x20, 0x07


@dataclass(frozen=True, slots=True)
class ChannelAccess:
    """Who may come in by a channel: the mode (0 nobody, 2 always, 3 shared), whether it sends alerts."""

    mode: int
    alerts: bool
    kept: int  # the other bits, which are written as they were


@dataclass(frozen=True, slots=True)
class Destination:
    """Where alerts go; an address of None is an empty place."""

    number: int
    address: str | None
    acknowledge: bool
    kind: bytes  # parameter 18 as it was: number, type, time-out, retries
    place: bytes  # parameter 19 as it was


async def read_channel(session: IpmiSession) -> int:
    """Ask for the number of the channel that we speak through."""
    told = await session.ask(APPLICATION, _GET_CHANNEL_INFO, (_THIS_CHANNEL,))
    return told.data[0] & 0x0F if told.code == OK and told.data else 1


async def lan(session: IpmiSession, channel: int, parameter: int, selector: int = 0) -> bytes | None:
    """Read one LAN parameter; None where there is none."""
    answer = await session.ask(TRANSPORT, _GET_LAN, (channel, parameter, selector, 0))
    return answer.data[1:] if answer.code == OK and len(answer.data) > 1 else None


async def set_lan(session: IpmiSession, channel: int, parameter: int, data: bytes) -> None:
    """Write one LAN parameter, once."""
    await session.order(TRANSPORT, _SET_LAN, (channel, parameter, *data))


async def begin_lan(session: IpmiSession, channel: int) -> None:
    """Say that several parameters follow; controllers that do not know this take each by itself."""
    await _state(session, channel, _IN_PROGRESS)


async def end_lan(session: IpmiSession, channel: int, *, keep: bool = True) -> None:
    """Say that these were all, and that they count: a controller that can roll back does so otherwise.

    Whoever has just been given another address may not answer any more.
    """
    if keep:
        await _state(session, channel, _COMMIT)
    await _state(session, channel, _COMPLETE)


async def _state(session: IpmiSession, channel: int, state: int) -> None:
    try:
        await session.order(TRANSPORT, _SET_LAN, (channel, 0, state))
    except ContactError:
        return


def vlan_bytes(number: int) -> bytes:
    """Encode a VLAN; 0 is none."""
    return (number | 0x8000 if number else 0).to_bytes(2, "little")


def vlan_number(data: bytes | None) -> int | None:
    """Decode a VLAN; 0 is none."""
    if data is None or len(data) < 2:
        return None
    return int.from_bytes(data[:2], "little") & 0x0FFF if data[1] & 0x80 else 0


def address_of(data: bytes | None) -> str | None:
    """Decode an address; all zeros are none (an empty text), None: not told."""
    if data is None or len(data) < 4:
        return None
    return str(IPv4Address(data[:4])) if any(data[:4]) else ""


def address_bytes(address: str) -> bytes:
    """Encode an address; an empty text is none."""
    return IPv4Address(address or "0.0.0.0").packed


async def read_access(session: IpmiSession, channel: int) -> ChannelAccess | None:
    """Ask who may come in by a channel from the next start on."""
    answer = await session.ask(APPLICATION, _GET_CHANNEL_ACCESS, (channel, _NONVOLATILE))
    if answer.code != OK or not answer.data:
        return None
    bits = answer.data[0]
    return ChannelAccess(bits & _MODE, not bits & _ALERTS_OFF, bits & 0x18)


async def set_access(session: IpmiSession, channel: int, access: ChannelAccess) -> None:
    """Set it, from now on and for the next start; the limit of privileges stays as it is."""
    bits = access.mode | access.kept | (0 if access.alerts else _ALERTS_OFF)
    for when in (_NONVOLATILE, _VOLATILE):
        await session.order(APPLICATION, _SET_CHANNEL_ACCESS, (channel, bits | when, 0))


async def read_sol(session: IpmiSession, channel: int) -> bool | None:
    """Ask whether serial over LAN is on."""
    answer = await session.ask(TRANSPORT, _GET_SOL, (channel, _SOL_ENABLED, 0, 0))
    return bool(answer.data[1] & 1) if answer.code == OK and len(answer.data) > 1 else None


async def set_sol(session: IpmiSession, channel: int, on: bool) -> None:
    """Switch serial over LAN on or off."""
    await session.order(TRANSPORT, _SET_SOL, (channel, _SOL_ENABLED, int(on)))


async def read_pef(session: IpmiSession) -> int | None:
    """Give the control bits of platform event filtering; bit 0: it is on. None where there is none."""
    answer = await session.ask(SENSOR, _GET_PEF, (_PEF_CONTROL, 0, 0))
    return answer.data[1] if answer.code == OK and len(answer.data) > 1 else None


async def set_pef(session: IpmiSession, bits: int) -> None:
    """Write the control bits."""
    await session.order(SENSOR, _SET_PEF, (_PEF_CONTROL, bits))


async def read_destinations(session: IpmiSession, channel: int) -> list[Destination]:
    """Ask where alerts go: the places that keep, without place 0 that forgets."""
    told = await lan(session, channel, DESTINATIONS)
    count = min(told[0] & 0x0F, MOST_DESTINATIONS) if told else 0
    found = []
    for number in range(1, count + 1):
        kind = await lan(session, channel, DESTINATION_TYPE, number)
        place = await lan(session, channel, DESTINATION_ADDRESS, number)
        if kind is None or len(kind) < 4 or place is None or len(place) < 13 or place[1] >> 4:
            continue  # not there, or of IPv6
        found.append(Destination(number, address_of(place[3:7]), bool(kind[1] & 0x80), bytes(kind[:4]), bytes(place)))
    return found


async def send_alert(session: IpmiSession, channel: int, destination: int) -> None:
    """Have one alert sent to a destination now, past filters and policies (§30.7); it tells of nothing wrong."""
    await session.order(SENSOR, _ALERT_IMMEDIATE, (channel, _INITIATE | destination, _NO_STRING, *_TEST_EVENT))


def destination_address(destination: Destination, address: str) -> bytes:
    """Encode another address. The MAC address is left empty: the controller finds out anew to whom it belongs."""
    return bytes((*destination.place[:3], *address_bytes(address), *bytes(6)))


def destination_kind(destination: Destination, acknowledge: bool) -> bytes:
    """Encode whether alerts have to be acknowledged."""
    number, kind, timeout, retries = destination.kind
    return bytes((number, kind & 0x7F | (0x80 if acknowledge else 0), timeout, retries))
