"""Checks connections by stages and refreshes on demand; both are jobs with one step per interface."""

import asyncio
import queue
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from apps.components import contact, extensions, noting
from apps.components.models import Component, ManagementInterface
from apps.components.offers import Offers
from apps.components.services import host_names
from apps.core import jobs
from apps.core.actors import Actor
from apps.core.models import Job, JobStep, StepCode, StepState
from apps.core.phrases import Phrase
from apps.drivers.contract import CheckStep
from apps.protocols import pinning
from apps.protocols.errors import ContactError, Stage, Unreachable

CHECK, REFRESH = "check", "refresh"
DEADLINE = 30.0  # seconds for one interface, all stages together
AT_ONCE = 50  # interfaces of one job asked at the same time

CHECK_ONE = Phrase(gettext_noop("Check of connections"))
REFRESH_ONE = Phrase(gettext_noop("Refresh"))
ANSWERS = gettext_noop("Answers: %(seen)s")
ANSWERS_PLAINLY = Phrase(gettext_noop("Answers."))
COLLECTED = Phrase(gettext_noop("Values and inventory were read."))
NOBODY_COLLECTS = Phrase(gettext_noop("Nothing can be read from this interface."))
UNKNOWN_NAME = gettext_noop("The name %(address)s is not known.")

REMEDIES: Mapping[tuple[str, str], Phrase] = {
    ("name", "unreachable"): Phrase(
        gettext_noop("Correct the host name, enter the IP address instead, or add the name to the name server.")
    ),
    ("route", "unreachable"): Phrase(
        gettext_noop("See whether the device is on and connected, and whether the network lets the portal reach it.")
    ),
    ("port", "unreachable"): Phrase(
        gettext_noop("See whether the service runs on the device, listens on this port, and no firewall is between.")
    ),
    ("sign-in", "unreachable"): Phrase(
        gettext_noop(
            "Compare address and credential with the device's settings, and see whether the device answers the "
            "portal's address: a wrong community or privacy key is met with silence."
        )
    ),
    ("sign-in", "authentication_failed"): Phrase(
        gettext_noop("Correct the credential or the account on the device, then check again.")
    ),
    ("sign-in", "device_error"): Phrase(gettext_noop("Enter the credential again.")),
    ("protocol", "unreachable"): Phrase(
        gettext_noop("The device began to answer and stopped: check again; if it stays so, see how busy the device is.")
    ),
    ("protocol", "unsupported"): Phrase(
        gettext_noop("Choose another way of managing, or update the device's firmware or agent.")
    ),
    ("protocol", "device_error"): Phrase(
        gettext_noop("See whether another service listens on this port, or restart the device's management agent.")
    ),
}
BY_SENTENCE: Mapping[str, Phrase] = {  # where not the device, but the portal lacks something
    contact.NO_CREDENTIAL: Phrase(
        gettext_noop("Choose a credential for this way of managing, on the page that changes the component.")
    ),
    contact.NOT_INSTALLED: Phrase(gettext_noop("Choose another way of managing: this portal has no such driver.")),
    contact.OTHER_KEY: Phrase(
        gettext_noop("Enter the credential again, or start the portal with the key file that it was stored with.")
    ),
    pinning.OTHER_CERTIFICATE: Phrase(
        gettext_noop("Look at the new certificate on the component's page; accept it if it was changed on purpose.")
    ),
}
BY_CODE: Mapping[str, Phrase] = {
    "authentication_failed": REMEDIES["sign-in", "authentication_failed"],
    "unsupported": REMEDIES["protocol", "unsupported"],
    "device_error": REMEDIES["protocol", "device_error"],
    "unreachable": REMEDIES["route", "unreachable"],
    "already_running": Phrase(gettext_noop("Wait until it is free, then start again.")),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """How one interface answered a check: the stages it passed, or the error of the one it failed."""

    line: contact.Line
    passed: Sequence[CheckStep] = ()
    error: ContactError | None = None
    state: Mapping[str, object] | None = None
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)  # what its host names stand for


def check(components: Iterable[Component], actor: Actor) -> Job:
    """Start a check of every interface of these components; somebody asks, so a refused credential is offered again."""
    rows = ManagementInterface.objects.filter(component__in=_ids(components))
    return jobs.create(CHECK, CHECK_ONE, _steps(rows), actor)


def refresh(components: Iterable[Component], actor: Actor, title: Phrase | None = None) -> Job:
    """Start reading values and inventory of these components' enabled interfaces now."""
    rows = ManagementInterface.objects.filter(component__in=_ids(components), enabled=True)
    return jobs.create(REFRESH, title or REFRESH_ONE, _steps(rows), actor)


def _ids(components: Iterable[Component]) -> list[int]:
    return [component.pk for component in components]


def _steps(rows: QuerySet[ManagementInterface]) -> list[jobs.NewStep]:
    return [
        jobs.NewStep(
            target=f"{row.component} ({row})",
            component=row.component_id,
            interface=row.pk,
            group=row.component.group_id,
        )
        for row in rows.select_related("component").order_by("component__name", "pk")
    ]


