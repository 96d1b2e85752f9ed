"""The cards beside and below the map: what needs attention, what runs, what is quiet on purpose, power, the highest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.alerts.models import Incident
from apps.alerts.services.incidents import attention
from apps.components.models import Component, StatusChange, SuspendPeriod
from apps.core import jobs, scoping
from apps.core.models import Job, JobStep
from apps.core.scope_sql import AnyIn, within
from apps.groups.models import Tree
from apps.monitoring.models import FleetQuantity
from apps.portal.dashboard.choice import Choice

WAITING, JOBS, PAUSED, CHANGES, FULLEST = 9, 4, 5, 8, 5
CHANGES_LOOKED_AT = 200
SURE = timedelta(seconds=20)  # a job that has run for less says nothing of how long the rest takes


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open problem that nobody took note of: where it is, and whether the user may."""

    incident: Incident
    where: str
    may_acknowledge: bool


@dataclass(frozen=True, slots=True)
class Attention:
    """The worst of them, and how many there are."""

    rows: list[Waiting]
    number: int


@dataclass(frozen=True, slots=True)
class Running:
    """A job that has not ended, and about how long it still takes; None when nobody can say."""

    job: Job
    left: timedelta | None


@dataclass(frozen=True, slots=True)
class Paused:
    """One suspend period with the components that it suspends here; a component without one stands alone."""

    title: str
    url: str
    number: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Suspended:
    """What is suspended now; ``further`` lines are not shown."""

    rows: list[Paused]
    number: int
    further: int
    unmanaged: int


def needs_attention(user: Any, tree: Tree, group: int | None) -> Attention:
    """Give the worst open problems that nobody took note of."""
    groups = tree.subtree(group) if group is not None else None
    scope = scoping.scope_of(user, "alerts")
    rows = [
        Waiting(incident, _where(incident, tree), _may_acknowledge(incident, scope))
        for incident in attention(user, WAITING, groups=groups)
    ]
    seen = Incident.objects.visible_to(user).unacknowledged()
    if groups is not None:
        seen = seen.filter(component__group__in=within(groups))
    return Attention(rows, seen.count())


def _where(incident: Incident, tree: Tree) -> str:
    if incident.component is None or incident.component.group_id not in tree.parents:
        return str(incident.where)
    return f"{incident.where} · {tree.path_name(incident.component.group_id)}"


def _may_acknowledge(incident: Incident, scope: scoping.Scope) -> bool:
    if incident.component is None:
        return scope is scoping.EVERYTHING
    return incident.component.group_id in scope


def running(user: Any, groups: Iterable[int] | None) -> list[Running]:
    """Give the jobs that have not ended, of all or of those with a target in some groups."""
    found = Job.objects.visible_to(user).open()
    if groups is not None:
        found = found.filter(AnyIn(JobStep, "job", groups))
    now = timezone.now()
    return [Running(job, _left(job, now)) for job in jobs.as_seen(found[:JOBS], user)]


def _left(job: Job, now: datetime) -> timedelta | None:
    if job.started_at is None or not job.finished or now - job.started_at < SURE:
        return None
    return (now - job.started_at) * (job.total - job.finished) / job.finished


def suspended(user: Any, components: "QuerySet[Component]", unmanaged: int) -> Suspended:
    """Give what is suspended at the moment, put together by suspend periods, the one that ends first at the top."""
    found = components.filter(suspended=True, unmanaged=False).order_by()
    periods = list(
        found.filter(suspension__isnull=False)
        .values_list("suspension", "suspended_until")
        .annotate(number=Count("pk"))
        .order_by(F("suspended_until").asc(nulls_last=True), "suspension")
    )
    named = {
        period.pk: period
        for period in SuspendPeriod.objects.visible_to(user).filter(pk__in=[pk for pk, *_rest in periods[:PAUSED]])
    }
    rows = [_paused(named.get(pk), number, until) for pk, until, number in periods[:PAUSED]]
    alone = found.filter(suspension__isnull=True)
    without = alone.count()
    free = PAUSED - len(rows)
    if without and free:
        rows += [Paused(str(one), one.get_absolute_url(), 1, None) for one in alone.order_by("name", "pk")[:free]]
    number = sum(count for _pk, _until, count in periods) + without
    return Suspended(rows, number, len(periods) + without - len(rows), unmanaged)


def _paused(period: SuspendPeriod | None, number: int, until: datetime | None) -> Paused:
    """A period of a group above that the user may not see is told without its name."""
    if period is None:
        return Paused(_("A period of a group above"), "", number, until)
    return Paused(period.name, period.get_absolute_url(), number, until)


def power_chart(choice: Choice) -> str:
    """Give where the course of the power comes from, with that of the time before."""
    wanted = {
        "quantity": FleetQuantity.POWER.value,
        "range": choice.window.word,
        "compare": "before",
        "group": choice.group,
    }
    return f"{reverse('monitoring:fleet-chart')}?{urlencode({k: v for k, v in wanted.items() if v})}"


def latest_changes(user: Any, tree: Tree, group: int | None) -> list[StatusChange]:
    """Give the newest changes of status; the newest of all are looked through first, because the index has them so."""
    changes = StatusChange.objects.exclude(old=F("new")).select_related("component").order_by("-at", "-pk")
    if group is None and scoping.scope_of(user) is scoping.EVERYTHING:
        return list(changes[:CHANGES])
    groups = tree.subtree(group) if group is not None else set(tree.parents)
    found = [change for change in changes[:CHANGES_LOOKED_AT] if change.component.group_id in groups][:CHANGES]
    if len(found) == CHANGES:
        return found
    return list(changes.filter(component__group__in=within(groups))[:CHANGES])


def highest(components: "QuerySet[Component]", column: str) -> "QuerySet[Component]":
    """Give the components with the highest value of a column."""
    measured = components.filter(**{f"{column}__isnull": False}).order_by(f"-{column}")
    return measured.only("pk", "name", "alias", column)[:FULLEST]
