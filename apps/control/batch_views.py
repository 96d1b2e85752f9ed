"""Remote batches as pages show them: rows of lists, entries of the calendar, and what comes next for a component."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from apps.components.models import Component
from apps.control.models import RemoteBatch, RemoteBatchQuerySet, RemoteBatchRun, RemoteBatchTarget, RunState
from apps.control.operations import POWER
from apps.core import scoping
from apps.core.jobs import as_seen
from apps.core.models import Job
from apps.core.schedules import Entry
from apps.drivers.contract import PowerAction
from apps.groups.models import Group, Tree

SOONEST = 10
NAMED = 3
PLANNED, PAUSED, OVER = "waiting", "skipped", "closed"
WORDS: dict[str, Promise | str] = {
    PLANNED: pgettext_lazy("remote batch", "Planned"),
    PAUSED: pgettext_lazy("remote batch", "Paused"),
    OVER: pgettext_lazy("remote batch", "Over"),
}
RUN_WORDS = {
    RunState.BEGINNING.value: "running",
    RunState.STARTED.value: "done",
    RunState.MADE_UP.value: "done",
    RunState.MISSED.value: "warning",
    RunState.REFUSED.value: "critical",
    RunState.SKIPPED.value: "skipped",
}
STARTING = "normal"
ENDING = "information"
OTHER = "running"


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run: how it stands, and its job where the reader may see it."""

    run: RemoteBatchRun
    state: str
    word: str
    job: Job | None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list."""

    batch: RemoteBatch
    state: str
    word: str
    target: str
    components: int
    last: RunRow | None
    zone: str  # the batch's own, where it is not the reader's


def state_of(batch: RemoteBatch) -> str:
    """Give how a batch stands, as a state word."""
    if batch.next_at is None:
        return OVER
    return PAUSED if batch.paused else PLANNED


def rows_of(user: Any, batches: Sequence[RemoteBatch]) -> list[Row]:
    """Give the lines of a list, in as many queries for one as for many."""
    tree = Group.objects.all().tree()
    seen = Group.objects.visible_to(user).tree()
    sizes = _sizes()
    targets = _named(user, batches)
    last = _last_runs(user, batches)
    return [_row(batch, tree, seen, sizes, targets.get(batch.pk, []), last.get(batch.pk)) for batch in batches]


def _sizes() -> Counter[int]:
    rows = Component.objects.order_by().values_list("group").annotate(number=Count("pk"))
    return Counter({int(group): int(number) for group, number in rows})


def _named(user: Any, batches: Sequence[RemoteBatch]) -> dict[int, list[tuple[int, str]]]:
    """Give the components that batches name, as group and name; what the user may not see has none."""
    scope = scoping.scope_of(user)
    rows = RemoteBatchTarget.objects.filter(batch__in=[one.pk for one in batches])
    found: dict[int, list[tuple[int, str]]] = {}
    for target in rows.select_related("component").order_by("component__name", "pk"):
        group = target.component.group_id
        found.setdefault(target.batch_id, []).append((group, str(target.component) if group in scope else ""))
    return found


def _row(
    batch: RemoteBatch,
    tree: Tree,
    seen: Tree,
    sizes: Counter[int],
    named: Sequence[tuple[int, str]],
    last: RunRow | None,
) -> Row:
    state = state_of(batch)
    groups: Collection[int] = ()
    if batch.group_id is not None:
        groups = tree.subtree(batch.group_id) if batch.include_subgroups else {batch.group_id}
    total = sum(sizes[group] for group in groups) + sum(group not in groups for group, _name in named)
    own = batch.time_zone if batch.time_zone != str(timezone.get_current_timezone()) else ""
    return Row(batch, state, str(WORDS[state]), target_words(batch, seen, named), total, last, own)


def target_words(batch: RemoteBatch, seen: Tree, named: Sequence[tuple[int, str]]) -> str:
    """Name the group and a few components."""
    words = []
    if batch.group_id is not None:
        words.append(seen.path_name(batch.group_id) if batch.group_id in seen.parents else _("a group you may not see"))
    names = [name for _group, name in named if name]
    words += names[:NAMED]
    more = len(named) - min(len(names), NAMED)
    if more:
        words.append(ngettext("%(number)d more", "%(number)d more", more) % {"number": more})
    return _(", ").join(words) or "–"


def _last_runs(user: Any, batches: Sequence[RemoteBatch]) -> dict[int, RunRow]:
    newest = RemoteBatchRun.objects.filter(batch=OuterRef("pk")).order_by("-planned_at", "-pk").values("pk")[:1]
    ids = RemoteBatch.objects.filter(pk__in=[one.pk for one in batches]).annotate(last=Subquery(newest))
    rows = RemoteBatchRun.objects.filter(pk__in=list(ids.values_list("last", flat=True))).select_related("job")
    return {row.run.batch_id: row for row in run_rows(user, list(rows))}


def run_rows(user: Any, runs: Sequence[RemoteBatchRun]) -> list[RunRow]:
    """Give runs with their jobs, as far as the user may see those."""
    visible = Job.objects.visible_to(user).filter(pk__in=[run.job_id for run in runs if run.job_id is not None])
    jobs = {job.pk: job for job in as_seen(visible, user)}
    return [_run_row(run, jobs.get(run.job_id or 0)) for run in runs]


def _run_row(run: RemoteBatchRun, job: Job | None) -> RunRow:
    state = job.state if job is not None and run.is_begun else RUN_WORDS[run.state]
    return RunRow(run, state, str(RunState(run.state).label), job)


@dataclass(frozen=True, slots=True)
class Soonest:
    """What comes next, and how much is planned in all."""

    rows: list[Row]
    total: int


def soonest(user: Any) -> Soonest:
    """Give the first of what a user may see."""
    found = RemoteBatch.objects.visible_to(user).filter(next_at__isnull=False)
    return Soonest(rows_of(user, list(found.select_related("group").soonest_first()[:SOONEST])), found.count())


def colour_of(batch: RemoteBatch) -> str:
    """Give the state word whose colours a batch has on the calendar: switching on, switching off, anything else."""
    if batch.operation != POWER:
        return OTHER
    return STARTING if batch.arguments.get("action") == PowerAction.ON.value else ENDING


def entries(user: Any, start: datetime, end: datetime) -> Iterator[Entry]:
    """Give for the calendar what was run or missed, and what is to come."""
    now = timezone.now()
    batches = {one.pk: one for one in RemoteBatch.objects.visible_to(user).select_related("group")}
    named = _named(user, list(batches.values()))
    seen = Group.objects.visible_to(user).tree()
    notes = {pk: target_words(batch, seen, named.get(pk, [])) for pk, batch in batches.items()}
    runs: QuerySet[RemoteBatchRun] = RemoteBatchRun.objects.filter(batch__in=batches, planned_at__gte=start)
    for run in runs.filter(planned_at__lt=end):
        batch = batches[run.batch_id]
        state = colour_of(batch) if run.is_begun else RUN_WORDS[run.state]
        word = "" if run.is_begun else f"{RunState(run.state).label} · "
        yield Entry(
            run.planned_at, run.planned_at, batch.name, batch.get_absolute_url(), state, word + notes[run.batch_id]
        )
    for batch in batches.values():
        if batch.paused or batch.next_at is None or batch.next_at >= end:
            continue
        for found in batch.rule.between(max(start, batch.next_at, now), end):
            yield Entry(
                found.start, found.start, batch.name, batch.get_absolute_url(), colour_of(batch), notes[batch.pk]
            )


def coming_for(user: Any, component: Component) -> RemoteBatchQuerySet:
    """Give what is planned for a component and may be seen, the soonest first."""
    found = RemoteBatch.objects.visible_to(user).reaching(component, Group.objects.all().tree())
    return found.filter(next_at__isnull=False, paused=False).order_by("next_at", "pk")
