"""Lets remote batches run when their time has come, or when somebody asks: each time is begun at most once.

A time is won by one statement, which moves the batch on to its next one and leaves a run behind. The run and its job
are written together afterwards. If the process dies in between, nothing was ordered: the run is told as missed and
never begun again.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, override

from apps.alerts.services import raise_alert
from apps.components.models import Component
from apps.control.models import RemoteBatch, RemoteBatchRun, RunState
from apps.control.services.ordering import CANNOT, ManagedElsewhere, prepare
from apps.control.services.remote_batches import lacking, targets_of
from apps.core import audit, events
from apps.core.actors import Actor, ActorKind
from apps.core.errors import Conflict
from apps.core.models import Job, Outcome
from apps.core.phrases import Phrase
from apps.core.writes import turn

GRACE = timedelta(minutes=2)  # a clock that ticks every few seconds, and a busy machine of our own
GIVEN_UP = timedelta(minutes=5)  # longer than the task that begins a run may live
KEPT = 50  # times that are written down one by one when the portal was away for longer
MISSED, REFUSED, BEGUN = "portal.remote-batch-missed", "portal.remote-batch-refused", "portal.remote-batch-begun"

AWAY = Phrase(gettext_noop("The portal was not running at that time."))
TOO_LATE = gettext_noop("The portal was not running at that time, nor in the %(minutes)s minutes after it.")
MORE_BEFORE = gettext_noop("The portal was not running at that time, nor at those before it: %(number)s.")
LATER_ONE = Phrase(gettext_noop("The portal was not running at that time; a later one came before it was back."))
DIED = Phrase(gettext_noop("The process that was to begin it ended before it had. Nothing was ordered."))
PAUSED = gettext_noop("It was paused by %(user)s.")
OWNER_GONE = gettext_noop("%(user)s, on whose behalf it runs, was removed.")
OWNER_BARRED = gettext_noop("%(user)s, on whose behalf it runs, may not sign in any more.")
OWNER_MAY_NOT = gettext_noop("%(user)s, on whose behalf it runs, may no longer order this of all its components.")
TOKEN_GONE = gettext_noop("The API token %(token)s, within whose limits it runs, was removed.")
TOKEN_EXPIRED = gettext_noop("The API token %(token)s, within whose limits it runs, has expired.")
NOBODY_LEFT = Phrase(gettext_noop("There is no component that it is for."))
OTHER_NUMBER = gettext_noop("It is for %(number)s components now, not for %(expected)s.")
TOO_MANY = gettext_noop("It is for %(number)s components now; it may be for %(most)s at most.")


class Refused(Exception):
    """A run may not begin; its phrase says why."""

    def __init__(self, why: Phrase) -> None:
        super().__init__(str(why))
        self.why = why


@dataclass(frozen=True, slots=True)
class Late:
    """A time that passed without a run, and why."""

    planned_at: datetime
    state: RunState
    why: Phrase


def follow(now: datetime | None = None) -> int:
    """Begin what is due, and tell what was missed; gives how many times were dealt with."""
    moment, dealt = now or timezone.now(), 0
    due = RemoteBatch.objects.due(moment).order_by("next_at", "pk")
    for pk, planned_at in list(due.values_list("pk", "next_at")):
        claimed = _claim(pk, planned_at, moment)
        dealt += claimed is not None
        if isinstance(claimed, RemoteBatchRun):
            begin(claimed)
    return dealt + _tell_died(moment)


def _claim(pk: int, planned_at: datetime, now: datetime) -> RemoteBatchRun | bool | None:
    """Win a time: gives the run that is to begin, True where none is, None when somebody else won it."""
    with turn():
        batch = RemoteBatch.objects.select_for_update(of=("self",)).filter(pk=pk, next_at=planned_at).first()
        if batch is None:
            return None
        following = batch.rule.current_or_next(now)  # what begins at this very moment is over
        later = following.start if following is not None else None
        if not RemoteBatch.objects.filter(pk=pk, next_at=planned_at).update(next_at=later):
            return None
        *before, last = _times(batch, planned_at, now)
        lost, begins = _sorted(batch, before, last, now)
        RemoteBatchRun.objects.bulk_create(
            [RemoteBatchRun(batch=batch, planned_at=one.planned_at, state=one.state, message=one.why) for one in lost],
            ignore_conflicts=True,
        )
        _tell_lost(batch, lost)
        events.publish("component")
        if not begins:
            return True
        return RemoteBatchRun.objects.create(
            batch=batch, planned_at=last, state=RunState.BEGINNING, actor_name=batch.owner_name
        )


def _times(batch: RemoteBatch, planned_at: datetime, now: datetime) -> list[datetime]:
    """Give the times from one on that have come, of many the last ones."""
    found = deque([planned_at], maxlen=KEPT + 1)
    for one in batch.rule.following(planned_at):
        if one.start > now:
            break
        found.append(one.start)
    return list(found)


def _sorted(batch: RemoteBatch, before: Sequence[datetime], last: datetime, now: datetime) -> tuple[list[Late], bool]:
    """Give what is not begun, and whether the last time is."""
    if batch.paused:
        why = Phrase(PAUSED, {"user": batch.paused_by_name})
        return [Late(at, RunState.SKIPPED, why) for at in (*before, last)], False
    lost = [Late(at, RunState.MISSED, LATER_ONE) for at in before]
    if now - last <= max(GRACE, timedelta(minutes=batch.make_up)):
        return lost, True
    why = Phrase(TOO_LATE, {"minutes": str(batch.make_up)}) if batch.make_up else AWAY
    return [*lost, Late(last, RunState.MISSED, why)], False


def begin(run: RemoteBatchRun) -> None:
    """Order what a run is for, on behalf of the owner, by the rights that he has now; else it is refused and told."""
    batch = RemoteBatch.objects.select_related("owner", "group", "token").get(pk=run.batch_id)
    actor = Actor(ActorKind.SCHEDULE, f"{batch.owner_name} (remote batch {batch.name})"[:300], batch.owner)
    try:
        components = _permitted(batch)
        with override("en"):
            order = prepare(batch.operation, batch.arguments, components, actor, batch=batch.name)
    except Refused as refused:
        _refuse(batch, run, refused.why)
        return
    except Conflict as refused:
        _refuse(batch, run, refused.phrase if isinstance(refused, ManagedElsewhere) else CANNOT)
        return
    except (PermissionDenied, ValidationError) as error:
        _refuse(batch, run, Phrase(" ".join(getattr(error, "messages", [str(error)]))))
        return
    late = timezone.now() - run.planned_at > GRACE
    state = RunState.MADE_UP if late else RunState.STARTED
    with turn():
        won = RemoteBatchRun.objects.filter(pk=run.pk, state=RunState.BEGINNING).update(state=state)
        if not won:
            return
        job = order()
        RemoteBatchRun.objects.filter(pk=run.pk).update(job=job)
        audit.record(actor, "remote-batch.run", batch, after=_told(run, state, job))
        if _was_bad(batch, run):
            _alert(BEGUN, batch, run.planned_at, Phrase())
        events.publish("component")


def run_now(batch: RemoteBatch, actor: Actor, expect: int | None = None) -> Job:
    """Order at once what a batch is for, on behalf of whoever asks; what is planned stays planned.

    Raises PermissionDenied and Conflict as any order does; then nothing begins.
    """
    components = targets_of(batch)
    if not components:
        raise Conflict(_("There is no component that it is for."))
    if lacking(actor.user, batch.permission, {component.group_id for component in components}):
        raise PermissionDenied(_("You may not order this of all these components; nothing was begun."))
    if batch.at_most is not None and len(components) > batch.at_most:
        raise Conflict(
            ngettext(
                "It is %(number)d component; this batch may be for %(most)d at most. Nothing was begun.",
                "They are %(number)d components; this batch may be for %(most)d at most. Nothing was begun.",
                len(components),
            )
            % {"number": len(components), "most": batch.at_most}
        )
    order = prepare(batch.operation, batch.arguments, components, actor, expect, batch=batch.name)
    with turn():
        job = order()
        run = RemoteBatchRun.objects.create(
            batch=batch,
            planned_at=timezone.now(),
            state=RunState.STARTED,
            by_hand=True,
            actor_name=actor.short_name[:300],
            job=job,
        )
        audit.record(actor, "remote-batch.run", batch, after=_told(run, RunState.STARTED, job))
        events.publish("component")
    return job


def remove_old(days: int) -> int:
    """Forget runs that were decided more than so many days ago."""
    with turn():
        old = RemoteBatchRun.objects.filter(claimed_at__lt=timezone.now() - timedelta(days=days))
        return RemoteBatchRun.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:400])).delete()[0]


def _permitted(batch: RemoteBatch) -> list[Component]:
    """Give whom it is for, if the owner may still order it of all of them; raises Refused."""
    if batch.owner is None:
        raise Refused(Phrase(OWNER_GONE, {"user": batch.owner_name}))
    if not batch.owner.is_active:
        raise Refused(Phrase(OWNER_BARRED, {"user": batch.owner_name}))
    _limit(batch, batch.owner)
    components = targets_of(batch)
    groups = {component.group_id for component in components}
    if lacking(batch.owner, batch.permission, groups):
        raise Refused(Phrase(OWNER_MAY_NOT, {"user": batch.owner_name}))
    number = len(components)
    if not number:
        raise Refused(NOBODY_LEFT)
    if batch.expect is not None and number != batch.expect:
        raise Refused(Phrase(OTHER_NUMBER, {"number": str(number), "expected": str(batch.expect)}))
    if batch.at_most is not None and number > batch.at_most:
        raise Refused(Phrase(TOO_MANY, {"number": str(number), "most": str(batch.at_most)}))
    return components


def _limit(batch: RemoteBatch, owner: Any) -> None:
    """Leave the owner no more than the token has by which he saved it; a program's mistake or theft ends with it."""
    if not batch.limited_by:
        return
    told = {"token": batch.limited_by}
    if batch.token is None:
        raise Refused(Phrase(TOKEN_GONE, told))
    if batch.token.has_expired:
        raise Refused(Phrase(TOKEN_EXPIRED, told))
    owner.token, owner.is_limited = batch.token, True


