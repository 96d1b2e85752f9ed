"""Keeps what devices wrote into their own event logs, each entry once, and how far each log was read.

A look keeps nothing when another one was kept since it began: two workers may read the same log, and whoever comes
second finds the number of looks moved on. What a kill cuts off is read again; the database takes no entry twice.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DataError, IntegrityError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.components.contact import Line, words
from apps.components.models import ManagementInterface, StatusCause
from apps.components.services import causes
from apps.components.services.causes import Cause
from apps.core import events, options
from apps.core.phrases import Phrase
from apps.core.writes import turn
from apps.drivers.contract import Capability, LoggedEvent
from apps.monitoring.models import LoggedEntry, LogPlace
from apps.monitoring.services import log_rows
from apps.monitoring.services.log_reading import Begin, Look
from apps.protocols.errors import Unsupported

SOURCE = "event-log"
FULL, UNREADABLE = "full", "unreadable"
NEARLY_FULL = 90.0  # %
FILLED = gettext_noop("The event log is %(filled)s %% full; when it is full, what happens then may be lost.")
UNREAD = gettext_noop("The event log could not be read for some time: %(error)s")
EARLY = 0.9  # of the period: polls are not so punctual that one of them must wait for the next
GOES_ON = timedelta(seconds=60)  # until the next look into a log that was not read to its end
AT_ONCE = 100  # interfaces in one transaction
ROWS = 500  # entries in one transaction

log = logging.getLogger(__name__)


def due(lines: Iterable[Line], *, every: bool = False) -> dict[int, Begin]:
    """Give where to begin with those interfaces whose event log is to be read now; ``every``: all that have one."""
    able = {one.interface_id: _way(one) for one in lines if one.spec and Capability.EVENT_LOG in one.spec.capabilities}
    found: dict[int, Begin] = {}
    if not able:
        return found
    period = timedelta(seconds=options.get("event_log_interval"))
    before = timezone.now() - period * EARLY
    if period or every:
        found = {pk: Begin(way=way) for pk, way in able.items()}
    rows = LogPlace.objects.filter(interface__in=list(able)).order_by()
    for pk, way, place, looks, asked_at in rows.values_list("pk", "way", "place", "looks", "asked_at"):
        if way not in ("", able[pk]):
            found[pk] = Begin({}, looks, able[pk], moved=True)
        elif every or asked_at is None or (period and asked_at <= before):
            found[pk] = Begin(place, looks, able[pk])
        else:
            found.pop(pk, None)
    return found


def _way(line: Line) -> str:
    return f"{line.driver} {line.target.address} {line.target.port}"


def look_soon(component_id: int) -> None:
    """Have the logs of a component read at the next poll; a look that is under way counts no more."""
    with turn():
        log_rows.forget_looks(LogPlace.objects.filter(interface__component=component_id))


def keep_before_clearing(interface_id: int, told: Sequence[LoggedEvent]) -> None:
    """Write what of a whole log is not kept yet; the next look finds it emptied, and marks it all."""
    entries = log_rows.entries(interface_id, told, time.time())
    for start in range(0, len(entries), ROWS):
        with turn():
            if ManagementInterface.objects.filter(pk=interface_id).exists():
                log_rows.insert(entries[start : start + ROWS])


@dataclass(frozen=True, slots=True)
class _Piece:
    """Entries of one look that are written together; with the last of them the place moves on."""

    look: Look
    rows: Sequence[Sequence[Any]]
    is_last: bool


def keep(looks: Sequence[Look]) -> None:
    """Write what looks into event logs gave."""
    told = [look for look in looks if look.part is not None]
    failed = [look for look in looks if look.error is not None]
    written = 0
    for pieces in _together(_pieces(told)):
        written += _write(pieces)
    for start in range(0, len(failed), AT_ONCE):
        with turn():
            some = _present(failed[start : start + AT_ONCE])
            lasting = _failed_before(some)
            log_rows.note_failures(some, words)
        causes.put(_unreadable(look) for look in some if look.interface_id in lasting)
    _settle(told)
    _go_on([look.interface_id for look in told if look.part is not None and look.part.place.get("more")])
    if written:
        events.publish("component")


def _failed_before(looks: Sequence[Look]) -> set[int]:
    """Give the interfaces whose log could not be read at the last look either; one failure alone is soon forgotten.

    A device that says that it has none is well without.
    """
    looked = [look.interface_id for look in looks if not isinstance(look.error, Unsupported)]
    rows = LogPlace.objects.filter(interface__in=looked).order_by()
    return {pk for pk, error in rows.values_list("pk", "error") if error}


def _unreadable(look: Look) -> Cause:
    text = Phrase(UNREAD, {"error": words(look.error) if look.error is not None else ""})
    return Cause(look.component_id, SOURCE, UNREADABLE, "unknown", text, look.interface_id)


def _pieces(looks: Iterable[Look]) -> Iterator[_Piece]:
    for look in looks:
        if look.part is None:
            continue
        current: Look | None = look
        if look.part.cleared or look.begin.moved:
            current = _mark_cleared(look)
        if current is None:
            continue
        entries = log_rows.entries(look.interface_id, look.part.events, look.at)
        starts = range(0, len(entries), ROWS) or (0,)
        for start in starts:
            yield _Piece(current, entries[start : start + ROWS], start == starts[-1])


def _together(pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    """Pack pieces into transactions."""
    found: list[_Piece] = []
    number = 0
    for piece in pieces:
        if found and (len(found) >= AT_ONCE or number + len(piece.rows) > ROWS):
            yield found
            found, number = [], 0
        found.append(piece)
        number += len(piece.rows)
    if found:
        yield found


def _mark_cleared(look: Look) -> Look | None:
    """Mark what was kept as from before the clearing, some at a time; None where another look was kept meanwhile.

    Only then the place moves to the beginning: who is killed before marks on, who is killed later reads all anew.
    """
    part = look.part
    if part is None:
        return None
    mine = Q(interface=look.interface_id, cleared_at=None)
    if part.logs and not look.begin.moved:
        named = Q(pk=None)
        for prefix in part.logs:
            named |= Q(key__startswith=prefix)
        mine &= named
    at = datetime.fromtimestamp(look.at, UTC)
    while True:
        with turn():
            if not _still([look]):
                return None
            some = list(LoggedEntry.objects.filter(mine).order_by("pk").values_list("pk", flat=True)[:ROWS])
            LoggedEntry.objects.filter(pk__in=some).update(cleared_at=at)
            if len(some) < ROWS:
                begin = Begin({}, look.begin.looks + 1, look.begin.way)
                changed = {"place": {}, "looks": begin.looks, "way": begin.way}
                LogPlace.objects.filter(pk=look.interface_id).update(**changed)
                return replace(look, begin=begin)


def _write(pieces: Sequence[_Piece]) -> int:
    """Write pieces; what the database refuses costs only the log that holds it."""
    try:
        with turn():
            return _write_all(pieces)
    except (DataError, IntegrityError, ValueError) as error:
        if len(pieces) > 1:
            return sum(_write([piece]) for piece in pieces)
        interface_id = pieces[0].look.interface_id
        log.warning("entries of the event log of interface %s cannot be kept: %s", interface_id, type(error).__name__)
        return 0


def _write_all(pieces: Sequence[_Piece]) -> int:
    going_on = _still([piece.look for piece in pieces])
    mine = [piece for piece in pieces if piece.look.interface_id in going_on]
    written = log_rows.insert([row for piece in mine for row in piece.rows])
    log_rows.move_on([piece.look for piece in mine if piece.is_last])
    return written


def _present(looks: Sequence[Look]) -> list[Look]:
    """Leave out the looks at interfaces that were removed meanwhile."""
    ids = [look.interface_id for look in looks]
    present = set(ManagementInterface.objects.filter(pk__in=ids).order_by().values_list("pk", flat=True))
    return [look for look in looks if look.interface_id in present]


def _still(looks: Sequence[Look]) -> set[int]:
    """Give the interfaces of which no look was kept since these began, and hold them to the end of the transaction."""
    present = _present(looks)
    log_rows.begin([look.interface_id for look in present])
    ids = [look.interface_id for look in present]
    locked = LogPlace.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    known = dict(locked.values_list("pk", "looks"))
    return {look.interface_id for look in present if known.get(look.interface_id) == look.begin.looks}


def _settle(looks: Sequence[Look]) -> None:
    """Warn of logs that are nearly full, and end that, and that they could not be read, of those that could."""
    wanted: dict[int, Cause] = {}
    for look in looks:
        part = look.part
        if part is not None and part.filled is not None and part.filled >= NEARLY_FULL and not part.wraps:
            text = Phrase(FILLED, {"filled": f"{int(part.filled)}"})
            pk = look.interface_id
            wanted[pk] = Cause(look.component_id, SOURCE, FULL, "warning", text, pk)
    ids = [look.interface_id for look in looks]
    found = StatusCause.objects.filter(source=SOURCE, interface__in=ids).order_by()
    present: defaultdict[int | None, list[Phrase]] = defaultdict(list)
    for pk, text in found.values_list("interface_id", "text"):
        present[pk].append(text)
    told = {pk: [cause.text] for pk, cause in wanted.items()}
    changed = {pk for pk in ids if present[pk] != told.get(pk, [])}
    if changed:
        causes.settle(SOURCE, changed, [cause for pk, cause in wanted.items() if pk in changed])


def _go_on(interface_ids: Sequence[int]) -> None:
    """Poll those soon whose logs were not read to the end; at most so many entries come with one look."""
    if not interface_ids:
        return
    soon = timezone.now() + GOES_ON
    with turn():
        waiting = ManagementInterface.objects.filter(pk__in=interface_ids, enabled=True, next_poll_at__gt=soon)
        waiting.update(next_poll_at=soon)
