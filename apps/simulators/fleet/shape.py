"""What kinds of agents show, written once for all devices of the same make: objects, their types and how they are read.

A device keeps no table. A ``Shape`` knows the objects in their order and asks the device's ``Moment`` for a value when
somebody asks for it, so that ten thousand agents cost little more memory than their names.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from apps.protocols.snmp.ber import (
    SEQUENCE,
    Oid,
    Tag,
    Value,
    arcs,
    encode_element,
    encode_oid,
    encode_value,
)
from apps.simulators.snmp_answers import Place

_BEHIND_OWN: Place = (1, 1)

Reader = Callable[[Any, Any], Value]
"""Gives a value from a moment of a device and the row; None where there is none just now."""


class Cell(NamedTuple):
    """One object: its name encoded, its type, and either its value encoded or how that is read."""

    name: bytes
    tag: int
    fixed: bytes | None
    read: Reader | None
    row: Any


class Shape:
    """The objects of one make of agent, in the order of SNMP."""

    def __init__(self) -> None:
        self._cells: dict[Place, Cell] = {}
        self._order: list[Place] = []

    def __len__(self) -> int:
        return len(self._cells)

    def fixed(self, oid: Oid, tag: Tag, value: Value) -> None:
        """Add an object that has the same value on every device of this make."""
        self._put(oid, Cell(encode_oid(oid), tag, _binding(encode_oid(oid), tag, value), None, None))

    def live(self, oid: Oid, tag: Tag, read: Reader, row: Any = None) -> None:
        """Add an object whose value is the device's own."""
        self._put(oid, Cell(encode_oid(oid), tag, None, read, row))

    def column(self, oid: Oid, tag: Tag, rows: Iterable[tuple[int | str, Any]], read: Reader) -> None:
        """Add one column of a table: each row by its index and what the reader gets for it."""
        for index, row in rows:
            self.live(f"{oid}.{index}", tag, read, row)

    def constants(self, oid: Oid, tag: Tag, rows: Iterable[tuple[int | str, Value]]) -> None:
        """Add one column whose values are the same on every device of this make."""
        for index, value in rows:
            self.fixed(f"{oid}.{index}", tag, value)

    def _put(self, oid: Oid, cell: Cell) -> None:
        place = arcs(oid)
        if place in self._cells:
            raise ValueError(f"{oid} stands twice in a shape")
        self._cells[place] = cell
        self._order = []

    def exactly(self, place: Place, moment: Any, wide: bool) -> bytes | None:
        """Give the binding at this place, None where there is none."""
        cell = self._cells.get(place)
        return None if cell is None or (not wide and cell.tag == Tag.COUNTER64) else _bound(cell, moment)

    def following(self, place: Place, count: int, moment: Any, wide: bool) -> list[bytes]:
        """Give at most so many bindings behind this place, in order."""
        order = self._order or self._sort()
        cells = self._cells
        found: list[bytes] = []
        for at in range(bisect_right(order, place), len(order)):
            if len(found) >= count:
                break
            cell = cells[order[at]]
            if wide or cell.tag != Tag.COUNTER64:
                binding = cell.fixed or _bound(cell, moment)
                if binding is not None:
                    found.append(binding)
        return found

    def places(self, below: Oid) -> list[Place]:
        """Give the places below an object identifier, in order."""
        start, order = arcs(below), self._order or self._sort()
        return order[bisect_left(order, start) : bisect_left(order, (*start[:-1], start[-1] + 1))]

    def _sort(self) -> list[Place]:
        self._order = sorted(self._cells)
        return self._order


def _binding(name: bytes, tag: int, value: Value) -> bytes:
    return encode_element(SEQUENCE, name + encode_value(tag, value))


def _bound(cell: Cell, moment: Any) -> bytes | None:
    if cell.read is None:
        return cell.fixed
    value = cell.read(moment, cell.row)
    return None if value is None else _binding(cell.name, cell.tag, value)


class Seen:
    """Shapes at a moment of a device: what answers are made from. ``own`` gives what lies below 1.1, if anything."""

    __slots__ = ("_moment", "_own", "_shape")

    def __init__(self, shape: Shape, moment: Any, own: Callable[[], Shape | None]) -> None:
        self._shape, self._moment, self._own = shape, moment, own

    def exactly(self, place: Place, wide: bool) -> bytes | None:
        """Give the binding at this place, None where there is none."""
        shape = self._own() if place < _BEHIND_OWN else self._shape
        return shape.exactly(place, self._moment, wide) if shape else None

    def following(self, place: Place, count: int, wide: bool) -> list[bytes]:
        """Give at most so many bindings behind this place, in order."""
        found: list[bytes] = []
        if place < _BEHIND_OWN and (own := self._own()):
            found = own.following(place, count, self._moment, wide)
        if len(found) < count:
            found += self._shape.following(place, count - len(found), self._moment, wide)
        return found
