"""Single values of Redfish resources: what is missing or odd is None, never an error."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from apps.drivers.contract import Limits, Quantity, Sensor

Resource = Mapping[str, Any]
_EMPTY: Resource = {}
_NO_CLOCK_BEFORE = 2000  # a controller that lost its clock begins in 1970 or 1990
_NOT_SAID = frozenset({"", "null", "none", "n/a", "na", "not specified", "unknown", "to be filled by o.e.m."})
_PLAIN = re.compile(r"[^A-Za-z0-9_-]+")


def text(source: Resource, *names: str) -> str | None:
    """Give the first of these properties that says something."""
    for name in names:
        value = source.get(name)
        if isinstance(value, str) and (found := " ".join(value.split())).lower() not in _NOT_SAID:
            return found
    return None


def number(source: Resource, *names: str) -> float | None:
    """Give the first of these properties that is a number, also when it is written as a text."""
    for name in names:
        value = source.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            continue
        try:
            found = float(value)
        except (ValueError, OverflowError):
            continue
        if math.isfinite(found):
            return found
    return None


def whole(source: Resource, *names: str) -> int | None:
    """Give a number without its fraction."""
    found = number(source, *names)
    return None if found is None else round(found)


def nested(source: Resource, *names: str) -> Resource:
    """Walk down objects; an empty one where there is none."""
    for name in names:
        inner = source.get(name)
        if not isinstance(inner, Mapping):
            return _EMPTY
        source = inner
    return source


def oem(source: Resource) -> Resource:
    """Give the block that iLO 5 and later, or iLO 4, adds to a resource; an empty one with other makers."""
    return nested(source, "Oem", "Hpe") or nested(source, "Oem", "Hp")


def objects(source: Resource, name: str) -> list[Resource]:
    """Give the objects of an array."""
    found = source.get(name)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def words(source: Resource, name: str) -> list[str]:
    """Give the texts of an array."""
    found = source.get(name)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def link(source: Resource, *names: str) -> str | None:
    """Give where a navigation property leads."""
    found = nested(source, *names).get("@odata.id")
    return found if isinstance(found, str) and found else None


def links(source: Resource, name: str) -> list[str]:
    """Give where an array of links leads."""
    return [path for one in objects(source, name) if (path := link(one)) is not None]


def identifier(source: Resource) -> str:
    """Give the name of a resource among its neighbours, fit for a key: its Id, else the end of its path."""
    own = text(source, "Id", "MemberId") or (link(source) or "").rstrip("/").rpartition("/")[2] or text(source, "Name")
    return _PLAIN.sub("-", own or "0").strip("-") or "0"


def is_absent(source: Resource) -> bool:
    """Say whether the place is empty."""
    return nested(source, "Status").get("State") == "Absent"


def moment(value: Any) -> datetime | None:
    """Read a time with its zone; without one it is UTC. None for what lies before any controller had a clock."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return found.astimezone(UTC) if found.year >= _NO_CLOCK_BEFORE else None


def uuid(value: str | None) -> str | None:
    """Give a UUID in its canonical form; None for one that is no one's own."""
    digits = re.sub(r"[^0-9a-f]", "", (value or "").lower())
    if len(digits) != 32 or len(set(digits)) == 1:
        return None
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def mac_address(value: str | None) -> str | None:
    """Give a MAC address as ``aa:bb:cc:dd:ee:ff``."""
    digits = re.sub(r"[:\-. ]", "", value or "").lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits) or digits in ("0" * 12, "f" * 12):
        return None
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def known(details: Mapping[str, str | int | float | None]) -> dict[str, str | int | float | None]:
    """Leave out what a device does not say."""
    return {label: value for label, value in details.items() if value is not None}


def joined(parts: Sequence[str]) -> str | None:
    """Write several words in one."""
    return ", ".join(dict.fromkeys(parts)) or None


def with_unit(value: float | None, unit: str) -> str | None:
    """Write a number with its unit."""
    return None if value is None else f"{value:g} {unit}"


@lru_cache(maxsize=16384)  # the same sensors in every poll are the same objects, by which judging knows them again
def sensor(key: str, name: str, quantity: Quantity, unit: str, limits: Limits = Limits()) -> Sensor:  # noqa: B008
    """Give a sensor."""
    return Sensor(key, name, quantity, unit, limits)
