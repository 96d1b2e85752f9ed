"""Puts and withdraws the reasons why a component is not normal; its status follows from them and nobody writes it.

All functions are bulk: a poll of two hundred interfaces costs a handful of statements. The component rows are locked
first, so that two writers of causes never miss each other's.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.components.models import Component, ManagementInterface, Status, StatusCause, StatusChange
from apps.components.models.status import WORST_FIRST
from apps.core import events, rows
from apps.core.phrases import Phrase
from apps.core.writes import turn

AT_ONCE = 500  # components in one transaction
KEY_LENGTH = 200

REGISTRATION = "registration"
NOT_POLLED = "not-polled"
NOT_POLLED_YET = Phrase(gettext_noop("Not polled yet."))
NEVER_ANSWERED = Phrase(gettext_noop("It has not answered yet."))
NOTHING_ENABLED = Phrase(gettext_noop("No management interface is enabled."))
NOT_MANAGED = Phrase(gettext_noop("Set to not managed: it is not watched."))

_deferred: ContextVar[set[int] | None] = ContextVar("components whose status follows later", default=None)

Place = tuple[int, int | None, str, str]  # component, interface, source, key


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a component not to be normal; ``source`` is who says it, ``key`` what it is about."""

    component_id: int
    source: str
    key: str
    status: str
    text: Phrase
    interface_id: int | None = None

    def __post_init__(self) -> None:
        if self.status not in {Status.CRITICAL, Status.WARNING, Status.UNKNOWN}:
            raise ValueError(f"{self.status!r} is no reason: withdraw the cause instead")

    @property
    def place(self) -> Place:
        """Give what makes it the same cause as one that was put before."""
        return self.component_id, self.interface_id, self.source, self.key[:KEY_LENGTH]


def put(causes: Iterable[Cause]) -> None:
    """Open causes or bring them up to date; ``since`` stays as long as the status does. May be repeated."""
    change(causes, ())


def withdraw(component_id: int, source: str, key: str, interface_id: int | None = None) -> bool:
    """Close one cause; False when it was not open."""
    place = component_id, interface_id, source, key[:KEY_LENGTH]
    return place in _present([place]) and change((), [place])


def withdraw_all(source: str, keys: Mapping[int, Collection[str]]) -> None:
    """Close the causes of a source with these keys, by component, where they are of no interface."""
    change((), [(pk, None, source, key[:KEY_LENGTH]) for pk, mine in keys.items() for key in mine])


def change(wanted: Iterable[Cause], gone: Iterable[Place]) -> bool:
    """Put some causes and close others, so that the status follows once; says whether any of them changed."""
    opened: dict[int, list[Cause]] = defaultdict(list)
    closed: dict[int, list[Place]] = defaultdict(list)
    for cause in wanted:
        opened[cause.component_id].append(cause)
    for place in gone:
        closed[place[0]].append(place)

    def write(ids: Sequence[int], now: datetime) -> bool:
        mine = [cause for pk in ids for cause in opened.get(pk, ())]
        ended = [place for pk in ids for place in closed.get(pk, ())]
        present = _present([*ended, *(cause.place for cause in mine)]) if mine or ended else {}
        withdrew = _withdraw(present[place] for place in set(ended) if place in present)
        return _upsert(mine, present, now) or withdrew

    return _change({*opened, *closed}, write)


def settle(source: str, interface_ids: Iterable[int], causes: Iterable[Cause]) -> None:
    """Make the open causes of a source on these interfaces exactly these."""
    wanted: dict[int, list[Cause]] = defaultdict(list)
    for cause in causes:
        wanted[cause.component_id].append(cause)
    owned: dict[int, list[int]] = defaultdict(list)
    found = ManagementInterface.objects.filter(pk__in=list(interface_ids)).order_by()
    for interface_id, component_id in found.values_list("pk", "component_id"):
        owned[component_id].append(interface_id)

    def write(ids: Sequence[int], now: datetime) -> bool:
        present = _standing(source=source, interface__in=[interface for pk in ids for interface in owned[pk]])
        mine = [cause for pk in ids for cause in wanted[pk] if cause.interface_id in owned[pk]]
        places = {cause.place for cause in mine}
        withdrew = _withdraw(row for place, row in present.items() if place not in places)
        return _upsert(mine, present, now) or withdrew

    _change(owned, write)


