"""Lets the status of components and of their interfaces follow from the causes that are open."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils.translation import gettext_noop

from apps.components.models import Component, ManagementInterface, Status, StatusCause, StatusChange
from apps.components.services import cause_rows
from apps.components.services.cause_rows import REGISTRATION, Cause
from apps.core import rows
from apps.core.phrases import Phrase
from apps.drivers.contract import WORST_FIRST

NOT_POLLED = "not-polled"
NOT_POLLED_YET = Phrase(gettext_noop("Not polled yet."))
NEVER_ANSWERED = Phrase(gettext_noop("It has not answered yet."))
NOTHING_ENABLED = Phrase(gettext_noop("No management interface is enabled."))
NOT_MANAGED = Phrase(gettext_noop("Set to not managed: it is not watched."))

_STATUSES = tuple(Status.values)  # by rank
_UNKNOWN = WORST_FIRST[Status.UNKNOWN.value]
_RANK = f"CASE s.status {' '.join(f'WHEN {word!r} THEN {rank}' for word, rank in WORST_FIRST.items())} END"
_COMPONENTS, _INTERFACES = Component._meta.db_table, ManagementInterface._meta.db_table
_CAUSES = StatusCause._meta.db_table


class Locked(NamedTuple):
    """What of a component decides its status, besides its causes."""

    pk: int
    status: str
    unmanaged: bool


class _Interface(NamedTuple):
    """What of an interface does."""

    pk: int
    component_id: int
    enabled: bool
    was_polled: bool
    has_failed: bool  # at its last poll
    has_answered: bool  # ever
    status: str
    worst: int | None  # rank of the worst cause on it


class _Own(NamedTuple):
    """The causes of a component that are on none of its interfaces."""

    worst: int | None = None
    is_marked: bool = False  # as one that no poll has been answered of


def lock(component_ids: Sequence[int]) -> list[Locked]:
    """Lock components, in the order of their ids, and read them."""
    among = rows.among(component_ids)
    closed = "FOR UPDATE" if connection.features.has_select_for_update else ""
    statement = f"SELECT id, status, unmanaged FROM {_COMPONENTS} WHERE id IN ({among.sql}) ORDER BY id {closed}"  # noqa: S608
    return [Locked(*row) for row in _all(statement, among.params)]


def follow(components: Sequence[Locked], now: datetime) -> bool:
    """Set the status of these components and of their interfaces by their causes; says whether any changed."""
    ids = [component.pk for component in components]
    unmanaged = {component.pk for component in components if component.unmanaged}
    every, own = _interfaces(ids), _own(ids)
    counted: dict[int, list[_Interface]] = defaultdict(list)
    for interface in every:
        if interface.enabled and interface.component_id not in unmanaged:
            counted[interface.component_id].append(interface)
    unpolled = {pk for pk in ids if not any(_was_read(interface) for interface in counted[pk])}
    _mark({pk: _why_unknown(counted[pk], pk in unmanaged) for pk in unpolled}, own, now)
    _write_interfaces(every)

    changed: dict[Locked, str] = {}
    for component in components:
        ranks = [interface.worst for interface in counted[component.pk]]
        ranks += [own.get(component.pk, _Own()).worst, _UNKNOWN if component.pk in unpolled else None]
        worst = _STATUSES[min((rank for rank in ranks if rank is not None), default=WORST_FIRST[Status.NORMAL])]
        if worst != component.status:
            changed[component] = worst
    _write_components(changed, {interface.pk for found in counted.values() for interface in found}, now)
    return bool(changed)


def _interfaces(component_ids: Sequence[int]) -> list[_Interface]:
    among = rows.among(component_ids)
    found = _all(
        "SELECT i.id, i.component_id, i.enabled, i.last_polled_at IS NOT NULL, i.last_error_code <> '',"  # noqa: S608
        f" i.last_answer_at IS NOT NULL, i.status, MIN({_RANK}) FROM {_INTERFACES} i LEFT JOIN {_CAUSES} s"
        f" ON s.interface_id = i.id AND s.component_id = i.component_id WHERE i.component_id IN ({among.sql})"
        " GROUP BY i.id",
        among.params,
    )
    return [_Interface(*row) for row in found]


def _own(component_ids: Sequence[int]) -> dict[int, _Own]:
    among = rows.among(component_ids)
    marks = f"s.source = '{REGISTRATION}' AND s.\"key\" = '{NOT_POLLED}'"
    found = _all(
        f"SELECT s.component_id, MIN(CASE WHEN {marks} THEN NULL ELSE {_RANK} END),"  # noqa: S608
        f" MAX(CASE WHEN {marks} THEN 1 ELSE 0 END) FROM {_CAUSES} s"
        f" WHERE s.interface_id IS NULL AND s.component_id IN ({among.sql}) GROUP BY s.component_id",
        among.params,
    )
    return {pk: _Own(worst, bool(is_marked)) for pk, worst, is_marked in found}


def _all(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def _was_read(interface: _Interface) -> bool:
    return interface.was_polled and (interface.has_answered or not interface.has_failed)


def _mark(unpolled: Mapping[int, Phrase], own: Mapping[int, _Own], now: datetime) -> None:
    """Keep a component unknown, with the reason, until an enabled interface has answered a poll."""
    reasons = [Cause(pk, REGISTRATION, NOT_POLLED, Status.UNKNOWN.value, why) for pk, why in unpolled.items()]
    cause_rows.put(reasons, now)
    polled = [pk for pk, causes in own.items() if causes.is_marked and pk not in unpolled]
    cause_rows.close([(pk, None, REGISTRATION, NOT_POLLED) for pk in polled])


def _why_unknown(counted: Collection[_Interface], is_unmanaged: bool) -> Phrase:
    if is_unmanaged:
        return NOT_MANAGED
    if not counted:
        return NOTHING_ENABLED
    return NEVER_ANSWERED if any(interface.was_polled for interface in counted) else NOT_POLLED_YET


def _write_interfaces(interfaces: Sequence[_Interface]) -> None:
    """Write what changed. An interface that does not answer is unknown, whatever it said last."""
    by_status: dict[str, list[int]] = defaultdict(list)
    for interface in interfaces:
        rank = WORST_FIRST[Status.NORMAL] if interface.worst is None else interface.worst
        status = _STATUSES[_UNKNOWN if not interface.was_polled or interface.has_failed else rank]
        if status != interface.status:
            by_status[status].append(interface.pk)
    for status, pks in by_status.items():
        ManagementInterface.objects.filter(pk__in=rows.among(pks)).update(status=status)


def _write_components(changed: Mapping[Locked, str], counted: Collection[int], now: datetime) -> None:
    reasons = _reasons({component.pk: status for component, status in changed.items()}, counted)
    by_status: dict[str, list[int]] = defaultdict(list)
    changes = []
    for component, status in changed.items():
        by_status[status].append(component.pk)
        text = reasons.get(component.pk, Phrase())
        changes.append(StatusChange(component_id=component.pk, at=now, old=component.status, new=status, text=text))
    for status, pks in by_status.items():
        Component.objects.filter(pk__in=rows.among(pks)).update(status=status, status_since=now)
    StatusChange.objects.bulk_create(changes)


def _reasons(statuses: Mapping[int, str], counted: Collection[int]) -> dict[int, Phrase]:
    """Give the text of the oldest of the worst causes of components."""
    if not statuses:
        return {}
    found: dict[int, Phrase] = {}
    causes = StatusCause.objects.filter(component__in=rows.among(statuses)).order_by("since", "pk")
    told = causes.values_list("component_id", "interface_id", "status", "text")
    for component_id, interface_id, status, text in told:
        if status == statuses[component_id] and (interface_id is None or interface_id in counted):
            found.setdefault(component_id, text)
    return found
