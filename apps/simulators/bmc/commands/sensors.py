"""Readings and limits of sensors (IPMI 2.0 §35)."""

import struct
from typing import TYPE_CHECKING

from apps.simulators.bmc import hardware
from apps.simulators.bmc.accounts import Privilege
from apps.simulators.bmc.commands.registry import NOT_FOR_THIS, NOT_PRESENT, SENSOR, Asked, Refused, command
from apps.simulators.bmc.sdr import limit_events
from apps.simulators.bmc.sensors import Sensor

if TYPE_CHECKING:
    from apps.simulators.bmc.controller import Controller

_EVENTS, _SCANNING, _UNAVAILABLE = 0x80, 0x40, 0x20
_NOW = _EVENTS | _SCANNING
_RESERVED_OF_LIMITS, _RESERVED_OF_STATES = 0xC0, 0x80


def _sensor(asked: Asked) -> Sensor:
    sensor = hardware.BY_NUMBER.get(asked.data[0])
    if sensor is None:
        raise Refused(NOT_PRESENT)
    return sensor


@command(SENSOR, 0x2D)
def get_sensor_reading(controller: "Controller", asked: Asked) -> bytes:
    sensor, machine = _sensor(asked), controller.machine
    if sensor.read is None:
        raise Refused(NOT_FOR_THIS)
    found = machine.read(sensor, controller.moment())
    if found is None:
        return bytes((0, _NOW | _UNAVAILABLE, _RESERVED_OF_LIMITS, 0))
    raw, bits = found
    if sensor.measures:
        return bytes((raw, _NOW, _RESERVED_OF_LIMITS | bits))
    return bytes((raw, _NOW, bits & 0xFF, _RESERVED_OF_STATES | bits >> 8))


@command(SENSOR, 0x27)
def get_sensor_thresholds(controller: "Controller", asked: Asked) -> bytes:
    sensor = _sensor(asked)
    if not sensor.measures:
        raise Refused(NOT_FOR_THIS)
    mask, limits = controller.machine.limits_of(sensor)
    return bytes((mask,)) + limits


@command(SENSOR, 0x26, Privilege.OPERATOR)
def set_sensor_thresholds(controller: "Controller", asked: Asked) -> bytes:
    sensor, wanted = _sensor(asked), asked.data[1] & 0x3F
    if not sensor.measures:
        raise Refused(NOT_FOR_THIS)
    mask, limits = controller.machine.limits_of(sensor)
    if wanted & ~mask:
        raise Refused(NOT_FOR_THIS)
    given = asked.bytes(2, 6)
    new = bytes(given[place] if wanted >> place & 1 else limits[place] for place in range(6))
    controller.machine.limits[sensor.number] = (mask, new)
    controller.machine.look()
    return b""


@command(SENSOR, 0x25)
def get_sensor_hysteresis(controller: "Controller", asked: Asked) -> bytes:
    if not _sensor(asked).measures:
        raise Refused(NOT_FOR_THIS)
    return b"\x02\x02"


@command(SENSOR, 0x29)
def get_sensor_event_enable(controller: "Controller", asked: Asked) -> bytes:
    sensor = _sensor(asked)
    events = limit_events(sensor.first_limits()[0]) if sensor.measures else sensor.asserts
    ends = events if sensor.measures else sensor.deasserts
    return bytes((_NOW,)) + struct.pack("<HH", events, ends)


@command(SENSOR, 0x2F)
def get_sensor_type(controller: "Controller", asked: Asked) -> bytes:
    sensor = _sensor(asked)
    return bytes((sensor.kind, sensor.reading_type))
