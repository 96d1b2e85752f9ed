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

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.components.models import Component, ManagementInterface, Status, StatusCause, StatusChange
from apps.components.models.status import WORST_FIRST
from apps.core import events
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
    by_component: dict[int, list[Cause]] = defaultdict(list)
    for cause in causes:
        by_component[cause.component_id].append(cause)

    def write(ids: Sequence[int], now: datetime) -> bool:
        return _put([cause for pk in ids for cause in by_component[pk]], ids, now)

    _change(by_component, write)


def withdraw(component_id: int, source: str, key: str, interface_id: int | None = None) -> bool:
    """Close one cause; False when it was not open."""
    mine = StatusCause.objects.filter(
        component=component_id, source=source, key=key[:KEY_LENGTH], interface=interface_id
    )
    if not mine.exists():
        return False
    return _change([component_id], lambda ids, now: bool(mine.delete()[0]))


def withdraw_all(source: str, keys: Mapping[int, Collection[str]]) -> None:
    """Close the causes of a source with these keys, by component, where they are of no interface."""
    _change(keys, lambda ids, now: _withdraw(source, {pk: keys[pk] for pk in ids}))


def change(source: str, wanted: Iterable[Cause], gone: Mapping[int, Collection[str]]) -> None:
    """Put causes and close others of a source, as ``put`` and ``withdraw_all`` do; the status follows once."""
    by_component: dict[int, list[Cause]] = defaultdict(list)
    for cause in wanted:
        by_component[cause.component_id].append(cause)

    def write(ids: Sequence[int], now: datetime) -> bool:
        withdrew = _withdraw(source, {pk: gone[pk] for pk in ids if pk in gone})
        return _put([cause for pk in ids for cause in by_component.get(pk, ())], ids, now) or withdrew

    _change({*by_component, *gone}, write)


def settle(source: str, interface_ids: Iterable[int], causes: Iterable[Cause]) -> None:
    """Make the open causes of a source on these interfaces exactly these."""
    wanted: dict[int, list[Cause]] = defaultdict(list)
    for cause in causes:
        wanted[cause.component_id].append(cause)
    owned: dict[int, list[int]] = defaultdict(list)
    rows = ManagementInterface.objects.filter(pk__in=list(interface_ids)).order_by()
    for interface_id, component_id in rows.values_list("pk", "component_id"):
        owned[component_id].append(interface_id)

    def write(ids: Sequence[int], now: datetime) -> bool:
        interfaces = [interface for pk in ids for interface in owned[pk]]
        present = {_place(row): row for row in StatusCause.objects.filter(source=source, interface__in=interfaces)}
        mine = [cause for pk in ids for cause in wanted[pk] if cause.interface_id in owned[pk]]
        gone = [row.pk for place, row in present.items() if place not in {cause.place for cause in mine}]
        if gone:
            StatusCause.objects.filter(pk__in=gone).delete()
        return _upsert(mine, present, now) or bool(gone)

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
            locked = list(Component.objects.select_for_update().filter(pk__in=chunk).order_by("pk"))
            wrote = write([component.pk for component in locked], now)
            followed = _follow_or_wait(locked, now)
            if wrote or followed:
                events.publish("status")
            changed = changed or wrote
    return changed


def _follow_or_wait(components: Sequence[Component], now: datetime) -> bool:
    waiting = _deferred.get()
    if waiting is None:
        return _follow(components, now)
    waiting.update(component.pk for component in components)
    return False


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]


def _put(wanted: Sequence[Cause], ids: Sequence[int], now: datetime) -> bool:
    if not wanted:
        return False
    sources, keys = {cause.source for cause in wanted}, {cause.place[3] for cause in wanted}
    present = StatusCause.objects.filter(component__in=ids, source__in=sources, key__in=keys)
    return _upsert(wanted, {_place(row): row for row in present}, now)


def _withdraw(source: str, keys: Mapping[int, Collection[str]]) -> bool:
    wanted = {(pk, key[:KEY_LENGTH]) for pk, mine in keys.items() for key in mine}
    if not wanted:
        return False
    present = StatusCause.objects.filter(
        component__in=list(keys), source=source, interface=None, key__in={key for _pk, key in wanted}
    )
    rows = present.order_by().values_list("pk", "component_id", "key")
    gone = [pk for pk, component_id, key in rows if (component_id, key) in wanted]
    if gone:
        StatusCause.objects.filter(pk__in=gone).delete()
    return bool(gone)


