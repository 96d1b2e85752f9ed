"""The cards beside and below the map: what needs attention, what runs, what is quiet on purpose, power, the highest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from apps.alerts.models import Incident
from apps.alerts.services.incidents import attention
from apps.components import extensions
from apps.components.extensions import Pause
from apps.components.models import Category, Component, StatusChange
from apps.core import scoping
from apps.core.models import Job, JobStep
from apps.groups.models import Tree
from apps.monitoring.models import FleetQuantity
from apps.portal.dashboard.choice import Choice
from apps.portal.dashboard.heat_map import measured_lately

WAITING, JOBS, PAUSED, CHANGES, FULLEST = 9, 4, 5, 8, 5
CHANGES_LOOKED_AT = 200
PAUSED_AT_MOST = 2000  # components whose pauses are looked up
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
    """One pause with the components that are in it; a component of which nobody knows more stands alone."""

    title: str
    url: str
    number: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Suspended:
    """What is suspended now; ``further`` pauses are not shown."""

    rows: list[Paused]
    number: int
    further: int
    unmanaged: int


@dataclass(frozen=True, slots=True)
class Power:
    """What the metered components draw together at the moment."""

    watts: float | None
    metered: int
    total: int


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
        seen = seen.filter(component__group__in=groups)
    return Attention(rows, len(rows) if len(rows) < WAITING else seen.count())


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
        found = found.filter(Exists(JobStep.objects.filter(job=OuterRef("pk"), group__in=groups)))
    now = timezone.now()
    return [Running(job, _left(job, now)) for job in found[:JOBS]]


def _left(job: Job, now: datetime) -> timedelta | None:
    if job.started_at is None or not job.finished or now - job.started_at < SURE:
        return None
    return (now - job.started_at) * (job.total - job.finished) / job.finished


def suspended(components: "QuerySet[Component]", choice: Choice, unmanaged: int) -> Suspended:
    """Give what is suspended at the moment, put together by the pauses that others know of."""
    found = components.filter(suspended=True, unmanaged=False).order_by("name", "pk")
    rows = list(found.only("pk", "name", "alias")[: PAUSED_AT_MOST + 1])
    number = len(rows) if len(rows) <= PAUSED_AT_MOST else found.count()
    known: dict[int, Pause] = {}
    if rows:
        for tell in extensions.pauses:
            known = {**tell([row.pk for row in rows[:PAUSED_AT_MOST]]), **known}
    members: dict[Pause, int] = {}
    for pause in known.values():
        members[pause] = members.get(pause, 0) + 1
    far = timezone.now() + timedelta(days=36500)
    shown = [
        Paused(str(pause.title), pause.url, count, pause.until)
        for pause, count in sorted(members.items(), key=lambda pair: pair[0].until or far)
    ]
    shown += [Paused(str(row), row.get_absolute_url(), 1, None) for row in rows[:PAUSED_AT_MOST] if row.pk not in known]
    return Suspended(shown[:PAUSED], number, max(0, len(shown) - PAUSED), unmanaged)


def power(components: "QuerySet[Component]") -> Power:
    """Sum up the power that was measured lately; UPSs pass on what others draw and are left out."""
    # What a UPS measures, the devices behind it measure once more.
    drawing = components.exclude(category=Category.UPS).order_by()
    summed = drawing.aggregate(total=Count("pk"), known=Count("pk", filter=Q(power__isnull=False)))
    if not summed["known"]:
        return Power(None, 0, summed["total"])
    now = drawing.filter(measured_lately(), power__isnull=False).aggregate(watts=Sum("power"), metered=Count("pk"))
    return Power(now["watts"], now["metered"], summed["total"])


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
    return list(changes.filter(component__group__in=groups)[:CHANGES])


def highest(components: "QuerySet[Component]", column: str) -> "QuerySet[Component]":
    """Give the components with the highest value of a column."""
    measured = components.filter(**{f"{column}__isnull": False}).order_by(f"-{column}")
    return measured.only("pk", "name", "alias", column)[:FULLEST]
