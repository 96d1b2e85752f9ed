"""The verbs of jobs: create, claim a step, finish it, cancel, and the watchdog that ends what nobody ends.

A step is claimed by one UPDATE and never started again. Whatever happens to a worker, no job stays open for ever.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_noop

from apps.core import audit, events, scoping
from apps.core.actors import Actor
from apps.core.models import OPEN_JOBS, OPEN_STEPS, Job, JobState, JobStep, StepCode, StepState
from apps.core.phrases import Phrase
from apps.core.registries import Registry
from apps.core.writes import turn

ABANDONED = timedelta(minutes=10)  # a job that no worker has touched for so long is ended by the watchdog
LOOK_FIRST = Phrase(gettext_noop("Look at the device before you repeat this: it may have been done."))
WORKER_DIED = Phrase(gettext_noop("The process that did this ended before it could say how it went."))
NEVER_STARTED = Phrase(gettext_noop("No worker took this up in time."))
CHECK_WORKERS = Phrase(gettext_noop("See whether the workers run, then start it again."))


@dataclass(frozen=True, slots=True)
class JobKind:
    """What a job does; ``start`` hands its steps to workers and is called after the commit."""

    name: str
    label: Promise | str
    start: Callable[[int], None]
    changes_devices: bool = False
    step_limit: timedelta = timedelta(minutes=5)  # a running step is given up after this
    ended: Callable[[int], None] | None = None  # told, in its transaction, when a job has ended in whatever way


kinds: Registry[JobKind] = Registry("job kind")


@dataclass(frozen=True, slots=True)
class NewStep:
    """One target of a new job."""

    target: str
    component: int | None = None
    interface: int | None = None
    group: int | None = None


def create(
    kind: str,
    title: Phrase,
    steps: Iterable[NewStep],
    actor: Actor,
    arguments: dict[str, object] | None = None,
    told: Mapping[str, object] | None = None,
) -> Job:
    """Create a job with its steps and start it after the commit; one without steps is done at once.

    ``told`` is what the audit keeps besides the targets.
    """
    found = kinds.get(kind)
    rows = list(steps)
    now = timezone.now()
    with turn():
        job = Job.objects.create(
            kind=kind,
            title=title,
            total=len(rows),
            arguments=arguments or {},
            created_by=actor.user,
            created_by_name=actor.short_name,
            created_at=now,
            state=JobState.WAITING if rows else JobState.DONE,
            started_at=None if rows else now,
            finished_at=None if rows else now,
        )
        JobStep.objects.bulk_create(
            [
                JobStep(job=job, target=s.target[:300], component=s.component, interface=s.interface, group=s.group)
                for s in rows
            ],
            batch_size=500,
        )
        groups = frozenset(step.group for step in rows if step.group is not None)
        known = bool(rows) and all(step.group is not None for step in rows)  # else only for who sees everything
        within = scoping.enclosing(groups) if known else None
        after = {**(told or {}), "targets": [step.target for step in rows[:50]], "total": len(rows)}
        audit.record(actor, f"job.{kind}", job, after=after, group=within)
        events.publish("job")
        if rows:
            transaction.on_commit(lambda: found.start(job.pk))
    return job


def claim(step_id: int, limit: timedelta | None = None) -> JobStep | None:
    """Take a waiting step for this worker; None when another was first, or the job is being cancelled.

    It is given up after ``limit``, or when none is said after what its kind says.
    """
    now = timezone.now()
    kind = JobStep.objects.filter(pk=step_id).values_list("job__kind", flat=True).first()
    if kind is None:
        return None
    with turn():
        won = JobStep.objects.filter(
            pk=step_id, state=StepState.WAITING, job__state__in=(JobState.WAITING, JobState.RUNNING)
        ).update(state=StepState.RUNNING, started_at=now, deadline_at=now + (limit or kinds.get(kind).step_limit))
        if not won:
            return None
        step: JobStep = JobStep.objects.select_related("job").get(pk=step_id)
        Job.objects.filter(pk=step.job_id, state=JobState.WAITING).update(state=JobState.RUNNING, started_at=now)
        events.publish("job")
    return step


def prolong(step: JobStep, limit: timedelta, message: Phrase) -> bool:
    """Give a running step more time from now on, and say what it does; False when it was ended (by the watchdog)."""
    with turn():
        going = JobStep.objects.filter(pk=step.pk, state=StepState.RUNNING).update(
            deadline_at=timezone.now() + limit, message=message
        )
        if going:
            events.publish("job")
    return bool(going)


def finish(
    step: JobStep,
    state: StepState,
    *,
    code: StepCode = StepCode.NONE,
    stage: str = "",
    message: Phrase | None = None,
    remedy: Phrase | None = None,
) -> bool:
    """End a running step once; False when it was ended already (by the watchdog)."""
    with turn():
        ended = JobStep.objects.filter(pk=step.pk, state=StepState.RUNNING).update(
            state=state,
            code=code,
            stage=stage,
            message=message or Phrase(),
            remedy=remedy or Phrase(),
            finished_at=timezone.now(),
        )
        if ended:
            _count(step.job_id)
    return bool(ended)


def as_seen(found: Iterable[Job], user: Any) -> list[Job]:
    """Have jobs count the steps that a user may see, and no others; his own count all of them. One query.

    What a job touched is told of all its targets, so who does not see them all is not told.
    """
    rows = list(found)
    if isinstance(scoping.scope_of(user), scoping.Everything):
        return rows
    own = scoping.owners(user)
    others = {job.pk: job for job in rows if job.created_by_id not in own}
    counts: dict[int, dict[str, int]] = {pk: {} for pk in others}
    steps = JobStep.objects.visible_to(user).filter(job__in=others).order_by()
    for pk, state, number in steps.values_list("job", "state").annotate(number=Count("pk")) if others else ():
        counts[pk][state] = number
    for pk, job in others.items():
        seen = sum(counts[pk].values())
        if seen != job.total:
            job.arguments = {name: value for name, value in job.arguments.items() if name != "consequences"}
        job.total = seen
        job.finished = sum(number for state, number in counts[pk].items() if state not in OPEN_STEPS)
        job.failed, job.skipped = (counts[pk].get(state, 0) for state in (StepState.FAILED, StepState.SKIPPED))
    return rows


def may_cancel(user: Any, job: Job) -> bool:
    """Let a user cancel his own jobs, and others whose every target is in a group where he may register components."""
    if job.created_by_id in scoping.owners(user):
        return True
    scope = scoping.scope_of(user, "components")
    if scope is scoping.EVERYTHING:
        return True
    groups = set(job.steps.values_list("group", flat=True).distinct())
    return bool(groups) and all(group is not None and group in scope for group in groups)


def cancel(job: Job, actor: Actor) -> bool:
    """Stop a job: what waits is cancelled now, what runs ends by itself; False when it had ended."""
    with turn():
        stopped = Job.objects.filter(pk=job.pk, state__in=(JobState.WAITING, JobState.RUNNING)).update(
            state=JobState.CANCELLING
        )
        if stopped:
            job.steps.filter(state=StepState.WAITING).update(state=StepState.CANCELLED, finished_at=timezone.now())
            groups = set(job.steps.order_by().values_list("group", flat=True).distinct())
            within = scoping.enclosing(frozenset(groups - {None})) if None not in groups else None
            audit.record(actor, "job.cancel", job, group=within)
            _count(job.pk)
    return bool(stopped)


def leave_rest(job_id: int, why: Phrase) -> int:
    """Begin no further step of a job, because of how the others went; gives how many are left out."""
    with turn():
        left = JobStep.objects.filter(job=job_id, state=StepState.WAITING).update(
            state=StepState.CANCELLED, message=why, finished_at=timezone.now()
        )
        if left:
            _count(job_id)
    return left


def _count(job_id: int) -> None:
    """Count a job's steps anew and end it when all have ended. One statement decides who ends it."""
    counted = JobStep.objects.filter(job=job_id).aggregate(
        total=Count("pk"),
        open=Count("pk", filter=Q(state__in=OPEN_STEPS)),
        failed=Count("pk", filter=Q(state=StepState.FAILED)),
        skipped=Count("pk", filter=Q(state=StepState.SKIPPED)),
        done=Count("pk", filter=Q(state=StepState.DONE)),
        cancelled=Count("pk", filter=Q(state=StepState.CANCELLED)),
    )
    finished = counted["total"] - counted["open"]
    Job.objects.filter(pk=job_id).update(
        total=counted["total"], finished=finished, failed=counted["failed"], skipped=counted["skipped"]
    )
    if counted["open"] == 0:
        _end(job_id, counted)
    events.publish("job")


