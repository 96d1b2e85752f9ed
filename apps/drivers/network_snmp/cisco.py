"""Cisco: processors, memory pools, the older environment monitor, and power supplies and fans that can be swapped."""

import re
from collections.abc import Iterator

from apps.drivers.contract import Limits, Quantity, Reading, State, StateKind, Status
from apps.drivers.network_snmp.told import Load, Told, percent, share
from apps.drivers.snmp import entity
from apps.drivers.snmp.entity import PhysicalClass
from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.values import cell, indexes, line, number, sensor

_CISCO = "1.3.6.1.4.1.9.9"
CPU_PHYSICAL_INDEX = f"{_CISCO}.109.1.1.1.1.2"
CPU_1_MINUTE = f"{_CISCO}.109.1.1.1.1.7"
OLD_CPU_1_MINUTE = f"{_CISCO}.109.1.1.1.1.4"
CPU_MEMORY_USED = f"{_CISCO}.109.1.1.1.1.12"
CPU_MEMORY_FREE = f"{_CISCO}.109.1.1.1.1.13"
POOL_NAME = f"{_CISCO}.48.1.1.1.2"
POOL_USED = f"{_CISCO}.48.1.1.1.5"
POOL_FREE = f"{_CISCO}.48.1.1.1.6"
TEMPERATURE_NAME = f"{_CISCO}.13.1.3.1.2"
TEMPERATURE = f"{_CISCO}.13.1.3.1.3"
TEMPERATURE_LIMIT = f"{_CISCO}.13.1.3.1.4"
TEMPERATURE_STATE = f"{_CISCO}.13.1.3.1.6"
FAN_NAME = f"{_CISCO}.13.1.4.1.2"
FAN_STATE = f"{_CISCO}.13.1.4.1.3"
SUPPLY_NAME = f"{_CISCO}.13.1.5.1.2"
SUPPLY_STATE = f"{_CISCO}.13.1.5.1.3"
FRU_POWER = f"{_CISCO}.117.1.1.2.1.2"
FRU_FAN = f"{_CISCO}.117.1.4.1.1.1"

PROCESSES = Mib(
    "CISCO-PROCESS-MIB",
    columns=(CPU_PHYSICAL_INDEX, CPU_1_MINUTE, OLD_CPU_1_MINUTE, CPU_MEMORY_USED, CPU_MEMORY_FREE),
    root=f"{_CISCO}.109.1.1",
    rows_at_once=4,
)
POOLS = Mib("CISCO-MEMORY-POOL-MIB", columns=(POOL_NAME, POOL_USED, POOL_FREE), root=f"{_CISCO}.48.1.1", rows_at_once=6)
ENVIRONMENT = Mib(
    "CISCO-ENVMON-MIB",
    columns=(
        TEMPERATURE_NAME,
        TEMPERATURE,
        TEMPERATURE_LIMIT,
        TEMPERATURE_STATE,
        FAN_NAME,
        FAN_STATE,
        SUPPLY_NAME,
        SUPPLY_STATE,
    ),
    root=f"{_CISCO}.13.1",
    rows_at_once=6,
)
REPLACEABLE = Mib("CISCO-ENTITY-FRU-CONTROL-MIB", columns=(FRU_POWER, FRU_FAN), root=f"{_CISCO}.117.1", rows_at_once=12)
MIBS = (PROCESSES, POOLS, ENVIRONMENT, REPLACEABLE)

