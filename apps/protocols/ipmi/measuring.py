"""Reads sensors and their thresholds (IPMI 2.0 §35)."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from apps.protocols.ipmi.records import BMC_OWNER, Factors, SensorRecord
from apps.protocols.ipmi.session import OK, SENSOR, IpmiSession

_GET_READING, _GET_THRESHOLDS, _GET_FACTORS = 0x2D, 0x27, 0x23
_SCANNING, _UNAVAILABLE = 0x40, 0x20
_THRESHOLDS_KEPT = 3600.0  # seconds: people change them rarely, and each costs a question
_KEPT = 4096  # controllers

Thresholds = dict[int, float]  # by bit: 0 lower non-critical, 1 critical, 2 non-recoverable, 3 to 5 upper


@dataclass(frozen=True, slots=True)
class Measured:
    """One sensor at one time. ``states`` are the bits that are set, of thresholds or of a discrete sensor."""

    record: SensorRecord
    value: float | None
    states: frozenset[int] = frozenset()
    available: bool = True


_lock = threading.Lock()
_thresholds: OrderedDict[tuple[str, int], tuple[float, dict[SensorRecord, Thresholds]]] = OrderedDict()


async def read_sensors(session: IpmiSession, sensors: Iterable[SensorRecord]) -> list[Measured]:
    """Read each sensor that can be read; those behind other controllers are told as not available."""
    return [await _read(session, one) for one in sensors if one.readable]


async def _read(session: IpmiSession, record: SensorRecord) -> Measured:
    if record.owner != BMC_OWNER:
        return Measured(record, None, available=False)
    answer = await session.ask(SENSOR, _GET_READING, (record.number,), lun=record.lun)
    if answer.code != OK:
        return Measured(record, None, available=False)
    factors = None
    if record.measures and record.is_non_linear and answer.data:
        told = await session.ask(SENSOR, _GET_FACTORS, (record.number, answer.data[0]), lun=record.lun)
        if told.code != OK or len(told.data) < 7:
            return Measured(record, None, available=False)
        factors = Factors.from_bytes(told.data[1:7])
    return measured(record, answer.data, factors)


def measured(record: SensorRecord, data: bytes, factors: Factors | None = None) -> Measured:
    """Decode an answer to Get Sensor Reading (§35.14): value, flags, one or two bytes of states."""
    if len(data) < 2 or data[1] & _UNAVAILABLE or not data[1] & _SCANNING:
        return Measured(record, None, available=False)
    bits = int.from_bytes(data[2:4], "little") & (0x3F if record.measures else 0x7FFF)
    states = frozenset(place for place in range(15) if bits >> place & 1)
    return Measured(record, record.value(data[0], factors) if record.measures else None, states)


def thresholds(record: SensorRecord, mask: int, raw: bytes | tuple[int, ...]) -> Thresholds:
    """Give the values of those thresholds that the mask names."""
    found = {}
    for place in range(6):
        value = record.value(raw[place]) if mask >> place & 1 and place < len(raw) else None
        if value is not None:
            found[(place + 3) % 6 if record.is_reciprocal else place] = value
    return found


async def read_thresholds(session: IpmiSession, sensors: Iterable[SensorRecord]) -> dict[SensorRecord, Thresholds]:
    """Read the thresholds of those sensors that have any; they are remembered for an hour."""
    place, now = (session.target.address, session.target.port), time.monotonic()
    with _lock:
        read_at, known = _thresholds.get(place, (now, {}))
    if now - read_at > _THRESHOLDS_KEPT:
        read_at, known = now, {}
    wanted = [one for one in sensors if one.measures and one.readable_thresholds and one.owner == BMC_OWNER]
    found = {one: known[one] if one in known else await _read_thresholds(session, one) for one in wanted}
    with _lock:
        _thresholds[place] = (read_at, found)
        _thresholds.move_to_end(place)
        while len(_thresholds) > _KEPT:
            _thresholds.popitem(last=False)
    return found


def forget() -> None:
    """Forget all thresholds."""
    with _lock:
        _thresholds.clear()


async def _read_thresholds(session: IpmiSession, record: SensorRecord) -> Thresholds:
    if record.is_non_linear:
        return {}  # the factors of each value would have to be asked for
    answer = await session.ask(SENSOR, _GET_THRESHOLDS, (record.number,), lun=record.lun)
    if answer.code != OK or len(answer.data) < 7:
        return thresholds(record, record.readable_thresholds, record.initial_thresholds)
    return thresholds(record, answer.data[0], answer.data[1:7])