def _refuse(batch: RemoteBatch, run: RemoteBatchRun, why: Phrase) -> None:
    with turn():
        won = RemoteBatchRun.objects.filter(pk=run.pk, state=RunState.BEGINNING).update(
            state=RunState.REFUSED, message=why
        )
        if won:
            _record(batch, [Late(run.planned_at, RunState.REFUSED, why)])
            _alert(REFUSED, batch, run.planned_at, why)
            events.publish("component")


def _tell_died(now: datetime) -> int:
    """Tell as missed what a process won and did not begin: it died before it had written a job."""
    told = 0
    for run in RemoteBatchRun.objects.filter(state=RunState.BEGINNING, claimed_at__lt=now - GIVEN_UP)[:100]:
        with turn():
            won = RemoteBatchRun.objects.filter(pk=run.pk, state=RunState.BEGINNING).update(
                state=RunState.MISSED, message=DIED
            )
            if won:
                _tell_lost(run.batch, [Late(run.planned_at, RunState.MISSED, DIED)])
                events.publish("component")
                told += 1
    return told


def _tell_lost(batch: RemoteBatch, lost: Sequence[Late]) -> None:
    """Write down what was not begun; of what was missed, the last one is an alert."""
    if not lost:
        return
    _record(batch, lost)
    missed = [one for one in lost if one.state is RunState.MISSED]
    if missed:
        why = missed[-1].why
        if len(missed) > 1:
            why = Phrase(MORE_BEFORE, {"number": str(len(missed) - 1)})
        _alert(MISSED, batch, missed[-1].planned_at, why)


