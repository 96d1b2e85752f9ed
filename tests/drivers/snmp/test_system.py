"""Who a device says it is, and which agents are too old."""

import pytest

from apps.drivers.contract import Status
from apps.drivers.snmp import oids, processors, system
from apps.drivers.snmp.rates import Interval, Snapshot
from apps.protocols.errors import Unsupported


@pytest.mark.parametrize(
    ("description", "seen"),
    [
        ("Linux vm 6.1.0-28-amd64 #1 SMP x86_64", "Linux 6.1.0-28-amd64"),
        (
            "Hardware: Intel64 - Software: Windows Version 6.3 (Build 20348 Multiprocessor Free)",
            "Windows Server 2022",
        ),
        ("Hardware: x86 - Software: Windows Version 9.9 (Build 99999 Multiprocessor Free)", "Windows (build 99999)"),
        ("FreeBSD nas 13.2-RELEASE FreeBSD 13.2 GENERIC amd64", "FreeBSD 13.2-RELEASE"),
        ("VMware ESXi 8.0.2 build-22380479 VMware, Inc. x86_64", "VMware ESXi 8.0.2"),
        ("A thing", None),
        (None, None),
    ],
)
def test_the_operating_system_is_read_from_the_description(description: str | None, seen: str | None) -> None:
    assert system.operating_system(description) == seen


@pytest.mark.parametrize(
    ("object_id", "seen"),
    [
        ("1.3.6.1.4.1.119.2.3.84.3.2", "NEC"),
        ("1.3.6.1.4.1.9.1.516", "Cisco"),
        ("1.3.6.1.4.1.8072.3.2.10", None),
        ("1.3.6.1.4.1.311.1.1.3.1.2", None),
        ("1.3.6.1.2.1", None),
        (None, None),
    ],
)
def test_the_maker_is_known_by_its_number_but_not_by_its_software(object_id: str | None, seen: str | None) -> None:
    assert system.manufacturer(object_id, {}) == seen


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        (bytes.fromhex("4c4c45440031521080 44c4c04f333532".replace(" ", "")), "4c4c4544-0031-5210-8044-c4c04f333532"),
        (b"4C4C4544-0031-5210-8044-C4C04F333532", "4c4c4544-0031-5210-8044-c4c04f333532"),
        (bytes(16), None),
        (b"\xff" * 16, None),
        (b"none", None),
        (None, None),
    ],
)
def test_a_uuid_of_zeros_or_ones_is_none(raw: object, seen: str | None) -> None:
    assert system.hardware_uuid(raw) == seen


@pytest.mark.parametrize("version", ["4.0", "3.9.9", "4", "4.0.22-1"])
def test_an_agent_below_4_1_is_refused_with_the_reason(version: str) -> None:
    with pytest.raises(Unsupported) as refused:
        system.refuse_old_agent(version)
    assert str(refused.value) == f"ESMPRO/ServerAgent {version} is too old: version 4.1 or later is needed"
    assert not refused.value.retry_helps


@pytest.mark.parametrize("version", ["4.1", "4.1.0", "4.10", "4.2.22-1", "5", None, "unknown"])
def test_an_agent_from_4_1_on_is_managed(version: str | None) -> None:
    system.refuse_old_agent(version)


@pytest.mark.parametrize(
    ("description", "value", "seen"),
    [
        ("ESMPRO/ServerAgent Ver.4.6", None, "4.6"),
        ("Linux host 6.1.0", None, None),
        ("Linux host 6.1.0", b"4.6.1-1\x00", "4.6.1-1"),
        ("ESMPRO/ServerAgent Ver.4.6", b"5.0", "5.0"),
        (None, 5, "5"),
        (None, b"", None),
    ],
)
def test_the_agents_version_is_read_where_it_is(description: str | None, value: object, seen: str | None) -> None:
    assert system.agent_version(description, value) == seen


TICKS = (oids.SS_CPU_RAW_USER, oids.SS_CPU_RAW_IDLE)


def test_processor_ticks_give_the_load_since_the_last_contact() -> None:
    before, now = {TICKS[0]: 1000, TICKS[1]: 9000}, {TICKS[0]: 1250, TICKS[1]: 9750}
    interval = Interval.between(
        Snapshot(0.0, 100.0, {"cpu": processors.cpu_ticks(before)}),
        Snapshot(10.0, 110.0, {"cpu": processors.cpu_ticks(now)}),
    )
    (reading,) = processors.cpu_readings({oids.HR_PROCESSOR_LOAD: {"1": 99}}, interval)
    assert (reading.sensor.key, reading.value) == ("cpu", 25.0)


