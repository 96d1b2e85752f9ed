"""The resources of a simulated iLO, by path: made by hand in the shape of the public schemas (DSP8010)."""

from collections.abc import Iterable

from apps.simulators.redfish import clock, hardware
from apps.simulators.redfish.configuration import PORT, RESET_TO_DEFAULTS, RESTART, SERVICES
from apps.simulators.redfish.machine import Entry, Fault, Machine
from apps.simulators.redfish.places import (
    CHASSIS,
    CLEAR,
    COLD_BOOT,
    EVENTS,
    IEL,
    IML,
    MANAGER,
    OK,
    RESET,
    SESSIONS,
    SYSTEM,
    V1,
    Resource,
    collection,
    link,
)

_SEVERITIES = {"Critical": "Critical", "Caution": "Warning"}


def resources(machine: Machine) -> dict[str, Resource]:
    """Give all that the service has just now."""
    found: dict[str, Resource] = {}
    for path, body in (
        *_service(),
        *_system(machine),
        *hardware.parts(machine),
        *_chassis(machine),
        *_manager(machine),
    ):
        found[path] = {"@odata.id": path, **body}
    found |= _log(IML, "IML", machine.iml)
    found |= _log(IEL, "IEL", machine.iel)
    return found


def _service() -> Iterable[tuple[str, Resource]]:
    yield (
        f"{V1}/",
        {
            "@odata.type": "#ServiceRoot.v1_13_0.ServiceRoot",
            "Id": "RootService",
            "Name": "HPE RESTful Root Service",
            "RedfishVersion": "1.13.0",
            "Vendor": "HPE",
            "ProtocolFeaturesSupported": {
                "ExpandQuery": {
                    "ExpandAll": False,
                    "Levels": True,
                    "Links": False,
                    "MaxLevels": 1,
                    "NoLinks": True,
                },
                "FilterQuery": True,
                "OnlyMemberQuery": True,
                "SelectQuery": False,
            },
            "Systems": link(f"{V1}/Systems"),
            "Chassis": link(f"{V1}/Chassis"),
            "Managers": link(f"{V1}/Managers"),
            "SessionService": link(f"{V1}/SessionService"),
            "UpdateService": link(f"{V1}/UpdateService"),
            "AccountService": link(f"{V1}/AccountService"),
            "EventService": link(EVENTS),
            "Links": {"Sessions": link(SESSIONS)},
            "Oem": {"Hpe": {"Manager": [{"ManagerType": "iLO 6", "ManagerFirmwareVersion": "1.55"}]}},
        },
    )
    yield f"{V1}/Systems", collection("ComputerSystem", [SYSTEM])
    yield f"{V1}/Chassis", collection("Chassis", [CHASSIS])
    yield f"{V1}/Managers", collection("Manager", [MANAGER])
    yield f"{V1}/UpdateService", {"Id": "UpdateService", "FirmwareInventory": link(f"{V1}/UpdateService/Firmware")}
    firmware = (("1", "iLO 6", "1.55 Feb 14 2026"), ("2", "System ROM", "U54 v2.12 (01/17/2026)"))
    yield (
        f"{V1}/UpdateService/Firmware",
        collection("SoftwareInventory", [f"{V1}/UpdateService/Firmware/{own}" for own, _name, _version in firmware]),
    )
    for own, name, version in firmware:
        yield (
            f"{V1}/UpdateService/Firmware/{own}",
            {
                "Id": own,
                "Name": name,
                "Version": version,
                "Oem": {"Hpe": {"DeviceContext": "System Board"}},
                "Status": {"State": "Enabled"},
            },
        )


def _worst(machine: Machine) -> str:
    broken = machine.faults & {Fault.PSU_FAILED, Fault.FAN_STOPPED, Fault.DRIVE_FAILED}
    return "Critical" if broken else "Warning" if machine.faults & {Fault.DRIVE_PULLED, Fault.POWER_LOST} else "OK"


