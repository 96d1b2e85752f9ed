"""Carries out jobs of settings: one device alone first, the others only when that one is confirmed."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_noop

from apps.components import ownership
from apps.components.models import Component, ManagementInterface
from apps.components.services import credentials, interfaces
from apps.control.conversations import Spoken
from apps.control.models import SettingsOrder
from apps.control.orders import Order
from apps.control.services.running import SLACK, Begun, Round
from apps.control.settings import services
from apps.control.settings.orders import (
    LONGEST_CONTACT,
    TAKEN_UNTIL_RESTART,
    Plan,
    ReadOrder,
    Reporting,
    ResetOrder,
    RestartOrder,
    WriteOrder,
)
from apps.core import events, jobs, options
from apps.core.actors import Actor, ActorKind
from apps.core.models import Job, JobStep, StepCode, StepState
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
TOO_MANY_FAILED = gettext_noop("Not begun, because others failed before: %(number)s.")
REFUSED = gettext_noop("It refused %(what)s: %(error)s")
REFUSED_AFTER = gettext_noop("It refused %(what)s: %(error)s Written before: %(number)s settings.")
RESTART_REFUSED = gettext_noop("All was written, but it does not restart: %(error)s")
LATER_ELSEWHERE = gettext_noop("%(what)s From then on the portal asks it in vain until you change its way of managing.")
AND_ADDRESS = gettext_noop("%(what)s The portal asks it at %(address)s from now on.")
AND_CREDENTIAL = gettext_noop("%(what)s Its credential was changed with it.")
NOT_FOLLOWED = gettext_noop("%(what)s The portal could not follow it by itself: change its way of managing by hand.")

RESTART_IT = Phrase(gettext_noop("Restart the controller from the page of its settings when it suits you."))
READ_AGAIN = Phrase(gettext_noop("Read the settings again, and look at the difference once more."))
LOOK_AT_IT = Phrase(gettext_noop("Read the settings again to see what of it was taken, before you repeat it."))
WAIT_AND_READ = Phrase(
    gettext_noop(
        "A controller may take minutes: read its settings again later. If it answers nowhere, somebody on site has to "
        "correct its network."
    )
)


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
        self.is_proven = False  # one device has taken the change and answered again
        self._shown: dict[int, Phrase] = {}

    def looks_for(self) -> timedelta:
        """Changes may take minutes until the controller answers again."""
        if self.job.kind == services.READ:
            return READING_LIMIT
        return timedelta(seconds=options.get("settings_confirmation"))

    def at_once(self) -> int:
        """One alone until it is confirmed, then a few."""
        if not self.changes:
            return int(options.get("operation_concurrency"))
        return int(options.get("settings_concurrency")) if self.is_proven else AT_FIRST

    def is_stopped(self) -> bool:
        """Stop after the first device if that failed, later after as many as the option says."""
        if not self.changes:
            return super().is_stopped()
        ended = JobStep.objects.filter(job=self.job)
        failed = ended.filter(state=StepState.FAILED).count()
        done = ended.filter(state=StepState.DONE).exists()
        if not failed and ended.filter(message=TAKEN_UNTIL_RESTART).exists():
            jobs.leave_rest(self.job.pk, FIRST_WAITS)
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

    def finish(self, begun: Begun, spoken: Spoken) -> None:
        """Keep what was read, follow the device to where it went, write down what was written, then end the step."""
        order, step = begun.order, begun.step
        if isinstance(order, Reporting) and order.report is not None and step.interface is not None:
            services.keep(step.interface, order.report, came_with=isinstance(order, ResetOrder))
        if isinstance(order, WriteOrder):
            spoken = self._finish_write(begun, order, spoken)
            self.is_proven = self.is_proven or (order.sent and not spoken.code and not order.awaits_restart)
        super().finish(begun, spoken)

    def _finish_write(self, begun: Begun, order: WriteOrder, spoken: Spoken) -> Spoken:
        step = begun.step
        message = spoken.message
        if spoken.code and order.problem is not None:
            message = order.problem
        elif spoken.code and order.about and spoken.code in (StepCode.DEVICE_ERROR, StepCode.UNSUPPORTED):
            told: dict[str, str | Phrase] = {
                "what": order.labelled(order.about),
                "error": spoken.message,
                "number": str(len(order.accepted)),
            }
            message = Phrase(REFUSED_AFTER if order.accepted else REFUSED, told)
        elif order.absence.has_begun and spoken.code in (StepCode.DEVICE_ERROR, StepCode.UNSUPPORTED):
            message = Phrase(RESTART_REFUSED, {"error": spoken.message})
        component = Component.objects.select_related("group").filter(pk=step.component).first()
        if order.sent and component is not None:
            services.record(component, self.targets[str(step.interface)], self.actor, outcome=spoken.code or "done")
        if not spoken.code:
            message = self._follow(order, step, message)
        return Spoken(spoken.code, message, spoken.error, spoken.state, spoken.asked)

    @property
    def actor(self) -> Actor:
        """Give who ordered it."""
        user = self.job.created_by
        return Actor(ActorKind.USER, self.job.created_by_name, user, None, f"job {self.job.pk}")

    def _follow(self, order: WriteOrder, step: JobStep, message: Phrase) -> Phrase:
        """Have the portal ask at the new address, and sign in as the device wants it from now on."""
        row = ManagementInterface.objects.select_related("credential").filter(pk=step.interface).first()
        if row is None or order.reached is None:
            return message
        if order.awaits_restart and (order.plan.carried(Carries.PORT) or order.plan.changes.get("network.address")):
            return Phrase(LATER_ELSEWHERE, {"what": message})
        try:
            address, port = order.reached.address, order.reached.port
            moved_port = order.plan.carried(Carries.PORT) is not None and not order.awaits_restart
            if address != row.address or moved_port:
                interfaces.follow(row, address, port if moved_port else row.port, self.actor)
                message = Phrase(AND_ADDRESS, {"what": message, "address": address})
            login, password = order.plan.carried(Carries.LOGIN), order.plan.carried(Carries.PASSWORD)
            fields = {name: one for name, one in (("username", login), ("password", password)) if one is not None}
            if fields and row.credential is not None and row.credential.interfaces.count() == 1:
                credentials.change(row.credential, self.actor, fields=fields)
                message = Phrase(AND_CREDENTIAL, {"what": message})
        except ValidationError:
            message = Phrase(NOT_FOLLOWED, {"what": message})
        return message

    def remedy(self, begun: Begun, spoken: Spoken) -> Phrase | None:
        """Say what to do about a change that did not go well."""
        order = begun.order
        if isinstance(order, WriteOrder) and order.awaits_restart and not spoken.code:
            return RESTART_IT
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
