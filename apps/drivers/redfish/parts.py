"""What a machine is made of: processors, memory, network, firmware, managers; and who it is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from apps.drivers.contract import IdentityFacts, InventoryItem, InventoryKind, State, StateKind, Status
from apps.drivers.redfish.health import Told, state, verdict
from apps.drivers.redfish.values import (
    Resource,
    identifier,
    is_absent,
    joined,
    known,
    mac_address,
    nested,
    number,
    objects,
    oem,
    text,
    uuid,
    whole,
    with_unit,
    words,
)

SYSTEM_NAME = "System"
PROCESSORS_NAME = "Processors"
MEMORY_NAME = "Memory"
MANAGER_NAME = "Management controller"
KINDS = {"processor": StateKind.PROCESSOR, "memory": StateKind.MEMORY}
PART_FAILS = "A part does not work"
_MIB = 1024**2
_OF_LINKS = frozenset({"State", "Speed (bit/s)", "Addresses"})  # details that change with a cable, or with DHCP
_LINKS = {"Up": "up", "LinkUp": "up", "Down": "down", "LinkDown": "down", "NoLink": "down"}

Details = dict[str, str | int | float | None]


def identity(system: Resource, managers: Sequence[Resource], nics: Iterable[Resource]) -> IdentityFacts:
    """Say who the machine is: the system, not its controller."""
    manager = managers[0] if managers else {}
    macs = [mac_address(text(nic, "PermanentMACAddress", "MACAddress")) for nic in nics]
    operating_system = joined([found for found in (host_os(system), host_os_version(system)) if found])
    return IdentityFacts(
        name=text(system, "HostName") or text(system, "Name"),
        uuid=uuid(text(system, "UUID")),
        serial_number=text(system, "SerialNumber"),
        manufacturer=text(system, "Manufacturer"),
        model=text(system, "Model"),
        description=text(system, "Description"),
        operating_system=operating_system,
        agent_version=joined([found for found in (text(manager, "Model"), text(manager, "FirmwareVersion")) if found]),
        mac_addresses=tuple(dict.fromkeys(mac for mac in macs if mac)),
    )


def host_os(system: Resource) -> str | None:
    """Give the operating system that runs there, where an agent told the controller."""
    return text(nested(oem(system), "HostOS"), "OsName", "OsSysDescription")


def host_os_version(system: Resource) -> str | None:
    """Give its version."""
    return text(nested(oem(system), "HostOS"), "OsVersion")


def about(system: Resource) -> InventoryItem:
    """List the system itself."""
    memory = number(nested(system, "MemorySummary"), "TotalSystemMemoryGiB")
    details: Details = {
        "Manufacturer": text(system, "Manufacturer"),
        "Model": text(system, "Model"),
        "Serial number": text(system, "SerialNumber"),
        "Part number": text(system, "PartNumber", "SKU"),
        "Asset tag": text(system, "AssetTag"),
        "UUID": uuid(text(system, "UUID")),
        "BIOS": text(system, "BiosVersion"),
        "Operating system": host_os(system),
        "Processors": whole(nested(system, "ProcessorSummary"), "Count"),
        "Memory": with_unit(memory, "GiB"),
    }
    name = text(system, "HostName", "Name") or SYSTEM_NAME
    return InventoryItem(InventoryKind.SYSTEM, "system", name, verdict(system, rollup=True), known(details))


def summary(system: Resource, name: str, key: str, label: str, kind: StateKind) -> State | None:
    """Say how all parts of a kind are, as the system sums it up."""
    source = nested(system, name)
    status = dict(nested(source, "Status"))
    status["Health"] = status.get("HealthRollup") or status.get("Health")
    return state(key, label, kind, {"Status": status})


def overall(system: Resource) -> State | None:
    """Say how the system is with all its parts."""
    own, rolled = state("system", SYSTEM_NAME, StateKind.OTHER, system), verdict(system, rollup=True)
    if rolled in (Status.WARNING, Status.CRITICAL) and (own is None or own.status is Status.NORMAL):
        return State("system", SYSTEM_NAME, StateKind.OTHER, (PART_FAILS,), rolled)
    return own


def failing(found: Iterable[Resource], key: str, kind: StateKind) -> Iterator[State]:
    """Name the parts of a kind that are not well."""
    for one in found:
        told = None if is_absent(one) else state(f"{key}.{identifier(one)}", part_name(one), kind, one)
        if told is not None and told.status is not Status.NORMAL:
            yield told


def managers(found: Iterable[Resource]) -> Told:
    """Say how the controllers are."""
    told = Told()
    for one in found:
        status = state(f"manager.{identifier(one)}", MANAGER_NAME, StateKind.MODULE, one)
        told.states += [status] if status is not None else []
    return told


def part_name(one: Resource) -> str:
    """Give what a part is called: the words at its socket, if it has any."""
    return text(one, "DeviceLocator", "Socket", "Name") or identifier(one)


def processors(found: Iterable[Resource]) -> Iterator[InventoryItem]:
    """List processors."""
    for one in found:
        if is_absent(one):
            continue
        details: Details = {
            "Manufacturer": text(one, "Manufacturer"),
            "Model": text(one, "Model"),
            "Type": text(one, "ProcessorType"),
            "Cores": whole(one, "TotalCores"),
            "Logical processors": whole(one, "TotalThreads"),
            "Highest frequency": with_unit(number(one, "MaxSpeedMHz"), "MHz"),
            "Serial number": text(one, "SerialNumber"),
        }
        yield _item(InventoryKind.PROCESSOR, f"processor.{identifier(one)}", part_name(one), one, details)


def throttled(found: Iterable[Resource]) -> bool | None:
    """Say whether any processor is slowed down (DSP0268, Processor.Throttled); None where none tells."""
    told = [one["Throttled"] for one in found if isinstance(one.get("Throttled"), bool)]
    return any(told) if told else None


def memory(found: Iterable[Resource]) -> Iterator[InventoryItem]:
    """List memory modules; the names of older services are read, too."""
    for one in found:
        size = number(one, "CapacityMiB", "SizeMB")
        if is_absent(one) or not size:
            continue
        details: Details = {
            "Size (bytes)": round(size * _MIB),
            "Type": text(one, "MemoryDeviceType", "DIMMType"),
            "Manufacturer": text(one, "Manufacturer"),
            "Part number": text(one, "PartNumber"),
            "Serial number": text(one, "SerialNumber"),
            "Frequency": with_unit(number(one, "OperatingSpeedMhz", "MaximumFrequencyMHz"), "MHz"),
            "Module": text(one, "BaseModuleType"),
        }
        yield _item(InventoryKind.MEMORY, f"memory.{identifier(one)}", part_name(one), one, details)


def adapters(found: Iterable[Resource]) -> Iterator[InventoryItem]:
    """List network adapters."""
    for one in found:
        if is_absent(one):
            continue
        controllers = objects(one, "Controllers")
        details: Details = {
            "Manufacturer": text(one, "Manufacturer"),
            "Model": text(one, "Model"),
            "Serial number": text(one, "SerialNumber"),
            "Part number": text(one, "PartNumber"),
            "Firmware": text(controllers[0], "FirmwarePackageVersion") if controllers else None,
        }
        yield _item(
            InventoryKind.NETWORK, f"adapter.{identifier(one)}", text(one, "Name") or identifier(one), one, details
        )


def network_ports(adapter: Resource, found: Iterable[Resource]) -> Iterator[InventoryItem]:
    """List the ports of an adapter, of Port and of the older NetworkPort."""
    for one in found:
        megabits = number(one, "CurrentLinkSpeedMbps")
        gigabits = number(one, "CurrentSpeedGbps")
        speed = megabits * 1e6 if megabits is not None else gigabits * 1e9 if gigabits is not None else None
        macs = words(one, "AssociatedNetworkAddresses") + words(nested(one, "Ethernet"), "AssociatedMACAddresses")
        details: Details = {
            "State": _LINKS.get(str(one.get("LinkStatus"))),
            "Speed (bit/s)": round(speed) if speed else None,
            "MAC address": joined([own for mac in macs if (own := mac_address(mac))]),
        }
        key = f"port.{identifier(adapter)}.{identifier(one)}"
        item = _item(InventoryKind.NETWORK, key, text(one, "Id", "Name") or identifier(one), one, details)
        yield replace(item, passing=_OF_LINKS)


def manager_nics(manager: Resource, found: Iterable[Resource]) -> Iterator[InventoryItem]:
    """List the Ethernet interfaces of a controller."""
    for item in nics(found, f"nic.{identifier(manager)}"):
        yield replace(item, details={"Port of": MANAGER_NAME, **item.details})


def nics(found: Iterable[Resource], key: str = "nic") -> Iterator[InventoryItem]:
    """List Ethernet interfaces."""
    for one in found:
        speed = number(one, "SpeedMbps")
        addresses = [
            address
            for family in ("IPv4Addresses", "IPv6Addresses")
            for entry in objects(one, family)
            if (address := text(entry, "Address")) and address not in ("0.0.0.0", "::")
        ]
        details: Details = {
            "MAC address": mac_address(text(one, "PermanentMACAddress", "MACAddress")),
            "State": _LINKS.get(str(one.get("LinkStatus"))),
            "Speed (bit/s)": round(speed * 1e6) if speed else None,
            "Addresses": joined(addresses),
        }
        item = _item(
            InventoryKind.NETWORK, f"{key}.{identifier(one)}", text(one, "Name") or identifier(one), one, details
        )
        yield replace(item, passing=_OF_LINKS)


def firmware(found: Iterable[Resource]) -> Iterator[InventoryItem]:
    """List the firmware of all parts."""
    for one in found:
        details: Details = {
            "Version": text(one, "Version"),
            "Released": text(one, "ReleaseDate"),
            "Manufacturer": text(one, "Manufacturer"),
            "Part": text(oem(one), "DeviceContext"),
        }
        name = text(one, "Name") or identifier(one)
        yield _item(InventoryKind.SOFTWARE, f"firmware.{identifier(one)}", name, one, details)


def manager_items(found: Iterable[Resource]) -> Iterator[InventoryItem]:
    """List the controllers."""
    for one in found:
        details: Details = {
            "Manufacturer": text(one, "Manufacturer"),
            "Model": text(one, "Model"),
            "Type": text(one, "ManagerType"),
            "Firmware": text(one, "FirmwareVersion"),
            "UUID": uuid(text(one, "UUID")),
        }
        yield _item(InventoryKind.OTHER, f"manager.{identifier(one)}", MANAGER_NAME, one, details)


def _item(kind: InventoryKind, key: str, name: str, one: Resource, details: Details) -> InventoryItem:
    return InventoryItem(kind, key, name, verdict(one), known(details))