def recompute(component_ids: Iterable[int]) -> None:
    """Bring status to what the open causes say, after an interface was added, enabled, disabled or polled first."""
    _change(component_ids, lambda ids, now: False)


@contextmanager
def together() -> Iterator[None]:
    """Make several changes of causes one: in one transaction, after which the status follows once.

    A device that answers again may lose one cause and gain another; in between it was not normal for a moment.
    """
    if _deferred.get() is not None:
        yield
        return
    waiting: set[int] = set()
    token = _deferred.set(waiting)
    try:
        with turn():
            yield
            _deferred.set(None)
            recompute(waiting)
    finally:
        _deferred.reset(token)


def _change(component_ids: Iterable[int], write: Callable[[Sequence[int], datetime], bool]) -> bool:
    """Run a change of causes under the locks of their components, then let the status follow."""
    changed = False
    for chunk in _chunks(sorted(set(component_ids))):
        now = timezone.now()
        with turn():
            found = Component.objects.select_for_update().filter(pk__in=rows.among(chunk)).order_by("pk")
            locked = [_Locked(*row) for row in found.values_list("pk", "status", "unmanaged")]
            wrote = write([component.pk for component in locked], now)
            followed = _follow_or_wait(locked, now)
            if wrote or followed:
                events.publish("status")
            changed = changed or wrote
    return changed


class _Locked(NamedTuple):
    """What of a component decides its status, besides its causes."""

    pk: int
    status: str
    unmanaged: bool


def _follow_or_wait(components: Sequence[_Locked], now: datetime) -> bool:
    waiting = _deferred.get()
    if waiting is None:
        return _follow(components, now)
    waiting.update(component.pk for component in components)
    return False


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]


class _Standing(NamedTuple):
    """A cause that is open now."""

    pk: int
    component_id: int
    interface_id: int | None
    source: str
    key: str
    status: str
    text: Phrase
    since: datetime

    @property
    def place(self) -> Place:
        return self.component_id, self.interface_id, self.source, self.key


def _standing(**conditions: Any) -> dict[Place, _Standing]:
    found = StatusCause.objects.filter(**conditions).order_by().values_list(*_Standing._fields)
    return {row.place: row for row in (_Standing(*values) for values in found)}


def _present(places: Iterable[Place]) -> dict[Place, _Standing]:
    """Give the open causes at these places, and some of the same keys at others."""
    components, _interfaces, sources, keys = (set(part) for part in zip(*places, strict=True))
    return _standing(component__in=rows.among(components), source__in=sources, key__in=keys)


def _upsert(wanted: Sequence[Cause], present: Mapping[Place, _Standing], now: datetime) -> bool:
    new: dict[Place, Cause] = {}
    changed = []
    for cause in wanted:
        row = present.get(cause.place)
        if row is None:
            new[cause.place] = cause
        elif (row.status, row.text) != (cause.status, cause.text):
            since = row.since if row.status == cause.status else now
            changed.append((cause.status, cause.text.dumps(), rows.moment(since), row.pk))
    since = rows.moment(now)
    rows.insert(
        StatusCause,
        ("component_id", "interface_id", "source", "key", "status", "text", "since"),
        [(*place, cause.status, cause.text.dumps(), since) for place, cause in new.items()],
    )
    rows.update(StatusCause, ("status", "text", "since"), changed)
    return bool(new or changed)


def _withdraw(gone: Iterable[_Standing]) -> bool:
    pks = [row.pk for row in gone]
    if pks:
        StatusCause.objects.filter(pk__in=rows.among(pks)).delete()
    return bool(pks)


@dataclass(slots=True)
class _Polled:
    """What is known of the interfaces of one component."""

    counted: set[int]  # enabled ones
    asked: bool = False  # any of them was polled
    answered: bool = False  # any of them was polled and did not stay silent