def test_the_last_minutes_load_serves_the_first_time() -> None:
    interval = Interval.between(None, Snapshot(0.0, 100.0, {"cpu": processors.cpu_ticks({TICKS[0]: 5, TICKS[1]: 5})}))
    cells = {oids.HR_PROCESSOR_LOAD: {"1": 10, "2": 30, "3": 250}}
    assert [(reading.sensor.key, reading.value) for reading in processors.cpu_readings(cells, interval)] == [
        ("cpu", 20.0),
        ("cpu.1", 10.0),
        ("cpu.2", 30.0),
    ]


def test_an_agent_that_has_just_started_has_no_ticks() -> None:
    assert processors.cpu_ticks(dict.fromkeys(oids.CPU_TICKS, 0)) == ()
    assert processors.cpu_ticks({}) == ()


def test_only_processors_and_disks_can_fail() -> None:
    cells = {
        oids.HR_DEVICE_TYPE: {
            "1": oids.DEVICE_PROCESSOR,
            "2": oids.DEVICE_NETWORK,
            "3": oids.DEVICE_PRINTER,
            "4": oids.DEVICE_DISK_STORAGE,
            "5": oids.DEVICE_DISK_STORAGE,
            "6": oids.DEVICE_DISK_STORAGE,
        },
        oids.HR_DEVICE_DESCR: {"4": b"SCSI disk (/dev/sdb)", "5": b"SCSI cdrom", "6": b"SCSI disk (/dev/sdc)"},
        oids.HR_DEVICE_STATUS: {"1": 3, "2": 5, "3": 5, "4": 5, "5": 5, "6": 2},
    }
    assert [(fact.key, fact.status, fact.message % fact.params) for fact in processors.device_facts(cells)] == [
        ("device.1", Status.WARNING, "1 reports a warning"),
        ("device.4", Status.CRITICAL, "SCSI disk (/dev/sdb) is down"),
    ]


@pytest.mark.parametrize(
    ("object_id", "model", "maker"),
    [
        ("1.3.6.1.4.1.119.1.84.16.1", "UNIVERGE IX2215", "NEC"),
        ("1.3.6.1.4.1.119.1.126.2.167", "UNIVERGE QX-S5124GT-4X", "NEC"),
        ("1.3.6.1.4.1.119.1.126.4.7", "UNIVERGE QX-W1130", "NEC"),
        ("1.3.6.1.4.1.119.1.293.1.1", "UNIVERGE IX-V100", "NEC"),
        ("1.3.6.1.4.1.119.1.126.2.9999", "UNIVERGE QX", "NEC"),
        ("1.3.6.1.4.1.119.1.84.99", "UNIVERGE IX", "NEC"),
        ("1.3.6.1.4.1.211.4.1.1.126.3.5", "iStorage T100A", "NEC"),
        ("1.3.6.1.4.1.119.1.99", None, "NEC"),
        ("1.3.6.1.4.1.9.1.1", None, "Cisco"),
        (None, None, None),
    ],
)
def test_the_model_is_that_of_the_longest_prefix(object_id: str | None, model: str | None, maker: str | None) -> None:
    assert system.model(object_id, {}, None) == model
    assert system.manufacturer(object_id, {}) == maker


def test_a_family_gives_way_to_what_the_device_says_and_an_exact_model_does_not() -> None:
    said = {oids.ENT_PHYSICAL_MODEL_NAME: b"QX-S9999", oids.ENT_PHYSICAL_MFG_NAME: b"NEC Platforms"}
    assert system.model("1.3.6.1.4.1.119.1.126.2.9999", said, None) == "QX-S9999"
    assert system.model("1.3.6.1.4.1.119.1.126.2.167", said, None) == "UNIVERGE QX-S5124GT-4X"
    assert system.manufacturer("1.3.6.1.4.1.119.1.126.2.9999", said) == "NEC Platforms"
    assert system.manufacturer("1.3.6.1.4.1.119.1.126.2.167", said) == "NEC"


@pytest.mark.parametrize(
    ("description", "model", "release"),
    [
        ("H3C Switch E528 Software Version 5.20, Release 1513P62", "E528", "Comware 5.20"),
        (
            "H3C Comware Platform Software, Software Version 7.1.075, Release 7585P05\r\nH3C S10504\r\nCopyright",
            "S10504",
            "Comware 7.1.075",
        ),
        ("Juniper Networks, Inc. mx960 internet router, kernel JUNOS 13.3R9.13 #0", "mx960", "Junos 13.3R9.13"),
    ],
)
def test_what_has_no_number_is_known_by_its_description(description: str, model: str, release: str) -> None:
    assert system.model("1.3.6.1.4.1.25506.1.1", {}, description) == model
    assert system.operating_system(description) == release
