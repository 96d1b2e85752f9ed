"""Huawei (HUAWEI-ENTITY-EXTENT-MIB): load and temperature of each board, fans."""

from collections.abc import Iterator

from apps.drivers.contract import Limits, Quantity, Reading, State, StateKind, Status
from apps.drivers.network_snmp.told import Load, Told, percent
from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.values import cell, indexes, number, sensor

_ENTITY = "1.3.6.1.4.1.2011.5.25.31.1.1"
CPU_USAGE = f"{_ENTITY}.1.1.5"
MEMORY_USAGE = f"{_ENTITY}.1.1.7"
TEMPERATURE = f"{_ENTITY}.1.1.11"
TEMPERATURE_LIMIT = f"{_ENTITY}.1.1.12"
FAN_PRESENT = f"{_ENTITY}.10.1.6"
FAN_STATE = f"{_ENTITY}.10.1.7"

MIBS = (
    Mib(
        "HUAWEI-ENTITY-EXTENT-MIB",
        columns=(CPU_USAGE, MEMORY_USAGE, TEMPERATURE, TEMPERATURE_LIMIT, FAN_PRESENT, FAN_STATE),
        root=_ENTITY,
        rows_at_once=25,
    ),
)
_HOTTEST = 200  # °C; more is how boards say that they have no sensor


def loads(told: Told) -> Iterator[Load]:
    """Give the boards that process something."""
    for index in indexes(told.cells, CPU_USAGE):
        cpu, memory = (percent(number(cell(told.cells, column, index))) for column in (CPU_USAGE, MEMORY_USAGE))
        if index in told.parts and (cpu or memory):
            yield Load(index, told.parts[index].name, cpu, memory)


def readings(told: Told) -> Iterator[Reading]:
    """Give the temperature of every board that has one."""
    for index in indexes(told.cells, TEMPERATURE):
        value, limit = (number(cell(told.cells, column, index)) for column in (TEMPERATURE, TEMPERATURE_LIMIT))
        if index in told.parts and value and 0 < value < _HOTTEST:
            limits = Limits(upper_warning=float(limit)) if limit and 0 < limit < _HOTTEST else None
            name = told.parts[index].name
            yield Reading(sensor(f"temperature.{index}", name, Quantity.TEMPERATURE, "°C", limits), float(value))


def states(told: Told) -> Iterator[State]:
    """Give the fans that are there."""
    for index in indexes(told.cells, FAN_STATE):
        if number(cell(told.cells, FAN_PRESENT, index)) == 1:
            works = number(cell(told.cells, FAN_STATE, index)) == 1
            word, status = ("Working", Status.NORMAL) if works else ("Fan failed", Status.WARNING)
            yield State(f"fan.{index}", f"Fan {index}", StateKind.COOLING, (word,), status)