def _record(batch: RemoteBatch, lost: Sequence[Late]) -> None:
    last = lost[-1]
    action = {RunState.MISSED: "remote-batch.miss", RunState.REFUSED: "remote-batch.refuse"}.get(
        last.state, "remote-batch.skip"
    )
    actor = Actor(ActorKind.SCHEDULE, f"remote batch {batch.name}"[:300])
    with override("en"):
        after = {"planned_for": list(_stamps(lost)), "why": str(last.why)}
        outcome = Outcome.SUCCESS if last.state is RunState.SKIPPED else Outcome.FAILED
        audit.record(actor, action, batch, after=after, outcome=outcome)


def _stamps(lost: Sequence[Late]) -> Iterator[str]:
    for one in lost:
        yield one.planned_at.isoformat()


def _told(run: RemoteBatchRun, state: RunState, job: Job) -> dict[str, object]:
    return {"planned_for": run.planned_at.isoformat(), "state": state.value, "job": job.pk, "total": job.total}


def _was_bad(batch: RemoteBatch, run: RemoteBatchRun) -> bool:
    """Say whether the time before this one was missed or refused, so that an alert stands."""
    before = (
        RemoteBatchRun.objects.filter(batch=batch, by_hand=False).exclude(pk=run.pk).exclude(state=RunState.SKIPPED)
    )
    state = before.order_by("-planned_at").values_list("state", flat=True).first()
    return state in (RunState.MISSED, RunState.REFUSED)


def _alert(definition: str, batch: RemoteBatch, planned_at: datetime, why: Phrase) -> None:
    """Raise an alert of the portal; one about a single component is that component's."""
    targets = [target.component for target in batch.targets.select_related("component")[:2]]
    single = targets[0] if len(targets) == 1 and batch.group_id is None else None
    with override("en"):
        params = {"batch": batch.name, "time": f"{planned_at:%Y-%m-%d %H:%M} UTC", "why": str(why)}
    raise_alert(definition, component=single, object=f"{batch.name} (#{batch.pk})", params=params)
