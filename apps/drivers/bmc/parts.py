"""From what a controller and the parts say of themselves to identity and inventory."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from apps.drivers.contract import POWER_OFF, IdentityFacts, InventoryItem, InventoryKind
from apps.protocols.ipmi.about import DeviceId, Lan
from apps.protocols.ipmi.fru import Fru
from apps.protocols.ipmi.records import FruRecord

_MAKERS = MappingProxyType(
    {
        2: "IBM",
        11: "Hewlett-Packard",
        42: "Oracle",
        119: "NEC",
        343: "Intel",
        674: "Dell",
        2011: "Huawei",
        2623: "ASUSTeK",
        5771: "Cisco",
        7154: "IPMI forum",
        10368: "Fujitsu",
        10876: "Supermicro",
        15370: "Giga-Byte",
        19046: "Lenovo",
        20974: "American Megatrends",
        37945: "Inspur",
        47196: "Hewlett Packard Enterprise",
    }
)  # names are data: nothing here is translated
# Table 43-13: what an entity is.
_KINDS = {
    3: InventoryKind.PROCESSOR,
    4: InventoryKind.STORAGE,
    5: InventoryKind.STORAGE,
    8: InventoryKind.MEMORY,
    15: InventoryKind.STORAGE,
    26: InventoryKind.STORAGE,
    28: InventoryKind.STORAGE,
    32: InventoryKind.MEMORY,
    44: InventoryKind.NETWORK,
}
_LENT = frozenset({"Address", "Subnet mask", "Gateway"})  # by DHCP or the BIOS, which may give others tomorrow
_STATE = frozenset({"State"})
MACHINE = FruRecord(0, "", 0, 0, 0, logical=True)  # the machine itself, also where no record names it
ADDRESS_SOURCES = {1: "Static", 2: "From DHCP", 3: "Set by the BIOS"}


def maker(number: int) -> str | None:
    """Name a maker by its IANA enterprise number."""
    return _MAKERS.get(number)


def identity(device: DeviceId, guid: str | None, system: Fru | None, lan: Lan) -> IdentityFacts:
    """Name the machine behind the controller by its own part, 0."""
    said = system or Fru()
    return IdentityFacts(
        uuid=guid,
        serial_number=said.product.get("serial_number")
        or said.chassis.get("serial_number")
        or said.first("serial_number"),
        manufacturer=said.first("manufacturer") or maker(device.manufacturer),
        model=said.first("product"),
        description=said.first("part_number"),
        agent_version=device.firmware,
        controller_mac_addresses=(lan.mac,) if lan.mac else (),
    )


def controller(device: DeviceId, suite: int | None) -> InventoryItem:
    """List the controller with its firmware, and the cipher suite that is spoken with it."""
    return InventoryItem(
        InventoryKind.SOFTWARE,
        "controller",
        "Management controller",
        details=_known(
            {
                "Manufacturer": maker(device.manufacturer) or str(device.manufacturer),
                "Product number": str(device.product),
                "Firmware version": device.firmware,
                "IPMI version": device.ipmi,
                "Cipher suite": suite,
            }
        ),
        passing=frozenset({"Cipher suite"}),  # which is agreed on anew each time
    )


def lan_port(lan: Lan) -> InventoryItem:
    """List the LAN port of the controller."""
    return InventoryItem(
        InventoryKind.NETWORK,
        f"lan.{lan.channel}",
        "LAN port of the management controller",
        details=_known(
            {
                "Port of": "Management controller",
                "Channel": lan.channel,
                "Address": lan.address,
                "Origin of the address": ADDRESS_SOURCES.get(lan.source or 0),
                "Subnet mask": lan.mask,
                "Gateway": lan.gateway,
                "MAC address": lan.mac,
                "VLAN": None if lan.vlan is None else str(lan.vlan),
            }
        ),
        passing=frozenset() if ADDRESS_SOURCES.get(lan.source or 0) == "Static" else _LENT,
    )


def _known(details: Mapping[str, str | int | None]) -> dict[str, str | int | None]:
    """Leave out what was not told."""
    return {label: value for label, value in details.items() if value is not None}


def parts(frus: Sequence[tuple[FruRecord, Fru | None]], *, powered: bool | None) -> list[InventoryItem]:
    """List the machine and its parts; those that cannot speak while the power is off say so."""
    found = [_part(record, said, powered) for record, said in frus]
    return [item for item in found if item is not None]


def _part(record: FruRecord, said: Fru | None, powered: bool | None) -> InventoryItem | None:
    kind = InventoryKind.SYSTEM if record.number == 0 else _KINDS.get(record.entity, InventoryKind.OTHER)
    key = f"fru.{record.number}"
    if said is None:
        if powered is not False:
            return None  # a part that is not plugged in
        return InventoryItem(kind, key, record.name, details={"State": POWER_OFF}, passing=_STATE, partial=True)
    return InventoryItem(
        kind,
        key,
        record.name or said.first("product") or key,
        details=_known(
            {
                "Manufacturer": said.first("manufacturer"),
                "Model": said.first("product"),
                "Part number": said.first("part_number"),
                "Serial number": said.first("serial_number"),
                "Version": said.product.get("version"),
                "Asset tag": said.product.get("asset_tag"),
                "Chassis part number": said.chassis.get("part_number"),
                "Chassis serial number": said.chassis.get("serial_number"),
                "Board serial number": said.board.get("serial_number"),
                "Made on": said.made_at.date().isoformat() if said.made_at else None,
            }
        ),
        partial=not said.whole,
    )
