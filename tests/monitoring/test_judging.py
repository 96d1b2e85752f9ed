"""From readings to statuses, columns and sentences."""

import math

import pytest

from apps.drivers.contract import Limits, Quantity, Reading, Sensor, Status
from apps.monitoring import packing
from apps.monitoring.judging import snapshot

CPU = Sensor("cpu", "CPU load", Quantity.CPU, "%")
DISK = Sensor("storage.1", "/", Quantity.STORAGE, "%", Limits(upper_warning=90, upper_critical=95))
CD = Sensor("storage.2", "/media/cdrom", Quantity.STORAGE, "%")
FAN = Sensor("fan.1", "Fan 1", Quantity.OTHER, "", Limits(lower_warning=1000, lower_critical=500))


@pytest.mark.parametrize(
    ("reading", "own", "letter", "sentence"),
    [
        (Reading(CPU, 99.0), None, "n", None),
        (Reading(CPU, None), None, "u", None),
        (Reading(CPU, math.nan), None, "u", None),
        (Reading(CPU, math.inf), None, "u", None),
        (Reading(DISK, 89.99), None, "n", None),
        (Reading(DISK, 90.0), None, "w", "/ is 90 %; the upper limit is 90 %"),
        (Reading(DISK, 96.25), None, "c", "/ is 96.25 %; the upper limit is 95 %"),
        (Reading(DISK, 96.25), Limits(upper_warning=97), "n", None),
        (Reading(DISK, 96.25), Limits(), "n", None),
        (Reading(DISK, 0.0), Limits(lower_warning=0.0), "w", "/ is 0 %; the lower limit is 0 %"),
        (Reading(FAN, 480.0), None, "c", "Fan 1 is 480; the lower limit is 500"),
        (Reading(FAN, 3000.0, Status.WARNING), None, "w", "Fan 1 is 3000, which the device calls out of range"),
        (Reading(FAN, None, Status.CRITICAL), None, "c", "The device calls Fan 1 out of range"),
        (Reading(FAN, 3000.0, Status.WARNING), Limits(upper_warning=4000), "n", None),
    ],
)
def test_a_value_is_judged_by_own_limits_then_the_device_then_its_defaults(reading, own, letter, sentence):
    judged = snapshot([reading], {} if own is None else {reading.sensor.key: own})
    assert judged.statuses == letter
    assert [str(breach.text) for breach in judged.breaches] == ([] if sentence is None else [sentence])


def test_own_limits_of_one_sensor_leave_the_others_alone():
    judged = snapshot([Reading(CPU, 50.0), Reading(DISK, 92.0), Reading(CD, 100.0)], {"cpu": Limits(upper_warning=40)})
    assert judged.statuses == "wwn"


def test_lists_sort_by_total_load_real_memory_fullest_writable_disk_inlet_and_power():
    readings = [
        Reading(CPU, 12.345),
        Reading(Sensor("cpu.1", "CPU 1", Quantity.CPU, "%"), 99.0),
        Reading(Sensor("memory", "Memory", Quantity.MEMORY, "%"), 40.0),
        Reading(Sensor("swap", "Swap", Quantity.MEMORY, "%"), 80.0),
        Reading(DISK, 50.0),
        Reading(CD, 100.0),
        Reading(Sensor("t1", "CPU 1 Temp", Quantity.TEMPERATURE, "°C"), 70.0),
        Reading(Sensor("t2", "01-Inlet Ambient", Quantity.TEMPERATURE, "°C"), 22.5),
        Reading(Sensor("psu1", "PSU 1", Quantity.POWER, "W"), 100.0),
        Reading(Sensor("psu2", "PSU 2", Quantity.POWER, "W"), 50.5),
        Reading(Sensor("uptime", "Uptime", Quantity.UPTIME, "s"), 86400.0),
    ]
    judged = snapshot(readings, {})
    assert judged.columns == {"cpu": 12.35, "memory": 40.0, "disk": 50.0, "temperature": 22.5, "power": 150.5}
    assert judged.uptime == 86400.0


def test_a_quantity_that_is_not_measured_now_is_none_and_one_that_never_is_is_left_out():
    assert snapshot([Reading(CPU, None)], {}).columns == {"cpu": None}


def test_a_sensor_that_a_device_lists_twice_is_taken_once():
    judged = snapshot([Reading(CPU, 1.0), Reading(CPU, 2.0)], {})
    assert len(judged.sensors) == 1
    assert packing.unpack(judged.packed).tolist() == [1.0]


def test_reasons_are_kept_by_place():
    judged = snapshot([Reading(CPU, 1.0), Reading(DISK, None, why="needs two readings"), Reading(CD, None)], {})
    assert judged.whys == '{"needs two readings": [1], "not measured": [2]}'
