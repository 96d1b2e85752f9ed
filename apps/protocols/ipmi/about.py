"""Who a controller is: device, firmware, system GUID, LAN settings (IPMI 2.0 §20, §22.14, §23)."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from uuid import UUID

from apps.protocols.errors import DeviceError
from apps.protocols.ipmi.session import APPLICATION, OK, TRANSPORT, IpmiSession

_GET_DEVICE_ID, _COLD_RESET, _GET_SYSTEM_GUID, _GET_CHANNEL_INFO = 0x01, 0x02, 0x37, 0x42
_GET_LAN_PARAMETER = 0x02
_THIS_CHANNEL = 0x0E
_ADDRESS, _SOURCE, _MAC, _MASK, _GATEWAY, _VLAN = 3, 4, 5, 6, 12, 20
_LAST_VERSION = 8  # of a UUID, RFC 9562 §4.2


@dataclass(frozen=True, slots=True)
class DeviceId:
    """What Get Device ID says."""

    device: int
    revision: int
    firmware: str
    ipmi: str
    manufacturer: int  # IANA enterprise number
    product: int
    auxiliary: str  # hexadecimal
    has_repository: bool


@dataclass(frozen=True, slots=True)
class Lan:
    """The settings of one LAN channel; None or empty: not told."""

    channel: int
    address: str | None = None
    source: int | None = None  # 1 static, 2 DHCP, 3 BIOS, 4 other
    mac: str | None = None
    mask: str | None = None
    gateway: str | None = None
    vlan: int | None = None


def device_id(data: bytes, address: str) -> DeviceId:
    """Decode an answer to Get Device ID (§20.1); ``DeviceError`` when it is cut short."""
    if len(data) < 11:
        raise DeviceError("%(address)s does not say what it is", address=address)
    return DeviceId(
        device=data[0],
        revision=data[1] & 0x0F,
        firmware=f"{data[2] & 0x7F}.{data[3]:02x}",
        ipmi=f"{data[4] & 0x0F}.{data[4] >> 4}",
        manufacturer=int.from_bytes(data[6:9], "little") & 0xFFFFF,
        product=int.from_bytes(data[9:11], "little"),
        auxiliary=data[11:15].hex(),
        has_repository=bool(data[5] & 0x02) or not data[1] & 0x80,
    )


async def read_device_id(session: IpmiSession) -> DeviceId:
    """Ask who the controller is."""
    return device_id(await session.tell(APPLICATION, _GET_DEVICE_ID), session.target.address)


async def restart(session: IpmiSession) -> None:
    """Order a cold reset of the controller (§20.2); many fall silent before they have answered."""
    await session.order(APPLICATION, _COLD_RESET)


def system_guid(data: bytes) -> str | None:
    """Give the machine's UUID in its text form; None where there is none.

    Controllers send it as SMBIOS stores it, as IPMI asks for (§20.8, last byte first), or as RFC 9562 does: the first
    reading that is a real UUID is taken.
    """
    if len(data) != 16 or data in (b"\x00" * 16, b"\xff" * 16):
        return None
    readings = (UUID(bytes_le=bytes(data)), UUID(bytes=bytes(reversed(data))), UUID(bytes=bytes(data)))
    real = [one for one in readings if one.version is not None and 1 <= one.version <= _LAST_VERSION]
    return str((real or readings)[0])


async def read_system_guid(session: IpmiSession) -> str | None:
    """Ask for the machine's UUID; None where the controller does not tell."""
    answer = await session.ask(APPLICATION, _GET_SYSTEM_GUID)
    return system_guid(answer.data) if answer.code == OK else None


async def read_lan(session: IpmiSession) -> Lan:
    """Ask for the settings of the channel that we speak through."""
    told = await session.ask(APPLICATION, _GET_CHANNEL_INFO, (_THIS_CHANNEL,))
    channel = told.data[0] & 0x0F if told.code == OK and told.data else 1

    async def parameter(number: int, length: int) -> bytes | None:
        answer = await session.ask(TRANSPORT, _GET_LAN_PARAMETER, (channel, number, 0, 0))
        return answer.data[1 : 1 + length] if answer.code == OK and len(answer.data) > length else None

    source, mac, vlan = await parameter(_SOURCE, 1), await parameter(_MAC, 6), await parameter(_VLAN, 2)
    return Lan(
        channel,
        address=_dotted(await parameter(_ADDRESS, 4)),
        source=source[0] & 0x0F if source else None,
        mac=mac.hex(":") if mac and any(mac) else None,
        mask=_dotted(await parameter(_MASK, 4)),
        gateway=_dotted(await parameter(_GATEWAY, 4)),
        vlan=int.from_bytes(vlan, "little") & 0x0FFF if vlan and vlan[1] & 0x80 else None,
    )


def _dotted(data: bytes | None) -> str | None:
    return str(IPv4Address(data)) if data and any(data) else None
