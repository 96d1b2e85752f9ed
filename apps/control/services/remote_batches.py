"""The verbs of remote batches: plan, change, pause, resume, remove; and for whom one is."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.access.models import ApiToken
from apps.components.models import Component
from apps.control.models import RemoteBatch, RemoteBatchTarget
from apps.control.operations import OPERATIONS, Arguments
from apps.core import audit, events, scoping
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.recurrence import Repeat, Rule
from apps.core.recurring import check_rule
from apps.core.writes import turn
from apps.groups.models import Group

PLANNING = "schedules"  # the permission, besides that of the operation itself
LONGEST_MAKE_UP = 7 * 24 * 60  # minutes
MOST_TARGETS = 1000  # that are named one by one; more are a group


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch orders, of whom and when."""

    name: str
    operation: str
    arguments: Arguments
    rule: Rule
    components: Sequence[Component] = ()
    group: Group | None = None
    include_subgroups: bool = True
    make_up: int = 0  # minutes; 0: never
    expect: int | None = None
    at_most: int | None = None


def plan_of(batch: RemoteBatch) -> Plan:
    """Give what a batch is now."""
    return Plan(
        batch.name,
        batch.operation,
        batch.arguments,
        batch.rule,
        [target.component for target in batch.targets.select_related("component")],
        batch.group,
        batch.include_subgroups,
        batch.make_up,
        batch.expect,
        batch.at_most,
    )


def create(plan: Plan, actor: Actor, *, paused: bool = False) -> RemoteBatch:
    """Plan a batch that runs on behalf of the actor; raises ValidationError by field, and PermissionDenied."""
    plan = _checked(plan, actor)
    now = timezone.now()
    if plan.rule.current_or_next(now) is None:
        raise ValidationError({_last_field(plan.rule): [_("It is over already.")]})
    with turn():
        batch = RemoteBatch(paused=paused, paused_by_name=actor.short_name[:300] if paused else "")
        _fill(batch, plan, actor)
        batch.place(now)
        batch.save()
        _aim(batch, plan.components)
        audit.record(actor, "remote-batch.create", batch, after=facts(batch))
        events.publish("component")
    return batch


def change(batch: RemoteBatch, plan: Plan, actor: Actor) -> RemoteBatch:
    """Make a batch another one; it runs on behalf of whoever changed it last. Raises as ``create`` does."""
    plan = _checked(plan, actor)
    now = timezone.now()
    with turn():
        batch = _locked(batch)
        if lacking(actor.user, PLANNING, batch.target_groups):
            raise PermissionDenied(_("You may not plan operations in the groups of all its targets."))
        before, rule = facts(batch), batch.rule
        if rule != plan.rule and plan.rule.current_or_next(now) is None:
            raise ValidationError({_last_field(plan.rule): [_("It is over already.")]})
        _fill(batch, plan, actor)
        if batch.rule != rule:
            batch.place(now)
        batch.save()
        _aim(batch, plan.components)
        after = facts(batch)
        if after != before:
            audit.record(actor, "remote-batch.change", batch, before=before, after=after)
        events.publish("component")
    return batch


def pause(batch: RemoteBatch, actor: Actor) -> RemoteBatch:
    """Order nothing from now on; raises Conflict when it is paused."""
    return _switch(batch, actor, paused=True)


def resume(batch: RemoteBatch, actor: Actor) -> RemoteBatch:
    """Go on with what comes next; raises Conflict when it is not paused."""
    return _switch(batch, actor, paused=False)


def leave_out(batch: RemoteBatch, day: date, actor: Actor) -> RemoteBatch:
    """Leave out the run of a day, this one time; raises PermissionDenied, and Conflict where there is none."""

    def without(rule: Rule) -> Rule:
        if rule.occurrence(day) is None:
            raise Conflict(_("It does not run on %(day)s.") % {"day": day.isoformat()})
        return replace(rule, exceptions=rule.exceptions | {day})

    return _replan(batch, without, "remote-batch.leave-out", actor)


