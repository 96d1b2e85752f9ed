"""Measuring points that were seen, and the limits that people set for them."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.components.models import ManagementInterface, Status
from apps.core.scoping import ScopedModel
from apps.monitoring import naming


class Sensor(ScopedModel):
    """A measuring point that was seen, with the status it changed to last; written when it is new or changes only."""

    interface = models.ForeignKey(
        ManagementInterface,
        verbose_name=_("interface"),
        on_delete=models.CASCADE,
        related_name="sensors",
        db_index=False,
    )
    key = models.CharField(_("key"), max_length=200)
    name = models.CharField(_("name"), max_length=300)
    quantity = models.CharField(_("quantity"), max_length=20)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status)
    since = models.DateTimeField(_("since"), default=timezone.now)
    gone_at = models.DateTimeField(_("gone since"), null=True, blank=True)  # when the device stopped listing it

    scope_path = "interface__component__group"

    class Meta:
        ordering = ["pk"]
        verbose_name = _("sensor")
        verbose_name_plural = _("sensors")
        constraints = [
            models.UniqueConstraint(fields=["interface", "key"], name="%(app_label)s_%(class)s_once"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="%(app_label)s_%(class)s_known_status"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """Give the name in the reader's language."""
        return naming.label(self.name, self.quantity)


class Limit(ScopedModel):
    """A user's own thresholds of one sensor; they stand in place of the device's. NULL is "no limit", never 0."""

    interface = models.ForeignKey(
        ManagementInterface,
        verbose_name=_("interface"),
        on_delete=models.CASCADE,
        related_name="limits",
        db_index=False,
    )
    key = models.CharField(_("key"), max_length=200)
    lower_critical = models.FloatField(_("lower critical"), null=True, blank=True)
    lower_warning = models.FloatField(_("lower warning"), null=True, blank=True)
    upper_warning = models.FloatField(_("upper warning"), null=True, blank=True)
    upper_critical = models.FloatField(_("upper critical"), null=True, blank=True)

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        constraints = [models.UniqueConstraint(fields=["interface", "key"], name="%(app_label)s_%(class)s_once")]

    def __str__(self) -> str:
        return self.key
