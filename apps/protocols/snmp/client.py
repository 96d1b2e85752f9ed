"""Reading SNMP agents of every version: scalars, subtrees and tables (RFC 3416 §4.2).

One client per event loop, for life. It keeps one socket per address family and asks at most 200 questions at a time,
of as many agents as there are; an agent that answers nonsense, endlessly or not at all costs its own callers alone.
"""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from apps.protocols.errors import DeviceError
from apps.protocols.snmp.ber import (
    Absent,
    ErrorStatus,
    Oid,
    Pdu,
    PduKind,
    RawVarbind,
    Tag,
    Value,
    Varbind,
    arcs,
    encode_oid,
)
from apps.protocols.snmp.reports import error_of
from apps.protocols.snmp.target import SnmpTarget
from apps.protocols.snmp.usm import FAST_PRIV_PROTOCOLS
from apps.protocols.snmp.wire import IN_FLIGHT, Exchange, Wire

MAX_REPETITIONS = 25
MAX_ROWS = 20_000
MAX_WALK = 200_000
MAX_OCTETS = 32 << 20
_FIRST_ABSENT = int(Tag.NO_SUCH_OBJECT)
_OCTET_STRING = int(Tag.OCTET_STRING)
_OVERHEAD = 32  # octets that we count for a binding besides its octet string

T = TypeVar("T")
Table = dict[Oid, dict[Oid, Value]]

# What an agent may answer to a GETBULK that asks for too much; net-snmp 5.9 says genErr where it means tooBig.
_ASK_FOR_LESS = (ErrorStatus.TOO_BIG, ErrorStatus.GEN_ERR, ErrorStatus.RESOURCE_UNAVAILABLE)


