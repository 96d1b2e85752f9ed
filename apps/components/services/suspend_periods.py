"""The verbs of suspend periods: plan, change, remove, leave one occurrence out, end one early; suspend and resume."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.components.models import Component, SuspendPeriod, SuspendPeriodQuerySet
from apps.components.models.suspension import LEAD
from apps.components.services import inheritance, suspension
from apps.components.services.inheritance import facts
from apps.core import audit, events
from apps.core.actors import Actor
from apps.core.errors import Conflict
from apps.core.recurrence import Repeat, Rule, instant, wall, zone_named
from apps.core.recurring import check_rule
from apps.core.writes import turn
from apps.groups.models import Group
from apps.groups.services import one_at_a_time

AT_ONCE = 100  # each is a row, an audit entry and a component


@dataclass(frozen=True, slots=True)
class Saved:
    """A period as it is now, and the components' own ones that it made superfluous."""

    period: SuspendPeriod
    replaced: Sequence[SuspendPeriod] = ()


def create(target: Component | Group, name: str, rule: Rule, actor: Actor, enabled: bool = True) -> Saved:
    """Plan a period; raises ValidationError by field, and Conflict where a group above has the same schedule."""
    check_rule(rule)
    if rule.current_or_next(timezone.now()) is None:
        raise ValidationError({"ends_at" if rule.repeat is Repeat.ONCE else "last_day": [_("It is over already.")]})
    period = _drafted(target, name, rule, actor)
    period.enabled = enabled
    with turn():
        one_at_a_time()
        replaced = _save(period, actor)
        audit.record(actor, "suspend-period.create", period, after=facts(period))
    return Saved(period, replaced)


def change(
    period: SuspendPeriod,
    actor: Actor,
    *,
    name: str | None = None,
    rule: Rule | None = None,
    enabled: bool | None = None,
) -> Saved:
    """Change what is named; raises ValidationError and Conflict as ``create`` does.

    What was ended early stays so, unless the times are others now and it would still go on.
    """
    if rule is not None:
        check_rule(rule)
    with turn():
        one_at_a_time()
        period = _locked(period)
        before = facts(period)
        if name is not None:
            period.name = name.strip()
        if rule is not None:
            period.rule = _with_cuts(rule, period.rule)
        if enabled is not None:
            period.enabled = enabled
        replaced = _save(period, actor)
        if facts(period) != before:
            audit.record(actor, "suspend-period.change", period, before=before, after=facts(period))
    return Saved(period, replaced)


def remove(period: SuspendPeriod, actor: Actor) -> None:
    """Forget a period; what it suspended is watched again."""
    with turn():
        period = _locked(period)
        inheritance.forget(period, actor)
        _settle(period)
        events.publish("component")


def leave_out(period: SuspendPeriod, day: date, actor: Actor) -> SuspendPeriod:
    """Leave out the occurrence that begins on a day, also when it is in force; raises Conflict where there is none."""

    def without(rule: Rule) -> Rule:
        if rule.occurrence(day) is None:
            raise Conflict(_("It does not begin on %(day)s.") % {"day": day.isoformat()})
        return replace(rule, exceptions=rule.exceptions | {day})

    return _replan(period, without, "suspend-period.leave-out", actor)


def take_back(period: SuspendPeriod, day: date, actor: Actor) -> SuspendPeriod:
    """Let an occurrence be again that was left out or ended early; raises Conflict where none was."""

    def again(rule: Rule) -> Rule:
        if day not in rule.exceptions and day not in rule.cut:
            raise Conflict(_("Nothing was left out on %(day)s.") % {"day": day.isoformat()})
        cut = {one: at for one, at in rule.cut.items() if one != day}
        return replace(rule, exceptions=rule.exceptions - {day}, cut=cut)

    return _replan(period, again, "suspend-period.take-back", actor)


def end_early(period: SuspendPeriod, actor: Actor) -> SuspendPeriod:
    """End the occurrence that is in force now, and only that; raises Conflict when none is."""
    now = timezone.now()

    def ended(rule: Rule) -> Rule:
        found = _ended(rule, now)
        if found == rule:
            raise Conflict(_("It is not in force."))
        return found

    return _replan(period, ended, "suspend-period.end", actor)


