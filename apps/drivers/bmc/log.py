"""From entries of the system event log to events in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.drivers.bmc.kinds import SENSOR_TYPES
from apps.drivers.bmc.readings import converted
from apps.drivers.bmc.readings import sensor as described
from apps.drivers.bmc.words import SPECIFIC_CODE, meaning
from apps.drivers.contract import LoggedEvent, Status
from apps.protocols.ipmi import IpmiSession
from apps.protocols.ipmi.event_log import (
    LogInfo,
    LogRecord,
    log_record,
    read_entries,
    read_entry,
    read_info,
    read_offset,
)
from apps.protocols.ipmi.records import THRESHOLD, Records, SensorRecord

_READING_GIVEN, _LIMIT_GIVEN = 0x40, 0x10
_KEY_OF_BYTE_2, _KEY_OF_BYTE_3 = 0xC0, 0x30
_LAST = 0xFFFF  # the newest entry, whatever its number is (§31.5)
_STARTS = frozenset({(0x1D, SPECIFIC_CODE), (0x0F, SPECIFIC_CODE)})  # system start begun, firmware progress (§42.2)
_INTERRUPTS = frozenset({(0x13, 0), (0x13, 3), (0x20, 0), (0x20, 1)})  # by the front panel or software; the OS stopped
WITH_VALUE = "%(what)s: %(value)s %(unit)s (limit %(limit)s %(unit)s)"
MAKERS_OWN = "Record of the manufacturer's own (type %(type)s)"
UNKNOWN_EVENT = "Event %(event)s of type %(type)s"


@dataclass(frozen=True, slots=True)
class Found:
    """Entries since a place, oldest first, and the place behind them."""

    entries: tuple[LogRecord, ...]
    place: Mapping[str, Any]
    cleared: bool


async def read_since(session: IpmiSession, place: Mapping[str, Any], info: LogInfo, at_most: int) -> Found:
    """Read the entries after a place, or all where the log is no longer the one that was left."""
    last, left = place.get("last"), bytes.fromhex(str(place.get("raw") or ""))
    cleared = False
    if isinstance(last, int):
        there = await read_entry(session, last) if info.entries else None
        cleared = there is None or there[1] != left or (place.get("erased") != info.erased)
    after = last if isinstance(last, int) and not cleared else None
    raw, more = await read_entries(session, after, at_most) if info.entries else ([], False)
    offset = await read_offset(session) if raw else None
    entries = tuple(log_record(one, offset) if offset else log_record(one) for one in raw)
    behind = {"last": entries[-1].number, "raw": entries[-1].raw} if entries else {}
    if not entries and after is not None:
        behind = {"last": after, "raw": left.hex()}
    return Found(entries, {**behind, "more": more}, cleared)


@dataclass(frozen=True, slots=True)
class Traced:
    """The last entries that tell of a start and of a diagnostic interrupt, as far as there are new ones."""

    place: Mapping[str, Any]
    start: str = ""
    interrupt: str = ""


async def traces(session: IpmiSession, place: Mapping[str, Any] | None, at_most: int) -> Traced:
    """Look which entries came after a place; without one, only keep the end of the log as the place."""
    info = await read_info(session)
    if place is None:
        newest = await read_entry(session, _LAST) if info.entries else None
        end = {} if newest is None else {"last": int.from_bytes(newest[1][:2], "little"), "raw": newest[1].hex()}
        return Traced({"erased": info.erased, **end})
    found = await read_since(session, place, info, at_most)
    told = [entry for entry in found.entries if entry.is_event and entry.asserted]
    starts = [entry.number for entry in told if (entry.sensor_type, entry.event_type) in _STARTS]
    interrupts = [entry.number for entry in told if (entry.sensor_type, entry.offset) in _INTERRUPTS]
    return Traced(place, *(str(numbers[-1]) if numbers else "" for numbers in (starts, interrupts)))


def event(entry: LogRecord, records: Records) -> LoggedEvent:
    """Word one entry."""
    key = str(entry.number)
    if not entry.is_event:
        params = {"type": f"0x{entry.kind:02X}"}
        return LoggedEvent(key, entry.at, Status.NORMAL, "", MAKERS_OWN, params, raw=entry.raw)
    source = records.name_of(entry.owner, entry.lun, entry.sensor) or (
        f"{SENSOR_TYPES.get(entry.sensor_type, 'Sensor')} {entry.sensor}"
    )
    text, params, status = _words(entry, records)
    return LoggedEvent(
        key,
        entry.at,
        status if entry.asserted else Status.NORMAL,
        source,
        text,
        params,
        asserted=entry.asserted,
        raw=entry.raw,
    )


def _words(entry: LogRecord, records: Records) -> tuple[str, dict[str, str], Status]:
    found = meaning(entry.sensor_type, entry.event_type, entry.offset)
    if found is None:
        params = {"event": str(entry.offset), "type": f"0x{entry.event_type:02X}"}
        return UNKNOWN_EVENT, params, Status.NORMAL
    word, status = found
    sensor = _sensor(entry, records)
    both = entry.data[0] & _KEY_OF_BYTE_2 == _READING_GIVEN and entry.data[0] & _KEY_OF_BYTE_3 == _LIMIT_GIVEN
    if entry.event_type == THRESHOLD and both and sensor is not None:
        value, limit = sensor.value(entry.data[1]), sensor.value(entry.data[2])
        if value is not None and limit is not None:
            params = {
                "what": word,
                "value": f"{converted(sensor, value):g}",
                "limit": f"{converted(sensor, limit):g}",
                "unit": described(sensor).unit,
            }
            return WITH_VALUE, params, status
    return word, {}, status


def _sensor(entry: LogRecord, records: Records) -> SensorRecord | None:
    for one in records.sensors:
        if (one.owner, one.lun, one.number) == (entry.owner, entry.lun, entry.sensor):
            return one if one.measures and not one.is_non_linear else None
    return None
