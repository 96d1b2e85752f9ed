"""Applies the definitions of today to the stored alerts of the last week, a day at a time, as a job."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.alerts.models import Alert, AlertDefinition, Incident, Severity
from apps.alerts.services import catalogue
from apps.alerts.services.arrivals import Arrival
from apps.alerts.services.catalogue import Catalogue
from apps.alerts.services.folding import Folding, Problem, settle_causes
from apps.alerts.services.ingestion import explain
from apps.alerts.services.interpretation import interpret
from apps.alerts.services.past import WEEK, concerned
from apps.alerts.services.quiet import quiet_reason
from apps.alerts.services.reinterpretation import arrival_of, leave
from apps.core import audit, events, jobs
from apps.core.actors import Actor, ActorKind
from apps.core.models import Job, JobStep, StepState
from apps.core.phrases import Phrase
from apps.core.writes import turn

REAPPLY = "reapply-definition"
TITLE = gettext_noop("Apply the alert definition %(name)s to the last week")
DONE = gettext_noop("%(changed)s of %(number)s alerts changed.")
_AT_ONCE = 50  # alerts in a write turn
_CHANGED = (
    *("definition", "matched", "object", "severity", "alert_type", "product"),
    *("title", "detail", "remedy", "incident", "quiet"),
)


def order(definition: AlertDefinition, actor: Actor) -> Job:
    """Have the last week's alerts of a definition understood anew; gives the job, a step for each day."""
    today = timezone.localdate()
    first = timezone.localdate(timezone.now() - WEEK)
    days = [first + timedelta(days=number) for number in range((today - first).days + 1)]
    return jobs.create(
        REAPPLY,
        Phrase(TITLE, {"name": definition.name}),
        [jobs.NewStep(day.isoformat()) for day in days],
        actor,
        {"definition": definition.pk, "until": timezone.now().isoformat()},
    )


def run(job_id: int) -> None:
    """Do the steps of a job, the oldest day first."""
    job = Job.objects.select_related("created_by").filter(pk=job_id).first()
    if job is None:
        return
    definition = AlertDefinition.objects.filter(pk=job.arguments["definition"]).first()
    user = job.created_by
    actor = Actor(ActorKind.USER if user else ActorKind.SYSTEM, job.created_by_name, user)
    for pk in job.steps.order_by("pk").values_list("pk", flat=True):
        step = jobs.claim(pk)
        if step is None:
            continue
        if definition is None:
            jobs.finish(step, StepState.SKIPPED)
            continue
        _do(step, definition, datetime.fromisoformat(job.arguments["until"]), actor)


def _do(step: JobStep, definition: AlertDefinition, until: datetime, actor: Actor) -> None:
    day = date.fromisoformat(step.target)
    start = timezone.make_aware(datetime.combine(day, time.min))
    end = min(start + timedelta(days=1), until)
    catalogue.forget()
    known = catalogue.current()
    found = concerned(definition, known, Alert.objects.all(), max(start, timezone.now() - WEEK - timedelta(hours=1)))
    found = found.filter(received_at__lt=end)
    number = changed = after = 0
    while True:
        ids = list(found.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
        if not ids:
            break
        number, changed, after = number + len(ids), changed + reapply(ids, known, actor, definition), ids[-1]
    message = Phrase(DONE, {"changed": str(changed), "number": str(number)})
    jobs.finish(step, StepState.DONE, message=message)


def reapply(ids: Sequence[int], known: Catalogue, actor: Actor, definition: AlertDefinition) -> int:
    """Understand some alerts anew, in one write turn and in their order; gives how many meant something else before.

    What an incident that has ended was about is history: its alerts say it in today's words and stay in it. A problem
    understood late opens an incident, which a later recovery ends; a recovery ends nothing that came after it.
    """
    with turn():
        rows = Alert.objects.filter(pk__in=ids).select_related("component", "definition", "incident")
        alerts = list(rows.select_for_update(of=("self",)).order_by("pk"))
        arrivals = [_arrival(alert, known) for alert in alerts]
        folding = Folding(arrivals, known)
        touched: list[Incident] = []
        moved: dict[int, Problem | None] = {}
        changed = [
            alert
            for alert, arrival in zip(alerts, arrivals, strict=True)
            if _apply(alert, arrival, folding, touched, moved)
        ]
        folding.store()
        for alert in changed:
            if alert.pk in moved:
                problem = moved[alert.pk]
                alert.incident_id = problem.pk if problem is not None else None
        Alert.objects.bulk_update(changed, _CHANGED, batch_size=25)
        settle_causes(touched)
        if changed:
            after = {"alerts": len(changed), "first": changed[0].pk, "last": changed[-1].pk}
            audit.record(actor, "alert.reapply", definition, after=after)
            events.publish("alert")
    return len(changed)


def _arrival(alert: Alert, known: Catalogue) -> Arrival:
    meaning = interpret(known, alert.trap_oid, alert.enterprise, alert.bindings, alert.component)
    return arrival_of(alert, alert.component, meaning.definition)


def _apply(
    alert: Alert, arrival: Arrival, folding: Folding, touched: list[Incident], moved: dict[int, Problem | None]
) -> bool:
    """Put what an alert means now on it; says whether that is something else."""
    before = _meaning(alert)
    incident: Incident | Problem | None = alert.incident
    had = alert.definition_id
    alert.object = arrival.object[:200]
    explain(alert, arrival)
    if _meaning(alert) == before:
        return False
    same = arrival.definition is not None and had == arrival.definition.pk and before[1] == alert.object
    held = folding.problem_of(alert.incident_id)
    if incident is not None and (not incident.is_open or (same and arrival.is_problem)):
        if held is not None:
            folding.say_anew(held, arrival)
    else:
        if held is None:
            touched += leave(alert.incident_id, before[2])
        elif before[2] != Severity.NORMAL:
            folding.leave(held)
        incident = moved[alert.pk] = folding.take_late(arrival)
    alert.quiet = quiet_reason(alert.component, incident).value
    return True


def _meaning(alert: Alert) -> tuple[int | None, str, str, str, str, str, str, str, bool]:
    texts = (alert.title.dumps(), alert.detail.dumps(), alert.remedy.dumps())
    return (alert.definition_id, alert.object, alert.severity, alert.alert_type, alert.product, *texts, alert.matched)
