"""Carries out the steps of a job: some at once, each order at most once, each device held by one order at a time.

A step is claimed by one statement and never begun again. If this process dies, the watchdog ends the steps that were
running as "outcome unknown" and another worker goes on with those that were not begun.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.components import contact, extensions, noting
from apps.components.contact import Line
from apps.components.models import Component, ManagementInterface, PowerSwitch
from apps.components.offers import Offers
from apps.components.services import checks, power_states, reservations
from apps.components.services.power_states import Seen
from apps.control import operations
from apps.control.conversations import Spoken, Talks
from apps.control.hints import REMEDY_WHILE_OFF
from apps.control.orders import UNTOLD, Order, WakeOrder, order_of
from apps.control.services import targets
from apps.control.services.ordering import CANNOT
from apps.core import jobs, options
from apps.core.jobs import LOOK_FIRST, WORKER_DIED
from apps.core.models import Job, JobState, JobStep, StepCode, StepState
from apps.core.phrases import Phrase
from apps.core.writes import turn
from apps.drivers.contract import PowerAction

HAND_ON_AFTER = 1200.0  # seconds after which another task goes on with what is not begun
LISTENING = 1.0  # seconds between looks at whether the job was cancelled
SLACK = timedelta(seconds=90)  # the order itself, the last look, and a busy machine of our own
POLL_AFTER = timedelta(seconds=2)

GONE = Phrase(gettext_noop("The interface was removed meanwhile."))
HELD_OTHERWISE = gettext_noop("%(holder)s holds another way to this machine for: %(purpose)s.")
HELD_PLAINLY = Phrase(gettext_noop("Somebody else has just ordered something of it."))
TOO_MANY_FAILED = gettext_noop("Not begun, because others failed before: %(number)s.")
HARMLESS = (WORKER_DIED, *UNTOLD)
SLOW_ENDS = frozenset({PowerAction.SHUTDOWN, PowerAction.REBOOT})

REMEDIES = {
    StepCode.NOT_CONFIRMED: Phrase(gettext_noop("See how the device is; polls go on telling whether it is done.")),
    StepCode.OUTCOME_UNKNOWN: LOOK_FIRST,
    StepCode.UNSUPPORTED: Phrase(gettext_noop("Choose another operation, or another way of managing it.")),
    StepCode.DEVICE_ERROR: Phrase(gettext_noop("The device itself refused: see its own page or its event log.")),
}


@dataclass(frozen=True, slots=True)
class Begun:
    """A step that is being carried out."""

    step: JobStep
    order: Order
    line: Line | None
    holder: str
    held: int | None  # the interface that is held for it


def run(job_id: int) -> None:
    """Carry out what waits of a job."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None or job.kind not in operations.OPERATIONS:
        return
    Round(job).run()


def looking_for(operation: str, arguments: operations.Arguments) -> timedelta:
    """Give how long an order is looked for until it is seen."""
    slow = operation == operations.WAKE or (
        operation == operations.POWER and PowerAction(arguments["action"]) in SLOW_ENDS
    )
    return timedelta(seconds=options.get("shutdown_confirmation" if slow else "operation_confirmation"))