def _system(machine: Machine) -> Iterable[tuple[str, Resource]]:
    on = machine.is_on
    summed = {"HealthRollup": "OK", "State": "Enabled"} if on else {"State": "Disabled"}
    supplies_fail = machine.faults & {Fault.PSU_FAILED, Fault.POWER_LOST}
    yield (
        SYSTEM,
        {
            "@odata.type": "#ComputerSystem.v1_17_0.ComputerSystem",
            "Id": "1",
            "Name": "Computer System",
            "HostName": machine.name,
            "Manufacturer": machine.manufacturer,
            "Model": machine.model,
            "SKU": "P52499-B21",
            "SerialNumber": machine.serial,
            "UUID": machine.uuid,
            "BiosVersion": "U54 v2.12 (01/17/2026)",
            "PowerState": machine.power_state,
            "LocationIndicatorActive": machine.lit,
            "Status": {"State": "Enabled" if on else "Disabled", "Health": _worst(machine)},
            "ProcessorSummary": {"Count": 2, "Status": summed},
            "MemorySummary": {"TotalSystemMemoryGiB": 128, "Status": summed},
            "Boot": {
                "BootSourceOverrideEnabled": machine.boot["Enabled"],
                "BootSourceOverrideTarget": machine.boot["Target"],
                "BootSourceOverrideMode": machine.boot["Mode"],
                "BootSourceOverrideTarget@Redfish.AllowableValues": [
                    "None",
                    "Cd",
                    "Hdd",
                    "Usb",
                    "Utilities",
                    "Diags",
                    "BiosSetup",
                    "Pxe",
                ],
            },
            "Processors": link(f"{SYSTEM}/Processors"),
            "Memory": link(f"{SYSTEM}/Memory"),
            "Storage": link(f"{SYSTEM}/Storage"),
            "EthernetInterfaces": link(f"{SYSTEM}/EthernetInterfaces"),
            "LogServices": link(f"{SYSTEM}/LogServices"),
            "Links": {"Chassis": [link(CHASSIS)], "ManagedBy": [link(MANAGER)]},
            "Actions": {
                "#ComputerSystem.Reset": {
                    "target": RESET,
                    "ResetType@Redfish.AllowableValues": list(machine.resets),
                }
            },
            "Oem": {
                "Hpe": {
                    "Actions": {
                        "#HpeComputerSystemExt.SystemReset": {
                            "target": COLD_BOOT,
                            "ResetType@Redfish.AllowableValues": ["ColdBoot", "AuxCycle"],
                        }
                    },
                    "AggregateHealthStatus": {
                        "BiosOrHardwareHealth": {"Status": {"Health": "OK"}},
                        "Network": {"Status": {"Health": "OK"}},
                        "SmartStorageBattery": {"Status": {"Health": "OK"}},
                        "FanRedundancy": "FailedRedundant" if Fault.FAN_STOPPED in machine.faults else "Redundant",
                        "PowerSupplyRedundancy": "FailedRedundant" if supplies_fail else "Redundant",
                    },
                    "HostOS": {"OsName": machine.system[0], "OsVersion": machine.system[1]} if on else {},
                    "PostState": machine.post_state,
                }
            },
        },
    )
    yield f"{SYSTEM}/LogServices", collection("LogService", [IML])


def _chassis(machine: Machine) -> Iterable[tuple[str, Resource]]:
    yield (
        CHASSIS,
        {
            "Id": "1",
            "Name": "Computer System Chassis",
            "ChassisType": "RackMount",
            "Thermal": link(f"{CHASSIS}/Thermal"),
            "Power": link(f"{CHASSIS}/Power"),
            "Status": {"State": "Enabled", "Health": "OK"},
        },
    )
    on = machine.is_on
    waiting = {"State": "Enabled", "Health": "OK"} if on else {"State": "StandbyOffline"}
    stopped = Fault.FAN_STOPPED in machine.faults
    fans = []
    for number in (1, 2):
        broken = stopped and number == 2 and on
        fans.append(
            {
                "MemberId": str(number - 1),
                "Name": f"Fan {number}",
                "Reading": 0 if broken or not on else 27 + number,
                "ReadingUnits": "Percent",
                "Status": {"State": "Enabled", "Health": "Critical"} if broken else waiting,
            }
        )
    yield (
        f"{CHASSIS}/Thermal",
        {
            "Id": "Thermal",
            "Name": "Thermal",
            "Fans": fans,
            "Temperatures": [
                _temperature(0, "01-Inlet Ambient", machine.inlet, 42, 47, dict(OK)),
                _temperature(1, "02-CPU 1", machine.processor if on else None, 0, 0, waiting),
                _temperature(2, "03-CPU 2", None, 0, 0, {"State": "Absent"}),
            ],
        },
    )
    yield f"{CHASSIS}/Power", _power(machine)