def suspend(
    components: Sequence[Component], name: str, actor: Actor, until: datetime | None = None, zone: str = "UTC"
) -> None:
    """Suspend components from now on, until a moment or until somebody resumes them; raises ValidationError."""
    now = timezone.now().replace(microsecond=0)
    rule = from_now(now, until, zone)
    check_rule(rule)
    for start in range(0, len(components), AT_ONCE):
        with turn():
            drafts = [_drafted(one, name, rule, actor) for one in components[start : start + AT_ONCE]]
            for draft in drafts:
                _clean(draft)
                draft.place(now)
            for period in SuspendPeriod.objects.bulk_create(drafts):
                audit.record(actor, "suspend-period.create", period, after=facts(period))
            suspension.settle([period.component_id or 0 for period in drafts])
            events.publish("component")


def resume(components: Sequence[Component], actor: Actor) -> list[Component]:
    """Let components go that periods of their own suspend; gives those that a group keeps suspended nevertheless."""
    now = timezone.now()
    ids = [component.pk for component in components]
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        with turn():
            running = list(_rows().in_force().filter(component__in=part).order_by("pk"))
            for period in running:
                before = facts(period)
                period.rule = _ended(period.rule, now)
                period.place(now)
                audit.record(actor, "suspend-period.end", period, before=before, after=facts(period))
            SuspendPeriod.objects.bulk_update(running, ["cut", *suspension.PLACED], batch_size=100)
            suspension.settle(part)
            events.publish("component")
    return list(Component.objects.filter(pk__in=ids, suspended=True).select_related("suspension"))


def from_now(now: datetime, until: datetime | None, zone: str = "UTC") -> Rule:
    """Give the rule of what begins now. In the hour that a zone shows twice, universal time says which is meant."""
    named = zone_named(zone)
    ends = [] if until is None else [until]
    if any(instant(wall(moment, named), named) != moment for moment in (now, *ends)):
        zone, named = "UTC", zone_named("UTC")
    first = wall(now, named)
    return Rule(zone, first, wall(until, named) - first if until is not None else None)


def _drafted(target: Component | Group, name: str, rule: Rule, actor: Actor) -> SuspendPeriod:
    period = SuspendPeriod(name=name.strip(), created_by=actor.user, created_by_name=actor.short_name[:300])
    if isinstance(target, Component):
        period.component = target
    else:
        period.group = target
    period.rule = rule
    return period


def _ended(rule: Rule, now: datetime) -> Rule:
    """Cut off what has begun, or begins within the lead of the clock, and is not over."""
    cut = dict(rule.cut)
    for one in rule.following(now):
        if one.start > now + LEAD:
            break
        cut[one.day] = now
    return replace(rule, cut=cut)


def _with_cuts(rule: Rule, before: Rule) -> Rule:
    """Give a new rule what was ended early under the former one."""
    now = timezone.now()
    if replace(rule, exceptions=before.exceptions, cut=before.cut) == before:
        return replace(rule, cut=before.cut)
    over = {day for day in before.cut if (one := replace(rule, cut={}).occurrence(day)) is None or one.is_over(now)}
    return replace(rule, cut={day: at for day, at in before.cut.items() if day in over})


def _replan(period: SuspendPeriod, plan: Callable[[Rule], Rule], action: str, actor: Actor) -> SuspendPeriod:
    with turn():
        period = _locked(period)
        before = facts(period)
        period.rule = plan(period.rule)
        _store(period)
        audit.record(actor, action, period, before=before, after=facts(period))
    return period


def _save(period: SuspendPeriod, actor: Actor) -> list[SuspendPeriod]:
    """Write a period after all checks; gives what it made superfluous."""
    _clean(period)
    if period.enabled and period.component_id is not None:
        inheritance.refuse_doubled(period, actor)
    _store(period)
    return inheritance.drop_doubled(period, actor) if period.enabled and period.group_id is not None else []


def _clean(period: SuspendPeriod) -> None:
    period.clean_fields(exclude=["created_by", "component", "group"])


def _store(period: SuspendPeriod) -> None:
    period.place(timezone.now())
    period.save()
    _settle(period)
    events.publish("component")


def _settle(period: SuspendPeriod) -> None:
    if period.component_id is not None:
        suspension.settle([period.component_id])
    else:
        suspension.settle_all_later()


def _rows() -> SuspendPeriodQuerySet:
    return SuspendPeriod.objects.select_for_update(of=("self",)).select_related("component", "group")


def _locked(period: SuspendPeriod) -> SuspendPeriod:
    return _rows().get(pk=period.pk)
