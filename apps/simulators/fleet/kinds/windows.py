"""A Windows server with Microsoft's SNMP service: HOST-RESOURCES-MIB, no load averages, no caches in its memory."""

from collections.abc import Iterator
from typing import Any

from apps.protocols.snmp.ber import Oid
from apps.simulators.fleet.course import chance
from apps.simulators.fleet.kinds.ports import LOOPBACK, Port
from apps.simulators.fleet.kinds.roles import GIB, Disk
from apps.simulators.fleet.kinds.server import FIXED_DISK, RAM, VIRTUAL, Server
from apps.simulators.fleet.plan import BMC, BadPlan

_BUILDS = (("6.3", "20348", "2022"), ("6.3", "17763", "2019"), ("6.3", "26100", "2025"))


class Windows(Server):
    """A Windows server."""

    kind = "windows"
    object_id = "1.3.6.1.4.1.311.1.1.3.1.2"
    services = 76

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        if self.spec.controller == BMC:
            raise BadPlan(f"{self.name} is a Windows server: what it says on a serial console is not simulated")
        version, build, year = _BUILDS[int(chance("build", self.seed) * len(_BUILDS))]
        self.system = "Windows Server", year
        self.description = (
            "Hardware: Intel64 Family 6 Model 106 Stepping 6 AT/AT COMPATIBLE - "
            f"Software: Windows Version {version} (Build {build} Multiprocessor Free)"
        )

    def make_ports(self) -> Iterator[Port]:
        """Give the loopback and two network cards, the second of them without a cable."""
        yield Port(1, "loopback_0", "Software Loopback Interface 1", kind=LOOPBACK, speed=1_073_741_824)
        into, out = self.own_traffic(2, self.role.traffic)
        name = "Intel(R) Ethernet Controller X550"
        yield Port(12, "ethernet_32768", name, "Ethernet", is_uplink=True, speed=10**9, into=into, out=out)
        yield Port(13, "ethernet_32769", f"{name} #2", "Ethernet 2", speed=0)

    def processor_name(self) -> str:
        """Give what Windows says of any processor."""
        return "Unknown Processor Type"

    def disk_name(self, disk: Disk) -> str:
        """Give the name of a drive, with its label and serial number."""
        return f"{disk.drive}\\ Label:{'Data' if disk.drive != 'C:' else ''}  Serial Number {0x5A2E0000 + disk.size:x}"

    def storages(self) -> Iterator[tuple[int, Oid, str, int, int, Any]]:
        """Give the drives, then virtual and physical memory."""
        memory = self.role.memory * GIB
        for number, disk in enumerate(self.role.disks, 1):
            yield number, FIXED_DISK, self.disk_name(disk), 4096, disk.size * GIB, _used(number)
        after = len(self.role.disks)
        yield after + 1, VIRTUAL, "Virtual Memory", 65_536, memory * 5 // 4, lambda m: 0.8 * m.memory_used
        yield after + 2, RAM, "Physical Memory", 65_536, memory, lambda m: m.memory_used


def _used(number: int) -> Any:
    return lambda m: m.disk_used(number)