def _temperature(
    number: int, name: str, value: float | None, caution: int, critical: int, status: Resource
) -> Resource:
    return {
        "MemberId": str(number),
        "Name": name,
        "ReadingCelsius": value,
        "UpperThresholdCritical": caution,
        "UpperThresholdFatal": critical,
        "Status": status,
    }


def _power(machine: Machine) -> Resource:
    watts = machine.drawn if machine.is_on else 12
    supplies = []
    for number in (1, 2):
        failed = number == 2 and Fault.PSU_FAILED in machine.faults
        lost = number == 2 and Fault.POWER_LOST in machine.faults
        dead = failed or lost
        supplies.append(
            {
                "MemberId": str(number - 1),
                "Name": "HpeServerPowerSupply",
                "Model": "865414-B21",
                "Manufacturer": "LTEON",
                "SerialNumber": f"{machine.serial}P{number}",
                "FirmwareVersion": "1.00",
                "PowerCapacityWatts": 800,
                "LastPowerOutputWatts": 0 if dead else watts / (1 if machine.faults & _LINES else 2),
                "LineInputVoltage": 0 if lost else 203,
                "Status": {
                    "State": "Enabled",
                    "Health": "Critical" if failed else "Warning" if lost else "OK",
                },
                "Oem": {"Hpe": {"BayNumber": number}},
            }
        )
    return {
        "Id": "Power",
        "Name": "PowerMetrics",
        "PowerControl": [
            {
                "MemberId": "0",
                "PowerConsumedWatts": watts,
                "PowerCapacityWatts": 1600,
                "PowerLimit": {"LimitInWatts": machine.cap},
                "PowerMetrics": {
                    "IntervalInMin": 20,
                    "MinConsumedWatts": watts - 10,
                    "AverageConsumedWatts": watts,
                    "MaxConsumedWatts": watts + 40,
                },
            }
        ],
        "PowerSupplies": supplies,
    }


_LINES = {Fault.PSU_FAILED, Fault.POWER_LOST}


def _manager(machine: Machine) -> Iterable[tuple[str, Resource]]:
    yield (
        MANAGER,
        {
            "Id": "1",
            "Name": "Manager",
            "ManagerType": "BMC",
            "Model": "iLO 6",
            "FirmwareVersion": "iLO 6 v1.55",
            "UUID": "8b6b5c1e-9b0a-5c39-a4c9-2f7f5f0d3a11",
            "LogServices": link(f"{MANAGER}/LogServices"),
            "EthernetInterfaces": link(f"{MANAGER}/EthernetInterfaces"),
            "NetworkProtocol": link(SERVICES),
            "Actions": {
                "#Manager.ResetToDefaults": {
                    "target": RESET_TO_DEFAULTS,
                    "ResetType@Redfish.AllowableValues": ["ResetAll"],
                },
                "#Manager.Reset": {
                    "target": RESTART,
                    "ResetType@Redfish.AllowableValues": ["ForceRestart", "GracefulRestart"],
                },
            },
            **machine.configuration.clock.shown(),
            "Oem": {"Hpe": {"Links": {"DateTimeService": link(clock.SERVICE)}}},
            "Status": OK,
        },
    )
    yield f"{MANAGER}/LogServices", collection("LogService", [IEL])
    yield f"{MANAGER}/EthernetInterfaces", collection("EthernetInterface", [PORT])
    yield from machine.configuration.resources()


def _log(path: str, name: str, entries: list[Entry]) -> dict[str, Resource]:
    found = {
        path: {
            "Id": name,
            "Name": "Integrated Management Log" if name == "IML" else "iLO Event Log",
            "MaxNumberOfRecords": 2000,
            "ServiceEnabled": True,
            "Entries": link(f"{path}/Entries"),
            "Actions": {"#LogService.ClearLog": {"target": f"{path}/{CLEAR}"}},
        },
        f"{path}/Entries": collection("LogEntry", [f"{path}/Entries/{entry.number}" for entry in entries]),
    }
    for entry in entries:
        found[f"{path}/Entries/{entry.number}"] = {
            "Id": str(entry.number),
            "Name": "Log Entry",
            "EntryType": "Oem",
            "Created": entry.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Severity": _SEVERITIES.get(entry.severity, "OK"),
            "Message": entry.text,
            "Oem": {"Hpe": {"Severity": entry.severity, "ClassDescription": entry.source, "EventNumber": entry.number}},
        }
    return {own: {"@odata.id": own, **body} for own, body in found.items()}
