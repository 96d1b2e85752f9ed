"""Suspends components and lets them go, as the suspend periods say: the one place that writes the flag.

What is in force stands on the periods; the flags of the components follow from it. Each slice is decided anew under the
locks of its components, so that whoever comes last writes what is right, and nothing stays suspended by an accident.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.components.models import Component, SuspendPeriod
from apps.core import events
from apps.core.writes import turn
from apps.groups.models import Group

AT_ONCE = 500
PLACED = ("in_force", "upcoming_from", "upcoming_until")
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Covering:
    """The periods in force, by what they reach."""

    of_components: dict[int, SuspendPeriod]
    of_groups: dict[int, SuspendPeriod]  # also of those below

    @classmethod
    def read(cls, component_ids: Collection[int] | None = None) -> "Covering":
        """Read the periods in force, of single components only those of these."""
        running = SuspendPeriod.objects.in_force()
        own = Q(component__isnull=False) if component_ids is None else Q(component__in=component_ids)
        found = cls({}, {})
        shared = []
        for period in running.filter(own | Q(group__isnull=False)).order_by("pk"):
            if period.component_id is not None:
                _keep_longest(found.of_components, period.component_id, period)
            else:
                shared.append(period)
        tree = Group.objects.all().tree() if shared else None
        for period in shared:
            for group_id in tree.subtree(period.group_id) if tree is not None else ():
                _keep_longest(found.of_groups, group_id, period)
        return found

    def decides(self, component_id: int, group_id: int) -> SuspendPeriod | None:
        """Give the period that keeps a component suspended the longest; None where none does."""
        reaching = (self.of_components.get(component_id), self.of_groups.get(group_id))
        return max((one for one in reaching if one is not None), key=_lasts, default=None)


def _lasts(period: SuspendPeriod) -> datetime:
    return period.upcoming_until or NEVER


def _keep_longest(found: dict[int, SuspendPeriod], pk: int, period: SuspendPeriod) -> None:
    if pk not in found or _lasts(period) > _lasts(found[pk]):
        found[pk] = period


def follow(now: datetime | None = None) -> int:
    """Let the periods begin and end that are due, and their components with them; gives how many periods."""
    moment, turned = now or timezone.now(), 0
    while True:
        with turn():
            due = list(SuspendPeriod.objects.due(moment).select_for_update().order_by("pk")[:AT_ONCE])
            for period in due:
                period.place(moment)
            SuspendPeriod.objects.bulk_update(due, PLACED, batch_size=100)
        turned += len(due)
        if len(due) < AT_ONCE:
            break
    if turned:
        settle_all()
    return turned


def settle_all() -> int:
    """Bring every component's flag to what the periods in force say, in slices; gives how many were wrong."""
    covering = Covering.read()
    concerned = Q(suspended=True) | Q(pk__in=covering.of_components) | Q(group__in=covering.of_groups)
    rows = Component.objects.filter(concerned).order_by("pk")
    wrong = [
        pk
        for pk, group_id, *now in rows.values_list("pk", "group", "suspended", "suspension", "suspended_until")
        if now != _wanted(covering.decides(pk, group_id))
    ]
    return settle(wrong)


def settle(component_ids: Iterable[int]) -> int:
    """Bring the flags of these components to what the periods in force say; gives how many changed."""
    changed = 0
    ids = sorted(set(component_ids))
    for start in range(0, len(ids), AT_ONCE):
        with turn():
            changed += _settle_slice(ids[start : start + AT_ONCE])
    return changed


def settle_all_later() -> None:
    """Settle everything after the commit: a group may have more below it than one transaction should hold."""
    transaction.on_commit(settle_all, robust=True)


def _settle_slice(ids: Sequence[int]) -> int:
    rows = Component.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    components = list(rows.only("pk", "group_id", "suspended", "suspension_id", "suspended_until"))
    covering = Covering.read(ids)
    changed = []
    for component in components:
        wanted = _wanted(covering.decides(component.pk, component.group_id))
        if [component.suspended, component.suspension_id, component.suspended_until] != wanted:
            component.suspended, component.suspension_id, component.suspended_until = wanted
            changed.append(component)
    Component.objects.bulk_update(changed, ["suspended", "suspension", "suspended_until"], batch_size=100)
    if changed:
        events.publish("status", "component")
    return len(changed)


def _wanted(period: SuspendPeriod | None) -> list[object]:
    return [period is not None, period.pk if period else None, period.upcoming_until if period else None]
