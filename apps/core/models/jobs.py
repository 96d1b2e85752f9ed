"""Jobs and their steps."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import scope_sql, scoping
from apps.core.fields import PhraseField
from apps.core.phrases import Phrase


class JobState(models.TextChoices):
    """Where a job stands; ``done`` when at least one step is done or none was needed."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    CANCELLING = "cancelling", _("Being cancelled")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class StepState(models.TextChoices):
    """Where one step of a job stands."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Skipped")
    CANCELLED = "cancelled", _("Cancelled")


class StepCode(models.TextChoices):
    """Why a step did not end well, as a word that programs can read."""

    NONE = "", ""
    UNREACHABLE = "unreachable", _("Unreachable")
    AUTHENTICATION_FAILED = "authentication_failed", _("Sign-in refused")
    UNSUPPORTED = "unsupported", _("Not supported")
    DEVICE_ERROR = "device_error", _("Device error")
    ALREADY_RUNNING = "already_running", _("Already running")
    NOT_CONFIRMED = "not_confirmed", _("Not confirmed")
    OUTCOME_UNKNOWN = "outcome_unknown", _("Outcome unknown")


class StepStage(models.TextChoices):
    """How far a step came, where it consists of stages."""

    NONE = "", ""
    NAME = "name", _("Name")
    ROUTE = "route", _("Route")
    PORT = "port", _("Port")
    SIGN_IN = "sign-in", _("Sign-in")
    PROTOCOL = "protocol", _("Protocol")


OPEN_JOBS = (JobState.WAITING, JobState.RUNNING, JobState.CANCELLING)
OPEN_STEPS = (StepState.WAITING, StepState.RUNNING)


class JobQuerySet(scoping.Scoped):
    """Words for asking after jobs."""

    def visible_to(self, user: Any, permission: str = "view") -> Self:
        """Keep one's own jobs and those with a target in a group that the user may see."""
        scope = scoping.scope_of(user, permission)
        if isinstance(scope, scoping.Everything):
            return self
        own = Q(created_by__in=scoping.owners(user))
        return self.filter(own | scope_sql.AnyIn(JobStep, "job", scope) if scope else own)

    def open(self) -> Self:
        """Keep the jobs that have not ended."""
        return self.filter(state__in=OPEN_JOBS)


class Job(models.Model):
    """Anything that takes time: its targets are steps, its progress is counted, its end is certain."""

    kind = models.CharField(_("kind"), max_length=40)
    title = PhraseField(_("title"))
    state = models.CharField(_("state"), max_length=12, choices=JobState, default=JobState.WAITING.value)
    total = models.PositiveIntegerField(_("total"), default=0)
    finished = models.PositiveIntegerField(_("finished"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    skipped = models.PositiveIntegerField(_("skipped"), default=0)
    arguments = models.JSONField(_("arguments"), default=dict, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("started by (user)"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_by_name = models.CharField(_("started by"), max_length=200)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [models.Index(fields=["state", "created_at"], name="core_job_state")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="%(app_label)s_%(class)s_known_state"),
            models.CheckConstraint(condition=Q(finished__lte=F("total")), name="%(app_label)s_%(class)s_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.title} #{self.pk}"

    def get_absolute_url(self) -> str:
        """Give the page of the job."""
        return reverse("jobs:job", args=[self.pk])

    @property
    def audit_name(self) -> str:
        """Give its number: what it does is said by the act."""
        return f"#{self.pk}"

    @property
    def is_open(self) -> bool:
        """Say whether it has not ended."""
        return self.state in OPEN_JOBS

    @property
    def percent(self) -> int:
        """Give the progress from 0 to 100."""
        return 100 * self.finished // self.total if self.total else (0 if self.is_open else 100)

    @property
    def consequences(self) -> list[Phrase]:
        """Give what it touched besides its targets, as it was shown before it was ordered."""
        return [Phrase.loads(text) for text in self.arguments.get("consequences", ())]


class JobStep(models.Model):
    """What a job does to one target, and how it ended there.

    The target is kept as text and plain ids: the answer stays readable when the component is gone, and visible to
    whoever may see the group that it was in on that day.
    """

    job = models.ForeignKey(Job, verbose_name=_("job"), on_delete=models.CASCADE, related_name="steps")
    component = models.PositiveBigIntegerField(_("component"), null=True, blank=True)
    interface = models.PositiveBigIntegerField(_("interface"), null=True, blank=True)
    group = models.PositiveBigIntegerField(_("group"), null=True, blank=True)
    target = models.CharField(_("target"), max_length=300)
    state = models.CharField(_("state"), max_length=12, choices=StepState, default=StepState.WAITING.value)
    stage = models.CharField(_("stage"), max_length=20, choices=StepStage, default="", blank=True)
    code = models.CharField(_("code"), max_length=24, choices=StepCode, default="", blank=True)
    message = PhraseField(_("message"), default=Phrase, blank=True)
    remedy = PhraseField(_("remedy"), default=Phrase, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    deadline_at = models.DateTimeField(_("deadline"), null=True, blank=True)
    finished_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = scoping.Scoped.as_manager()
    scope_path = "group"

    class Meta:
        ordering = ["pk"]
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        indexes = [
            models.Index(fields=["job", "state"], name="core_step_job_state"),
            models.Index(fields=["component"], name="core_step_component"),
            models.Index(fields=["group", "job"], name="core_step_group"),
            models.Index(fields=["deadline_at"], condition=Q(state="running"), name="core_step_running"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=StepState.values), name="%(app_label)s_%(class)s_known_state"),
        ]

    def __str__(self) -> str:
        return f"{self.target}: {self.state}"
