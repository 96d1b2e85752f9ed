"""The rows of event logs as the database takes them: entries, and how far each log was read."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import F, QuerySet

from apps.core import rows
from apps.core.phrases import Phrase
from apps.drivers.contract import LoggedEvent
from apps.monitoring.models import LoggedEntry, LogPlace
from apps.monitoring.services.log_reading import Look
from apps.protocols.errors import ContactError

LONGEST_TEXT, LONGEST_RAW = 4_000, 8_000  # characters
_ENTRY = ("interface_id", "key", "at", "placed_at", "read_at", "status", "asserted", "source", "text", "raw")
_ONCE = 'ON CONFLICT (interface_id, "key") WHERE cleared_at IS NULL DO NOTHING'
_PLACE = ("interface_id", "way", "place", "looks", "filled", "wraps", "asked_at", "read_at", "error")
_UNREAD = ("", "{}", 0, None, False, None, None, "")


def entries(interface_id: int, events: Sequence[LoggedEvent], read_at: float) -> list[Sequence[Any]]:
    """Give events as rows, oldest first.

    One that came before the device had a clock stands with its neighbour; one of a clock that is ahead stands where
    it was read, not in the future.
    """
    now = datetime.fromtimestamp(read_at, UTC)
    moment = rows.moment_writer()
    neighbour = next((event.at for event in events if event.at is not None), now)
    found: list[Sequence[Any]] = []
    for event in events:
        neighbour = event.at or neighbour
        text = Phrase(_plain(event.text, LONGEST_TEXT), {name: _plain(v, 1_000) for name, v in event.params.items()})
        found.append(
            (
                *(interface_id, _plain(event.key, 200)),
                *(moment(event.at), moment(min(neighbour, now)), moment(now)),
                *(event.status.value, event.asserted, _plain(event.source, 200)),
                *(text.dumps(), _plain(event.raw, LONGEST_RAW)),
            )
        )
    return found


def insert(found: Sequence[Sequence[Any]]) -> int:
    """Write entries that are not there yet; gives how many."""
    return rows.insert(LoggedEntry, _ENTRY, found, _ONCE)


def begin(interface_ids: Sequence[int]) -> None:
    """Make the rows of places that are not there yet."""
    rows.insert(LogPlace, _PLACE, [(pk, *_UNREAD) for pk in interface_ids], "ON CONFLICT (interface_id) DO NOTHING")


def move_on(looks: Sequence[Look]) -> None:
    """Keep where the next looks begin, and what these told of the logs."""
    moment, table = rows.moment_writer(), LogPlace._meta.db_table
    changed = []
    for look in looks:
        if look.part is None:
            continue
        at = moment(datetime.fromtimestamp(look.at, UTC))
        place = json.dumps(dict(look.part.place)).replace("\\u0000", "")
        asked_at = None if look.part.place.get("more") else at
        told = (look.part.filled, look.part.wraps)
        changed.append((look.interface_id, look.begin.way, place, look.begin.looks + 1, *told, asked_at, at, ""))
    moved = ", ".join(f"{name} = excluded.{name}" for name in _PLACE[1:])
    again = f"ON CONFLICT (interface_id) DO UPDATE SET {moved} WHERE {table}.looks = excluded.looks - 1"
    rows.insert(LogPlace, _PLACE, changed, again)


def note_failures(looks: Sequence[Look], words: Callable[[ContactError], Phrase]) -> None:
    """Keep why logs could not be read; where the next look begins stays."""
    moment, table = rows.moment_writer(), LogPlace._meta.db_table
    told = []
    for look in looks:
        if look.error is not None:
            at = moment(datetime.fromtimestamp(look.at, UTC))
            why = words(look.error).dumps()
            told.append((look.interface_id, look.begin.way, "{}", look.begin.looks, None, False, at, None, why))
    again = (
        "ON CONFLICT (interface_id) DO UPDATE SET asked_at = excluded.asked_at, error = excluded.error"
        f" WHERE {table}.looks = excluded.looks"
    )
    rows.insert(LogPlace, _PLACE, told, again)


def forget_looks(places: "QuerySet[LogPlace]") -> None:
    """Have logs read at the next poll; looks that have begun already are not kept."""
    places.update(asked_at=None, looks=F("looks") + 1)


def _plain(text: str, longest: int) -> str:
    return text.replace("\x00", "")[:longest]
