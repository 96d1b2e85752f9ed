"""Sets the limits of many sensors: of one component at once, of the same sensors of a whole group by a job."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from apps.components.models import Component
from apps.core import jobs
from apps.core.actors import Actor, ActorKind
from apps.core.models import Job, JobStep, StepState
from apps.core.phrases import Phrase
from apps.drivers.contract import Limits
from apps.monitoring.models import Sensor
from apps.monitoring.services import limits

KIND = "limits"
TITLE = Phrase(gettext_noop("Limits of sensors"))
SET = gettext_noop("The limits of %(number)s sensors were set.")
NONE_LEFT = Phrase(gettext_noop("It has no such sensor any more."))

Wanted = Mapping[str, float | None] | None  # None: the device's own again


def set_limits(sensors: Iterable[Sensor], wanted: Wanted, actor: Actor) -> int:
    """Set the same four limits on sensors, each in a transaction of its own; gives how many.

    Raises ValidationError before anything is changed.
    """
    four = _four(wanted)
    number = 0
    for sensor in sensors:
        limits.set_limits(sensor, four, actor)
        number += 1
    return number


def _four(wanted: Wanted) -> Wanted:
    """Name all four and check their order; what is left out is no limit."""
    if wanted is None:
        return None
    four = {**dict.fromkeys(limits.FIELDS), **wanted}
    limits.checked(four)
    return four


def alike(sensors: Sequence[Sensor], components: "QuerySet[Component]") -> "QuerySet[Sensor]":
    """Give the sensors of components that are called as these and measure the same."""
    same = Q(pk__in=())
    for name, quantity, unit in sorted({(one.name, one.quantity, one.unit) for one in sensors}):
        same |= Q(name=name, quantity=quantity, unit=unit)
    return Sensor.objects.filter(same, gone_at=None, interface__component__in=components.order_by().values("pk"))


def start(sensors: Sequence[Sensor], components: "QuerySet[Component]", wanted: Wanted, actor: Actor) -> Job:
    """Start setting the limits of all sensors like these, a step for each component. Raises ValidationError."""
    four = _four(wanted)
    owners = alike(sensors, components).values("interface__component")
    steps = [
        jobs.NewStep(target=str(one), component=one.pk, group=one.group_id)
        for one in components.filter(pk__in=owners).order_by("name", "pk")
    ]
    kinds = sorted({(one.name, one.quantity, one.unit) for one in sensors})
    by = {"kind": actor.kind.value, "name": actor.name}
    arguments: dict[str, Any] = {"sensors": [list(kind) for kind in kinds], "limits": four, "actor": by}
    return jobs.create(KIND, TITLE, steps, actor, arguments)


def run(job_id: int) -> None:
    """Set the limits for the waiting steps of a job, one component after the other."""
    job = Job.objects.select_related("created_by").get(pk=job_id)
    by = job.arguments.get("actor") or {"kind": ActorKind.USER.value, "name": job.created_by_name}
    actor = Actor(ActorKind(by["kind"]), by["name"], job.created_by)
    kinds = [Sensor(name=name, quantity=quantity, unit=unit) for name, quantity, unit in job.arguments["sensors"]]
    wanted: Wanted = job.arguments["limits"]
    for step in _claimed(job_id):
        mine = alike(kinds, Component.objects.filter(pk__in=[step.component])).select_related("interface__component")
        try:
            number = set_limits(mine.order_by("pk"), wanted, actor)
        except ValidationError as error:
            jobs.finish(step, StepState.FAILED, message=Phrase(" ".join(error.messages)))
            continue
        if number:
            jobs.finish(step, StepState.DONE, message=Phrase(SET, {"number": str(number)}))
        else:
            jobs.finish(step, StepState.SKIPPED, message=NONE_LEFT)


def _claimed(job_id: int) -> Iterator[JobStep]:
    while True:
        waiting = JobStep.objects.filter(job=job_id, state=StepState.WAITING).order_by("pk")
        ids = list(waiting.values_list("pk", flat=True)[:50])
        claimed = [step for step in map(jobs.claim, ids) if step is not None]
        if not claimed:
            return
        yield from claimed


def shared(found: Iterable[Limits]) -> Limits:
    """Give the limits that all of these have in force, no limit where they differ."""
    four = [tuple(getattr(one, name) for name in limits.FIELDS) for one in found]
    return Limits(*four[0]) if four and all(one == four[0] for one in four) else Limits()
