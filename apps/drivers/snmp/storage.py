"""Disks, memory and swap (HOST-RESOURCES-MIB hrStorageTable, UCD-SNMP-MIB memory)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from apps.drivers.contract import InventoryItem, InventoryKind, Limits, Quantity, Reading
from apps.drivers.snmp import oids
from apps.drivers.snmp.values import Cells, Scalars, cell, indexes, line, number, object_identifier, sensor

DISK_LIMITS = Limits(upper_warning=90, upper_critical=95)

# Mount points whose fill level is nobody's worry: kernel file systems, images that are full by nature, mounted media.
_PSEUDO = re.compile(
    r"/(?:dev|run|sys|proc|snap|media|cdrom|boot/firmware|etc|tmp/\.mount_[^/]*|mnt/(?:cdrom|iso|usb)|"
    r"var/(?:run|lock|snap|lib/(?:docker|containers|containerd|kubelet|lxcfs|nfs/rpc_pipefs|snapd))|"
    r"System/Volumes|private/var/vm)(?:/|$)",
)
_READ_ONLY_TYPES = {f"1.3.6.1.2.1.25.3.9.{kind}" for kind in (12, 13)}  # ISO 9660, Rock Ridge
_READ_ONLY = 2
_USB = re.compile(r"\busb\b|usb[ -]?(?:disk|drive|stick|device|flash|memory|storage)", re.IGNORECASE)
_DISKS = {
    oids.STORAGE_FIXED_DISK,
    oids.STORAGE_NETWORK_DISK,
    oids.STORAGE_RAM_DISK,
    oids.STORAGE_FLASH_MEMORY,
}


@dataclass(frozen=True, slots=True)
class Storage:
    """One row of hrStorageTable in bytes."""

    index: str
    kind: str | None
    name: str
    size: int
    used: int
    read_only: bool = False
    pseudo: bool = False

    @property
    def percent(self) -> float | None:
        """Fill level; None for something without a size."""
        return min(100.0 * self.used / self.size, 100.0) if self.size > 0 else None

    @property
    def is_disk(self) -> bool:
        """A disk of any kind, not memory."""
        return self.kind in _DISKS

    @property
    def has_limits(self) -> bool:
        """A fixed, writable disk: the only kind whose filling up is a fault."""
        return self.kind == oids.STORAGE_FIXED_DISK and not self.read_only and not self.pseudo


def is_usb(name: str) -> bool:
    """Say whether a disk or a storage calls itself one at a USB port: only SCSI and IDE disks are watched."""
    return bool(_USB.search(name))


def _on_usb(cells: Cells) -> set[str]:
    """Give the indexes of storages that lie on USB disks: from the disk by its partitions and their file systems."""
    disks = {
        index
        for index in indexes(cells, oids.HR_DEVICE_DESCR)
        if object_identifier(cell(cells, oids.HR_DEVICE_TYPE, index)) == oids.DEVICE_DISK_STORAGE
        and is_usb(line(cell(cells, oids.HR_DEVICE_DESCR, index)) or "")
    }
    file_systems = {
        str(number(value))
        for index, value in cells.get(oids.HR_PARTITION_FS_INDEX, {}).items()
        if index.split(".")[0] in disks
    }
    return {str(number(cell(cells, oids.HR_FS_STORAGE_INDEX, row))) for row in file_systems}


def storages(cells: Cells, file_systems: Cells) -> list[Storage]:
    """Read the storage table; hrFSTable adds what is read-only, hrPartitionTable what lies on USB disks.

    Rows without a size (an empty drive), removable and USB storage are left out.
    """
    read_only = set()
    for row in indexes(file_systems, oids.HR_FS_STORAGE_INDEX):
        storage = str(number(cell(file_systems, oids.HR_FS_STORAGE_INDEX, row)))
        kind = object_identifier(cell(file_systems, oids.HR_FS_TYPE, row))
        if number(cell(file_systems, oids.HR_FS_ACCESS, row)) == _READ_ONLY or kind in _READ_ONLY_TYPES:
            read_only.add(storage)
    found = []
    on_usb = _on_usb(cells)
    for index in indexes(cells, oids.HR_STORAGE_SIZE):
        units = _unsigned(cell(cells, oids.HR_STORAGE_UNITS, index)) or 1
        size = _unsigned(cell(cells, oids.HR_STORAGE_SIZE, index))
        if not size:
            continue
        name = line(cell(cells, oids.HR_STORAGE_DESCR, index)) or index
        kind = object_identifier(cell(cells, oids.HR_STORAGE_TYPE, index))
        if kind == oids.STORAGE_REMOVABLE_DISK or index in on_usb or is_usb(name):
            continue
        found.append(
            Storage(
                index,
                kind,
                name,
                size * units,
                (_unsigned(cell(cells, oids.HR_STORAGE_USED, index)) or 0) * units,
                read_only=index in read_only,
                pseudo=bool(_PSEUDO.match(name)),
            )
        )
    return found


def _unsigned(value: Any) -> int | None:
    """Mend the sign of a 32-bit number: disks of more than 2^31 blocks come as negative from many agents."""
    found = number(value)
    return found + 2**32 if found is not None and -(2**31) <= found < 0 else found


@dataclass(frozen=True, slots=True)
class Memory:
    """Real memory and swap in bytes; used memory is what programs need, without buffers and caches."""

    size: int
    used: int
    swap_size: int = 0
    swap_used: int = 0


def memory(found: Sequence[Storage], ucd: Scalars) -> Memory | None:
    """Give the real memory: UCD-SNMP-MIB where the agent has it, else hrStorageTable; None when neither says."""
    return _ucd_memory(ucd) or _storage_memory(found)


def _ucd_memory(ucd: Scalars) -> Memory | None:
    def kib(oid: str) -> int | None:
        value = number(ucd.get(oid))
        return value * 1024 if value is not None and value >= 0 else None

    size, free = kib(oids.MEM_TOTAL_REAL), kib(oids.MEM_AVAIL_REAL)
    if not size or free is None or free > size:
        return None
    available = kib(oids.MEM_SYS_AVAIL)
    if available is None:
        # Shared memory lies in the cache and cannot be given back.
        caches = (kib(oids.MEM_BUFFER) or 0) + (kib(oids.MEM_CACHED) or 0) - (kib(oids.MEM_SHARED) or 0)
        available = free + max(caches, 0)
    swap, swap_free = kib(oids.MEM_TOTAL_SWAP) or 0, kib(oids.MEM_AVAIL_SWAP) or 0
    return Memory(size, _between(size - available, size), swap, _between(swap - swap_free, swap))


def _storage_memory(found: Sequence[Storage]) -> Memory | None:
    named = {storage.name.casefold(): storage for storage in found if not storage.is_disk}
    rams = [storage for storage in found if storage.kind == oids.STORAGE_RAM]
    real = named.get("physical memory") or named.get("real memory") or max(rams, key=lambda ram: ram.size, default=None)
    if real is None:
        return None
    used = real.used
    if "available memory" in named:
        used = real.size - (named["available memory"].size - named["available memory"].used)
    else:
        caches = sum(named[name].used for name in ("memory buffers", "cached memory") if name in named)
        shared = named["shared memory"].used if "shared memory" in named else 0
        used -= max(caches - shared, 0)
    swap = named.get("swap space")
    return Memory(real.size, _between(used, real.size), swap.size if swap else 0, swap.used if swap else 0)


def _between(value: int, most: int) -> int:
    return max(0, min(value, most))


def memory_readings(found: Memory | None) -> Iterator[Reading]:
    """Give real memory, and swap where there is any."""
    if found is None:
        return
    yield Reading(sensor("memory", "Memory", Quantity.MEMORY, "%"), 100.0 * found.used / found.size)
    yield Reading(sensor("memory.used", "Memory in use", Quantity.MEMORY, "B"), float(found.used))
    if found.swap_size:
        swap = sensor("swap", "Swap", Quantity.MEMORY, "%")
        yield Reading(swap, 100.0 * min(found.swap_used, found.swap_size) / found.swap_size)


def disk_readings(found: Sequence[Storage]) -> Iterator[Reading]:
    """Give the fill level of every disk that is not a file system of the kernel."""
    for disk in found:
        if disk.is_disk and not disk.pseudo:
            limits = DISK_LIMITS if disk.has_limits else None
            yield Reading(sensor(f"storage.{disk.index}", disk.name, Quantity.STORAGE, "%", limits), disk.percent)


def inventory(found: Sequence[Storage], real: Memory | None) -> Iterator[InventoryItem]:
    """List real memory and the disks with their sizes."""
    if real is not None:
        yield InventoryItem(InventoryKind.MEMORY, "memory", "Memory", details={"Size (bytes)": real.size})
    for disk in found:
        if disk.is_disk and not disk.pseudo:
            yield InventoryItem(
                InventoryKind.STORAGE,
                f"storage.{disk.index}",
                disk.name,
                details={
                    "Size (bytes)": disk.size,
                    "Used (bytes)": disk.used,
                    "Read-only": str(disk.read_only).lower(),
                },
                passing=frozenset({"Used (bytes)"}),
            )