def _follow(components: Sequence[_Locked], now: datetime) -> bool:
    """Set the status of these components and of their interfaces by their causes; says whether any changed."""
    ids = [component.pk for component in components]
    unmanaged = {component.pk for component in components if component.unmanaged}
    interfaces = list(
        ManagementInterface.objects.filter(component__in=rows.among(ids))
        .order_by()
        .values_list("pk", "component_id", "enabled", "last_polled_at", "last_error_code", "status", "last_answer_at")
    )
    known = {pk: _Polled(set()) for pk in ids}
    for pk, component_id, enabled, polled_at, code, _status, answer_at in interfaces:
        if enabled and component_id not in unmanaged:
            known[component_id].counted.add(pk)
            known[component_id].asked |= polled_at is not None
            known[component_id].answered |= polled_at is not None and (answer_at is not None or not code)
    _mark_unpolled(known, unmanaged, now)

    worst: dict[int, str] = {}
    of_interface: dict[int, str] = {}
    standing = StatusCause.objects.filter(component__in=rows.among(ids)).order_by()
    for component_id, interface_id, status in standing.values_list("component_id", "interface_id", "status").distinct():
        if interface_id is not None:
            of_interface[interface_id] = _worse(status, of_interface.get(interface_id))
        if interface_id is None or interface_id in known[component_id].counted:
            worst[component_id] = _worse(status, worst.get(component_id))

    _write_interfaces(
        {
            pk: _interface_status(of_interface.get(pk), polled_at, code)
            for pk, _component, _enabled, polled_at, code, _status, _answer_at in interfaces
        },
        {row[0]: row[5] for row in interfaces},
    )
    changed = [(component, worst.get(component.pk, Status.NORMAL.value)) for component in components]
    changed = [(component, status) for component, status in changed if status != component.status]
    counted = {pk for polled in known.values() for pk in polled.counted}
    _write_components(changed, _reasons([component.pk for component, _status in changed], worst, counted), now)
    return bool(changed)


def _reasons(component_ids: Sequence[int], worst: Mapping[int, str], counted: Collection[int]) -> dict[int, Phrase]:
    """Give the text of the oldest of the worst causes of components."""
    if not component_ids:
        return {}
    found: dict[int, Phrase] = {}
    causes = StatusCause.objects.filter(component__in=component_ids).order_by("since", "pk")
    for component_id, interface_id, status, text in causes.values_list(
        "component_id", "interface_id", "status", "text"
    ):
        if status == worst.get(component_id) and (interface_id is None or interface_id in counted):
            found.setdefault(component_id, text)
    return found


def _worse(status: str, other: str | None) -> str:
    return status if other is None or WORST_FIRST[status] < WORST_FIRST[other] else other


def _interface_status(worst_cause: str | None, polled_at: datetime | None, error_code: str) -> str:
    """An interface that does not answer is unknown, whatever it said last."""
    if polled_at is None or error_code:
        return Status.UNKNOWN
    return worst_cause or Status.NORMAL


def _mark_unpolled(known: dict[int, _Polled], unmanaged: set[int], now: datetime) -> None:
    """Keep a component unknown, with the reason, until an enabled interface has answered a poll."""
    present = _standing(component__in=rows.among(known), source=REGISTRATION, key=NOT_POLLED, interface=None)
    wanted = []
    for pk, polled in known.items():
        if polled.answered:
            continue
        wanted.append(Cause(pk, REGISTRATION, NOT_POLLED, Status.UNKNOWN.value, _why_unknown(polled, pk in unmanaged)))
    _upsert(wanted, present, now)
    _withdraw(row for row in present.values() if known[row.component_id].answered)


def _why_unknown(polled: _Polled, is_unmanaged: bool) -> Phrase:
    if is_unmanaged:
        return NOT_MANAGED
    if not polled.counted:
        return NOTHING_ENABLED
    return NEVER_ANSWERED if polled.asked else NOT_POLLED_YET


def _write_interfaces(wanted: dict[int, str], present: dict[int, str]) -> None:
    by_status: dict[str, list[int]] = defaultdict(list)
    for pk, status in wanted.items():
        if present[pk] != status:
            by_status[status].append(pk)
    for status, pks in by_status.items():
        ManagementInterface.objects.filter(pk__in=pks).update(status=status)


def _write_components(changed: Sequence[tuple[_Locked, str]], reasons: Mapping[int, Phrase], now: datetime) -> None:
    by_status: dict[str, list[int]] = defaultdict(list)
    changes = []
    for component, status in changed:
        by_status[status].append(component.pk)
        text = reasons.get(component.pk, Phrase())
        changes.append(StatusChange(component_id=component.pk, at=now, old=component.status, new=status, text=text))
    for status, pks in by_status.items():
        Component.objects.filter(pk__in=pks).update(status=status, status_since=now)
    StatusChange.objects.bulk_create(changes)
