"""Why a component is as it is, and when that changed."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.fields import PhraseField
from apps.core.scoping import ScopedModel


class Status(models.TextChoices):
    """The state of a component, worst first."""

    CRITICAL = "critical", _("Critical")
    WARNING = "warning", _("Warning")
    UNKNOWN = "unknown", _("Unknown")
    NORMAL = "normal", _("Normal")


class StatusCause(ScopedModel):
    """One open reason why a component is not normal; its status is the worst of these. The absence of any is normal.

    ``source`` is who put it (``poll``, ``liveness``, ``limit``, ``alert``, ``registration``), ``key`` what it is about.
    """

    component = models.ForeignKey("components.Component", on_delete=models.CASCADE, related_name="causes")
    interface = models.ForeignKey(
        "components.ManagementInterface", null=True, blank=True, on_delete=models.CASCADE, related_name="causes"
    )
    source = models.CharField(max_length=20)
    key = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status)
    text = PhraseField()
    since = models.DateTimeField(default=timezone.now)

    scope_path = "component__group"

    class Meta:
        ordering = ["since"]
        verbose_name = _("status cause")
        verbose_name_plural = _("status causes")
        constraints = [
            models.UniqueConstraint(
                "component", Coalesce("interface", 0), "source", "key", name="%(app_label)s_%(class)s_once"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["critical", "warning", "unknown"]), name="%(app_label)s_%(class)s_known_status"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status}: {self.text}"


class StatusChange(ScopedModel):
    """One change of a component's status."""

    component = models.ForeignKey("components.Component", on_delete=models.CASCADE, related_name="status_changes")
    at = models.DateTimeField(default=timezone.now)
    old = models.CharField(max_length=10, choices=Status)
    new = models.CharField(max_length=10, choices=Status)
    text = PhraseField(blank=True, default="")

    scope_path = "component__group"

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        indexes = [
            models.Index(fields=["component", "-at"], name="components_change_latest"),
            models.Index(fields=["-at"], name="components_change_at"),
        ]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"