def _end(job_id: int, counted: dict[str, int]) -> None:
    ended = timezone.now()
    name = Job.objects.filter(pk=job_id).values_list("kind", flat=True).first()
    for tell in (kind.ended for kind in kinds if kind.name == name and kind.ended is not None):
        tell(job_id)
    Job.objects.filter(pk=job_id, state=JobState.CANCELLING).update(state=JobState.CANCELLED, finished_at=ended)
    all_failed = counted["failed"] and not counted["done"] and not counted["skipped"]
    Job.objects.filter(pk=job_id, state__in=(JobState.WAITING, JobState.RUNNING)).update(
        state=JobState.FAILED if all_failed else JobState.DONE, finished_at=ended
    )


def watch() -> int:
    """End steps whose worker died, steps that nobody took, and jobs whose steps have all ended; gives how many.

    What waits behind a step whose worker died was never begun: another worker goes on with it.
    """
    now = timezone.now()
    mended = 0
    left: dict[int, str] = {}  # jobs that a worker left, and their kinds
    for step in JobStep.objects.filter(state=StepState.RUNNING, deadline_at__lt=now).select_related("job")[:500]:
        changes = kinds.get(step.job.kind).changes_devices
        if finish(
            step,
            StepState.FAILED,
            code=StepCode.OUTCOME_UNKNOWN,
            stage=step.stage,
            message=WORKER_DIED,
            remedy=LOOK_FIRST if changes else CHECK_WORKERS,
        ):
            mended += 1
            left[step.job_id] = step.job.kind
    for job_id, kind in left.items():
        if JobStep.objects.filter(job=job_id, state=StepState.WAITING).exists():
            kinds.get(kind).start(job_id)
    for job in _abandoned(now - ABANDONED):
        with turn():
            mended += job.steps.filter(state=StepState.WAITING).update(
                state=StepState.FAILED,
                code=StepCode.UNREACHABLE,
                message=NEVER_STARTED,
                remedy=CHECK_WORKERS,
                finished_at=now,
            )
            _count(job.pk)
    return mended


def _abandoned(before: object) -> list[Job]:
    """Give open jobs of which no step runs and nothing has happened for long."""
    moving = JobStep.objects.filter(job=OuterRef("pk")).filter(Q(state=StepState.RUNNING) | Q(finished_at__gte=before))
    return list(Job.objects.filter(state__in=OPEN_JOBS, created_at__lt=before).exclude(Exists(moving))[:100])


def remove_old(days: int) -> int:
    """Remove jobs that ended more than so many days ago."""
    with turn():
        old = Job.objects.filter(finished_at__lt=timezone.now() - timedelta(days=days)).values_list("pk", flat=True)[
            :200
        ]
        return Job.objects.filter(pk__in=list(old)).delete()[0]
