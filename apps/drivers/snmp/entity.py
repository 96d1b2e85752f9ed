"""What a device is made of (ENTITY-MIB, RFC 6933), and how its parts are (ENTITY-STATE-MIB, RFC 4268)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from apps.drivers.contract import InventoryItem, InventoryKind, State, StateKind, Status
from apps.drivers.snmp.mib import Mib
from apps.drivers.snmp.values import Cells, cell, indexes, line, number

_PHYSICAL = "1.3.6.1.2.1.47.1.1.1.1"
DESCR = f"{_PHYSICAL}.2"
CONTAINED_IN = f"{_PHYSICAL}.4"
CLASS = f"{_PHYSICAL}.5"
NAME = f"{_PHYSICAL}.7"
SERIAL_NUMBER = f"{_PHYSICAL}.11"
MODEL_NAME = f"{_PHYSICAL}.13"
LAST_CHANGE = "1.3.6.1.2.1.47.1.4.1.0"
STATE_OPER = "1.3.6.1.2.1.131.1.1.1.3"
STATE_ALARM = "1.3.6.1.2.1.131.1.1.1.5"

ENTITY = Mib("ENTITY-MIB", (LAST_CHANGE,), root="1.3.6.1.2.1.47.1.1.1", rows_at_once=25)
ENTITY_STATE = Mib("ENTITY-STATE-MIB", columns=(STATE_OPER, STATE_ALARM), root="1.3.6.1.2.1.131.1", rows_at_once=25)
PART_COLUMNS = (CLASS, NAME, DESCR, CONTAINED_IN)
MOST_PARTS = 500  # that are remembered between two contacts


class PhysicalClass(IntEnum):
    """What a part is (IANAPhysicalClass)."""

    CHASSIS = 3
    BACKPLANE = 4
    POWER_SUPPLY = 6
    FAN = 7
    SENSOR = 8
    MODULE = 9
    PORT = 10
    STACK = 11
    CPU = 12


_WATCHED = frozenset(PhysicalClass) - {PhysicalClass.PORT}
_LISTED = (PhysicalClass.CHASSIS, PhysicalClass.MODULE, PhysicalClass.POWER_SUPPLY, PhysicalClass.FAN)
_KINDS = {PhysicalClass.POWER_SUPPLY: StateKind.POWER, PhysicalClass.FAN: StateKind.COOLING}
_DEEPEST = 20  # levels of parts in parts; more is a circle
_DISABLED, _ENABLED = 2, 3


@dataclass(frozen=True, slots=True)
class Part:
    """One physical part that may have something to tell. What belongs to a single port is none."""

    index: str
    kind: int  # a ``PhysicalClass``
    name: str


Parts = Mapping[str, Part]


def parts(cells: Cells) -> dict[str, Part]:
    """Read entPhysicalTable by index."""
    kinds = {index: number(value) or 0 for index, value in cells.get(CLASS, {}).items()}
    parents = {index: str(number(value) or 0) for index, value in cells.get(CONTAINED_IN, {}).items()}
    found = {}
    for index in indexes(cells, CLASS):
        kind = kinds[index]
        if kind in _WATCHED and not _belongs_to_a_port(index, kinds, parents):
            name = line(cell(cells, NAME, index)) or line(cell(cells, DESCR, index)) or index
            found[index] = Part(index, kind, name)
    return found


def _belongs_to_a_port(index: str, kinds: Mapping[str, int], parents: Mapping[str, str]) -> bool:
    for _ in range(_DEEPEST):
        index = parents.get(index, "0")
        if index == "0":
            return False
        if kinds.get(index) == PhysicalClass.PORT:
            return True
    return False


def to_state(found: Parts) -> list[list[Any]]:
    """Give parts in their JSON form: first those of which there are few."""
    rare_first = sorted(found.values(), key=lambda part: part.kind == PhysicalClass.SENSOR)
    return [[part.index, part.kind, part.name] for part in rare_first[:MOST_PARTS]]


def from_state(state: Any) -> dict[str, Part] | None:
    """Read the JSON form; None when it is none, which only costs reading the table again."""
    if not isinstance(state, list):
        return None
    found = {}
    for row in state:
        match row:
            case [str() as index, int() as kind, str() as name]:
                found[index] = Part(index, kind, name)
            case _:
                return None
    return found


def states(cells: Cells, known: Parts) -> Iterator[State]:
    """Give the fans and power supplies, and every other part that complains."""
    for index in indexes(cells, STATE_OPER, STATE_ALARM):
        part = known.get(index)
        if part is None:
            continue
        alarm = _alarm(cell(cells, STATE_ALARM, index))
        oper = number(cell(cells, STATE_OPER, index))
        if alarm is not None:
            yield part_state(part, *alarm)
        elif part.kind in _KINDS and oper in (_DISABLED, _ENABLED):
            yield part_state(part, "Working" if oper == _ENABLED else "Switched off", Status.NORMAL)


def part_state(part: Part, word: str, status: Status) -> State:
    """Say of a part that it is so."""
    return State(
        f"entity.{part.index}", part.name, _KINDS.get(PhysicalClass(part.kind), StateKind.MODULE), (word,), status
    )


def is_shown_always(part: Part) -> bool:
    """Say whether people want to see a part also while it is well."""
    return part.kind in _KINDS


def _alarm(value: Any) -> tuple[str, Status] | None:
    """Read AlarmStatus (BITS); some agents write the bits as digits, which look like bits of their own."""
    if not isinstance(value, bytes) or not value:
        return None
    digits = value.strip(b"\x00 ")
    if len(digits) > 2 and not digits.strip(b"01"):
        on = {place for place, digit in enumerate(digits) if digit == ord("1")}
    else:
        on = {place for place in range(8) if value[0] & 0x80 >> place}
    if on & {2, 3}:
        return "Critical alarm", Status.CRITICAL
    if on & {4, 5}:
        return "Alarm", Status.WARNING
    return None


def inventory(cells: Cells) -> Iterator[InventoryItem]:
    """List chassis, modules, power supplies and fans with model and serial number."""
    known = parts(cells)
    for index in indexes(cells, CLASS):
        part = known.get(index)
        if part is None or part.kind not in _LISTED:
            continue
        details: dict[str, str | int | float | None] = {
            "Model": line(cell(cells, MODEL_NAME, index)),
            "Serial number": line(cell(cells, SERIAL_NUMBER, index)),
            "Description": line(cell(cells, DESCR, index)),
        }
        told = {label: value for label, value in details.items() if value and value != part.name}
        yield InventoryItem(InventoryKind.OTHER, f"entity.{index}", part.name, details=told)
