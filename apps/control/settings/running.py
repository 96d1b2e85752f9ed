"""Carries out jobs of settings: one device alone first, the others only when that one is confirmed.

A change that was not taken for a reason that passes is tried again some minutes later, beginning with reading; after a
change of its network a controller is asked for a test alert. Both are done beside the conversations with other devices.
"""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.components import contact, ownership
from apps.components.models import Component, ManagementInterface
from apps.control.conversations import Spoken
from apps.control.models import SettingsOrder
from apps.control.orders import Order
from apps.control.services.running import HAND_ON_AFTER, SLACK, Begun, Round
from apps.control.settings import following, reporting, services, trying_again
from apps.control.settings.orders import LONGEST_CONTACT, ReadOrder, Reporting, ResetOrder, RestartOrder
from apps.control.settings.reporting import Check, TestAlert
from apps.control.settings.trying_again import Waiting
from apps.control.settings.writing import READING, Plan, WriteOrder
from apps.core import events, jobs, options
from apps.core.actors import Actor, ActorKind
from apps.core.models import Job, JobState, JobStep, StepCode, StepState
from apps.core.phrases import Phrase
from apps.drivers.contract import Carries

AT_FIRST = 1
READING_LIMIT = timedelta(seconds=60)

FIRST_FAILED = Phrase(gettext_noop("Not begun, because the first device was not confirmed."))
FIRST_WAITS = Phrase(
    gettext_noop(
        "Not begun: what the first device took counts only after its restart, so nobody knows whether it answers then."
    )
)
FIRST_SILENT = Phrase(gettext_noop("Not begun, because no report of the first device arrived after its change."))
TOO_MANY_FAILED = gettext_noop("Not begun, because others failed before: %(number)s.")

RESTART_IT = Phrase(gettext_noop("Restart the controller from the page of its settings when it suits you."))
READ_AGAIN = Phrase(gettext_noop("Read the settings again, and look at the difference once more."))
LOOK_AT_IT = Phrase(gettext_noop("Read the settings again to see what of it was taken, before you repeat it."))
WAIT_AND_READ = Phrase(
    gettext_noop(
        "A controller may take minutes: read its settings again later. If it answers nowhere, somebody on site has to "
        "correct its network."
    )
)


def longest() -> int:
    """Give the seconds after which a task of such a job has ended, whatever its devices do."""
    once = options.get("settings_confirmation") + SettingsRound.slack.total_seconds()
    tries = options.get("settings_tries")
    check = options.get("settings_report_wait") + once
    return round(HAND_ON_AFTER + once * (tries + 1) + 60 * options.get("settings_pause") * tries + check)


def run(job_id: int) -> None:
    """Carry out what waits of a job."""
    job = Job.objects.select_related("created_by").filter(pk=job_id).first()
    if job is not None and job.kind in services.KINDS:
        SettingsRound(job).run()


