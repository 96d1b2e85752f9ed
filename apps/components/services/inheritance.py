"""Which suspend periods a component has from its groups, and what of its own they make superfluous.

A schedule that a group has is not kept a second time on a component below it: the group's wins, the component's goes,
and whoever caused it is told. What a component has of its own stays with it wherever it moves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.components.models import Component, SuspendPeriod
from apps.components.services import suspension
from apps.core import audit, scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.groups.models import Group, Tree


@dataclass(frozen=True, slots=True)
class Move:
    """What moving a component into another group does to its suspend periods."""

    left: Sequence[SuspendPeriod]  # of the groups above it up to now
    gained: Sequence[SuspendPeriod]  # of those above it from now on
    replaced: Sequence[SuspendPeriod]  # its own, which the new groups have too
    kept: Sequence[SuspendPeriod]  # its own


def inherited(component: Component, tree: Tree | None = None) -> list[SuspendPeriod]:
    """Give the periods that a component has from its group and those above."""
    return _of_groups((tree or Group.objects.all().tree()).path(component.group_id))


def effect_of_move(component: Component, group: Group) -> Move:
    """Look ahead at what moving a component into a group would do."""
    tree = Group.objects.all().tree()
    before, after = _of_groups(tree.path(component.group_id)), _of_groups(tree.path(group.pk))
    own = list(component.suspend_periods.soonest_first().lasting())
    theirs = {essence(period) for period in after if period.enabled}
    return Move(
        left=[period for period in before if period not in after],
        gained=[period for period in after if period not in before],
        replaced=[period for period in own if period.enabled and essence(period) in theirs],
        kept=[period for period in own if not period.enabled or essence(period) not in theirs],
    )


def follow_component(component: Component, actor: Actor) -> None:
    """After a component came into its group: drop its own periods that the group has too, and suspend what is due."""
    own = list(component.suspend_periods.filter(enabled=True))
    if own:
        theirs = {essence(period): period for period in inherited(component) if period.enabled}
        for period in own:
            if essence(period) in theirs:
                forget(period, actor, theirs[essence(period)])
    suspension.settle([component.pk])


def follow_group(group: Group, actor: Actor) -> None:
    """After a group moved in the tree: what stands above it now reaches everything below it."""
    for period in _of_groups(Group.objects.all().tree().path(group.pk)):
        if period.enabled:
            drop_doubled(period, actor, below=group)
    suspension.settle_all_later()


def take_over(component: Component, other: Component, actor: Actor) -> None:
    """Give the periods of one component to another, because both are the same machine."""
    known = {essence(period) for period in component.suspend_periods.all()}
    for period in list(other.suspend_periods.select_related("component")):
        if essence(period) in known:
            forget(period, actor)
    other.suspend_periods.update(component=component)


def refuse_doubled(period: SuspendPeriod, actor: Actor) -> None:
    """Raise Conflict where a group above the component has the same schedule."""
    component = period.component
    for theirs in inherited(component) if component is not None else ():
        if theirs.enabled and essence(theirs) == essence(period):
            if actor.user is not None and not scoping.may(actor.user, "view", theirs.group_id):
                raise Conflict(_("A group above %(component)s has this schedule already.") % {"component": component})
            raise Conflict(
                _("The group %(group)s has this schedule already, and it reaches %(component)s: %(name)s.")
                % {"group": theirs.group, "component": component, "name": theirs.name}
            )


def drop_doubled(period: SuspendPeriod, actor: Actor, below: Group | None = None) -> list[SuspendPeriod]:
    """Remove what components below a group have of their own and now have from the group; gives those."""
    reached = Group.objects.all().tree().subtree(below.pk if below is not None else period.group_id or 0)
    alike = {"repeat": period.repeat, "time_zone": period.time_zone, "begins": period.begins, "length": period.length}
    own = SuspendPeriod.objects.filter(component__group__in=reached, enabled=True, **alike)
    doubled = [one for one in own.select_related("component").order_by("pk") if essence(one) == essence(period)]
    for one in doubled:
        forget(one, actor, period)
    return doubled


def forget(period: SuspendPeriod, actor: Actor, because_of: SuspendPeriod | None = None) -> None:
    """Remove a row, also because a group has the same; the caller sees to the flags."""
    after = {"replaced_by": because_of.pk, "of_group": str(because_of.group)} if because_of is not None else None
    audit.record(actor, "suspend-period.remove", period, before=facts(period), after=after)
    SuspendPeriod.objects.filter(pk=period.pk).delete()


def essence(period: SuspendPeriod) -> tuple[object, ...]:
    """Give what decides everything that a period will do."""
    return period.rule.essence(timezone.now())


def facts(period: SuspendPeriod) -> dict[str, Any]:
    """Give what the audit keeps of a period."""
    return {
        "name": period.name,
        "component": period.component_id,
        "group": period.group_id,
        "enabled": period.enabled,
        **period.told_rule,
    }


def _of_groups(group_ids: Sequence[int]) -> list[SuspendPeriod]:
    rows = SuspendPeriod.objects.filter(group__in=group_ids).lasting()
    return list(rows.select_related("group").soonest_first())