def _place(row: StatusCause) -> Place:
    return row.component_id, row.interface_id, row.source, row.key


def _upsert(wanted: Sequence[Cause], present: dict[Place, StatusCause], now: datetime) -> bool:
    new, changed = {}, []
    for cause in wanted:
        row = present.get(cause.place)
        if row is None:
            new[cause.place] = StatusCause(
                component_id=cause.component_id,
                interface_id=cause.interface_id,
                source=cause.source,
                key=cause.place[3],
                status=cause.status,
                text=cause.text,
                since=now,
            )
        elif (row.status, row.text) != (cause.status, cause.text):
            row.since = row.since if row.status == cause.status else now
            row.status, row.text = cause.status, cause.text
            changed.append(row)
    if new:
        StatusCause.objects.bulk_create(new.values())
    if changed:
        StatusCause.objects.bulk_update(changed, ["status", "text", "since"])
    return bool(new or changed)


@dataclass(slots=True)
class _Polled:
    """What is known of the interfaces of one component."""

    counted: set[int]  # enabled ones
    asked: bool = False  # any of them was polled
    answered: bool = False  # any of them was polled and did not stay silent


def _follow(components: Sequence[Component], now: datetime) -> bool:
    """Set the status of these components and of their interfaces by their causes; says whether any changed."""
    ids = [component.pk for component in components]
    unmanaged = {component.pk for component in components if component.unmanaged}
    interfaces = list(
        ManagementInterface.objects.filter(component__in=ids)
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

    worst: dict[int, tuple[str, Phrase]] = {}
    of_interface: dict[int, str] = {}
    rows = StatusCause.objects.filter(component__in=ids).order_by("since", "pk")
    for component_id, interface_id, status, text in rows.values_list("component_id", "interface_id", "status", "text"):
        if interface_id is not None:
            of_interface[interface_id] = _worse(status, of_interface.get(interface_id))
        if interface_id is None or interface_id in known[component_id].counted:
            present = worst.get(component_id)
            if present is None or WORST_FIRST[status] < WORST_FIRST[present[0]]:
                worst[component_id] = (status, text)

    _write_interfaces(
        {
            pk: _interface_status(of_interface.get(pk), polled_at, code)
            for pk, _component, _enabled, polled_at, code, _status, _answer_at in interfaces
        },
        {row[0]: row[5] for row in interfaces},
    )
    return _write_components(components, worst, now)


def _worse(status: str, other: str | None) -> str:
    return status if other is None or WORST_FIRST[status] < WORST_FIRST[other] else other


def _interface_status(worst_cause: str | None, polled_at: datetime | None, error_code: str) -> str:
    """An interface that does not answer is unknown, whatever it said last."""
    if polled_at is None or error_code:
        return Status.UNKNOWN
    return worst_cause or Status.NORMAL


def _mark_unpolled(known: dict[int, _Polled], unmanaged: set[int], now: datetime) -> None:
    """Keep a component unknown, with the reason, until an enabled interface has answered a poll."""
    present = {
        row.component_id: row
        for row in StatusCause.objects.filter(
            Q(interface=None), component__in=known, source=REGISTRATION, key=NOT_POLLED
        )
    }
    wanted = []
    for pk, polled in known.items():
        if polled.answered:
            continue
        wanted.append(Cause(pk, REGISTRATION, NOT_POLLED, Status.UNKNOWN.value, _why_unknown(polled, pk in unmanaged)))
    _upsert(wanted, {_place(row): row for row in present.values()}, now)
    gone = [row.pk for pk, row in present.items() if known[pk].answered]
    if gone:
        StatusCause.objects.filter(pk__in=gone).delete()


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


def _write_components(components: Sequence[Component], worst: dict[int, tuple[str, Phrase]], now: datetime) -> bool:
    by_status: dict[str, list[int]] = defaultdict(list)
    changes = []
    for component in components:
        status, text = worst.get(component.pk, (Status.NORMAL.value, Phrase()))
        if status != component.status:
            by_status[status].append(component.pk)
            changes.append(StatusChange(component_id=component.pk, at=now, old=component.status, new=status, text=text))
    for status, pks in by_status.items():
        Component.objects.filter(pk__in=pks).update(status=status, status_since=now)
    StatusChange.objects.bulk_create(changes)
    return bool(changes)