def take_back(batch: RemoteBatch, day: date, actor: Actor) -> RemoteBatch:
    """Let the run of a day be again that was left out; raises PermissionDenied, and Conflict where none was."""

    def again(rule: Rule) -> Rule:
        if day not in rule.exceptions:
            raise Conflict(_("Nothing was left out on %(day)s.") % {"day": day.isoformat()})
        return replace(rule, exceptions=rule.exceptions - {day})

    return _replan(batch, again, "remote-batch.take-back", actor)


def _replan(batch: RemoteBatch, changed: Callable[[Rule], Rule], action: str, actor: Actor) -> RemoteBatch:
    """Change the days of a batch and nothing else: it stays its owner's, and what is due already stays due."""
    now = timezone.now()
    with turn():
        batch = _locked(batch)
        _require(batch, actor)
        before, rule = facts(batch), changed(batch.rule)
        check_rule(rule, lasts=False)
        batch.rule = rule
        batch.place(min(now, (batch.next_at or now) - timedelta(seconds=1)))  # one that is due stays due
        batch.save()
        audit.record(actor, action, batch, before=before, after=facts(batch))
        events.publish("component")
    return batch


def remove(batch: RemoteBatch, actor: Actor) -> None:
    """Forget a batch with its runs; its jobs stay. Raises PermissionDenied."""
    with turn():
        batch = _locked(batch)
        _require(batch, actor)
        audit.record(actor, "remote-batch.remove", batch, before=facts(batch))
        batch.delete()
        events.publish("component")


def may_change(user: Any, batch: RemoteBatch) -> bool:
    """Let the owner, and those who may plan in the groups of all targets, pause, resume and remove a batch."""
    if batch.owner_id is not None and batch.owner_id in scoping.owners(user):
        return True
    groups = batch.target_groups
    if not groups:
        return scoping.may(user, PLANNING)
    return all(scoping.may(user, PLANNING, group) for group in groups)


def targets_of(batch: RemoteBatch) -> list[Component]:
    """Give whom a batch is for at this moment: its components, and those that stand in its group."""
    named = Q(pk__in=RemoteBatchTarget.objects.filter(batch=batch).values("component"))
    groups = groups_of(batch.group, batch.include_subgroups)
    found = Component.objects.filter(named | Q(group__in=groups)).select_related("group", "suspension")
    return list(found.order_by("name", "pk"))


def groups_of(group: Group | None, include_subgroups: bool) -> Collection[int]:
    """Give the ids of a group, and of those below it."""
    if group is None:
        return ()
    return Group.objects.all().tree().subtree(group.pk) if include_subgroups else {group.pk}


def facts(batch: RemoteBatch) -> dict[str, Any]:
    """Give what the audit keeps of a batch."""
    return {
        "name": batch.name,
        "operation": batch.operation,
        "arguments": dict(batch.arguments),
        "components": [str(target.component) for target in batch.targets.select_related("component")],
        "group": batch.group_id,
        "include_subgroups": batch.include_subgroups,
        "make_up": batch.make_up,
        "expect": batch.expect,
        "at_most": batch.at_most,
        "paused": batch.paused,
        "owner": batch.owner_name,
        **({"limited_by": batch.limited_by} if batch.limited_by else {}),
        **batch.told_rule,
    }


