"""The iLO driver: what its maker adds to Redfish, and the storage of older ones."""

from typing import Any

from apps.drivers.contract import InventoryItem, InventoryKind, Limits, Status
from apps.drivers.ilo import told
from apps.drivers.ilo.driver import IloDriver
from apps.drivers.redfish.storage import Array
from apps.simulators.redfish import Fault, Service
from tests.redfish_peers import Pair, scripted, target, tree

V1 = "/redfish/v1"
SMART = f"{V1}/Systems/1/SmartStorage"


async def test_a_healthy_ilo(ilo: Service) -> None:
    async with IloDriver(target(ilo.port)) as driver:
        assert (await driver.read_health()).facts == ()
        states = {one.key: one.words for one in await driver.read_states()}
        inlet = next(one.sensor for one in await driver.read_sensors() if one.sensor.key == "temperature.0")
    assert states["summary.redundancy.fans"] == ("Redundant",)
    assert states["post"] == ("Power-on self test done",)
    assert inlet.limits == Limits(upper_warning=42.0, upper_critical=47.0)


async def test_lost_redundancy_is_told(ilo: Service) -> None:
    ilo.begin(Fault.POWER_LOST)
    async with IloDriver(target(ilo.port)) as driver:
        facts = (await driver.read_health()).facts
    assert [(fact.params["part"], fact.params["what"], fact.status) for fact in facts] == [
        ("Power supply 2", "Warning", Status.WARNING),
        ("Redundancy of the power supplies", "No longer redundant", Status.WARNING),
    ]


async def test_both_logs_of_an_ilo(ilo: Service) -> None:
    ilo.begin(Fault.DRIVE_FAILED)
    ilo.mend(Fault.DRIVE_FAILED)
    async with IloDriver(target(ilo.port)) as driver:
        events = {event.key: event for event in (await driver.read_events({})).events}
    assert sorted(events) == ["IEL/1", "IML/1", "IML/2", "IML/3"]
    assert (events["IML/2"].status, events["IML/2"].asserted) == (Status.CRITICAL, True)
    assert (events["IML/3"].status, events["IML/3"].asserted) == (Status.NORMAL, False)


def old_ilo() -> dict[str, dict[str, Any]]:
    """An iLO 4 or 5 without Storage, by path."""
    ok = {"State": "Enabled", "Health": "OK"}
    controller = f"{SMART}/ArrayControllers/0"
    resources: dict[str, dict[str, Any]] = {
        f"{V1}/": {"RedfishVersion": "1.0.0", "Systems": {"@odata.id": f"{V1}/Systems"}},
        f"{V1}/Systems": {"Members": [{"@odata.id": f"{V1}/Systems/1"}]},
        f"{V1}/Systems/1": {
            "Id": "1",
            "HostName": "old-01",
            "PowerState": "On",
            "Status": ok,
            "Oem": {
                "Hp": {
                    "AggregateHealthStatus": {"Network": {"Status": {"Health": "Warning"}}},
                    "links": {"SmartStorage": {"@odata.id": SMART}},
                    "PostState": "InPost",
                }
            },
        },
        SMART: {"Links": {"ArrayControllers": {"@odata.id": f"{SMART}/ArrayControllers"}}},
        f"{SMART}/ArrayControllers": {"Members": [{"@odata.id": controller}]},
        controller: {
            "Id": "0",
            "Model": "HP Smart Array P440ar Controller",
            "FirmwareVersion": {"Current": {"VersionString": "6.06"}},
            "Status": ok,
            "Links": {
                "PhysicalDrives": {"@odata.id": f"{controller}/DiskDrives"},
                "LogicalDrives": {"@odata.id": f"{controller}/LogicalDrives"},
            },
        },
        f"{controller}/DiskDrives": {
            "Members": [
                {
                    "Id": "0",
                    "Location": "1I:1:1",
                    "Model": "EK000480GWEPE",
                    "CapacityMiB": 457862,
                    "SSDEnduranceUtilizationPercentage": 93,
                    "InterfaceType": "SATA",
                    "MediaType": "SSD",
                    "Status": ok,
                }
            ]
        },
        f"{controller}/LogicalDrives": {
            "Members": [{"Id": "1", "LogicalDriveName": "root", "Raid": "1", "CapacityMiB": 457828, "Status": ok}]
        },
    }
    return resources


async def test_the_storage_of_an_older_ilo(redfish_certificates: tuple[Pair, Pair]) -> None:
    async with scripted(redfish_certificates[0], tree(old_ilo())) as port, IloDriver(target(port)) as driver:
        items = {item.key: item for item in await driver.read_inventory()}
        readings = {one.sensor.key: one.value for one in await driver.read_sensors()}
        facts = (await driver.read_health()).facts
        states = {one.key: one.words for one in await driver.read_states()}
    assert items["controller.0.0"].details["Firmware"] == "6.06"
    assert items["drive.0.0"].name == "1I:1:1"
    assert items["drive.0.0"].details["Size (bytes)"] == 457862 * 1024**2
    assert items["volume.0.1"].details == {"Size (bytes)": 457828 * 1024**2, "RAID level": "RAID1"}
    assert readings["drive.0.0.life"] == 7.0
    assert [(fact.params["part"], fact.status) for fact in facts] == [("Network adapters", Status.WARNING)]
    assert states["post"] == ("Power-on self test running",)


def test_intel_vroc_says_why_it_shows_no_logical_drives() -> None:
    item = InventoryItem(InventoryKind.STORAGE, "controller.V.0", "Intel VROC SATA Controller")
    assert told.with_hint(item, [Array({"Id": "V"})]).details == {
        "Note": "Intel VROC: this controller does not show its logical drives"
    }
    assert told.with_hint(item, [Array({"Id": "V"}, volumes=({"Id": "1"},))]) == item
