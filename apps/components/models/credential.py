"""Logins that interfaces share: encrypted, versioned, never shown again."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.fields import EncryptedJSONField
from apps.core.scoping import ScopedModel
from apps.groups.models import Group


class Credential(ScopedModel):
    """A named login of one kind that belongs to a group; what it says is in its newest version."""

    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=20)
    group = models.ForeignKey(Group, verbose_name=_("group"), on_delete=models.PROTECT, related_name="credentials")
    version = models.PositiveIntegerField(_("version"), default=1)
    latched_version = models.PositiveIntegerField(
        _("version not offered"), null=True, blank=True
    )  # refused on two devices: used nowhere
    proven_at = models.DateTimeField(
        _("proven"), null=True, blank=True
    )  # asked by hand and accepted: earlier refusals do not count
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        ordering = ["name"]
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        constraints = [
            models.UniqueConstraint(
                fields=["group", "name"],
                name="%(app_label)s_%(class)s_name_in_group",
                violation_error_message=_("A credential of this name belongs to the group already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_latched(self) -> bool:
        """Say whether the present version is kept from use."""
        return self.latched_version == self.version


class CredentialVersion(models.Model):
    """What a credential said at one time; only the newest is used."""

    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    fields = EncryptedJSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["credential", "number"], name="%(app_label)s_%(class)s_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="%(app_label)s_%(class)s_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.credential} v{self.number}"
