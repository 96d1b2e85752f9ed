"""H3C Comware, of which UNIVERGE QX are made, too (HH3C-ENTITY-EXT-MIB): load, temperature and faults of each part."""

from collections.abc import Iterator

from apps.drivers.contract import Limits, Quantity, Reading, State, Status
from apps.drivers.network_snmp.told import Load, Told, percent
from apps.drivers.snmp import entity
from apps.drivers.snmp.entity import Part, PhysicalClass
from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.values import cell, number, sensor

# The same MIB stands at three places: H3C's own, the one of Huawei-3Com, and the one of NEC.
_ROOTS = ("1.3.6.1.4.1.25506.2.6", "1.3.6.1.4.1.2011.10.2.6", "1.3.6.1.4.1.119.2.3.126.10.2.6")
CPU_USAGE, MEMORY_USAGE, TEMPERATURE, TEMPERATURE_LIMIT, CRITICAL_TEMPERATURE, ERROR = 6, 8, 12, 13, 17, 19
_COLUMNS = (CPU_USAGE, MEMORY_USAGE, TEMPERATURE, TEMPERATURE_LIMIT, CRITICAL_TEMPERATURE, ERROR)
_NOT_MEASURED = 65535
_PROCESSING = (PhysicalClass.MODULE, PhysicalClass.CHASSIS, PhysicalClass.CPU)

# hh3cEntityExtErrorStatus. A transceiver without light (31 to 33) is a cable that nobody plugged in.
_ABSENT, _NORMAL = 4, 2
_ERRORS = {
    3: ("Failed its self test", Status.CRITICAL),
    11: ("Power over Ethernet fails", Status.WARNING),
    21: ("The stack fails", Status.WARNING),
    23: ("A stack port fails", Status.WARNING),
    41: ("Fan failed", Status.WARNING),
    51: ("Power supply failed", Status.WARNING),
    61: ("Redundant power supply failed", Status.WARNING),
    71: ("Module failed", Status.CRITICAL),
    81: ("Sensor failed", Status.WARNING),
    91: ("Hardware failed", Status.CRITICAL),
}


def column(root: str, number_of_column: int) -> str:
    """Give a column of hh3cEntityExtStateTable."""
    return f"{root}.1.1.1.1.{number_of_column}"


MIBS = tuple(
    Mib(
        f"HH3C-ENTITY-EXT-MIB ({root})",
        columns=tuple(column(root, each) for each in _COLUMNS),
        root=root,
        rows_at_once=25,
    )
    for root in _ROOTS
)


def loads(told: Told) -> Iterator[Load]:
    """Give the boards that process something: a part without a processor says 0 %."""
    for root, part in _parts(told):
        cpu, memory = (percent(_value(told, root, each, part)) for each in (CPU_USAGE, MEMORY_USAGE))
        if part.kind in _PROCESSING and (cpu or memory):
            yield Load(part.index, part.name, cpu, memory)


def readings(told: Told) -> Iterator[Reading]:
    """Give the temperature of every part that has one, with its limits."""
    for root, part in _parts(told):
        value = _degrees(told, root, TEMPERATURE, part)
        if value:
            warning, critical = (
                _degrees(told, root, each, part) or None for each in (TEMPERATURE_LIMIT, CRITICAL_TEMPERATURE)
            )
            limits = Limits(upper_warning=warning, upper_critical=critical) if warning or critical else None
            key = f"temperature.{part.index}"
            yield Reading(sensor(key, part.name, Quantity.TEMPERATURE, "°C", limits), value)


def states(told: Told) -> Iterator[State]:
    """Give the fans and power supplies, and every other part that fails."""
    for root, part in _parts(told):
        error = _value(told, root, ERROR, part)
        if error in _ERRORS:
            yield entity.part_state(part, *_ERRORS[error])
        elif entity.is_shown_always(part) and error in (_NORMAL, _ABSENT):
            yield entity.part_state(part, "Working" if error == _NORMAL else "Not present", Status.NORMAL)


def _parts(told: Told) -> Iterator[tuple[str, Part]]:
    for root in _ROOTS:
        if found := told.cells.get(column(root, ERROR)):
            yield from ((root, told.parts[index]) for index in found if index in told.parts)
            return


def _value(told: Told, root: str, number_of_column: int, part: Part) -> int | None:
    return number(cell(told.cells, column(root, number_of_column), part.index))


def _degrees(told: Told, root: str, number_of_column: int, part: Part) -> float | None:
    value = _value(told, root, number_of_column, part)
    return float(value) if value is not None and value != _NOT_MEASURED and -100 < value < 250 else None
