"""Orders a support bundle, makes it, and removes it after a day."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.core import audit, jobs
from apps.core.actors import Actor
from apps.core.models import Job, JobStep, StepCode, StepState
from apps.core.phrases import Phrase
from apps.core.writes import turn
from apps.system.bundle import building
from apps.system.models import SupportBundle

KIND = "support-bundle"
KEPT_FOR = timedelta(days=1)
TITLE = Phrase(gettext_noop("Support bundle"))
READY = gettext_noop("%(name)s is ready and is kept for a day.")
NOT_MADE = gettext_noop("The bundle could not be made: %(error)s")


def order(actor: Actor) -> Job:
    """Have a bundle made."""
    return jobs.create(KIND, TITLE, [jobs.NewStep(target=building.host())], actor)


def make(job_id: int) -> None:
    """Make the bundle of a job; what is in it was searched for secrets."""
    step = JobStep.objects.filter(job=job_id).first()
    if step is None or (claimed := jobs.claim(step.pk)) is None:
        return
    name = building.name()
    try:
        content = building.build()
    except OSError as error:
        error_text = Phrase(NOT_MADE, {"error": str(error)})
        jobs.finish(claimed, StepState.FAILED, code=StepCode.DEVICE_ERROR, message=error_text)
        return
    with turn():
        SupportBundle.objects.update_or_create(
            job_id=job_id, defaults={"name": name, "size": len(content), "content": content, "made_at": timezone.now()}
        )
        jobs.finish(claimed, StepState.DONE, message=Phrase(READY, {"name": name}))


def present() -> QuerySet[SupportBundle]:
    """Give the bundles that can be fetched, without what is in them."""
    fresh = SupportBundle.objects.filter(made_at__gt=timezone.now() - KEPT_FOR)
    return fresh.select_related("job").defer("content")


def fetch(bundle: SupportBundle, actor: Actor) -> bytes:
    """Give what is in a bundle, and keep who took it."""
    with turn():
        audit.record(actor, "support-bundle.download", bundle)
    return bytes(SupportBundle.objects.values_list("content", flat=True).get(pk=bundle.pk))


def remove_old() -> int:
    """Remove the bundles that are older than a day."""
    with turn():
        return SupportBundle.objects.filter(made_at__lte=timezone.now() - KEPT_FOR).delete()[0]