_VERDICTS = {1: Status.NORMAL, 2: Status.WARNING, 3: Status.CRITICAL, 4: Status.CRITICAL}  # CiscoEnvMonState
_PARTS = {
    1: ("Working", Status.NORMAL),
    2: ("Warning", Status.WARNING),
    3: ("Critical", Status.CRITICAL),
    4: ("Shut down", Status.CRITICAL),
    5: ("Not present", Status.NORMAL),
    6: ("Not working", Status.WARNING),
}
_POWER = {  # PowerOperType
    2: ("Working", Status.NORMAL),
    3: ("Switched off", Status.NORMAL),
    4: ("Off: too little power", Status.WARNING),
    5: ("Off: power fault", Status.WARNING),
    6: ("Off: too hot", Status.CRITICAL),
    7: ("Off: fan fault", Status.CRITICAL),
    8: ("Failure detected", Status.WARNING),
    9: ("Working, fan failed", Status.WARNING),
    10: ("Off: cooling fault", Status.CRITICAL),
    11: ("Off: connector too weak", Status.WARNING),
    12: ("Working, inline power failed", Status.WARNING),
}
_FANS = {2: ("Working", Status.NORMAL), 3: ("Fan failed", Status.WARNING), 4: ("Warning", Status.WARNING)}
_PROCESSOR_POOL = "1"
# Switches write into the name of a part how it is: "SW#1, Sensor#1, GREEN", "Sw1, PS1 Normal, RPS NotExist".
_HOW_IT_IS = re.compile(r",? (?:GREEN|YELLOW|RED|Normal|Critical|Faulty|NotExist)\b.*")


def loads(told: Told) -> Iterator[Load]:
    """Give the processors with their memory; older ones have pools of it."""
    cells = told.cells
    pool = share(number(cell(cells, POOL_USED, _PROCESSOR_POOL)), number(cell(cells, POOL_FREE, _PROCESSOR_POOL)))
    for index in indexes(cells, CPU_1_MINUTE, OLD_CPU_1_MINUTE):
        cpu = percent(number(cell(cells, CPU_1_MINUTE, index)))
        cpu = percent(number(cell(cells, OLD_CPU_1_MINUTE, index))) if cpu is None else cpu
        memory = share(number(cell(cells, CPU_MEMORY_USED, index)), number(cell(cells, CPU_MEMORY_FREE, index)))
        name = told.name(str(number(cell(cells, CPU_PHYSICAL_INDEX, index)) or 0), f"CPU {index}")
        yield Load(index, name, cpu, memory if memory is not None else pool)
        pool = None


def readings(told: Told) -> Iterator[Reading]:
    """Give the temperatures; the device's own verdict counts more than its limit, which is where it switches off."""
    for index in indexes(told.cells, TEMPERATURE):
        value = number(cell(told.cells, TEMPERATURE, index))
        verdict = _VERDICTS.get(number(cell(told.cells, TEMPERATURE_STATE, index)) or 0)
        if value is None or verdict is None:
            continue
        limit = number(cell(told.cells, TEMPERATURE_LIMIT, index))
        limits = Limits(upper_critical=float(limit)) if limit and limit > 0 else None
        name = _name(told, TEMPERATURE_NAME, index) or f"Temperature {index}"
        yield Reading(
            sensor(f"temperature.{index}", name, Quantity.TEMPERATURE, "°C", limits),
            float(value),
            None if verdict is Status.NORMAL else verdict,
        )


def states(told: Told) -> Iterator[State]:
    """Give fans and power supplies."""
    for key, kind, names, column in (
        ("fan", StateKind.COOLING, FAN_NAME, FAN_STATE),
        ("supply", StateKind.POWER, SUPPLY_NAME, SUPPLY_STATE),
    ):
        for index in indexes(told.cells, column):
            said = _PARTS.get(number(cell(told.cells, column, index)) or 0)
            if said is not None:
                yield State(f"{key}.{index}", _name(told, names, index) or index, kind, (said[0],), said[1])
    for column, words, physical in (
        (FRU_POWER, _POWER, PhysicalClass.POWER_SUPPLY),
        (FRU_FAN, _FANS, PhysicalClass.FAN),
    ):
        for index in indexes(told.cells, column):
            part = told.parts.get(index)
            said = words.get(number(cell(told.cells, column, index)) or 0)
            if part is not None and part.kind == physical and said is not None:
                yield entity.part_state(part, *said)


def _name(told: Told, column: str, index: str) -> str:
    return _HOW_IT_IS.sub("", line(cell(told.cells, column, index)) or "")
