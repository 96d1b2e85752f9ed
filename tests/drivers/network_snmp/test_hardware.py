"""What is made of a network device's own numbers: load, limits, states, and what is left out."""

import pytest

from apps.drivers.contract import Limits, Status
from apps.drivers.network_snmp import cisco, comware, hardware, juniper, sensors
from apps.drivers.network_snmp.told import Load, Told, load_readings
from apps.drivers.snmp.entity import ENTITY_STATE, STATE_ALARM, STATE_OPER, Part, PhysicalClass, states

ROOTS = [mib.root for mib in comware.MIBS]


def told(cells, *parts: Part, scalars=None) -> Told:
    return Told(scalars or {}, cells, {part.index: part for part in parts})


def test_the_busiest_part_is_the_load_of_the_device() -> None:
    found = {
        reading.sensor.key: reading.value
        for reading in load_readings([Load("1", "RE 0", 30, 40), Load("2", "FPC", 70)])
    }
    assert found == {"cpu": 70, "cpu.1": 30, "cpu.2": 70, "memory": 40}


@pytest.mark.parametrize("root", ROOTS)
def test_comware_is_read_below_the_number_of_whoever_sells_it(root: str) -> None:
    module = Part("8", PhysicalClass.MODULE, "Level 1 Module")
    cells = {
        comware.column(root, comware.CPU_USAGE): {"8": 17},
        comware.column(root, comware.MEMORY_USAGE): {"8": 43},
        comware.column(root, comware.TEMPERATURE): {"8": 45},
        comware.column(root, comware.TEMPERATURE_LIMIT): {"8": 75},
        comware.column(root, comware.CRITICAL_TEMPERATURE): {"8": 65535},
        comware.column(root, comware.ERROR): {"8": 2},
    }
    assert list(comware.loads(told(cells, module))) == [Load("8", "Level 1 Module", 17.0, 43.0)]
    (reading,) = comware.readings(told(cells, module))
    assert (reading.value, reading.sensor.limits) == (45.0, Limits(upper_warning=75.0))


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (2, ("Working", Status.NORMAL)),
        (4, ("Not present", Status.NORMAL)),
        (51, ("Power supply failed", Status.WARNING)),
        (1, None),
        (31, None),
    ],
)
def test_an_error_of_comware_is_told_of_a_power_supply(error: int, seen) -> None:
    supply = Part("12", PhysicalClass.POWER_SUPPLY, "PSU 1")
    found = list(comware.states(told({comware.column(ROOTS[0], comware.ERROR): {"12": error}}, supply)))
    assert [(state.words[0], state.status) for state in found] == ([] if seen is None else [seen])


def test_a_transceiver_without_light_is_no_fault_of_the_switch() -> None:
    cells = {comware.column(ROOTS[0], comware.ERROR): {"8": 2, "20": 31}}
    assert list(comware.states(told(cells, Part("8", PhysicalClass.MODULE, "Board")))) == []


def test_cisco_says_itself_what_a_temperature_means_and_names_do_not_change_with_it() -> None:
    cells = {
        cisco.TEMPERATURE_NAME: {"1005": b"SW#1, Sensor#1, YELLOW "},
        cisco.TEMPERATURE: {"1005": 61},
        cisco.TEMPERATURE_LIMIT: {"1005": 66},
        cisco.TEMPERATURE_STATE: {"1005": 2},
        cisco.SUPPLY_NAME: {"1003": b"Sw1, PS1 Normal, RPS NotExist"},
        cisco.SUPPLY_STATE: {"1003": 1},
    }
    (reading,) = cisco.readings(told(cells))
    assert (reading.sensor.name, reading.value, reading.status) == ("SW#1, Sensor#1", 61.0, Status.WARNING)
    (state,) = cisco.states(told(cells))
    assert (state.name, state.words) == ("Sw1, PS1", ("Working",))


def test_cisco_memory_is_that_of_the_processor_else_of_the_first_pool() -> None:
    pool = {cisco.POOL_USED: {"1": 25}, cisco.POOL_FREE: {"1": 75}}
    old = told({cisco.OLD_CPU_1_MINUTE: {"1": 58}, **pool})
    assert [(load.cpu, load.memory) for load in cisco.loads(old)] == [(58.0, 25.0)]
    new = told(
        {cisco.CPU_1_MINUTE: {"1": 25}, cisco.CPU_MEMORY_USED: {"1": 3}, cisco.CPU_MEMORY_FREE: {"1": 1}, **pool}
    )
    assert [(load.cpu, load.memory) for load in cisco.loads(new)] == [(25.0, 75.0)]


def test_a_juniper_part_that_is_down_is_told_of_and_a_standby_is_well() -> None:
    cells = {
        juniper.DESCR: {"9.1.0.0": b"Routing Engine 0", "7.1.0.0": b"FPC 0", "2.1.0.0": b"PEM 0"},
        juniper.STATE: {"9.1.0.0": 7, "7.1.0.0": 6, "2.1.0.0": 2},
    }
    assert [(state.name, state.words[0], state.status) for state in juniper.states(told(cells))] == [
        ("PEM 0", "Working", Status.NORMAL),
        ("FPC 0", "Failure detected", Status.WARNING),
    ]


@pytest.mark.parametrize(
    ("kind", "scale", "precision", "value", "seen"),
    [
        (8, 9, 1, 235, (23.5, "°C")),
        (4, 8, 0, 12080, (12.08, "V")),
        (6, 10, 0, 2, (2000.0, "W")),
        (10, 9, 0, 5400, (5400.0, "rpm")),
        (8, 9, 0, 1_000_000_000, (None, "°C")),
    ],
)
def test_a_sensor_has_scale_and_precision(kind: int, scale: int, precision: int, value: int, seen) -> None:
    columns = zip(range(1, 6), (kind, scale, precision, value, 1), strict=True)
    cells = {sensors.column(sensors.MIBS[0].root, number): {"10": each} for number, each in columns}
    (reading,) = sensors.readings(told(cells, Part("10", PhysicalClass.SENSOR, "Inlet")))
    assert (reading.value, reading.sensor.unit) == seen


def test_a_sensor_of_an_unknown_part_or_kind_is_none() -> None:
    cells = {
        sensors.column(sensors.MIBS[0].root, number): {"10": each, "11": each}
        for number, each in enumerate((12, 9, 0, 1, 1), 1)
    }
    assert list(sensors.readings(told(cells, Part("10", PhysicalClass.SENSOR, "Door")))) == []


@pytest.mark.parametrize(
    ("alarm", "status"),
    [
        (b"\x00", Status.NORMAL),
        (b"\x80", Status.NORMAL),
        (b"\x20", Status.CRITICAL),
        (b"\x10", Status.CRITICAL),
        (b"\x08", Status.WARNING),
        (b"\x04", Status.WARNING),
        (b"00000000000", Status.NORMAL),
        (b"00010000000", Status.CRITICAL),
        (b"", Status.NORMAL),
    ],
)
def test_alarms_of_parts_are_bits_or_digits(alarm: bytes, status: Status) -> None:
    fan = Part("2", PhysicalClass.FAN, "Fan 1")
    (state,) = states({STATE_OPER: {"2": 3}, STATE_ALARM: {"2": alarm}}, {"2": fan})
    assert state.status is status
    assert ENTITY_STATE in hardware.MIBS
