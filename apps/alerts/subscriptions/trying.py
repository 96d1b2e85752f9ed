"""Has devices send a test event, and waits until it has arrived: a job with one step per interface."""

import time
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.alerts.models import EventSubscription
from apps.alerts.subscriptions import keeping, talking
from apps.components import contact, noting, ownership
from apps.components.noting import Outcome
from apps.core import jobs
from apps.core.actors import Actor
from apps.core.models import Job, JobStep, StepCode, StepState
from apps.core.phrases import Phrase
from apps.protocols.errors import AuthenticationFailed, ContactError

TEST = "event-test"
TITLE = Phrase(gettext_noop("Test of Redfish events"))
ARRIVES_WITHIN = 60.0  # seconds
LOOKED_EVERY = 0.5
ARRIVED = Phrase(gettext_noop("The test event arrived."))
NOT_ARRIVED = Phrase(
    gettext_noop(
        "The device was asked to send a test event, and none arrived: see whether a firewall between lets it reach "
        "this portal."
    )
)
GONE = Phrase(gettext_noop("The interface was removed meanwhile."))


def order(subscriptions: Iterable[EventSubscription], actor: Actor) -> Job:
    """Start a test of these subscriptions."""
    steps = [
        jobs.NewStep(
            target=f"{row.interface.component} ({row.interface})",
            component=row.interface.component_id,
            interface=row.interface_id,
            group=row.interface.component.group_id,
        )
        for row in subscriptions
    ]
    return jobs.create(TEST, TITLE, steps, actor)


def run(job_id: int) -> None:
    """Do the steps of a job, one after the other."""
    waiting = JobStep.objects.filter(job=job_id, state=StepState.WAITING).order_by("pk")
    for pk in list(waiting.values_list("pk", flat=True)):
        step = jobs.claim(pk)
        if step is not None:
            _do(step)


def _do(step: JobStep) -> None:
    row = EventSubscription.objects.filter(interface=step.interface).select_related("interface").first()
    line = keeping.line_of(row) if row is not None else None
    if row is None or line is None:
        jobs.finish(step, StepState.SKIPPED, message=GONE)
        return
    why = ownership.refusals([row.interface.component_id], ownership.CONTROLLER)
    if why:
        jobs.finish(step, StepState.SKIPPED, message=why[row.interface.component_id])
        return
    began = timezone.now()
    (result,) = talking.all_at_once([partial(talking.test, line)])
    if isinstance(result, ContactError):
        if isinstance(result, AuthenticationFailed):
            noting.note([Outcome(line, result)])
        jobs.finish(
            step,
            StepState.FAILED,
            code=StepCode(result.code),
            stage=result.stage.value,
            message=contact.words(result),
        )
    elif _arrived(row, began):
        jobs.finish(step, StepState.DONE, message=ARRIVED)
    else:
        jobs.finish(step, StepState.FAILED, code=StepCode.NOT_CONFIRMED, message=NOT_ARRIVED)


def _arrived(row: EventSubscription, began: datetime) -> bool:
    """Wait until anything came from the device."""
    until = time.monotonic() + ARRIVES_WITHIN
    heard = EventSubscription.objects.filter(pk=row.pk, last_event_at__gte=began)
    while not heard.exists():
        if time.monotonic() >= until:
            return False
        time.sleep(LOOKED_EVERY)
    return True