class Round:
    """One worker's share of a job."""

    slack = SLACK
    lets_read = True  # while an order is only looked for, which may take ten minutes

    def __init__(self, job: Job) -> None:
        self.job = job
        self.arguments: dict[str, Any] = job.arguments
        self.limit = self.looks_for()
        self.begun: dict[int, Begun] = {}
        self.offers = Offers()
        self._read_again: set[int] = set()  # steps whose device others may read
        self.until = time.monotonic() + HAND_ON_AFTER

    def run(self) -> None:
        """Begin, listen, end, until nothing is left or another task shall go on."""
        with Talks() as talks:
            while True:
                in_time = time.monotonic() < self.until
                if in_time:
                    self._fill(talks)
                if not self.begun:
                    break
                if self.lets_read:
                    self._let_read()
                told = talks.next(LISTENING)
                if told is not None:
                    self._end(self.begun.pop(told[0]), told[1])
                else:
                    self.tick()
                if told is None and not Job.objects.filter(pk=self.job.pk, state=JobState.RUNNING).exists():
                    talks.give_up()
        if JobStep.objects.filter(job=self.job, state=StepState.WAITING).exists():
            jobs.kinds.get(self.job.kind).start(self.job.pk)

    def looks_for(self) -> timedelta:
        """Say how long an order is looked for."""
        return looking_for(self.job.kind, self.arguments)

    def at_once(self) -> int:
        """Say how many devices may be ordered at once now."""
        return int(options.get("operation_concurrency"))

    def tick(self) -> None:
        """Do what is to be done while nothing happens."""

    def _let_read(self) -> None:
        """Let polls come where the order was given: they are what sees it done when this process does not live on."""
        for pk, begun in self.begun.items():
            if begun.order.left is not None and pk not in self._read_again and begun.line is not None:
                self._read_again.add(pk)
                noting.note([noting.Outcome(begun.line, None, begun.order.left)])
                reservations.let_read(begun.line.interface_id, self.job.kind, begun.holder)

    def _fill(self, talks: Talks) -> None:
        """Begin as many steps as may run at once, unless too many have failed."""
        while (free := self.at_once() - len(self.begun)) > 0:
            waiting = JobStep.objects.filter(job=self.job, state=StepState.WAITING).order_by("pk")
            ids = list(waiting.values_list("pk", flat=True)[:free])
            if not ids or self.is_stopped():
                return
            for pk in ids:
                step = jobs.claim(pk, self.limit + self.slack)
                if step is not None:
                    self._begin(step, talks)

    def is_stopped(self) -> bool:
        """Say whether nothing more is begun; then the rest is left out."""
        most = options.get("operation_failures")
        # That a worker of ours ended, or a controller does not tell more, says nothing of the devices that come next.
        failed = JobStep.objects.filter(job=self.job, state=StepState.FAILED).exclude(message__in=HARMLESS).count()
        if not most or failed < most:
            return False
        jobs.leave_rest(self.job.pk, Phrase(TOO_MANY_FAILED, {"number": str(failed)}))
        return True

    def _begin(self, step: JobStep, talks: Talks) -> None:
        """Hold the device and order; what cannot be ordered ends here."""
        waking = self.job.kind == operations.WAKE
        if (why := self.refusal(step)) is not None:
            jobs.finish(step, StepState.SKIPPED, message=why)
            return
        if step.interface is None and not waking:
            jobs.finish(step, StepState.SKIPPED, code=StepCode.UNSUPPORTED, message=CANNOT)
            return
        holder = f"{self.job.created_by_name} (#{self.job.pk})"
        line: Line | None = None
        if step.interface is not None and not ManagementInterface.objects.filter(pk=step.interface).exists():
            jobs.finish(step, StepState.SKIPPED, message=GONE)
            return
        held = step.interface if step.interface is not None else _any_interface(step)
        if held is not None and not self._reserve(held, holder):
            _refuse(step, held)
            return
        if step.interface is not None:
            (line,) = contact.lines([step.interface], self.job.kind, offers=self.offers)
        order = self.order_for(step)
        if order is None:
            self._release(held, holder)
            jobs.finish(step, StepState.SKIPPED, code=StepCode.UNSUPPORTED, message=CANNOT)
            return
        self.begun[step.pk] = Begun(step, order, line, holder, held)
        talks.begin(step.pk, order, line, self.limit)

    def refusal(self, step: JobStep) -> Phrase | None:
        """Say why a step is not begun though the device could do it; None where nothing speaks against it."""
        if step.component is None:
            return None
        operation = operations.OPERATIONS[self.job.kind]
        return targets.refused([step.component], operation, self.arguments).get(step.component)

    def order_for(self, step: JobStep) -> Order | None:
        """Make the order of a step; None where there is nothing to order."""
        if self.job.kind != operations.WAKE:
            return order_of(self.job.kind, self.arguments)
        found = targets.mac_addresses([step.component] if step.component is not None else [])
        if not found:
            return None
        ports = [self.arguments["port"]] if self.arguments["port"] else [options.get("wake_port")]
        receivers = [(address, port) for address in options.get("wake_addresses") for port in ports]
        return WakeOrder(next(iter(found.values())), receivers)

    def _end(self, begun: Begun, spoken: Spoken) -> None:
        """Keep how it went. The device is free before the step has ended: who waits for that may order at once."""
        step, line = begun.step, begun.line
        if line is not None and spoken.asked:
            noting.note([noting.Outcome(line, spoken.error, self._state_after(begun, line, spoken))])
        if begun.order.power is not None and step.component is not None:
            power_states.keep([Seen(step.component, begun.order.power, timezone.now(), begun.order.restart_cause)])
        if line is not None and begun.order.events:
            for keep in extensions.log_keepers:
                keep(line.interface_id, begun.order.events)
        self._release(begun.held, begun.holder)
        if begun.order.sent and step.component is not None:
            _poll_soon(step.component)
        self.finish(begun, spoken)

    def _state_after(self, begun: Begun, line: Line, spoken: Spoken) -> Mapping[str, Any]:
        """Give what is to be kept for the driver: nothing where a poll kept something newer meanwhile."""
        if begun.step.pk not in self._read_again:
            return spoken.state
        present = ManagementInterface.objects.filter(pk=line.interface_id).values_list("state", flat=True).first()
        return spoken.state if present == begun.order.left else {}

    def finish(self, begun: Begun, spoken: Spoken) -> None:
        """End the step in words."""
        jobs.finish(
            begun.step,
            StepState.FAILED if spoken.code else StepState.DONE,
            code=spoken.code,
            stage=spoken.error.stage.value if spoken.error is not None and spoken.code else "",
            message=spoken.message,
            remedy=self.remedy(begun, spoken),
        )

    def remedy(self, begun: Begun, spoken: Spoken) -> Phrase | None:
        """Say what to do about it."""
        if not spoken.code:
            return None
        off = Component.objects.filter(pk=begun.step.component or 0, power_state=PowerSwitch.OFF)
        if spoken.code == StepCode.UNREACHABLE and off.exists():
            return REMEDY_WHILE_OFF
        if spoken.code in REMEDIES:
            return REMEDIES[spoken.code]
        return checks.remedy_of(spoken.error) if spoken.error is not None else None

    def _reserve(self, interface: int, holder: str) -> bool:
        """Hold an interface; who changes something holds the whole component, whatever other way leads to it."""
        unchanging = [kind.name for kind in jobs.kinds if not kind.changes_devices]
        beside = unchanging if jobs.kinds.get(self.job.kind).changes_devices else None
        return reservations.reserve(interface, self.job.kind, holder, self.limit + self.slack, beside=beside)

    def _release(self, interface: int | None, holder: str) -> None:
        if interface is not None:
            reservations.release(interface, self.job.kind, holder)


def _any_interface(step: JobStep) -> int | None:
    """Give an interface to hold in place of the component, where none is spoken to."""
    rows = ManagementInterface.objects.filter(component=step.component or 0)
    return rows.order_by("pk").values_list("pk", flat=True).first()


def _refuse(step: JobStep, interface: int) -> None:
    """End a step whose device somebody else holds: it is told at once and never queued."""
    held = reservations.holder_of(interface)
    told = HELD_PLAINLY
    if held is not None:
        sentence = contact.HELD if held.interface_id == interface else HELD_OTHERWISE
        told = Phrase(sentence, {"holder": held.holder, "purpose": held.purpose})
    code = StepCode.ALREADY_RUNNING
    jobs.finish(step, StepState.FAILED, code=code, message=told, remedy=checks.BY_CODE[code.value])


def _poll_soon(component_id: int) -> None:
    """Have all ways of managing of a component polled soon: what was ordered changes what they say."""
    for tell in extensions.ordered:
        tell(component_id)
    with turn():
        ManagementInterface.objects.filter(component=component_id, enabled=True, next_poll_at__isnull=False).update(
            next_poll_at=timezone.now() + POLL_AFTER
        )
