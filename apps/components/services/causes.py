"""Puts and withdraws the reasons why a component is not normal; its status follows from them and nobody writes it.

All functions are bulk: a poll of two hundred interfaces costs a handful of statements. The component rows are locked
first, so that two writers of causes never miss each other's.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.utils import timezone

from apps.components.models import ManagementInterface, StatusCause
from apps.components.services import cause_rows
from apps.components.services.cause_rows import KEY_LENGTH, Cause, Place
from apps.components.services.following import Locked, follow, lock
from apps.core import events, rows
from apps.core.writes import turn

AT_ONCE = 500  # components in one transaction

_deferred: ContextVar[set[int] | None] = ContextVar("components whose status follows later", default=None)


def put(causes: Iterable[Cause]) -> None:
    """Open causes or bring them up to date; ``since`` stays as long as the status does. May be repeated."""
    change(causes, ())


def withdraw(component_id: int, source: str, key: str, interface_id: int | None = None) -> bool:
    """Close one cause; False when it was not open."""
    place = component_id, interface_id, source, key[:KEY_LENGTH]
    found = StatusCause.objects.filter(component=component_id, interface=interface_id, source=source, key=place[3])
    return found.exists() and change((), [place])


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
        ended = {place for pk in ids for place in closed.get(pk, ())}
        withdrew = cause_rows.close(ended)
        return cause_rows.put(mine, now) or withdrew

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
        interfaces = rows.among(interface for pk in ids for interface in owned[pk])
        present = cause_rows.standing(source=source, interface__in=interfaces)
        mine = [cause for pk in ids for cause in wanted[pk] if cause.interface_id in owned[pk]]
        withdrew = cause_rows.close(present.keys() - {cause.place for cause in mine})
        news = [cause for cause in mine if present.get(cause.place) != (cause.status, cause.text)]
        return cause_rows.put(news, now) or withdrew

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
            locked = lock(chunk)
            wrote = write([component.pk for component in locked], now)
            followed = _follow_or_wait(locked, now)
            if wrote or followed:
                events.publish("status")
            changed = changed or wrote
    return changed


def _follow_or_wait(components: Sequence[Locked], now: datetime) -> bool:
    waiting = _deferred.get()
    if waiting is None:
        return follow(components, now)
    waiting.update(component.pk for component in components)
    return False


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]
