"""What simulated servers have: processors, memory and disks that follow their load (HOST-RESOURCES-MIB, RFC 2790)."""

import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

from apps.protocols.snmp.ber import Oid, Tag
from apps.simulators.fleet.course import TOKYO, between, filling, wave
from apps.simulators.fleet.faults import FaultKind
from apps.simulators.fleet.kinds import entity
from apps.simulators.fleet.kinds.lldp import Neighbourly
from apps.simulators.fleet.kinds.ports import PortsMoment
from apps.simulators.fleet.kinds.roles import DEFAULT, GIB, ROLES, Disk, Role
from apps.simulators.fleet.plan import BMC, CONTROLLERS, ILO, BadPlan
from apps.simulators.fleet.shape import Shape

HOST = "1.3.6.1.2.1.25"
STORAGE = f"{HOST}.2.3.1"
DEVICE = f"{HOST}.3.2.1"
LOAD = f"{HOST}.3.3.1"
FILE_SYSTEM = f"{HOST}.3.8.1"
RAM, VIRTUAL, FIXED_DISK, OTHER = (f"{HOST}.2.1.{kind}" for kind in (2, 3, 4, 1))
PROCESSOR, NETWORK, DISK_STORAGE = (f"{HOST}.3.1.{kind}" for kind in (3, 4, 6))
RUNNING, WARNS = 2, 3
DAY = 86_400.0


class ServerMoment(PortsMoment):
    """A server at one moment."""

    device: "Server"

    @cached_property
    def busy(self) -> float:
        """Give the processor seconds spent since the start, as if there were one processor."""
        device, started = self.device, self.started
        spent = device.load.until(self.at) - device.load.until(started)
        faults = device.faults.of(FaultKind.HIGH_LOAD) if device.faults else []
        high = sum(fault.length(started, self.at) for fault in faults)
        if high:
            # The ordinary course stands still while the load is high, so that neither is counted twice.
            spent = device.load.until(self.at - high) - device.load.until(started)
            spent += sum(fault.length(started, self.at) * fault.size for fault in faults)
        return spent

    def processor(self, number: int) -> int:
        """Give the load of one processor over the last minute in percent."""
        own = between(0.75, 1.25, "processor", self.device.seed, number)
        return max(1, min(100, round(100 * self.load * (own if self.load < 0.8 else 1.0))))

    @cached_property
    def memory_used(self) -> float:
        """Give the share of the memory that programs hold."""
        return min(self.device.memory_base + 0.14 * self.load, 0.97)

    def disk_used(self, number: int) -> float:
        """Give the share of the disk of that number (from 1) that is in use."""
        if fault := self.fault(FaultKind.DISK_FULL, number):
            return fault.size
        disk = self.device.role.disks[number - 1]
        return filling(disk.low, disk.high, disk.days * DAY, self.at, self.device.seed, number)

    @property
    def watts(self) -> float:
        """Give what it draws."""
        return self.device.role.processors * (6 + 10 * self.load) + 70

    @cached_property
    def processes(self) -> int:
        """Count the programs that run."""
        return round(self.device.role.processors * 9 + 90 + 60 * self.load)


