"""A Linux server with net-snmp: HOST-RESOURCES-MIB and UCD-SNMP-MIB beside the standard ones."""

from collections.abc import Iterator
from typing import Any, ClassVar

from apps.protocols.snmp.ber import Oid, Tag
from apps.simulators.fleet.course import pick
from apps.simulators.fleet.kinds.ports import LOOPBACK, Port
from apps.simulators.fleet.kinds.roles import GIB
from apps.simulators.fleet.kinds.server import (
    FILE_SYSTEM,
    FIXED_DISK,
    HOST,
    OTHER,
    RAM,
    VIRTUAL,
    Server,
    ServerMoment,
)
from apps.simulators.fleet.shape import Shape

UCD = "1.3.6.1.4.1.2021"
_EXT4 = f"{HOST}.3.9.23"
_SYSTEMS = {  # name and version by their kernels
    "6.1.0-28-amd64": ("Debian GNU/Linux", "12"),
    "6.1.0-31-amd64": ("Debian GNU/Linux", "12"),
    "5.14.0-427.13.1.el9_4.x86_64": ("Red Hat Enterprise Linux", "9.4"),
    "6.8.0-51-generic": ("Ubuntu", "24.04 LTS"),
}
_CACHED = 0.17  # share of the memory that only keeps files
_BUFFERS = 0.012
_SWAP = 8 * GIB
_TICKS = 100  # of the kernel, a second
_FIRST_DISK = 31