def run_check(job_id: int) -> None:
    """Check the waiting steps of a job, some at once; each ends as soon as its device has answered."""
    offers = Offers()
    for steps in _claimed(job_id):
        lines = {line.interface_id: line for line in contact.lines(steps.keys(), contact.CHECK, offers=offers)}
        _finish_gone(steps, lines.keys())
        for answer in _answers(list(lines.values())):
            outcome = noting.Outcome(answer.line, answer.error, answer.state or {})
            noting.note([outcome])
            host_names.keep(answer.names)
            _finish(steps[answer.line.interface_id], answer.error, _seen(answer.passed))


def run_refresh(job_id: int) -> None:
    """Have the collectors read the interfaces of a job's waiting steps."""
    for steps in _claimed(job_id):
        present = set(ManagementInterface.objects.filter(pk__in=steps).values_list("pk", flat=True))
        _finish_gone(steps, present)
        results: dict[int, ContactError | None] = {}
        collected = set()
        for collect in extensions.collectors:
            for pk, error in collect(sorted(present)).items():
                results[pk] = results.get(pk) or error
                collected.add(pk)
        for pk in sorted(present):
            if pk in collected:
                _finish(steps[pk], results[pk], COLLECTED)
            else:
                jobs.finish(steps[pk], StepState.SKIPPED, code=StepCode.UNSUPPORTED, message=NOBODY_COLLECTS)


def _claimed(job_id: int) -> Iterator[dict[int, JobStep]]:
    """Claim the waiting steps of a job by handfuls, keyed by interface; those that another worker took are left out."""
    while True:
        waiting = JobStep.objects.filter(job=job_id, state=StepState.WAITING).order_by("pk")
        ids = list(waiting.values_list("pk", flat=True)[:AT_ONCE])
        claimed = [step for step in map(jobs.claim, ids) if step is not None]
        if not claimed:
            return
        yield {step.interface: step for step in claimed if step.interface is not None}


def _finish_gone(steps: Mapping[int, JobStep], present: Iterable[int]) -> None:
    for pk in steps.keys() - set(present):
        jobs.finish(steps[pk], StepState.SKIPPED, message=Phrase(gettext_noop("The interface was removed meanwhile.")))


def _answers(lines: Sequence[contact.Line]) -> Iterator[Answer]:
    """Ask all lines at once in an event loop of their own thread, and give each answer to the database's thread."""
    told: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()

    async def ask_all() -> None:
        await asyncio.gather(*(tell(line) for line in lines))

    async def tell(line: contact.Line) -> None:
        told.put(await ask(line))

    def loop() -> None:
        try:
            asyncio.run(ask_all())
        finally:
            told.put(None)

    thread = threading.Thread(target=loop, name="check", daemon=True)
    thread.start()
    while (answer := told.get()) is not None:
        yield answer
    thread.join()


async def ask(line: contact.Line) -> Answer:
    """Walk the stages of a check on one interface: its name first, the rest is the driver's to say."""
    names: dict[str, list[str]] = {}
    try:
        if line.refusal is None:
            await _resolve(line.target.address)
            target = line.target
            names = await host_names.look_up(host_names.names_of(line.driver, target.address, target.parameters))
        async with contact.open(line, deadline=DEADLINE) as device:
            passed = await device.check()
            return Answer(line, passed=tuple(passed), state=dict(device.state), names=names)
    except ContactError as error:
        return Answer(line, error=error, names=names)


async def _resolve(address: str) -> None:
    try:
        await asyncio.get_running_loop().getaddrinfo(address, None)
    except (OSError, UnicodeError) as error:
        raise Unreachable(UNKNOWN_NAME, stage=Stage.NAME, address=address) from error


def _seen(passed: Sequence[CheckStep]) -> Phrase:
    told: list[Phrase] = []
    for step in passed:
        if step.seen and (phrase := Phrase(step.seen, dict(step.params))) not in told:
            told.append(phrase)
    if not told:
        return ANSWERS_PLAINLY
    *before, seen = told
    for phrase in reversed(before):
        seen = Phrase("%(first)s; %(more)s", {"first": phrase, "more": seen})
    return Phrase(ANSWERS, {"seen": seen})


def _finish(step: JobStep, error: ContactError | None, success: Phrase) -> None:
    if error is None:
        jobs.finish(step, StepState.DONE, message=success)
        return
    jobs.finish(
        step,
        StepState.FAILED,
        code=StepCode(error.code),
        stage=error.stage.value,
        message=contact.words(error),
        remedy=remedy_of(error),
    )


def remedy_of(error: ContactError) -> Phrase | None:
    """Say what to do: what was missing here first, else by how far the conversation came."""
    return BY_SENTENCE.get(error.message) or REMEDIES.get((error.stage.value, error.code)) or BY_CODE.get(error.code)
