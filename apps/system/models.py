"""What the portal knows of itself: how much it stores, and the support bundles that were asked for."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.models import Job


class CapacityMeasurement(models.Model):
    """How much was stored at one time; ``facts`` is what ``apps.system.capacity.measuring`` found."""

    at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    size = models.PositiveBigIntegerField(_("size"))  # bytes of the database
    facts = models.JSONField(_("facts"))
    warned = models.BooleanField(_("warned"), default=False)  # an alert says that the disk fills up

    class Meta:
        ordering = ["-at"]
        verbose_name = _("measurement of capacity")
        verbose_name_plural = _("measurements of capacity")

    def __str__(self) -> str:
        return f"{self.size} B @ {self.at}"


class SupportBundle(models.Model):
    """A support bundle that is ready to be fetched; it holds no secret and is removed after a day."""

    job = models.OneToOneField(Job, verbose_name=_("job"), on_delete=models.CASCADE, related_name="support_bundle")
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    name = models.CharField(_("name"), max_length=100)
    size = models.PositiveIntegerField(_("size"))
    content = models.BinaryField(_("content"))

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("support bundle")
        verbose_name_plural = _("support bundles")

    def __str__(self) -> str:
        return self.name
