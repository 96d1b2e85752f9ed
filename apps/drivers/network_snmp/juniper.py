"""Juniper (JUNIPER-MIB): load and temperature of routing engines and boards, power supplies, fans."""

from collections.abc import Iterator

from apps.drivers.contract import Quantity, Reading, State, StateKind, Status
from apps.drivers.network_snmp.told import Load, Told, percent
from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.values import cell, indexes, line, number, sensor

_OPERATING = "1.3.6.1.4.1.2636.3.1.13.1"
DESCR = f"{_OPERATING}.5"
STATE = f"{_OPERATING}.6"
TEMPERATURE = f"{_OPERATING}.7"
CPU = f"{_OPERATING}.8"
BUFFER = f"{_OPERATING}.11"  # memory in use, in %

MIBS = (Mib("JUNIPER-MIB", columns=(DESCR, STATE, TEMPERATURE, CPU, BUFFER), root=f"{_OPERATING}", rows_at_once=25),)
_POWER_SUPPLIES, _FANS = "2", "4"  # first arcs of an index: jnxContainersIndex
_KINDS = {_POWER_SUPPLIES: StateKind.POWER, _FANS: StateKind.COOLING}
_STATES = {
    2: ("Working", Status.NORMAL),
    3: ("Ready", Status.NORMAL),
    4: ("Restarting", Status.WARNING),
    5: ("Running at full speed", Status.NORMAL),
    6: ("Failure detected", Status.WARNING),
    7: ("On standby", Status.NORMAL),
}
_DOWN = 6


def loads(told: Told) -> Iterator[Load]:
    """Give the routing engines and boards that process something."""
    for index in indexes(told.cells, CPU):
        cpu, memory = (percent(number(cell(told.cells, column, index))) for column in (CPU, BUFFER))
        if cpu or memory:
            yield Load(index, _name(told, index), cpu, memory)


def readings(told: Told) -> Iterator[Reading]:
    """Give the temperature of each part; all fans of a tray say the same, which their tray says already."""
    for index in indexes(told.cells, TEMPERATURE):
        value = number(cell(told.cells, TEMPERATURE, index))
        if value and index.split(".")[0] != _FANS:
            key = f"temperature.{index}"
            yield Reading(sensor(key, _name(told, index), Quantity.TEMPERATURE, "°C"), float(value))


def states(told: Told) -> Iterator[State]:
    """Give power supplies and fans, and every other part that is down."""
    for index in indexes(told.cells, STATE):
        state = number(cell(told.cells, STATE, index)) or 0
        kind = _KINDS.get(index.split(".")[0])
        if state in _STATES and (kind is not None or state == _DOWN):
            word, status = _STATES[state]
            yield State(f"operating.{index}", _name(told, index), kind or StateKind.MODULE, (word,), status)


def _name(told: Told, index: str) -> str:
    return line(cell(told.cells, DESCR, index)) or index
