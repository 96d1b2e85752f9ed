"""Disks and memory: what is real, what is a cache, and which disks have limits."""

import pytest

from apps.drivers.contract import Limits, Status
from apps.drivers.snmp import oids, processors, storage
from apps.drivers.snmp.storage import Memory

GIB = 1024 * 1024  # in KiB


def table(*rows: tuple[str, str, int, int, int]) -> dict[str, dict[str, object]]:
    columns = (
        oids.HR_STORAGE_TYPE,
        oids.HR_STORAGE_DESCR,
        oids.HR_STORAGE_UNITS,
        oids.HR_STORAGE_SIZE,
        oids.HR_STORAGE_USED,
    )
    return {
        column: {str(index): row[place].encode() if place == 1 else row[place] for index, row in enumerate(rows, 1)}
        for place, column in enumerate(columns)
    }


def limits_of(name: str, kind: str = oids.STORAGE_FIXED_DISK, access: int = 1, fs_type: int = 23) -> Limits | None:
    file_systems = {
        oids.HR_FS_STORAGE_INDEX: {"1": 1},
        oids.HR_FS_ACCESS: {"1": access},
        oids.HR_FS_TYPE: {"1": f"1.3.6.1.2.1.25.3.9.{fs_type}"},
    }
    found = storage.storages(table((kind, name, 4096, 1000, 999)), file_systems)
    readings = list(storage.disk_readings(found))
    return readings[0].sensor.limits if readings else None


@pytest.mark.parametrize(
    "name", ["/", "/var", "/home", "/boot/efi", "/srv/devices", "C:\\ Label:System", "/mnt/data", "/var/lib/mysql"]
)
def test_a_fixed_disk_has_the_default_limits(name: str) -> None:
    assert limits_of(name) == Limits(upper_warning=90, upper_critical=95)


@pytest.mark.parametrize(
    ("name", "kind", "access", "fs_type"),
    [
        ("/mnt/nfs", oids.STORAGE_NETWORK_DISK, 1, 14),
        ("/ro", oids.STORAGE_FIXED_DISK, 2, 23),
        ("/iso", oids.STORAGE_FIXED_DISK, 1, 12),
    ],
)
def test_a_disk_that_is_not_fixed_and_writable_is_shown_without_limits(
    name: str, kind: str, access: int, fs_type: int
) -> None:
    assert limits_of(name, kind, access, fs_type) == Limits()


@pytest.mark.parametrize(
    "name",
    ["/dev/shm", "/run", "/run/user/1000", "/sys/fs/cgroup", "/proc", "/snap/core/1", "/media/cdrom0", "/etc/hosts"],
)
def test_a_file_system_of_the_kernel_is_not_shown(name: str) -> None:
    assert limits_of(name) is None


def test_a_disc_drive_is_not_shown() -> None:
    assert limits_of("D:\\", oids.STORAGE_COMPACT_DISC) is None


@pytest.mark.parametrize(
    ("used", "status"), [(899, Status.NORMAL), (900, Status.WARNING), (949, Status.WARNING), (950, Status.CRITICAL)]
)
def test_the_limits_are_90_and_95_percent(used: int, status: Status) -> None:
    (disk,) = storage.storages(table((oids.STORAGE_FIXED_DISK, "/", 4096, 1000, used)), {})
    (reading,) = storage.disk_readings([disk])
    assert reading.sensor.limits.judge(reading.value) == status


def test_a_disk_of_more_than_two_to_the_31_blocks_has_its_size() -> None:
    (disk,) = storage.storages(table((oids.STORAGE_FIXED_DISK, "/", 4096, 3_000_000_000 - 2**32, 1_500_000_000)), {})
    assert (disk.size, disk.percent) == (3_000_000_000 * 4096, 50.0)


def test_an_empty_drive_is_left_out() -> None:
    assert storage.storages(table((oids.STORAGE_FIXED_DISK, "A:", 0, 0, 0)), {}) == []