class SettingsRound(Round):
    """One worker's share of a job of settings."""

    slack = SLACK + 2 * timedelta(seconds=LONGEST_CONTACT)
    lets_read = False  # a controller that takes its new network up answers nobody, and is not ill

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.changes = job.kind != services.READ
        order = SettingsOrder.objects.filter(job=job).first() if job.kind == services.WRITE else None
        self.targets: dict[str, Any] = dict(order.targets) if order is not None else {}
        self.is_proven = False  # one device has taken the change, answered again, and reports as before
        self.tries = self.further_tries()
        self.waiting: dict[int, Waiting] = {}  # steps that are tried again later
        self.checks: dict[int, Check] = {}  # steps whose devices are to report
        self._silent: set[int] = set()  # steps whose devices did not report
        self._shown: dict[int, Phrase] = {}

    def looks_for(self) -> timedelta:
        """Changes may take minutes until the controller answers again."""
        if self.job.kind == services.READ:
            return READING_LIMIT
        return timedelta(seconds=options.get("settings_confirmation"))

    def at_once(self) -> int:
        """One alone until it is confirmed, then a few: who waits for another try takes no place, but may yet fail."""
        if not self.changes:
            return int(options.get("operation_concurrency"))
        if not self.is_proven:
            return AT_FIRST - len(self.waiting) - len(self.checks)
        most = options.get("settings_failures")
        failed = JobStep.objects.filter(job=self.job, state=StepState.FAILED).count() if self.waiting else 0
        if self.waiting and most and failed + len(self.waiting) >= most:
            return 0
        return int(options.get("settings_concurrency"))

    def further_tries(self) -> int:
        """Say how often a change that was not taken is tried again."""
        return int(options.get("settings_tries"))

    def pause(self) -> timedelta:
        """Say how long it is waited before a further try."""
        return timedelta(minutes=options.get("settings_pause"))

    def is_busy(self) -> bool:
        """Say whether anything runs, waits for another try, or is listened for."""
        return super().is_busy() or bool(self.waiting or self.checks)

    def is_stopped(self) -> bool:
        """Stop after the first device if that failed, later after as many as the option says."""
        if not self.changes:
            return super().is_stopped()
        ended = JobStep.objects.filter(job=self.job)
        failed = ended.filter(state=StepState.FAILED).count()
        done = ended.filter(state=StepState.DONE).exists()
        if not failed and ended.filter(remedy=RESTART_IT).exists():
            jobs.leave_rest(self.job.pk, FIRST_WAITS)
            return True
        if not failed and not self.is_proven and ended.filter(remedy=reporting.CHECK_DESTINATION).exists():
            jobs.leave_rest(self.job.pk, FIRST_SILENT)
            return True
        if not failed:
            return False
        most = options.get("settings_failures")
        if done and (not most or failed < most):
            return False
        jobs.leave_rest(self.job.pk, Phrase(TOO_MANY_FAILED, {"number": str(failed)}) if done else FIRST_FAILED)
        return True

    def refusal(self, step: JobStep) -> Phrase | None:
        """Say that another manager has the controller; it may have got it since the change was ordered."""
        if step.component is None or not self.changes:
            return None
        return ownership.refusals([step.component], ownership.CONTROLLER).get(step.component)

    def order_for(self, step: JobStep) -> Order | None:
        """Make the order of a step; a change of which nothing is kept any more cannot be made."""
        if self.job.kind == services.READ:
            return ReadOrder()
        if self.job.kind == services.RESET:
            return ResetOrder()
        if self.job.kind == services.RESTART:
            return RestartOrder()
        target = self.targets.get(str(step.interface))
        return WriteOrder(_plan(target, self.job)) if target is not None else None

    def tick(self) -> None:
        """Show how far the devices are."""
        for pk, begun in self.begun.items():
            if isinstance(begun.order, WriteOrder) and self._shown.get(pk) != begun.order.progress:
                self._shown[pk] = begun.order.progress
                JobStep.objects.filter(pk=pk, state=StepState.RUNNING).update(message=begun.order.progress)
                events.publish("job")

    def _end(self, begun: Begun, spoken: Spoken) -> None:
        """Try again later what may be taken then; else see whether its reports arrive, where that may have changed."""
        order = begun.order
        if isinstance(order, TestAlert):
            self._listen(begun, spoken)
        elif not isinstance(order, WriteOrder):
            super()._end(begun, spoken)
        elif not self._put_off(begun, order, spoken):
            self._end_write(begun, order, spoken)

    def go_on(self) -> None:
        """Try again what has waited long enough, and look whether reports came."""
        places = int(options.get("settings_concurrency")) if self.is_proven else AT_FIRST
        for pk, one in list(self.waiting.items()):
            if time.monotonic() >= one.due and len(self.begun) < places:
                self._try_again(self.waiting.pop(pk))
        for pk, check in list(self.checks.items()):
            if check.until and reporting.has_come(check):
                self._close(pk, reporting.ARRIVES)
            elif check.until and time.monotonic() >= check.until:
                self._close(pk, reporting.SILENT)

    def give_up(self) -> None:
        """Wait neither for another try nor for reports."""
        super().give_up()
        for pk in list(self.waiting):
            one = self.waiting.pop(pk)
            told = Phrase(trying_again.CANCELLED, {"what": trying_again.failure(one.order, one.spoken)})
            self._leave(one, StepState.CANCELLED, told)
        for pk, check in list(self.checks.items()):
            if check.until:
                self._close(pk, reporting.CANCELLED)

    def _put_off(self, begun: Begun, order: WriteOrder, spoken: Spoken) -> bool:
        """Have it wait for another try, where there is one and it helps."""
        if order.tries > self.tries or self.is_given_up or not trying_again.helps(order, spoken):
            return False
        if not Job.objects.filter(pk=self.job.pk, state=JobState.RUNNING).exists():
            return False
        pause = self.pause()
        why = trying_again.failure(order, spoken)
        if not self.hold(begun, pause, trying_again.waits(why, timezone.now() + pause, order.tries, self.tries)):
            return False
        due = time.monotonic() + pause.total_seconds()
        self.waiting[begun.step.pk] = Waiting(begun, order, spoken, due)
        return True

    def _leave(self, one: Waiting, state: StepState, told: Phrase) -> None:
        """Try it no more; one that was sent nothing ends without a fault of it."""
        if one.order.sent:
            self._end_write(one.begun, one.order, one.spoken, told)
        else:
            self.let_go(one.begun)
            jobs.finish(one.begun.step, state, message=told)

    def _try_again(self, one: Waiting) -> None:
        """Give the order once more, by what is known of the device now; a step that was ended meanwhile stays so."""
        step = one.begun.step
        if (why := self.refusal(step)) is not None:
            what = trying_again.failure(one.order, one.spoken)
            self._leave(one, StepState.SKIPPED, Phrase(trying_again.LEFT, {"why": why, "what": what}))
            return
        lines = contact.lines([step.interface], self.job.kind, offers=self.offers) if step.interface is not None else []
        if not lines or not self.hold(one.begun, timedelta(0), READING):
            self._end_write(one.begun, one.order, one.spoken)
            return
        line = replace(lines[0], target=replace(lines[0].target, state=one.spoken.state or lines[0].target.state))
        one.order.again()
        self.begun[step.pk] = replace(one.begun, line=line)
        self.talks.begin(step.pk, one.order, line, self.limit)

    def _end_write(self, begun: Begun, order: WriteOrder, spoken: Spoken, told: Phrase | None = None) -> None:
        """Keep what was read, write down what was written, follow the device to where it went, then end the step."""
        step = begun.step
        self.note(begun, spoken)
        if order.report is not None and step.interface is not None:
            services.keep(step.interface, order.report)
        component = Component.objects.select_related("group").filter(pk=step.component).first()
        if order.sent and component is not None:
            services.record(component, self.targets[str(step.interface)], self.actor, outcome=spoken.code or "done")
        if told is None:
            told = trying_again.failure(order, spoken) if spoken.code else spoken.message
            told = trying_again.tried(told, order)
        if not spoken.code:
            told = following.follow(order, step.interface, told, self.actor)
        if not self._ask_for_report(begun, order, replace(spoken, message=told)):
            self._conclude(begun, order, replace(spoken, message=told))

    def _conclude(self, begun: Begun, order: WriteOrder, spoken: Spoken) -> None:
        """Give the device back and end the step; the first one that is well lets others begin."""
        reports = begun.step.pk not in self._silent
        self.is_proven = self.is_proven or (order.sent and not spoken.code and not order.awaits_restart and reports)
        self.let_go(begun)
        self.finish(begun, spoken)

    def _ask_for_report(self, begun: Begun, order: WriteOrder, spoken: Spoken) -> bool:
        """Ask for a test alert after a change of the network; False where none is to be asked for."""
        wait, step, line = options.get("settings_report_wait"), begun.step, begun.line
        moves = order.plan.moves(Carries.ADDRESS, Carries.ROUTE)
        changed = order.sent and moves and not spoken.code and not order.awaits_restart
        row = ManagementInterface.objects.filter(pk=step.interface or 0).first() if changed and wait else None
        if row is None or line is None or order.report is None or order.reached is None or self.is_given_up:
            return False
        way = reporting.way_of(row, order.report)
        if way is None and not order.plan.moves(Carries.ADDRESS):
            return False
        if way is None:
            told = Phrase(reporting.NOTHING_OF_OURS, {"what": spoken.message})
            self._conclude(begun, order, replace(spoken, message=told))
            return True
        if not self.hold(begun, timedelta(seconds=wait), reporting.ASKING):
            return False
        self.checks[step.pk] = Check(begun, order, spoken, way, timezone.now())
        line = replace(line, target=replace(order.reached, state=spoken.state))
        self.begun[step.pk] = replace(begun, order=TestAlert(way), line=line)
        self.talks.begin(step.pk, self.begun[step.pk].order, line, timedelta(0))
        return True

    def _listen(self, begun: Begun, spoken: Spoken) -> None:
        """Wait for the test alert, where the controller may have sent it."""
        pk, wait = begun.step.pk, options.get("settings_report_wait")
        self.note(begun, spoken)
        if self.is_given_up:
            self._close(pk, reporting.CANCELLED)
        elif reporting.may_come(spoken):
            self.checks[pk] = replace(self.checks[pk], until=time.monotonic() + wait)
        else:
            self._close(pk, reporting.NOT_ASKED, spoken.message)

    def _close(self, pk: int, sentence: str, error: Phrase | None = None) -> None:
        """End a step with what is known of its reports."""
        check = self.checks.pop(pk)
        if sentence == reporting.SILENT:
            self._silent.add(pk)
        told: dict[str, str | Phrase] = {"what": check.spoken.message, "error": error or Phrase()}
        told["seconds"] = str(options.get("settings_report_wait"))
        self._conclude(check.begun, check.order, replace(check.spoken, message=Phrase(sentence, told)))

    def finish(self, begun: Begun, spoken: Spoken) -> None:
        """Keep what was read, then end the step in words."""
        order, interface = begun.order, begun.step.interface
        if (
            isinstance(order, Reporting)
            and not isinstance(order, WriteOrder)
            and order.report is not None
            and interface
        ):
            services.keep(interface, order.report, came_with=isinstance(order, ResetOrder))
        super().finish(begun, spoken)

    @property
    def actor(self) -> Actor:
        """Give who ordered it."""
        user = self.job.created_by
        return Actor(ActorKind.USER, self.job.created_by_name, user, None, f"job {self.job.pk}")

    def remedy(self, begun: Begun, spoken: Spoken) -> Phrase | None:
        """Say what to do about a change that did not go well."""
        order = begun.order
        if isinstance(order, WriteOrder) and order.awaits_restart and not spoken.code:
            return RESTART_IT
        if begun.step.pk in self._silent:
            return reporting.CHECK_DESTINATION
        if not spoken.code or not isinstance(order, WriteOrder):
            return super().remedy(begun, spoken)
        if order.problem is not None:
            return READ_AGAIN
        if spoken.code in (StepCode.NOT_CONFIRMED, StepCode.OUTCOME_UNKNOWN):
            return WAIT_AND_READ
        return LOOK_AT_IT if order.sent else super().remedy(begun, spoken)


def _plan(target: dict[str, Any], job: Job) -> Plan:
    return Plan(
        changes=target["changes"],
        before=target["before"],
        labels={name: Phrase.loads(label) for name, label in target["labels"].items()},
        secrets=frozenset(target["secrets"]),
        carries={name: Carries(value) for name, value in target["carries"].items()},
        restart=bool(job.arguments.get("restart")),
    )
