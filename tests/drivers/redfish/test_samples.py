"""The resources that the library ``sushy`` is tested with, read where they lie, through our parsers."""

import json
from importlib.resources import files
from typing import Any

from apps.drivers.contract import (
    BootDevice,
    BootOverride,
    IdentityFacts,
    InventoryKind,
    Limits,
    PowerAction,
    PowerState,
    Quantity,
    Status,
)
from apps.drivers.redfish import orders, parts, storage, supply, thermal
from apps.protocols.redfish import answers

SAMPLES = files("sushy") / "tests" / "unit" / "json_samples"


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return found


def test_identity_is_that_of_the_system() -> None:
    found = parts.identity(sample("system"), [sample("manager")], [sample("ethernet_interfaces")])
    assert found == IdentityFacts(
        name="web483",
        uuid="38947555-7742-3448-3784-823347823834",
        serial_number="437XR1138R2",
        manufacturer="Contoso",
        model="3500",
        description="Web Front End node",
        agent_version="Joo Janta 200, 1.00",
        mac_addresses=("12:44:6a:3b:04:11",),
    )


def test_thermal() -> None:
    told = thermal.thermal(sample("thermal"), "", powered_off=False)
    heat, fan = told.readings
    assert (heat.sensor.key, heat.sensor.name, heat.value) == ("temperature.0", "CPU Temp", 62.0)
    assert heat.sensor.limits == Limits(upper_warning=75.0, upper_critical=90.0)
    assert (fan.sensor.key, fan.sensor.quantity, fan.sensor.unit) == ("fan.0", Quantity.FAN, "rpm")
    assert (fan.value, fan.sensor.limits) == (6000.0, Limits(lower_critical=2000.0))
    assert [(one.key, one.words, one.status) for one in told.states] == [("fan.0", ("Working",), Status.NORMAL)]


def test_power() -> None:
    told = supply.power(sample("power"), "", powered_off=False)
    assert [(one.sensor.key, one.value, one.sensor.unit) for one in told.readings] == [
        ("psu.0.output", 650.0, "W"),
        ("psu.0.input", 220.0, "V"),
        ("psu.1.output", 635.0, "W"),
        ("psu.1.input", 222.0, "V"),
    ]
    assert [(one.key, one.name) for one in told.states] == [
        ("psu.0", "Power Supply 0"),
        ("psu.1", "Power Supply 1"),
        ("redundancy.power.0", "Power Supply Redundancy"),
    ]
    assert supply.drawn(sample("power")) is None
    first, _second = supply.items(sample("power")["PowerSupplies"], "")
    assert first.details == {
        "Manufacturer": "Cyberdyne",
        "Model": "325457-A06",
        "Serial number": "1S0000523",
        "Part number": "425-591-654",
        "Firmware": "2.20",
        "Highest output": "1450 W",
    }


def test_storage() -> None:
    source = sample("storage")
    drives = [sample(name) for name in ("drive", "drive2", "drive3")]
    array = storage.Array(source, source["StorageControllers"], drives, [sample("volume"), sample("volume2")])
    assert [(one.key, one.status) for one in storage.told([array]).states] == [
        ("controller.1.0", Status.NORMAL),
        ("drive.1.32ADF365C6C1B7BD", Status.NORMAL),
        ("drive.1.35D38F11ACEF7BD3", Status.NORMAL),
        ("drive.1.3D58ECBC375FD9F2", Status.NORMAL),
        ("volume.1.1", Status.NORMAL),
        ("volume.1.2", Status.NORMAL),
    ]
    listed = {item.key: item for item in storage.items([array])}
    assert listed["controller.1.0"].details["RAID levels"] == "RAID0, RAID1"
    assert listed["drive.1.32ADF365C6C1B7BD"].details == {
        "Size (bytes)": 899_527_000_000,
        "Manufacturer": "Contoso",
        "Model": "C123",
        "Serial number": "1234570",
        "Part number": "C123-1111",
        "Firmware": "100A",
        "Media": "HDD",
        "Protocol": "SAS",
        "Rotation": "15000 rpm",
        "Spare": "Global",
    }
    assert listed["volume.1.2"].details == {
        "Size (bytes)": 107_374_182_400,
        "RAID level": "NonRedundant",
        "Encrypted": "false",
    }


def test_the_older_simple_storage_leaves_empty_bays_out() -> None:
    assert [(one.name, one.status) for one in storage.simple_items([sample("simple_storage")])] == [
        ("SATA Bay 1", Status.NORMAL),
        ("SATA Bay 2", Status.CRITICAL),
    ]


def test_parts() -> None:
    (processor,) = parts.processors([sample("processor")])
    assert (processor.kind, processor.name) == (InventoryKind.PROCESSOR, "CPU 1")
    assert (processor.details["Cores"], processor.details["Logical processors"]) == (8, 16)
    adapter = sample("network_adapter")
    (card,) = parts.adapters([adapter])
    assert (card.details["Model"], card.details["Firmware"]) == ("MLNX 25GbE 2P ConnectX4LX RNDC", "14.25.80.0")
    newer, older = parts.network_ports(adapter, [sample("port"), sample("network_port")])
    assert newer.details == {"State": "up", "Speed (bit/s)": 10**9, "MAC address": "01:02:03:04:05:06"}
    assert older.details == {"State": "up", "Speed (bit/s)": 10**10, "MAC address": "01:02:03:04:05:06"}
    (firmware,) = parts.firmware([sample("softwareinventory")])
    assert (firmware.name, firmware.details["Version"]) == ("Contoso BMC Firmware", "1.45.455b66-rev4")
    (manager,) = parts.manager_items([sample("manager")])
    assert manager.details["UUID"] == "58893887-8974-2487-2389-841168418919"
    assert parts.about(sample("system")).details["BIOS"] == "P79 v1.45 (12/06/2017)"


def test_orders() -> None:
    system = sample("system")
    offered = orders.reset_types(orders.reset(system), {})
    assert orders.power_state(system) is PowerState.ON
    assert orders.actions(offered) == frozenset(PowerAction) - {PowerAction.CYCLE}
    assert orders.reset_type(PowerAction.SHUTDOWN, offered, "bmc") == "GracefulShutdown"
    assert orders.boot(system) == BootOverride(BootDevice.PXE, once=True, uefi=True)
    assert orders.boot_change(system, BootOverride(BootDevice.DIAGNOSTIC, once=False), "bmc") == {
        "Boot": {"BootSourceOverrideEnabled": "Continuous", "BootSourceOverrideTarget": "Diags"}
    }
    assert (orders.lamp(system), orders.lamp_change(system, True)) == (False, {"IndicatorLED": "Lit"})


def test_errors() -> None:
    assert answers.words(sample("error")).startswith("The value Red for the property IndicatorLED is not in the list")
    assert list(answers.message_ids(sample("session_error"))) == ["NoValidSession"]
    assert answers.words(sample("error_single_ext_info")) == (
        "A general error has occurred. See Resolution for information on how to resolve the error."
    )
