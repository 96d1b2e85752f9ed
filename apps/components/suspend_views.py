"""Suspend periods as pages show them: rows of lists, what applies to a component or group, entries of the calendar."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from apps.components.models import Component, SuspendPeriod, SuspendPeriodQuerySet
from apps.core import scoping
from apps.core.recurring import LONGEST
from apps.core.schedules import Entry
from apps.groups.models import Group, Tree

SOONEST = 10
IN_FORCE, PLANNED, OFF, OVER = "suspended", "waiting", "skipped", "closed"
WORDS: dict[str, Promise | str] = {
    IN_FORCE: pgettext_lazy("suspend period", "In force"),
    PLANNED: pgettext_lazy("suspend period", "Planned"),
    OFF: pgettext_lazy("suspend period", "Switched off"),
    OVER: pgettext_lazy("suspend period", "Over"),
}


def state_of(period: SuspendPeriod) -> str:
    """Give how a period stands, as a state word."""
    if period.in_force:
        return IN_FORCE
    if period.upcoming_from is None:
        return OVER
    return PLANNED if period.enabled else OFF


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list. Of a group that the reader may not see, neither name nor page is given."""

    period: SuspendPeriod
    state: str
    word: str
    target: str
    target_url: str
    seen: bool
    zone: str  # the period's own, where it is not the reader's

    @property
    def inherited(self) -> bool:
        """Say whether it reaches components by their group."""
        return self.period.group_id is not None


def rows_of(user: Any, periods: Sequence[SuspendPeriod], tree: Tree) -> list[Row]:
    """Give the lines of a list; ``tree`` is what the user may see of the groups."""
    scope = scoping.scope_of(user)
    return [_row(period, period.group_in_charge in scope, tree) for period in periods]


def _row(period: SuspendPeriod, seen: bool, tree: Tree) -> Row:
    state = state_of(period)
    if not seen:
        target, url = _("a group above that you may not see"), ""
    elif period.component is not None:
        target, url = str(period.component), period.component.get_absolute_url()
    else:
        target, url = tree.path_name(period.group_id or 0), f"?group={period.group_id}"
    own = period.time_zone if period.time_zone != str(timezone.get_current_timezone()) else ""
    return Row(period, state, str(WORDS[state]), target, url, seen, own)


@dataclass(frozen=True, slots=True)
class Soonest:
    """What is in force and what comes next, and how much is planned in all."""

    rows: list[Row]
    total: int


def soonest(user: Any) -> Soonest:
    """Give the first of what a user may see."""
    found = SuspendPeriod.objects.visible_to(user).lasting()
    first = found.select_related("component", "group").soonest_first()[:SOONEST]
    return Soonest(rows_of(user, list(first), Group.objects.visible_to(user).tree()), found.count())


def applying_to(target: Component | Group) -> SuspendPeriodQuerySet:
    """Keep the periods that reach a component or a group: its own, and those of the groups above."""
    tree = Group.objects.all().tree()
    if isinstance(target, Component):
        return SuspendPeriod.objects.filter(Q(component=target) | Q(group__in=tree.path(target.group_id)))
    return SuspendPeriod.objects.filter(group__in=tree.path(target.pk))


def entries(user: Any, start: datetime, end: datetime) -> Iterator[Entry]:
    """Give the occurrences that a user may see, for the calendar."""
    tree = Group.objects.visible_to(user).tree()
    periods = SuspendPeriod.objects.visible_to(user).filter(enabled=True)
    for period in near(periods, start, end).select_related("component"):
        target = str(period.component) if period.component is not None else tree.path_name(period.group_id or 0)
        for found in period.rule.between(start, end):
            url = f"{period.get_absolute_url()}?day={found.day.isoformat()}"
            yield Entry(found.start, found.end, period.name, url, IN_FORCE, target)


def near(periods: SuspendPeriodQuerySet, start: datetime, end: datetime) -> SuspendPeriodQuerySet:
    """Leave out those that certainly have nothing from a moment up to another one, by what the columns say."""
    margin = LONGEST[True] + timedelta(days=2)
    low, high = (start - margin).date(), (end + timedelta(days=2)).date()
    lasts_long = Q(length=None) | Q(length__gt=LONGEST[True])
    once = Q(repeat="once") & (Q(first_day__gte=low) | lasts_long)
    series = ~Q(repeat="once") & (Q(last_day=None) | Q(last_day__gte=low))
    return periods.filter(once | series, first_day__lte=high)