def test_caches_are_not_memory_in_use() -> None:
    other = "1.3.6.1.2.1.25.2.1.1"
    rows = table(
        (oids.STORAGE_RAM, "Physical memory", 1024, 16 * GIB, 15 * GIB),
        (other, "Memory buffers", 1024, 16 * GIB, 1 * GIB),
        (other, "Cached memory", 1024, 8 * GIB, 8 * GIB),
        (other, "Shared memory", 1024, 2 * GIB, 2 * GIB),
        (oids.STORAGE_VIRTUAL_MEMORY, "Swap space", 1024, 4 * GIB, 1 * GIB),
    )
    found = storage.memory(storage.storages(rows, {}), {})
    assert found == Memory(16 * 1024 * GIB, 8 * 1024 * GIB, 4 * 1024 * GIB, 1 * 1024 * GIB)
    assert [(reading.sensor.key, reading.value) for reading in storage.memory_readings(found)] == [
        ("memory", 50.0),
        ("memory.used", 8 * 1024 * GIB),
        ("swap", 25.0),
    ]


def test_the_kernels_own_word_on_available_memory_wins() -> None:
    ucd = {
        oids.MEM_TOTAL_REAL: 16 * GIB,
        oids.MEM_AVAIL_REAL: 1 * GIB,
        oids.MEM_BUFFER: 1 * GIB,
        oids.MEM_CACHED: 8 * GIB,
        oids.MEM_SYS_AVAIL: 12 * GIB,
    }
    assert storage.memory([], ucd) == Memory(16 * 1024 * GIB, 4 * 1024 * GIB)
    del ucd[oids.MEM_SYS_AVAIL]
    assert storage.memory([], ucd) == Memory(16 * 1024 * GIB, 6 * 1024 * GIB)


def test_nonsense_about_memory_is_no_memory() -> None:
    assert storage.memory([], {oids.MEM_TOTAL_REAL: 0, oids.MEM_AVAIL_REAL: 0}) is None
    assert storage.memory([], {oids.MEM_TOTAL_REAL: 5, oids.MEM_AVAIL_REAL: 9}) is None
    assert storage.memory([], {oids.MEM_TOTAL_REAL: b"", oids.MEM_AVAIL_REAL: None}) is None
    assert list(storage.memory_readings(None)) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("F:\\", oids.STORAGE_REMOVABLE_DISK),
        ("F:\\ Label:USB DISK  Serial Number 1234", oids.STORAGE_FIXED_DISK),
        ("/mnt/usbdisk", oids.STORAGE_FIXED_DISK),
        ("/media/stick", oids.STORAGE_FIXED_DISK),
    ],
)
def test_a_disk_that_is_removable_or_at_a_usb_port_is_left_out(name: str, kind: str) -> None:
    assert limits_of(name, kind) is None


def test_what_lies_on_a_usb_disk_is_left_out_whatever_it_is_called() -> None:
    rows = table((oids.STORAGE_FIXED_DISK, "/data", 4096, 1000, 999), (oids.STORAGE_FIXED_DISK, "/", 4096, 1000, 500))
    devices = {
        oids.HR_DEVICE_TYPE: {"7": oids.DEVICE_DISK_STORAGE, "8": oids.DEVICE_DISK_STORAGE},
        oids.HR_DEVICE_DESCR: {"7": b"SCSI disk (/dev/sda)", "8": b"Generic USB Flash Disk"},
        oids.HR_PARTITION_FS_INDEX: {"7.1": 2, "8.1": 1},
        oids.HR_FS_STORAGE_INDEX: {"1": 1, "2": 2},
    }
    cells = {**rows, **devices}
    found = storage.storages(cells, cells)
    assert [disk.name for disk in found] == ["/"]
    assert [item.name for item in processors.inventory(cells)] == ["SCSI disk (/dev/sda)"]
