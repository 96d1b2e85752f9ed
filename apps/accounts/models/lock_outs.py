"""What failed of signing in."""

from datetime import datetime
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class LockedThing(models.TextChoices):
    """What failed sign-ins are counted by."""

    ACCOUNT = "account", _("Account")
    ADDRESS = "address", _("Address")


class LockOutQuerySet(models.QuerySet["LockOut"]):
    """Words for asking after failed sign-ins."""

    def locked(self, now: datetime) -> Self:
        """Keep what may not sign in at this time."""
        return self.filter(locked_until__gt=now)


class LockOut(models.Model):
    """How often sign-in failed for an account or from an address, and until when it is refused because of that.

    An account is a name that somebody typed, whether there is such a user or not: else its row would tell. Browsers in
    which a user signed in before are counted by themselves, so that nobody else locks him out there.
    """

    kind = models.CharField(_("kind"), max_length=8, choices=LockedThing)
    name = models.CharField(_("name"), max_length=150)  # as ``lockouts`` writes it: folded, or a prefix for IPv6
    browser = models.CharField(_("browser"), max_length=32, blank=True, default="")
    failures = models.PositiveIntegerField(_("failed sign-ins"), default=0)
    last_failed_at = models.DateTimeField(_("last failed"))
    locked_until = models.DateTimeField(_("locked until"), null=True, blank=True)
    refused = models.PositiveIntegerField(default=0, editable=False)  # attempts while locked that are not audited yet
    refusal_told_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = LockOutQuerySet.as_manager()

    class Meta:
        ordering = ["-last_failed_at", "-pk"]
        verbose_name = _("lock-out")
        verbose_name_plural = _("lock-outs")
        constraints = [
            models.UniqueConstraint(fields=["kind", "name", "browser"], name="%(app_label)s_%(class)s_once"),
        ]
        indexes = [models.Index(fields=["last_failed_at"], name="%(app_label)s_%(class)s_last")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_locked(self) -> bool:
        """Say whether sign-in is refused now."""
        return self.locked_until is not None and self.locked_until > timezone.now()
