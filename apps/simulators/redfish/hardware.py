"""The processors, memory, storage and network of a simulated server, in the shape of the public schemas (DSP8010)."""

from collections.abc import Iterable

from apps.simulators.redfish.machine import Fault, Machine
from apps.simulators.redfish.places import OK, SYSTEM, Resource, collection, link


def parts(machine: Machine) -> Iterable[tuple[str, Resource]]:
    on = machine.is_on
    yield (
        f"{SYSTEM}/Processors",
        collection("Processor", [f"{SYSTEM}/Processors/{number}" for number in (1, 2)] if on else []),
    )
    for number in (1, 2):
        yield (
            f"{SYSTEM}/Processors/{number}",
            {
                "Id": str(number),
                "Socket": f"Proc {number}",
                "ProcessorType": "CPU",
                "Manufacturer": "Intel(R) Corporation",
                "Model": "Intel(R) Xeon(R) Gold 6430",
                "TotalCores": 32,
                "TotalThreads": 64,
                "MaxSpeedMHz": 4000,
                "Throttled": machine.is_throttled,
                "Status": OK,
            },
        )
    yield f"{SYSTEM}/Memory", collection("Memory", [f"{SYSTEM}/Memory/proc{one}dimm1" for one in (1, 2)] if on else [])
    for number in (1, 2):
        yield (
            f"{SYSTEM}/Memory/proc{number}dimm1",
            {
                "Id": f"proc{number}dimm1",
                "DeviceLocator": f"PROC {number} DIMM 1",
                "CapacityMiB": 65536,
                "MemoryDeviceType": "DDR5",
                "OperatingSpeedMhz": 4400,
                "PartNumber": "P43331-B21",
                "Status": OK,
            },
        )
    yield from _storage(machine)
    yield f"{SYSTEM}/EthernetInterfaces", collection("EthernetInterface", [f"{SYSTEM}/EthernetInterfaces/1"])
    yield (
        f"{SYSTEM}/EthernetInterfaces/1",
        {"Id": "1", "Name": "NIC.1", "MACAddress": machine.mac, "SpeedMbps": 10000, "LinkStatus": "LinkUp"},
    )


def _storage(machine: Machine) -> Iterable[tuple[str, Resource]]:
    array = f"{SYSTEM}/Storage/DE00C000"
    failed, pulled = Fault.DRIVE_FAILED in machine.faults, Fault.DRIVE_PULLED in machine.faults
    drives = (0,) if pulled else (0, 1)
    yield f"{SYSTEM}/Storage", collection("Storage", [array])
    yield (
        array,
        {
            "Id": "DE00C000",
            "Name": "HPE MR416i-o Gen11",
            "StorageControllers": [
                {
                    "MemberId": "0",
                    "Name": "HPE MR416i-o Gen11",
                    "Model": "HPE MR416i-o Gen11",
                    "FirmwareVersion": "52.24.3-4948",
                    "SupportedRAIDTypes": ["RAID0", "RAID1", "RAID5"],
                    "Status": OK,
                }
            ],
            "Drives": [link(f"{array}/Drives/{number}") for number in drives],
            "Volumes": link(f"{array}/Volumes"),
        },
    )
    for number in drives:
        broken = failed and number == 1
        yield (
            f"{array}/Drives/{number}",
            {
                "Id": str(number),
                "Name": "960GB 6G SATA SSD",
                "Model": "VK000960GZXRU",
                "SerialNumber": f"{machine.serial}D{number}",
                "Revision": "HPG3",
                "CapacityBytes": 960_197_124_096,
                "MediaType": "SSD",
                "Protocol": "SATA",
                "FailurePredicted": False,
                "PredictedMediaLifeLeftPercent": 97 - number,
                "PhysicalLocation": {"PartLocation": {"ServiceLabel": f"Slot=14:Port=1:Box=1:Bay={number + 1}"}},
                "Status": {"State": "Enabled", "Health": "Critical" if broken else "OK"},
            },
        )
    yield f"{array}/Volumes", collection("Volume", [f"{array}/Volumes/1"])
    yield (
        f"{array}/Volumes/1",
        {
            "Id": "1",
            "Name": "Volume 1",
            "RAIDType": "RAID1",
            "CapacityBytes": 960_197_124_096,
            "Status": {"State": "Degraded", "Health": "Warning"} if failed or pulled else OK,
        },
    )