class SnmpClient:
    """Asks SNMP agents; made inside the running event loop, closed at its end.

    Every method raises only ``ContactError``: ``Unreachable`` for silence, ``AuthenticationFailed`` where the agent
    refuses the login, ``DeviceError`` for an error status and for answers that are none.
    """

    def __init__(self, in_flight: int = IN_FLIGHT) -> None:
        self._wire = Wire(in_flight)
        self._odd: Exchange | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the sockets; whoever still waits gets ``Unreachable``."""
        self._wire.close()
        if self._odd is not None:
            self._odd.close()
            self._odd = None

    def _way_to(self, target: SnmpTarget) -> Exchange:
        if target.version != "3" or target.priv_protocol in FAST_PRIV_PROTOCOLS:
            return self._wire
        if self._odd is None:
            # Imported here alone: it costs a fifth of a second, and most fleets never need it.
            from apps.protocols.snmp.odd_algorithms import PysnmpExchange

            self._odd = PysnmpExchange(self._wire)
        return self._odd

    async def get(self, target: SnmpTarget, oids: Iterable[Oid]) -> dict[Oid, Value]:
        """The values at ``oids``; what the agent does not have is left out, in every version.

        A version 1 agent fails the whole question over one missing name: it is asked again without it.
        """
        way = self._way_to(target)
        found: dict[Oid, Value] = {}
        questions = [_checked(oids)]
        while questions:
            asked = questions.pop()
            if not asked:
                continue
            answer = await way.exchange(target, PduKind.GET, asked)
            status, index = answer.error_status, answer.error_index
            if not status:
                found.update(_values_of(answer, asked, target))
            elif status in (ErrorStatus.NO_SUCH_NAME, ErrorStatus.GEN_ERR, ErrorStatus.NO_ACCESS) and (
                len(asked) > 1 or status == ErrorStatus.NO_SUCH_NAME
            ):
                if 0 < index <= len(asked):
                    questions.append(asked[: index - 1] + asked[index:])
                elif len(asked) > 1:
                    questions += _halves(asked)
            elif status == ErrorStatus.TOO_BIG and len(asked) > 1:
                questions += _halves(asked)
            else:
                raise error_of(status, index, target.address, asked[0])
        return found

    async def get_next(self, target: SnmpTarget, oids: Iterable[Oid]) -> list[Varbind]:
        """The binding that follows each of ``oids``, in their order; at the end its value is ``END_OF_MIB_VIEW``."""
        asked = _checked(oids)
        answer = await self._way_to(target).exchange(target, PduKind.GET_NEXT, asked)
        if answer.error_status == ErrorStatus.NO_SUCH_NAME and len(asked) == 1:
            return [Varbind(asked[0], Absent.END_OF_MIB_VIEW.value, Absent.END_OF_MIB_VIEW)]
        if answer.error_status == ErrorStatus.NO_SUCH_NAME:
            return [bound for oid in asked for bound in await self.get_next(target, [oid])]
        if answer.error_status:
            raise error_of(answer.error_status, answer.error_index, target.address)
        if len(answer.varbinds) != len(asked):
            raise DeviceError("%(address)s answers with another number of values", address=target.address)
        return [Varbind(*bound) for bound in answer.varbinds]

    async def walk(
        self,
        target: SnmpTarget,
        base: Oid,
        *,
        max_repetitions: int = MAX_REPETITIONS,
        max_rows: int = MAX_WALK,
    ) -> list[Varbind]:
        """Everything below ``base`` in the agent's order, with types; ``base`` itself when it is an instance.

        GETNEXT in version 1, GETBULK in the others. ``DeviceError`` when names do not increase or there is no end.
        """
        (base,) = _checked([base])
        reading = _Column(base, whole=True)
        await self._read(target, [reading], max_repetitions, max_rows)
        rows = [Varbind(*bound) for bound in reading.bindings]
        if rows:
            return rows
        answer = await self._way_to(target).exchange(target, PduKind.GET, [base])
        return [
            Varbind(*bound)
            for bound in answer.varbinds
            if not answer.error_status and bound[0] == base and not isinstance(bound[2], Absent)
        ]

    async def table(
        self,
        target: SnmpTarget,
        columns: Iterable[Oid],
        *,
        max_repetitions: int = MAX_REPETITIONS,
        max_rows: int = MAX_ROWS,
        expected_rows: int = 0,
    ) -> Table:
        """The cells of a table as ``{column: {index: value}}``, all columns in one question as long as they last.

        Columns that the agent lacks are empty. The number of rows asked for shrinks when the agent cannot answer so
        much, and towards the end where ``expected_rows`` tells it; a table that has more is still read whole.
        ``DeviceError`` when names do not increase, or there are more than ``max_rows`` rows.
        """
        asked = [_Column(column) for column in dict.fromkeys(_checked(columns))]
        await self._read(target, asked, max_repetitions, max_rows, expected_rows)
        return {column.oid: column.cells for column in asked}

    async def _read(
        self, target: SnmpTarget, columns: list["_Column"], repetitions: int, max_rows: int, expected_rows: int = 0
    ) -> None:
        way = self._way_to(target)
        kind = PduKind.GET_NEXT if target.version == "1" else PduKind.GET_BULK
        octets = 0
        if kind == PduKind.GET_NEXT:
            repetitions = 1
        room = repetitions * len(columns)  # bindings that fit into an answer
        groups = [columns]
        while groups:
            group = groups.pop()
            while alive := [column for column in group if column.alive]:
                cursors = [column.cursor for column in alive]
                # One row more than there are shows where the columns end.
                left = expected_rows + 1 - min(column.rows for column in alive)
                rows = max(1, min(repetitions, room // len(alive), left if expected_rows and left > 0 else repetitions))
                answer = await way.exchange(target, kind, cursors, 0, rows if kind == PduKind.GET_BULK else 0)
                status, index = answer.error_status, answer.error_index
                if status == ErrorStatus.NO_SUCH_NAME and (0 < index <= len(alive) or len(alive) == 1):
                    alive[max(index, 1) - 1].alive = False
                    continue
                if (status in _ASK_FOR_LESS or not (status or answer.varbinds)) and rows > 1:
                    repetitions = rows // 2
                    continue
                if status in (*_ASK_FOR_LESS, ErrorStatus.NO_SUCH_NAME) and len(alive) > 1:
                    groups += _halves(alive)
                    break
                if status:
                    raise error_of(status, index, target.address, cursors[0])
                if not answer.varbinds:
                    raise DeviceError("%(address)s answers without a value", address=target.address)
                # The agent, or the way to it, has a limit: no more is asked for than came this time.
                if len(answer.varbinds) < rows * len(alive):
                    room = len(answer.varbinds)
                # An agent may cut even the first row short: the columns it left out are asked again.
                for at, column in enumerate(alive[: len(answer.varbinds)]):
                    octets += column.take(answer.varbinds[at :: len(alive)], target)
                    if column.rows > max_rows or octets > MAX_OCTETS:
                        raise DeviceError(
                            "%(address)s does not come to an end below %(oid)s", address=target.address, oid=column.oid
                        )


class _Column:
    """How far the reading of one column, or of one subtree, has come."""

    __slots__ = ("alive", "bindings", "cells", "cursor", "last", "oid", "prefix", "rows", "whole")

    def __init__(self, oid: Oid, *, whole: bool = False) -> None:
        self.oid = self.cursor = oid
        self.prefix = oid + "."
        self.whole = whole
        self.alive = True
        self.last: tuple[int, ...] = ()
        self.rows = 0
        self.cells: dict[Oid, Value] = {}
        self.bindings: list[RawVarbind] = []

    def take(self, varbinds: Sequence[RawVarbind], target: SnmpTarget) -> int:
        """Take over what belongs to the column; the octets it counts for. The first binding beyond it ends it."""
        prefix, cut, last = self.prefix, len(self.prefix), self.last
        cells, place_of = self.cells, arcs
        octets, before = 0, self.rows
        for bound in varbinds:
            oid, tag, value = bound
            if tag >= _FIRST_ABSENT:
                self.alive = False
                break
            if not oid.startswith(prefix):
                if arcs(oid) <= arcs(self.cursor):
                    raise _not_increasing(oid, target)
                self.alive = False
                break
            index = oid[cut:]
            place = place_of(index)
            if place <= last:
                raise _not_increasing(oid, target)
            last = place
            if tag == _OCTET_STRING:
                octets += len(value)  # type: ignore[arg-type]
            if self.whole:
                self.bindings.append(bound)
            else:
                cells[index] = value
            self.rows += 1
        if self.rows > before:
            self.cursor = prefix + index
        self.last = last
        return octets + _OVERHEAD * (self.rows - before)


def _not_increasing(oid: Oid, target: SnmpTarget) -> DeviceError:
    return DeviceError("%(address)s goes in circles: %(oid)s does not increase", address=target.address, oid=oid)


def _checked(oids: Iterable[Oid]) -> list[Oid]:
    """The object identifiers without a leading dot; ``ValueError`` for what is none, before anything is sent."""
    checked = [oid.removeprefix(".") for oid in oids]
    for oid in checked:
        encode_oid(oid)
    return checked


def _halves(items: list[T]) -> list[list[T]]:
    middle = len(items) // 2
    return [items[:middle], items[middle:]]


def _values_of(answer: Pdu, asked: Sequence[Oid], target: SnmpTarget) -> dict[Oid, Value]:
    if len(answer.varbinds) != len(asked):
        raise DeviceError("%(address)s answers with another number of values", address=target.address)
    wanted = set(asked)
    found: dict[Oid, Value] = {}
    for oid, _, value in answer.varbinds:
        if oid not in wanted:
            raise DeviceError("%(address)s answers about %(oid)s, which was not asked", address=target.address, oid=oid)
        if not isinstance(value, Absent):
            found[oid] = value
    return found