class Linux(Server):
    """A Linux server."""

    kind = "linux"
    object_id = "1.3.6.1.4.1.8072.3.2.10"
    first_processor: ClassVar[int] = 196_608
    services = 72

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.kernel = pick(tuple(_SYSTEMS), "kernel", self.seed)
        self.system = _SYSTEMS[self.kernel]
        self.description = f"Linux {self.name} {self.kernel} #1 SMP PREEMPT_DYNAMIC x86_64"

    def make_ports(self) -> Iterator[Port]:
        """Give the loopback and two network cards, the second of them without a cable on small machines."""
        yield Port(1, "lo", "lo", kind=LOOPBACK, speed=10**7, mtu=65_536)
        into, out = self.own_traffic(2, self.role.traffic)
        yield Port(2, "ens1f0", "ens1f0", is_uplink=True, speed=10**10, into=into, out=out)
        second = Port(3, "ens1f1", "ens1f1", speed=10**10)
        if self.role.processors > 8:
            second.into, second.out = self.own_traffic(3, self.role.traffic / 4, peak=2.0)
        yield second

    def storages(self) -> Iterator[tuple[int, Oid, str, int, int, Any]]:
        """Give memory as net-snmp counts it, with buffers and caches, and the disks."""
        memory = self.role.memory * GIB
        yield 1, RAM, "Physical memory", 1024, memory, lambda m: min(m.memory_used + _CACHED + _BUFFERS, 0.995)
        yield 3, VIRTUAL, "Virtual memory", 1024, memory + _SWAP, lambda m: 0.6 * m.memory_used
        yield 6, OTHER, "Memory buffers", 1024, memory, lambda m: _BUFFERS
        yield 7, OTHER, "Cached memory", 1024, int(memory * _CACHED), lambda m: 1.0
        yield 8, OTHER, "Shared memory", 1024, int(memory * 0.003), lambda m: 1.0
        yield 10, VIRTUAL, "Swap space", 1024, _SWAP, lambda m: 0.02 + 0.1 * m.memory_used
        yield 35, FIXED_DISK, "/run", 4096, memory // 5, lambda m: 0.002
        yield 36, FIXED_DISK, "/dev/shm", 4096, memory // 2, lambda m: 0.0  # noqa: S108 - a name
        for number, disk in enumerate(self.role.disks, 1):
            yield _FIRST_DISK + 9 + number, FIXED_DISK, disk.mount, 4096, disk.size * GIB, _used(number)

    def build(self, shape: Shape) -> None:
        """Show UCD-SNMP-MIB and the file systems."""
        super().build(shape)
        _build_memory(shape, self.role.memory * GIB // 1024)
        _build_load(shape)
        _build_processor_time(shape)
        rows = [(number, _FIRST_DISK + 9 + number) for number in range(1, len(self.role.disks) + 1)]
        number, text = Tag.INTEGER, Tag.OCTET_STRING
        shape.constants(f"{FILE_SYSTEM}.1", number, [(row, row) for row, _ in rows])
        shape.constants(f"{FILE_SYSTEM}.2", text, [(row, self.role.disks[row - 1].mount.encode()) for row, _ in rows])
        shape.constants(f"{FILE_SYSTEM}.4", Tag.OBJECT_IDENTIFIER, [(row, _EXT4) for row, _ in rows])
        shape.constants(f"{FILE_SYSTEM}.5", number, [(row, 1) for row, _ in rows])
        shape.constants(f"{FILE_SYSTEM}.6", number, [(row, 1 if row == 1 else 2) for row, _ in rows])
        shape.constants(f"{FILE_SYSTEM}.7", number, rows)


def _used(number: int) -> Any:
    return lambda m: m.disk_used(number)


def _build_memory(shape: Shape, total: int) -> None:
    """Show UCD-SNMP-MIB memory in KiB."""
    swap = _SWAP // 1024
    number = Tag.INTEGER
    shape.fixed(f"{UCD}.4.3.0", number, swap)
    shape.live(f"{UCD}.4.4.0", number, lambda m, _: int(swap * (0.98 - 0.1 * m.memory_used)))
    shape.fixed(f"{UCD}.4.5.0", number, total)
    shape.live(f"{UCD}.4.6.0", number, lambda m, _: int(total * max(0.005, 1 - m.memory_used - _CACHED - _BUFFERS)))
    shape.fixed(f"{UCD}.4.13.0", number, int(total * 0.003))
    shape.fixed(f"{UCD}.4.14.0", number, int(total * _BUFFERS))
    shape.fixed(f"{UCD}.4.15.0", number, int(total * _CACHED))
    shape.live(f"{UCD}.4.27.0", Tag.COUNTER64, lambda m, _: int(total * (1 - m.memory_used)))


def _build_load(shape: Shape) -> None:
    """Show the load averages, which are texts."""
    rows = list(enumerate((60.0, 300.0, 900.0), 1))
    shape.constants(f"{UCD}.10.1.1", Tag.INTEGER, [(row, row) for row, _ in rows])
    shape.constants(f"{UCD}.10.1.2", Tag.OCTET_STRING, [(row, f"Load-{int(s // 60)}".encode()) for row, s in rows])
    shape.column(f"{UCD}.10.1.3", Tag.OCTET_STRING, rows, lambda m, s: f"{_load_average(m, s):.2f}".encode())
    shape.column(f"{UCD}.10.1.5", Tag.INTEGER, rows, lambda m, s: int(_load_average(m, s) * 100))


def _load_average(moment: ServerMoment, seconds: float) -> float:
    usual = moment.device.load.over(seconds, moment.at)
    return moment.device.role.processors * max(usual, moment.load if moment.load > 0.9 else 0.0) * 1.05


def _build_processor_time(shape: Shape) -> None:
    """Show the kernel's ticks: user, nice, system, idle, wait and stolen ones."""

    def ticks(moment: ServerMoment, share: float) -> int:
        return int(moment.busy * share * moment.device.role.processors * _TICKS) % 2**32

    def idle(moment: ServerMoment, share: float) -> int:
        since = moment.at - moment.started
        return int((since - moment.busy) * share * moment.device.role.processors * _TICKS) % 2**32

    for number, share in ((50, 0.72), (51, 0.02), (52, 0.25), (64, 0.01)):
        shape.live(f"{UCD}.11.{number}.0", Tag.COUNTER32, ticks, share)
    for number, share in ((53, 0.97), (54, 0.03)):
        shape.live(f"{UCD}.11.{number}.0", Tag.COUNTER32, idle, share)
