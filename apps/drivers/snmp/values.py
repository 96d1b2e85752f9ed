"""Reads single SNMP values kindly: agents send texts in any encoding, numbers as texts, and addresses as either."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, TypeAlias

from apps.drivers.contract import Limits, Quantity, Sensor
from apps.protocols.snmp.ber import arcs

Scalars: TypeAlias = Mapping[str, Any]  # object identifier with instance → value
Cells: TypeAlias = Mapping[str, Mapping[str, Any]]  # column's object identifier → row index → value

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd]+")
_TEXT_DATE = re.compile(r"(\d{4})-(\d\d?)-(\d\d?),(\d\d?):(\d\d?):(\d\d?)(?:\.(\d))?(?:,([+-])(\d\d?):(\d\d?))?")
_HALF_WIDTH_KANA = re.compile(rb"[\xa1-\xdf]{3}")
_CP932_LEAD = re.compile(rb"[\x81-\x9f][\x40-\x7e\x80-\xfc]")


def indexes(cells: Cells, *columns: str) -> list[str]:
    """Give the indexes of all rows that have a value in one of the columns, in the order of the table."""
    found = {index for column in columns for index in cells.get(column, {})}
    return sorted(found, key=arcs)


def cell(cells: Cells, column: str, index: str) -> Any:
    """Give one value of a table, None where the agent has none."""
    return cells.get(column, {}).get(index)


def number(value: Any) -> int | None:
    """Give a whole number, also one that came as digits; None for everything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, bytes):
        digits = value.strip(b" \x00\r\n\t")
        return int(digits) if digits.isdigit() and len(digits) < 20 else None
    return None


def decimal(value: Any) -> float | None:
    """Give a number that may have a fraction, also one that came as text (``laLoad``)."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, bytes):
        try:
            found = float(value.strip(b" \x00\r\n\t"))
        except ValueError:
            return None
        return found if abs(found) < 1e12 else None
    return None


def text(value: Any) -> str | None:
    """Give a readable text: UTF-8, else Japanese CP932, else Latin-1; None when nothing readable was said."""
    if not isinstance(value, bytes | str):
        return None
    found = _decode(value) if isinstance(value, bytes) else value
    found = found.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub(" ", found).strip().strip('"').strip() or None


def line(value: Any) -> str | None:
    """Give a readable text on one line."""
    return _line(value) if isinstance(value, bytes | str) else None


@lru_cache(maxsize=16384)  # the names of ports and disks are the same in every poll
def _line(value: bytes | str) -> str | None:
    found = text(value)
    return " ".join(found.split()) if found else None


def _decode(raw: bytes) -> str:
    raw = raw.strip(b"\x00")
    if len(raw) > 3 and len(raw) % 2 == 1 and not any(raw[1::2]):
        raw += b"\x00"  # little-endian UTF-16 whose last zero went with the padding
    if len(raw) > 3 and not any(raw[1::2]) and all(raw[::2]):
        return raw.decode("utf-16-le", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if _CP932_LEAD.search(raw) or _HALF_WIDTH_KANA.search(raw):
        try:
            found = raw.decode("cp932")
        except UnicodeDecodeError:
            return raw.decode("latin-1")
        # Latin-1 letters would have become characters of the private use area.
        if not any("\ue000" <= character <= "\uf8ff" for character in found):
            return found
    return raw.decode("latin-1")


def mac_address(value: Any) -> str | None:
    """Give a MAC address as ``aa:bb:cc:dd:ee:ff``; None when it is not one of six octets or says nothing."""
    if not isinstance(value, bytes):
        return None
    octets: bytes = value
    if len(octets) != 6:
        digits = re.sub(rb"[:\-. ]", b"", octets)
        if not re.fullmatch(rb"[0-9a-fA-F]{12}", digits):
            return None
        octets = bytes.fromhex(digits.decode())
    return None if octets in (b"\x00" * 6, b"\xff" * 6) else octets.hex(":")


def object_identifier(value: Any) -> str | None:
    """Give a dotted object identifier; None for none and for ``0.0``, which is how agents say none."""
    if not isinstance(value, str):
        return None
    dotted: str = value.removeprefix(".")
    return dotted if dotted != "0.0" and re.fullmatch(r"\d+(\.\d+)+", dotted) else None


def date_and_time(value: Any) -> datetime | None:
    """Give the UTC time of a DateAndTime (RFC 2579), 8 or 11 octets or written out; without a zone it is UTC."""
    if not isinstance(value, bytes):
        return None
    if len(value) in (8, 11):
        parts = [int.from_bytes(value[:2], "big"), *value[2:8]]
        sign, hours, minutes = (chr(value[8]), value[9], value[10]) if len(value) == 11 else ("+", 0, 0)
    else:
        found = _TEXT_DATE.fullmatch(value.strip(b"\x00 ").decode("ascii", "replace"))
        if found is None:
            return None
        parts = [int(part or 0) for part in found.groups()[:7]]
        sign, hours, minutes = found[8] or "+", int(found[9] or 0), int(found[10] or 0)
    year, month, day, hour, minute, second, tenth = parts
    if sign not in "+-" or hours > 14:
        return None
    offset = timedelta(hours=hours, minutes=minutes) * (1 if sign == "+" else -1)
    try:
        local = datetime(year, month, day, hour, minute, min(second, 59), min(tenth, 9) * 100_000, timezone(offset))
    except ValueError:
        return None
    return local.astimezone(UTC)


def ticks(value: Any) -> timedelta | None:
    """Give the length of TimeTicks (hundredths of a second)."""
    found = number(value)
    return None if found is None or found < 0 else timedelta(milliseconds=found * 10)


@lru_cache(maxsize=16384)  # the same sensors in every poll are the same objects, by which judging knows them again
def sensor(key: str, name: str, quantity: Quantity, unit: str, limits: Limits | None = None) -> Sensor:
    """Give a sensor; without ``limits`` it has none."""
    return Sensor(key, name, quantity, unit) if limits is None else Sensor(key, name, quantity, unit, limits)