class Server(Neighbourly):
    """A server: Linux and Windows say what it has in words of their own."""

    moment_class = ServerMoment
    parts = frozenset({FaultKind.LINK_DOWN, FaultKind.DISK_FULL})
    manufacturer: ClassVar[str] = "NEC"
    first_processor: ClassVar[int] = 1
    first_storage: ClassVar[int] = 1
    system: tuple[str, str] = ("", "")  # name and version of what runs on it

    def __init__(self, *arguments: Any) -> None:
        spec = arguments[0]
        if spec.role and spec.role not in ROLES:
            raise BadPlan(f"{spec.name}: a server is one of {', '.join(ROLES)}, not {spec.role}")
        if spec.controller and spec.controller not in CONTROLLERS:
            raise BadPlan(f"{spec.name}: a controller is one of {', '.join(CONTROLLERS)}, not {spec.controller}")
        self.role: Role = ROLES[spec.role or DEFAULT]
        self.model = spec.model or ("Express5800/R120j-2M" if self.role.processors > 8 else "Express5800/R110k-1")
        super().__init__(*arguments)
        role, seed = self.role, self.seed
        mean = role.load * between(0.7, 1.35, "load", seed)
        self.load = wave(min(mean, 0.48), seed, "load", daily=role.daily, noise=role.noise, peak=role.peak, weekly=0.12)
        self.memory_base = role.memory_used * between(0.85, 1.1, "memory", seed)

    def structure(self) -> Any:
        """Give what tells shapes apart: also the role and the model."""
        return super().structure(), self.spec.role, self.model

    def can_have(self, kind: FaultKind) -> bool:
        """Say whether a kind of fault makes sense here: some only a controller would tell."""
        if kind.is_controllers:
            return can_be(self.spec.controller, kind)
        return super().can_have(kind)

    def part_of(self, kind: FaultKind, part: int) -> int:
        """Give the disk of a fault, from 1; 0 asks for the last one."""
        if kind is not FaultKind.DISK_FULL:
            return super().part_of(kind, part)
        disks = len(self.role.disks)
        if not 0 <= part <= disks:
            raise BadPlan(f"{self.name} has {disks} disks")
        return part or disks

    # --- HOST-RESOURCES-MIB -----------------------------------------------------------------------------------------
    def storages(self) -> Iterator[tuple[int, Oid, str, int, int, Any]]:
        """Give the rows of hrStorageTable: index, type, name, unit and size in octets, how to read the share in use."""
        raise NotImplementedError

    def disk_name(self, disk: Disk) -> str:
        """Give the name of a file system."""
        return disk.mount

    def processor_name(self) -> str:
        """Give what the system calls its processors."""
        return "Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz"

    def build(self, shape: Shape) -> None:
        """Show HOST-RESOURCES-MIB and ENTITY-MIB."""
        super().build(shape)
        gauge = Tag.GAUGE32
        shape.live(f"{HOST}.1.1.0", Tag.TIME_TICKS, lambda m, _: m.uptime)
        shape.live(f"{HOST}.1.2.0", Tag.OCTET_STRING, lambda m, _: _date_and_time(m.at))
        shape.fixed(f"{HOST}.1.5.0", gauge, 2)
        shape.live(f"{HOST}.1.6.0", gauge, lambda m, _: m.processes)
        shape.fixed(f"{HOST}.1.7.0", Tag.INTEGER, 0)
        shape.fixed(f"{HOST}.2.2.0", Tag.INTEGER, self.role.memory * GIB // 1024)
        self._build_storage(shape)
        self._build_devices(shape)
        entity.build(shape, self.items(), self.manufacturer, self.model)

    def _build_storage(self, shape: Shape) -> None:
        rows = list(self.storages())
        number, text = Tag.INTEGER, Tag.OCTET_STRING
        shape.constants(f"{STORAGE}.1", number, [(row[0], row[0]) for row in rows])
        shape.constants(f"{STORAGE}.2", Tag.OBJECT_IDENTIFIER, [(row[0], row[1]) for row in rows])
        shape.constants(f"{STORAGE}.3", text, [(row[0], row[2].encode()) for row in rows])
        shape.constants(f"{STORAGE}.4", number, [(row[0], row[3]) for row in rows])
        shape.constants(f"{STORAGE}.5", number, [(row[0], row[4] // row[3]) for row in rows])
        used = [(row[0], (row[4] // row[3], row[5])) for row in rows]
        shape.column(f"{STORAGE}.6", number, used, lambda m, row: int(row[0] * row[1](m)))
        shape.constants(f"{STORAGE}.7", Tag.COUNTER32, [(row[0], 0) for row in rows])

    def _build_devices(self, shape: Shape) -> None:
        first, count = self.first_processor, self.role.processors
        processors = [(first + number, self.processor_name()) for number in range(count)]
        others = [(first + count + place, f"network interface {port.name}") for place, port in enumerate(self.ports)]
        disk = first + count + len(others) + 1
        disks = [(disk, "SCSI disk (/dev/sda)")]
        rows: list[tuple[int, Oid, str]] = [
            *((index, PROCESSOR, name) for index, name in processors),
            *((index, NETWORK, name) for index, name in others),
            *((index, DISK_STORAGE, name) for index, name in disks),
        ]
        number = Tag.INTEGER
        shape.constants(f"{DEVICE}.1", number, [(row[0], row[0]) for row in rows])
        shape.constants(f"{DEVICE}.2", Tag.OBJECT_IDENTIFIER, [(row[0], row[1]) for row in rows])
        shape.constants(f"{DEVICE}.3", Tag.OCTET_STRING, [(row[0], row[2].encode()) for row in rows])
        shape.constants(f"{DEVICE}.4", Tag.OBJECT_IDENTIFIER, [(row[0], "0.0") for row in rows])
        shape.column(f"{DEVICE}.5", number, [(row[0], row[0] == disk) for row in rows], _state)
        shape.constants(f"{DEVICE}.6", Tag.COUNTER32, [(row[0], 0) for row in rows])
        shape.constants(f"{LOAD}.1", Tag.OBJECT_IDENTIFIER, [(index, "0.0") for index, _ in processors])
        shape.column(
            f"{LOAD}.2", number, [(index, index - first) for index, _ in processors], lambda m, i: m.processor(i)
        )

    def items(self) -> Sequence[entity.Item]:
        """Give the parts that it is made of."""
        item = entity.Item
        return (
            item(1, self.model, entity.CHASSIS, name="chassis", is_device=True),
            item(
                2, "Inlet temperature", entity.SENSOR_CLASS, 1, measures=entity.CELSIUS, reads=lambda m: round(m.room)
            ),
            item(
                3,
                "Processor temperature",
                entity.SENSOR_CLASS,
                1,
                measures=entity.CELSIUS,
                reads=lambda m: round(m.temperature + 20),
            ),
            item(
                4,
                "Power consumption",
                entity.SENSOR_CLASS,
                1,
                measures=entity.WATTS,
                reads=lambda m: round(m.watts),
            ),
        )


def can_be(controller: str, kind: FaultKind) -> bool:
    """Say whether a server with this controller, or none, can have a fault of controllers: IPMI has no certificate."""
    return controller == ILO or (controller == BMC and kind is not FaultKind.WRONG_CERTIFICATE)


def _state(moment: ServerMoment, is_disk: bool) -> int:
    """Give hrDeviceStatus: a mirror that has lost one of its drives goes on, and warns."""
    return WARNS if is_disk and moment.fault(FaultKind.DRIVE_FAILED) else RUNNING


def _date_and_time(at: float) -> bytes:
    """Write a moment as DateAndTime (RFC 2579) in the zone of Tokyo."""
    local = time.gmtime(at + TOKYO)
    head = local.tm_year.to_bytes(2, "big") + bytes(local[1:6])
    return head + bytes((int(at % 1 * 10), ord("+"), int(TOKYO // 3600), 0))