def _checked(plan: Plan, actor: Actor) -> Plan:
    """Refuse a plan that makes no sense, or that the actor may not carry out by himself; gives it complete."""
    faults: dict[str, list[str]] = {}
    cleaned: dict[str, Any] = {}
    if plan.operation not in OPERATIONS:
        faults["operation"] = [_("There is no such operation.")]
    else:
        try:
            cleaned = OPERATIONS[plan.operation].clean(plan.arguments)
        except ValidationError as error:
            faults["arguments"] = list(error.messages)
    if not plan.name.strip() or len(plan.name.strip()) > 200:
        faults["name"] = [_("Enter a name of at most 200 characters.")]
    if plan.group is None and not plan.components:
        faults["components"] = [_("Name components or a group.")]
    elif len(plan.components) > MOST_TARGETS:
        faults["components"] = [_("Name at most %(count)s; more are a group.") % {"count": MOST_TARGETS}]
    if not 0 <= plan.make_up <= LONGEST_MAKE_UP:
        faults["make_up"] = [_("Enter a number from %(low)s to %(high)s.") % {"low": 0, "high": LONGEST_MAKE_UP}]
    try:
        check_rule(plan.rule, lasts=False)
    except ValidationError as error:
        faults |= error.message_dict
    if faults:
        raise ValidationError(faults)
    groups = {*(one.group_id for one in plan.components), *groups_of(plan.group, plan.include_subgroups)}
    if lacking(actor.user, OPERATIONS[plan.operation].permission(cleaned), groups):
        raise PermissionDenied(
            _("To plan this, you need the permission for it and for planning in the groups of all its targets.")
        )
    rule = replace(plan.rule, length=timedelta(0), cut={})
    return replace(plan, name=plan.name.strip(), arguments=cleaned, rule=rule)


def lacking(user: Any, word: str, groups: Collection[int]) -> set[int]:
    """Give the groups in which a user may not do this, or not plan."""
    scopes = [scoping.scope_of(user, word), scoping.scope_of(user, PLANNING)]
    return {group for group in groups if not all(group in scope for scope in scopes)}


def _last_field(rule: Rule) -> str:
    return "starts_at" if rule.repeat is Repeat.ONCE else "last_day"


def _fill(batch: RemoteBatch, plan: Plan, actor: Actor) -> None:
    batch.name, batch.operation, batch.arguments = plan.name, plan.operation, dict(plan.arguments)
    batch.group, batch.include_subgroups = plan.group, plan.include_subgroups
    batch.make_up, batch.expect, batch.at_most = plan.make_up, plan.expect, plan.at_most
    batch.owner, batch.owner_name = actor.user, actor.short_name[:300]
    token: ApiToken | None = getattr(actor.user, "token", None)
    batch.token = token if token is not None and token.is_limited else None
    batch.limited_by = str(batch.token)[:120] if batch.token is not None else ""
    batch.rule = plan.rule


def _aim(batch: RemoteBatch, components: Sequence[Component]) -> None:
    """Have a batch be for these components and no others."""
    wanted = {component.pk for component in components}
    batch.targets.exclude(component__in=wanted).delete()
    present = set(batch.targets.values_list("component", flat=True))
    fresh = [RemoteBatchTarget(batch=batch, component_id=pk) for pk in sorted(wanted - present)]
    RemoteBatchTarget.objects.bulk_create(fresh, batch_size=500)


def _switch(batch: RemoteBatch, actor: Actor, *, paused: bool) -> RemoteBatch:
    with turn():
        batch = _locked(batch)
        _require(batch, actor)
        if batch.paused is paused:
            raise Conflict(_("It is paused already.") if paused else _("It is not paused."))
        batch.paused = paused
        batch.paused_by_name = actor.short_name[:300] if paused else ""
        batch.save(update_fields=["paused", "paused_by_name"])
        action = "remote-batch.pause" if paused else "remote-batch.resume"
        audit.record(actor, action, batch, before={"paused": not paused}, after={"paused": paused})
        events.publish("component")
    return batch


def _require(batch: RemoteBatch, actor: Actor) -> None:
    if not may_change(actor.user, batch):
        raise PermissionDenied(_("You may not plan operations in the groups of all its targets."))


def _locked(batch: RemoteBatch) -> RemoteBatch:
    """Give the row as it is now, for this transaction alone."""
    found: RemoteBatch = (
        RemoteBatch.objects.select_for_update(of=("self",)).select_related("group", "owner").get(pk=batch.pk)
    )
    return found
