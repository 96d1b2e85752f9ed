"""What devices are set to, and changes of that which wait to be confirmed or carried out."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.components.models import ManagementInterface
from apps.core import scoping
from apps.core.fields import EncryptedJSONField
from apps.core.models import Job


class SettingsSnapshot(scoping.ScopedModel):
    """What a device was set to when it was read last; without secrets, which no device tells."""

    interface = models.OneToOneField(
        ManagementInterface, verbose_name=_("interface"), on_delete=models.CASCADE, related_name="settings_snapshot"
    )
    read_at = models.DateTimeField(_("read"), default=timezone.now)
    report = models.JSONField(_("settings"), default=dict)
    came_with = models.JSONField(_("values that it came with"), null=True, blank=True)

    scope_path = "interface__component__group"

    class Meta:
        verbose_name = _("settings of a device")
        verbose_name_plural = _("settings of devices")

    def __str__(self) -> str:
        return str(self.interface)


class SettingsOrder(models.Model):
    """A change of settings: proposed and shown to one user, then carried out by one job. It goes when that has ended.

    ``targets`` says for each interface what is written and what was there when it was proposed; it may hold passwords.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    job = models.OneToOneField(Job, on_delete=models.CASCADE, null=True, blank=True, related_name="settings_order")
    targets = EncryptedJSONField()

    class Meta:
        verbose_name = _("change of settings")
        verbose_name_plural = _("changes of settings")

    def __str__(self) -> str:
        return f"#{self.pk}"
