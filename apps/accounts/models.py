"""The people who sign in, what failed of it, and their second factor."""

import re
from base64 import b32decode
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device
from django_otp.oath import TOTP

from apps.core.fields import EncryptedJSONField


class Theme(models.TextChoices):
    """The colours a user prefers."""

    AUTO = "auto", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractUser):
    """A person with preferences; what he may do is said by his grants, not here."""

    language = models.CharField(_("language"), max_length=8, blank=True, default="")
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True, default="")
    theme = models.CharField(_("theme"), max_length=8, choices=Theme, default=Theme.AUTO.value)
    must_change_password = models.BooleanField(_("must change the password"), default=False)
    remembered = models.JSONField(default=dict, blank=True, editable=False)  # how he looked at a page last, by page

    class Meta(AbstractUser.Meta):
        verbose_name = _("user")  # type: ignore[assignment]  # the stubs know only the base's plain text
        verbose_name_plural = _("users")  # type: ignore[assignment]  # the same

    def __str__(self) -> str:
        return self.username


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


class TotpDevice(Device):
    """The second factor of a user: an authenticator app that shares a secret with the portal (RFC 6238).

    Not the device of django-otp, which keeps the secret as plain text and lets the clock drift further at each use.
    """

    STEP = 30  # seconds
    DIGITS = 6
    TOLERANCE = 1  # steps by which the clock of the telephone may be wrong, in both directions

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="totp_device"
    )
    secret = EncryptedJSONField()  # in base32, as the app takes it
    last_step = models.BigIntegerField(default=-1)  # of the last code that was taken; it and earlier ones are used up
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    confirmed_at = models.DateTimeField(_("on since"), null=True, blank=True)

    class Meta:
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")

    def __str__(self) -> str:
        return self.user.get_username()

    def verify_token(self, token: str) -> bool:
        """Take a code of now, or of a step before or after, once."""
        if not re.fullmatch(r"[0-9]{6}", token):
            return False
        totp = TOTP(b32decode(str(self.secret)), self.STEP, 0, self.DIGITS)
        totp.time = timezone.now().timestamp()
        if not totp.verify(int(token), self.TOLERANCE, self.last_step + 1):
            return False
        taken = type(self).objects.filter(pk=self.pk, last_step__lt=totp.t()).update(last_step=totp.t())
        self.last_step = totp.t()
        return bool(taken)


class RecoveryCode(models.Model):
    """A code that stands in once for the app of a lost telephone: 80 random bits, of which the SHA-256 is kept."""

    device = models.ForeignKey(TotpDevice, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        constraints = [
            models.UniqueConstraint(fields=["device", "digest"], name="%(app_label)s_%(class)s_once"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
